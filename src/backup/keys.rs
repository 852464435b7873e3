//! The file of learners' keys: each wrapped under the bank's key-encryption key, as the database has it.
//!
//! ```text
//! "creditbank/keys/v1\n", then a learner: u64 learner ‖ u16 length ‖ wrapped key
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use creditbank_store::StoreError;

const MAGIC: &[u8] = b"creditbank/keys/v1\n";

/// Writes the file.
pub(crate) struct KeysWriter {
    file: BufWriter<File>,
    count: u64,
}

impl KeysWriter {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut file = BufWriter::new(file);
        file.write_all(MAGIC)?;
        Ok(Self { file, count: 0 })
    }

    pub(crate) fn put(&mut self, learner: u64, wrapped: &[u8]) -> io::Result<()> {
        let length = u16::try_from(wrapped.len()).map_err(io::Error::other)?;
        self.file.write_all(&learner.to_be_bytes())?;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(wrapped)?;
        self.count += 1;
        Ok(())
    }

    /// Gives how many keys there are.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.file.flush()?;
        Ok(self.count)
    }
}

/// Reads the file.
pub(crate) fn read(
    path: &Path,
) -> io::Result<impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>>> {
    read_from(BufReader::new(File::open(path)?), path)
}

fn read_from(
    mut file: impl BufRead,
    path: &Path,
) -> io::Result<impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>>> {
    let mut magic = vec![0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(io::Error::other("it is no file of learners' keys"));
    }
    let path = path.to_owned();
    Ok(std::iter::from_fn(move || {
        let failed = |error| StoreError::File {
            path: path.clone(),
            error,
        };
        next(&mut file).map_err(failed).transpose()
    }))
}

fn next(file: &mut impl BufRead) -> io::Result<Option<(u64, Vec<u8>)>> {
    if file.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let (mut learner, mut length) = ([0; 8], [0; 2]);
    file.read_exact(&mut learner)?;
    file.read_exact(&mut length)?;
    let mut wrapped = vec![0; usize::from(u16::from_be_bytes(length))];
    file.read_exact(&mut wrapped)?;
    Ok(Some((u64::from_be_bytes(learner), wrapped)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_no_file_of_them_ends_in_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("learners.keys");
        let mut writer = KeysWriter::create(&path).unwrap();
        let keys = [(3, vec![7; 68]), (u64::MAX, Vec::new())];
        for (learner, wrapped) in &keys {
            writer.put(*learner, wrapped).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), 2);
        let back: Vec<_> = read(&path).unwrap().map(Result::unwrap).collect();
        assert_eq!(back, keys);
        crate::fuzz::replay("files/learner-keys", |bytes| {
            if let Ok(keys) = read_from(bytes, &path) {
                keys.take_while(Result::is_ok).for_each(drop);
            }
        });
    }
}
