//! The fonts of the transcript: Song (宋体) for everything, and what has the characters that it lacks.
//!
//! Only these files are looked for, because their licences allow to embed them in a document: Noto CJK and Hanazono Mincho,
//! both under the SIL Open Font License. Of a collection only the face for mainland China is used. A PDF gets the glyphs it
//! shows and no others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// Files and families that must be there.
const REQUIRED: [(&str, &str); 2] = [
    ("NotoSerifCJK-Regular.ttc", "Noto Serif CJK SC"),
    ("NotoSerifCJK-Bold.ttc", "Noto Serif CJK SC"),
];
/// Files and families that are used where they are: they have characters that those above lack, and are kept in memory
/// once such a character was printed.
const FALLBACK: [(&str, &str); 4] = [
    ("NotoSansCJK-Regular.ttc", "Noto Sans CJK SC"),
    ("NotoSansCJK-Bold.ttc", "Noto Sans CJK SC"),
    // Extensions B to F of Unicode, where rare characters of names are.
    ("HanaMinA.ttf", "HanaMinA"),
    ("HanaMinB.ttf", "HanaMinB"),
];
/// How deep below its folder fonts are looked for, and among how many entries.
const DEPTH_MAX: usize = 4;
const ENTRIES_MAX: usize = 10_000;
/// The most bytes of a font file.
const FILE_BYTES_MAX: u64 = 128 << 20;

/// Why there are no fonts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FontsError {
    /// Not in the folder.
    #[error("{folder}: there is no {file} (Debian has it in fonts-noto-cjk)")]
    Missing { folder: PathBuf, file: &'static str },
    /// There, and no font.
    #[error("{path}: this is no font with the family {family}")]
    Unreadable { path: PathBuf, family: &'static str },
    /// Not read.
    #[error("{path}: {error}")]
    Io {
        path: PathBuf,
        error: std::io::Error,
    },
}

/// The fonts, read once.
pub(crate) struct Fonts {
    book: LazyHash<FontBook>,
    /// As numbered in `book`.
    faces: Vec<Face>,
}

struct Face {
    path: PathBuf,
    family: &'static str,
    font: OnceLock<Option<Font>>,
}

impl Fonts {
    /// Reads the fonts below a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, FontsError> {
        let found = find(folder);
        let mut fonts = Self {
            book: LazyHash::new(FontBook::new()),
            faces: Vec::new(),
        };
        let mut book = FontBook::new();
        for (file, family) in REQUIRED {
            let missing = || FontsError::Missing {
                folder: folder.to_owned(),
                file,
            };
            let path = found.get(file).ok_or_else(missing)?;
            let font = load(path, family)?;
            book.push(font.info().clone());
            fonts.add(path, family, Some(font));
        }
        for (file, family) in FALLBACK {
            if let Some(path) = found.get(file) {
                book.push(load(path, family)?.info().clone());
                fonts.add(path, family, None);
            }
        }
        fonts.book = LazyHash::new(book);
        Ok(fonts)
    }

    fn add(&mut self, path: &Path, family: &'static str, font: Option<Font>) {
        self.faces.push(Face {
            path: path.to_owned(),
            family,
            font: font.map_or_else(OnceLock::new, |it| OnceLock::from(Some(it))),
        });
    }

    /// What the fonts are and which characters they have.
    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    /// A font by its number in the book.
    pub(crate) fn font(&self, index: usize) -> Option<Font> {
        let face = self.faces.get(index)?;
        let read = || {
            let font = load(&face.path, face.family);
            font.inspect_err(|error| tracing::error!(%error, "a font is gone"))
                .ok()
        };
        face.font.get_or_init(read).clone()
    }

    /// Whether some font has a glyph for a character.
    pub(crate) fn has(&self, character: char) -> bool {
        let infos = (0..self.faces.len()).filter_map(|at| self.book.info(at));
        let mut coverages = infos.map(|it: &FontInfo| &it.coverage);
        coverages.any(|it| it.contains(u32::from(character)))
    }
}

/// The wanted files below a folder, the first of each name in the order of paths.
fn find(folder: &Path) -> BTreeMap<&'static str, PathBuf> {
    let mut found = BTreeMap::new();
    let mut level = vec![folder.to_owned()];
    let mut entries = 0;
    for _ in 0..=DEPTH_MAX {
        let mut below: Vec<PathBuf> = level
            .iter()
            .filter_map(|it| fs::read_dir(it).ok())
            .flat_map(|it| it.filter_map(Result::ok).map(|it| it.path()))
            .take(ENTRIES_MAX - entries)
            .collect();
        entries += below.len();
        below.sort();
        for path in &below {
            let mut wanted = REQUIRED.iter().chain(&FALLBACK);
            if let Some((file, _)) = wanted.find(|(file, _)| path.ends_with(file)) {
                found.entry(*file).or_insert_with(|| path.clone());
            }
        }
        below.retain(|it| it.is_dir());
        level = below;
    }
    found
}

fn load(path: &Path, family: &'static str) -> Result<Font, FontsError> {
    let io = |error| FontsError::Io {
        path: path.to_owned(),
        error,
    };
    let unreadable = || FontsError::Unreadable {
        path: path.to_owned(),
        family,
    };
    if fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
        return Err(unreadable());
    }
    let data = Bytes::new(fs::read(path).map_err(io)?);
    let found = Font::iter(data).find(|it| it.info().family == family);
    found.ok_or_else(unreadable)
}
