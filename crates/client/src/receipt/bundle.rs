//! The two forms in which receipts are kept.
//!
//! A receipts file is a sequence of `ReceiptBundle`s, each behind its length as a varint: one an acknowledged batch, so
//! that a thousand rows share one signature and one proof. A single receipt is a C2SP tlog-proof text whose `extra` line
//! is the leaf.

use std::io::{self, Read, Write};

use creditbank_domain::record::FORMAT_VERSION;
use creditbank_merkle::{Hash, LeafIndex, TlogProof, TlogProofError};
use creditbank_wire::v1;
use prost::Message;

/// Most bytes of a bundle: 1,024 duplicates whose leaves are as large as leaves may be.
pub const BUNDLE_BYTES_MAX: usize = 80 << 20;
/// Most bytes of a varint that can be such a length.
const LENGTH_BYTES_MAX: usize = 4;

/// The bundle that proves every accepted row of a batch; `None` if none was accepted. Nothing is verified here.
#[must_use]
pub fn bundle_of(
    request: &v1::SubmitBatchRequest,
    response: &v1::SubmitBatchResponse,
) -> Option<v1::ReceiptBundle> {
    if response.created.is_none() && response.duplicates.is_empty() {
        return None;
    }
    let mut bundle = v1::ReceiptBundle {
        version: FORMAT_VERSION,
        issuer: request.issuer.clone(),
        created: response.created.clone(),
        receipts: response
            .duplicates
            .iter()
            .filter_map(|row| row.receipt.clone())
            .collect(),
        ..Default::default()
    };
    // Duplicates bring the attestation of their own batch; this one proves only what it created.
    if bundle.created.is_some() {
        bundle.key_id = request.key_id.clone();
        bundle.algorithm = request.algorithm;
        bundle.signature = request.signature.clone();
        bundle.envelopes = request
            .records
            .iter()
            .map(|record| record.envelope.clone())
            .collect();
    }
    Some(bundle)
}

/// A receipt as the text of a file.
///
/// # Errors
/// The position of the first hash in its proof that is none.
pub fn receipt_text(receipt: &v1::Receipt) -> Result<String, usize> {
    let hash = |(i, bytes): (usize, &bytes::Bytes)| Hash::try_from(&bytes[..]).map_err(|_| i);
    let path = receipt
        .inclusion_proof
        .iter()
        .enumerate()
        .map(hash)
        .collect::<Result<_, _>>()?;
    let proof = TlogProof {
        extra: Some(receipt.leaf.to_vec()),
        index: LeafIndex::new(receipt.leaf_index),
        path,
        checkpoint: receipt.checkpoint.clone(),
    };
    Ok(proof.encode())
}

/// The receipt in the text of a file. Only its form is checked.
///
/// # Errors
/// Names the line at fault; a file without a leaf lacks its `extra` line.
pub fn receipt_from_text(text: &str) -> Result<v1::Receipt, TlogProofError> {
    let proof = TlogProof::parse(text)?;
    Ok(v1::Receipt {
        leaf: proof.extra.ok_or(TlogProofError::Extra)?.into(),
        leaf_index: proof.index.value(),
        inclusion_proof: proof
            .path
            .iter()
            .map(|hash| hash.0.to_vec().into())
            .collect(),
        checkpoint: proof.checkpoint,
    })
}

/// Writes a receipts file. Buffering and syncing are the caller's part.
#[derive(Debug)]
pub struct BundleWriter<W> {
    inner: W,
    buffer: Vec<u8>,
}

impl<W: Write> BundleWriter<W> {
    /// On top of a file, at its end.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
        }
    }

    /// Appends a bundle in one write; returns its bytes in the file.
    ///
    /// # Errors
    /// If it is larger than [`BUNDLE_BYTES_MAX`] or the file cannot be written.
    pub fn write(&mut self, bundle: &v1::ReceiptBundle) -> io::Result<usize> {
        if bundle.encoded_len() > BUNDLE_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a bundle of too many bytes",
            ));
        }
        self.buffer.clear();
        bundle
            .encode_length_delimited(&mut self.buffer)
            .map_err(io::Error::other)?;
        self.inner.write_all(&self.buffer)?;
        Ok(self.buffer.len())
    }

    /// The file below.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Gives the file back.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

/// Why a receipts file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file cannot be read.
    #[error("cannot read the receipts: {0}")]
    Io(#[from] io::Error),
    /// The file ends inside its last bundle, as a crash leaves it. Everything before is whole: cut the file there and
    /// import again.
    #[error("the file ends inside a bundle; everything before byte {good_bytes} is whole")]
    Torn {
        /// Where the last whole bundle ends.
        good_bytes: u64,
    },
    /// There is no bundle at this place.
    #[error("no receipt bundle at byte {at}")]
    Malformed {
        /// Where in the file.
        at: u64,
    },
}

/// Reads a receipts file, bundle after bundle, with memory for one.
#[derive(Debug)]
pub struct BundleReader<R> {
    inner: R,
    good_bytes: u64,
    ended: bool,
}

impl<R: Read> BundleReader<R> {
    /// From the beginning of a file; reads byte by byte at times, so `inner` should be buffered.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            good_bytes: 0,
            ended: false,
        }
    }

    /// Where the last whole bundle that was read ends.
    #[must_use]
    pub fn good_bytes(&self) -> u64 {
        self.good_bytes
    }

    fn read(&mut self) -> Result<Option<v1::ReceiptBundle>, BundleError> {
        let at = self.good_bytes;
        let Some((prefix, length)) = self.read_length()? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        // `take` and not an allocation of what a broken length claims.
        self.inner.by_ref().take(length).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            return Err(BundleError::Torn { good_bytes: at });
        }
        let bundle = v1::ReceiptBundle::decode(bytes::Bytes::from(bytes));
        let bundle = bundle.map_err(|_| BundleError::Malformed { at })?;
        self.good_bytes += prefix + length;
        Ok(Some(bundle))
    }

    /// The bytes of the length, and the length; `None` at the end of the file.
    fn read_length(&mut self) -> Result<Option<(u64, u64)>, BundleError> {
        let at = self.good_bytes;
        let mut length = 0;
        for i in 0..LENGTH_BYTES_MAX {
            let Some(byte) = read_byte(&mut self.inner)? else {
                return if i == 0 {
                    Ok(None)
                } else {
                    Err(BundleError::Torn { good_bytes: at })
                };
            };
            length |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                let fits = (1..=BUNDLE_BYTES_MAX as u64).contains(&length);
                return fits
                    .then_some(Some((i as u64 + 1, length)))
                    .ok_or(BundleError::Malformed { at });
            }
        }
        Err(BundleError::Malformed { at })
    }
}

impl<R: Read> Iterator for BundleReader<R> {
    type Item = Result<v1::ReceiptBundle, BundleError>;

    /// After an error nothing follows.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// One byte, or `None` at the end; an interruption is no end.
fn read_byte(reader: &mut impl Read) -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match reader.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
