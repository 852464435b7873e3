//! The receipts file of an import: appended to, never holding the same record twice.
//!
//! A run that was interrupted left a whole number of bundles and perhaps a torn one, which is cut off. Rows that it
//! deposited come back as duplicates with their first receipts; those whose leaves the file has already are left out.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use creditbank_client::receipt::{BundleError, BundleReader, BundleWriter};
use creditbank_wire::v1;

/// An open receipts file.
pub(super) struct Receipts {
    path: PathBuf,
    writer: BundleWriter<BufWriter<File>>,
    present: Leaves,
}

impl Receipts {
    /// Opens or creates a file, reads what is in it, and cuts off a torn end.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::open_file(path).with_context(|| format!("cannot use {} for receipts", path.display()))
    }

    fn open_file(path: &Path) -> Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        ensure!(begins_like_receipts(&file)?, "it is not a receipts file");
        file.rewind()?;
        let mut present = Leaves::default();
        let mut reader = BundleReader::new(BufReader::with_capacity(1 << 20, &file));
        loop {
            match reader.next() {
                Some(Ok(bundle)) => present.add_bundle(&bundle),
                None => break,
                Some(Err(BundleError::Torn { .. })) => {
                    eprintln!(
                        "{}: the last receipts were cut off by an interruption; they are fetched again",
                        path.display()
                    );
                    break;
                }
                Some(Err(error)) => return Err(error.into()),
            }
        }
        let good_bytes = reader.good_bytes();
        drop(reader);
        file.set_len(good_bytes)?;
        file.seek(SeekFrom::End(0))?;
        let writer = BundleWriter::new(BufWriter::with_capacity(1 << 20, file));
        Ok(Self {
            path: path.to_owned(),
            writer,
            present,
        })
    }

    /// Appends what is new in a bundle.
    pub(super) fn add(&mut self, mut bundle: v1::ReceiptBundle) -> Result<()> {
        let present = &self.present;
        bundle
            .receipts
            .retain(|receipt| !present.contains(receipt.leaf_index));
        if bundle.created.is_none() && bundle.receipts.is_empty() {
            return Ok(());
        }
        self.writer
            .write(&bundle)
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.present.add_bundle(&bundle);
        Ok(())
    }

    /// Brings everything to the disk.
    pub(super) fn finish(mut self) -> Result<()> {
        let file = self.writer.get_mut();
        let finish = file.flush().and_then(|()| file.get_mut().sync_all());
        finish.with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Whether a file is empty or begins as a bundle does: its length, version 1, its issuer. Only such a file is cut.
fn begins_like_receipts(file: &File) -> std::io::Result<bool> {
    const VERSION_AND_ISSUER: [u8; 3] = [0x08, 0x01, 0x12];
    let mut head = Vec::new();
    file.take(8).read_to_end(&mut head)?;
    let length_bytes = head.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let bundle = head.get(length_bytes..).unwrap_or_default();
    Ok(VERSION_AND_ISSUER
        .iter()
        .zip(bundle)
        .all(|(expected, byte)| expected == byte))
}

/// Which leaves a file has receipts of, as ranges: neighbours in the log come together.
#[derive(Default)]
struct Leaves(BTreeMap<u64, u64>);

impl Leaves {
    fn contains(&self, leaf: u64) -> bool {
        self.0
            .range(..=leaf)
            .next_back()
            .is_some_and(|(_, end)| leaf < *end)
    }

    /// Adds the leaves from `first` up to `end`.
    fn add(&mut self, mut first: u64, mut end: u64) {
        while let Some((&start, &until)) = self.0.range(..=end).next_back() {
            if until < first {
                break;
            }
            self.0.remove(&start);
            (first, end) = (first.min(start), end.max(until));
        }
        self.0.insert(first, end);
    }

    fn add_bundle(&mut self, bundle: &v1::ReceiptBundle) {
        if let Some(created) = &bundle.created {
            let count = if created.rows.is_empty() {
                bundle.envelopes.len()
            } else {
                created.rows.len()
            };
            let first = created.first_leaf_index;
            // A number beyond every log is read as it stands; the verifier refuses it.
            self.add(first, first.saturating_add(count as u64));
        }
        for receipt in &bundle.receipts {
            self.add(receipt.leaf_index, receipt.leaf_index.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_receipts_file_ends_in_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipts");
        crate::fuzz::replay("files/receipts", |bytes| {
            std::fs::write(&path, bytes).unwrap();
            drop(Receipts::open(&path));
        });
    }

    fn created(first_leaf_index: u64, count: usize) -> v1::ReceiptBundle {
        let rows = v1::CreatedRows {
            first_leaf_index,
            ..Default::default()
        };
        v1::ReceiptBundle {
            version: 1,
            issuer: "shou".into(),
            envelopes: vec![vec![1].into(); count],
            created: Some(rows),
            ..Default::default()
        }
    }

    fn duplicates(leaves: &[u64]) -> v1::ReceiptBundle {
        let receipt = |leaf: &u64| v1::Receipt {
            leaf_index: *leaf,
            ..Default::default()
        };
        v1::ReceiptBundle {
            version: 1,
            issuer: "shou".into(),
            receipts: leaves.iter().map(receipt).collect(),
            ..Default::default()
        }
    }

    fn read(path: &Path) -> Vec<v1::ReceiptBundle> {
        BundleReader::new(File::open(path).unwrap())
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn an_interrupted_file_is_gone_on_with_and_holds_no_record_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipts.bin");
        let mut receipts = Receipts::open(&path).unwrap();
        receipts.add(created(0, 3)).unwrap();
        receipts.add(duplicates(&[7, 9])).unwrap();
        receipts.finish().unwrap();
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(&[40, 1, 2]);
        std::fs::write(&path, torn).unwrap();

        let mut receipts = Receipts::open(&path).unwrap();
        receipts.add(duplicates(&[0, 2, 7, 8])).unwrap();
        receipts.add(duplicates(&[1])).unwrap();
        receipts.add(duplicates(&[8])).unwrap();
        receipts.finish().unwrap();
        assert_eq!(
            read(&path),
            [created(0, 3), duplicates(&[7, 9]), duplicates(&[8])]
        );
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        for text in [
            "institution,name\n",
            "\0\0no receipts",
            "a long text that is no receipts file",
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(Receipts::open(&path).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn leaves_are_ranges_however_they_come() {
        let mut leaves = Leaves::default();
        for leaf in [5, 3, 4, 9, 0, 1, 8] {
            leaves.add(leaf, leaf + 1);
        }
        leaves.add(2, 4);
        assert_eq!(leaves.0, BTreeMap::from([(0, 6), (8, 10)]));
        let there: Vec<_> = (0..12).filter(|leaf| leaves.contains(*leaf)).collect();
        assert_eq!(there, [0, 1, 2, 3, 4, 5, 8, 9]);
    }
}
