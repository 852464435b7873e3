//! Where backups lie: a directory, or a store that speaks S3. Both are written durably, and read back to be sure.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest as _, Sha256};
use tokio_stream::StreamExt as _;

use crate::print::hex;

/// Bytes of a part of a large file on its way.
const PART_BYTES: usize = 8 << 20;
/// Parts on their way at once.
const PARTS_MAX: usize = 4;
/// Most bytes of something that is read whole: a manifest of half a million files.
const WHOLE_BYTES_MAX: u64 = 64 << 20;

/// What a file is told by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) bytes: u64,
    /// Hexadecimal.
    pub(crate) sha256: String,
}

/// A place for backups.
pub(crate) struct Target {
    store: Box<dyn ObjectStore>,
    prefix: Place,
}

impl Target {
    /// Opens `s3://BUCKET/PREFIX` or a directory, which is made if `make` says so. What a store needs to know is taken from
    /// the environment, then from a file.
    pub(crate) fn open(text: &str, settings: Option<&Path>, make: bool) -> Result<Self> {
        let Some(place) = text.strip_prefix("s3://") else {
            return Self::directory(Path::new(text), make);
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        ensure!(!bucket.is_empty(), "{text} names no bucket");
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        if let Some(path) = settings {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| path.display().to_string())?;
            let settings: std::collections::BTreeMap<String, String> =
                toml::from_str(&text).with_context(|| path.display().to_string())?;
            for (name, value) in settings {
                let name = name.parse();
                builder = builder.with_config(
                    name.with_context(|| format!("in {}", path.display()))?,
                    value,
                );
            }
        }
        Ok(Self {
            store: Box::new(builder.build().context("the S3 store")?),
            prefix: Place::parse(prefix.trim_end_matches('/'))?,
        })
    }

    fn directory(path: &Path, make: bool) -> Result<Self> {
        if make && !path.exists() {
            let made = std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path);
            made.with_context(|| path.display().to_string())?;
        }
        ensure!(path.is_dir(), "there is no folder {}", path.display());
        let store = LocalFileSystem::new_with_prefix(path);
        let store = store.with_context(|| path.display().to_string())?;
        Ok(Self {
            store: Box::new(store.with_fsync(true)),
            prefix: Place::default(),
        })
    }

    fn place(&self, name: &str) -> Place {
        name.split('/')
            .fold(self.prefix.clone(), |place, part| place.join(part))
    }

    /// Writes a small object whole.
    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.store.put(&self.place(name), bytes.into()).await;
        put.with_context(|| format!("cannot write {name}"))?;
        Ok(())
    }

    /// Writes a file, part by part, and reads it back: what is not what was meant is an error.
    pub(crate) async fn put_file(&self, name: &str, from: &Path, digest: &Digest) -> Result<()> {
        let place = self.place(name);
        let wrote = async {
            if digest.bytes <= PART_BYTES as u64 {
                self.store.put(&place, std::fs::read(from)?.into()).await?;
                return anyhow::Ok(());
            }
            let upload = self.store.put_multipart(&place).await?;
            let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
            let mut file = File::open(from)?;
            let mut part = vec![0; 1 << 20];
            loop {
                let read = file.read(&mut part)?;
                if read == 0 {
                    break;
                }
                upload.wait_for_capacity(PARTS_MAX).await?;
                upload.write(&part[..read]);
            }
            upload.finish().await?;
            Ok(())
        };
        wrote
            .await
            .with_context(|| format!("cannot write {name}"))?;
        let stored = self.digest(name).await?;
        ensure!(
            stored.as_ref() == Some(digest),
            "{name} does not come back as it was written"
        );
        Ok(())
    }

    /// A small object, whole; none if it is not there.
    pub(crate) async fn get(&self, name: &str) -> Result<Vec<u8>> {
        let read = async {
            let answer = self.store.get(&self.place(name)).await?;
            ensure!(answer.meta.size <= WHOLE_BYTES_MAX, "it is too large");
            Ok(answer.bytes().await?.to_vec())
        };
        read.await.with_context(|| format!("cannot read {name}"))
    }

    /// Reads an object through; none if it is not there.
    pub(crate) async fn digest(&self, name: &str) -> Result<Option<Digest>> {
        self.pass(name, |_| Ok(())).await
    }

    /// Reads an object into a new file that only its owner can read, synced; none if it is not there.
    pub(crate) async fn fetch(&self, name: &str, to: &Path) -> Result<Option<Digest>> {
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to);
        let mut file = file.with_context(|| to.display().to_string())?;
        let digest = self.pass(name, |bytes| Ok(file.write_all(bytes)?)).await?;
        file.sync_all()?;
        Ok(digest)
    }

    async fn pass(
        &self,
        name: &str,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Option<Digest>> {
        let answer = match self.store.get(&self.place(name)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            answer => answer.with_context(|| format!("cannot read {name}"))?,
        };
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let mut parts = answer.into_stream();
        while let Some(part) = parts.next().await {
            let part = part.with_context(|| format!("cannot read {name}"))?;
            hash.update(&part);
            bytes += part.len() as u64;
            take(&part)?;
        }
        Ok(Some(Digest {
            bytes,
            sha256: hex(&hash.finalize()),
        }))
    }

    /// Bytes of an object; none if it is not there.
    pub(crate) async fn bytes(&self, name: &str) -> Result<Option<u64>> {
        match self.store.head(&self.place(name)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            found => Ok(Some(
                found
                    .with_context(|| format!("cannot look for {name}"))?
                    .size,
            )),
        }
    }

    /// Names in a folder of the target, in their order.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = self.store.list(Some(&self.place(folder)));
        let mut names = Vec::new();
        while let Some(object) = found.next().await {
            let object = object.with_context(|| format!("cannot list {folder}"))?;
            let name = object.location.filename().unwrap_or_default();
            names.push(format!("{folder}/{name}"));
        }
        names.sort();
        Ok(names)
    }

    /// Removes an object.
    pub(crate) async fn remove(&self, name: &str) -> Result<()> {
        let removed = self.store.delete(&self.place(name)).await;
        removed.with_context(|| format!("cannot remove {name}"))
    }
}

/// Reads a file through.
pub(crate) fn digest_of(path: &Path) -> Result<Digest> {
    let read = || -> std::io::Result<Digest> {
        let (mut file, mut hash) = (File::open(path)?, Sha256::new());
        let (mut part, mut bytes) = (vec![0; 1 << 20], 0);
        loop {
            let read = file.read(&mut part)?;
            if read == 0 {
                break;
            }
            hash.update(&part[..read]);
            bytes += read as u64;
        }
        Ok(Digest {
            bytes,
            sha256: hex(&hash.finalize()),
        })
    };
    read().with_context(|| path.display().to_string())
}
