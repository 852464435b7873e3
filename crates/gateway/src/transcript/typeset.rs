//! Sets a transcript in type and writes it as PDF/UA-1: tagged, with title and language, every glyph embedded.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Smart, dict};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Feature, Library, LibraryExt, World, WorldExt};
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::fonts::Fonts;
use super::sheet::Transcript;
use super::values::values;

/// Why a transcript cannot be printed. Holds nothing of what it says.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Unprintable {
    /// A character of the learner's name is in no font.
    #[error("the fonts lack a character")]
    Glyph,
    /// A link is too long for a QR code.
    #[error("a link is too long for a QR code")]
    Link,
    /// The page is at fault.
    #[error("transcript.typ, line {line}: the page cannot be set")]
    Page { line: usize },
}

/// The page and its words.
static SOURCES: LazyLock<[Source; 2]> = LazyLock::new(|| {
    [
        ("transcript.typ", include_str!("../../typst/transcript.typ")),
        ("words.typ", include_str!("../../typst/words.typ")),
    ]
    .map(|(name, text)| {
        let path = VirtualPath::new(name).expect("a plain name");
        let id = RootedPath::new(VirtualRoot::Project, path).intern();
        Source::new(id, text.to_owned())
    })
});

/// The PDF of a transcript. Equal content gives equal bytes.
pub(crate) fn render(transcript: &Transcript, fonts: &Fonts) -> Result<Vec<u8>, Unprintable> {
    let inputs = dict! { "transcript" => values(transcript, fonts)? };
    let typesetter = Typesetter::new(inputs, fonts);
    let made = write(&typesetter, identity(transcript));
    // The memory of the typesetter is global and would keep what this learner's page looked like.
    typst::comemo::evict(0);
    made.map_err(|errors| fault(&typesetter, &errors))
}

fn write(typesetter: &Typesetter<'_>, ident: String) -> Result<Vec<u8>, Vec<SourceDiagnostic>> {
    let standards = PdfStandards::new(&[PdfStandard::Ua_1]);
    let options = PdfOptions {
        ident: Smart::Custom(ident),
        creator: Smart::Custom(Some("creditbank".to_owned())),
        standards: standards.expect("PDF/UA-1 alone contradicts nothing"),
        ..PdfOptions::default()
    };
    let document = typst::compile(typesetter).output;
    let pdf = document.and_then(|it| typst_pdf::pdf(&it, &options));
    pdf.map_err(|errors| errors.into_iter().collect())
}

/// Two transcripts have one identifier if they are of one learner, day, state of the log and language.
fn identity(it: &Transcript) -> String {
    let languages = it.languages.as_str();
    format!(
        "{}\n{}\n{}\n{}\n{languages}",
        it.log_origin, it.log_size, it.holder.code, it.printed_on
    )
}

/// What went wrong, without the texts that a message may quote.
fn fault(typesetter: &Typesetter<'_>, errors: &[SourceDiagnostic]) -> Unprintable {
    if errors
        .iter()
        .any(|it| it.message.contains("could not be displayed"))
    {
        return Unprintable::Glyph;
    }
    let place = errors.first().and_then(|it| {
        let range = typesetter.range(it.span)?;
        SOURCES[0].lines().byte_to_line(range.start)
    });
    Unprintable::Page {
        line: place.map_or(0, |it| it + 1),
    }
}

/// All that a page can reach: two sources, the fonts, and its values.
struct Typesetter<'a> {
    standard: LazyHash<Library>,
    fonts: &'a Fonts,
}

impl<'a> Typesetter<'a> {
    fn new(inputs: Dict, fonts: &'a Fonts) -> Self {
        // Cells that name their row are told apart from others by this feature alone.
        let features = [Feature::A11yExtras].into_iter().collect();
        let library = Library::builder()
            .with_inputs(inputs)
            .with_features(features)
            .build();
        Self {
            standard: LazyHash::new(library),
            fonts,
        }
    }
}

impl World for Typesetter<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.standard
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        SOURCES[0].id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let source = SOURCES.iter().find(|it| it.id() == id);
        source.cloned().ok_or(FileError::AccessDenied)
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
