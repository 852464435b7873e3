//! Reading a public log, from the bank that serves it or from a copy of it, and keeping such a copy.

use std::fs;
use std::io::Write as _;
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_ledger::peers::http::Line;
use creditbank_merkle::tile::{TILE_WIDTH, decode_entries, encode_entries};
use creditbank_merkle::{Edge, LogKeys, Resource, TileId, leaf_hash};

/// How long one answer may take.
const WITHIN: Duration = Duration::from_secs(30);
/// Leaves of a full bundle.
pub(crate) const BUNDLE: u64 = TILE_WIDTH as u64;

/// Where a public log is read: at a bank or mirror over HTTP, or in a directory.
pub(crate) enum PublicLog {
    Http { url: String, line: Line },
    Directory(PathBuf),
}

impl PublicLog {
    /// Opens a URL, or a directory.
    pub(crate) fn open(place: &str, ca_pem: Option<&[u8]>) -> Result<Self> {
        if place.starts_with("http://") || place.starts_with("https://") {
            let url = place.trim_end_matches('/').to_owned();
            let line = Line::new(&url, ca_pem)?;
            return Ok(Self::Http { url, line });
        }
        Ok(Self::Directory(PathBuf::from(place)))
    }

    /// What lies at a path, if anything does.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Http { url, line } => {
                let answer = line.get(&format!("/{path}"), WITHIN).await;
                let answer = answer.with_context(|| url.clone())?;
                match answer.status {
                    200 => Ok(Some(answer.body.to_vec())),
                    404 => Ok(None),
                    status => bail!("{url}/{path}: status {status}"),
                }
            }
            Self::Directory(folder) => match fs::read(folder.join(path)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                read => {
                    Ok(Some(read.with_context(|| {
                        folder.join(path).display().to_string()
                    })?))
                }
            },
        }
    }

    /// The newest checkpoint, as it is shown.
    pub(crate) async fn checkpoint(&self) -> Result<String> {
        let note = self.read("checkpoint").await?;
        let note = note.with_context(|| format!("{self} shows no checkpoint"))?;
        String::from_utf8(note).with_context(|| format!("{self}: the checkpoint is no text"))
    }

    /// The leaves of one bundle, of which `width` are there.
    pub(crate) async fn entries(&self, index: u64, width: u64) -> Result<Vec<Vec<u8>>> {
        let path = Resource::Entries {
            index,
            partial: partial(width),
        }
        .to_string();
        let mut bundle = self.read(&path).await?;
        if bundle.is_none() && width < BUNDLE {
            // A copy may have the full one already.
            let full = Resource::Entries {
                index,
                partial: None,
            };
            bundle = self.read(&full.to_string()).await?;
        }
        let bundle = bundle.with_context(|| format!("{self} has no {path}"))?;
        let leaves = decode_entries(&bundle).with_context(|| format!("{self}: {path}"))?;
        let leaves = leaves.into_iter().map(<[u8]>::to_vec);
        Ok(leaves
            .take(usize::try_from(width).unwrap_or(TILE_WIDTH))
            .collect())
    }
}

impl std::fmt::Display for PublicLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http { url, .. } => f.write_str(url),
            Self::Directory(folder) => write!(f, "{}", folder.display()),
        }
    }
}

fn partial(width: u64) -> Option<NonZeroU8> {
    (width < BUNDLE).then(|| u8::try_from(width).ok().and_then(NonZeroU8::new))?
}

/// What a copy has come to.
pub(crate) struct Mirrored {
    pub(crate) size: u64,
    /// Leaves that were fetched.
    pub(crate) new: u64,
}

/// Brings the copy of a public log in `folder` up to date: only what is new is fetched, every leaf is hashed, and the
/// checkpoint that the leaves must give is written last.
pub(crate) async fn mirror(log: &PublicLog, keys: &LogKeys, folder: &Path) -> Result<Mirrored> {
    let note = log.checkpoint().await?;
    let stated = keys
        .open(&note)
        .with_context(|| format!("{log}: checkpoint"))?;
    let own = PublicLog::Directory(folder.to_owned());
    let known = match own.read("checkpoint").await? {
        Some(known) => {
            let known = std::str::from_utf8(&known)?;
            Some(keys.open(known).context("the copy")?)
        }
        None => None,
    };
    let size = stated.size.value();
    let have = known.as_ref().map_or(0, |known| known.size.value());
    ensure!(
        have <= size,
        "{log} has {size} leaves, and the copy {have}, signed by the same log: keep the copy, it proves what the bank has \
         signed"
    );
    let mut edge = Edge::new();
    while edge.size().value() < size {
        let at = edge.size().value();
        let width = (size - at).min(BUNDLE);
        let from = if at + width <= have { &own } else { log };
        let leaves = from.entries(at / BUNDLE, width).await?;
        ensure!(
            leaves.len() as u64 == width,
            "{from}: leaves from {at} on are missing"
        );
        let hashes: Vec<_> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        // The copy's own root lies inside this bundle, or at its end.
        if let Some(known) = known
            .as_ref()
            .filter(|it| (at + 1..=at + width).contains(&it.size.value()))
        {
            let upto = usize::try_from(known.size.value() - at).unwrap_or(TILE_WIDTH);
            let mut copy = edge.clone();
            copy.append(&hashes[..upto]);
            ensure!(
                copy.root() == known.root,
                "{log} shows another history than the copy, signed by the same log: keep both, they prove it"
            );
        }
        let full = edge.append(&hashes);
        if at + width > have {
            let index = at / BUNDLE;
            let bundle = encode_entries(leaves.iter().map(Vec::as_slice))?;
            write(
                folder,
                Resource::Entries {
                    index,
                    partial: partial(width),
                },
                &bundle,
            )?;
            for tile in full {
                let served = &tile.bytes()[..TILE_WIDTH * 32];
                write(
                    folder,
                    Resource::Tile {
                        id: tile.id,
                        partial: None,
                    },
                    served,
                )?;
            }
        }
    }
    ensure!(
        edge.root() == stated.root,
        "{log}: the leaves do not give the root that was signed"
    );
    partial_tiles(folder, &edge)?;
    write(folder, Resource::Checkpoint, note.as_bytes())?;
    Ok(Mirrored {
        size,
        new: size - have,
    })
}

/// The tiles of the right edge that are not full yet.
fn partial_tiles(folder: &Path, edge: &Edge) -> Result<()> {
    for level in 0..TileId::LEVELS as u8 {
        let width = TileId::partial_width(edge.size(), level) as u64;
        let index = edge
            .size()
            .value()
            .checked_shr(8 * (u32::from(level) + 1))
            .unwrap_or(0);
        if let Some(width) = partial(width) {
            let id = TileId { level, index };
            let hashes: Vec<u8> = edge
                .partial_tile(level)
                .iter()
                .flat_map(|hash| hash.0)
                .collect();
            write(
                folder,
                Resource::Tile {
                    id,
                    partial: Some(width),
                },
                &hashes,
            )?;
        }
    }
    Ok(())
}

/// Writes a resource beside its place and renames it, so that whoever serves the folder never serves half of one.
fn write(folder: &Path, resource: Resource, bytes: &[u8]) -> Result<()> {
    let path = folder.join(resource.to_string());
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let beside = path.with_added_extension("new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    write().with_context(|| path.display().to_string())
}
