//! Leaves: written straight from their parts, because a batch of 1,000 makes 1,000 of them and their hashes only.

use creditbank_domain::record::FORMAT_VERSION;
use creditbank_domain::{Digest32, Refusal};
use creditbank_merkle::Hash;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::record::canonical;
use crate::v1;

/// What a leaf is made of.
#[derive(Debug, Clone, Copy)]
pub struct LeafParts<'a> {
    /// Exactly the bytes that the issuer sent.
    pub envelope: &'a [u8],
    /// The key that signed the batch.
    pub key_id: &'a Digest32,
    /// Its algorithm's number.
    pub algorithm: u32,
    /// Rows of the batch.
    pub batch_size: u32,
    /// Row of this envelope.
    pub batch_index: u32,
    /// From the envelope to the batch root, bottom up.
    pub path: &'a [Hash],
    /// Over the batch root.
    pub signature: &'a [u8],
}

impl LeafParts<'_> {
    /// Everything but the time of deposit, which comes last and is known last: a hash can be begun with it.
    pub fn encode_head(&self, out: &mut Vec<u8>) {
        let attestation = self.attestation_len();
        out.reserve(self.envelope.len() + attestation + 32);
        number(1, u64::from(FORMAT_VERSION), out);
        bytes(2, self.envelope, out);
        encode_key(3, WireType::LengthDelimited, out);
        encode_varint(attestation as u64, out);
        bytes(1, self.key_id, out);
        number(2, u64::from(self.algorithm), out);
        number(3, u64::from(self.batch_size), out);
        number(4, u64::from(self.batch_index), out);
        self.path.iter().for_each(|hash| bytes(5, &hash.0, out));
        bytes(6, self.signature, out);
    }

    /// The whole leaf.
    pub fn encode(&self, deposited_at_ms: u64) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_head(&mut out);
        encode_tail(deposited_at_ms, &mut out);
        out
    }

    fn attestation_len(&self) -> usize {
        let number = |value: u32| {
            if value == 0 {
                0
            } else {
                1 + encoded_len_varint(u64::from(value))
            }
        };
        let bytes = |len: usize| {
            if len == 0 {
                0
            } else {
                1 + encoded_len_varint(len as u64) + len
            }
        };
        bytes(32)
            + number(self.algorithm)
            + number(self.batch_size)
            + number(self.batch_index)
            + self.path.len() * bytes(32)
            + bytes(self.signature.len())
    }
}

/// The time of deposit, after [`LeafParts::encode_head`].
pub fn encode_tail(deposited_at_ms: u64, out: &mut Vec<u8>) {
    number(4, deposited_at_ms, out);
}

/// Decodes a leaf, which is canonical like everything that is hashed.
pub fn decode(leaf: &[u8]) -> Result<v1::Leaf, Refusal> {
    canonical(leaf)
}

fn number(tag: u32, value: u64, out: &mut Vec<u8>) {
    if value != 0 {
        encode_key(tag, WireType::Varint, out);
        encode_varint(value, out);
    }
}

fn bytes(tag: u32, value: &[u8], out: &mut Vec<u8>) {
    if !value.is_empty() {
        encode_key(tag, WireType::LengthDelimited, out);
        encode_varint(value.len() as u64, out);
        out.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_written_from_parts_is_the_protobuf_message() {
        for (index, hashes) in [(0, 0), (1, 1), (1023, 10)] {
            let path: Vec<Hash> = (0..hashes).map(|i| Hash([i; 32])).collect();
            let parts = LeafParts {
                envelope: b"envelope",
                key_id: &[7; 32],
                algorithm: 1,
                batch_size: 1024,
                batch_index: index,
                path: &path,
                signature: &[9; 64],
            };
            let bytes = parts.encode(1_700_000_000_000);
            let message = decode(&bytes).expect("canonical");
            assert_eq!(message.envelope, "envelope");
            let attestation = message.attestation.expect("present");
            assert_eq!(
                (attestation.batch_index, attestation.path.len()),
                (index, usize::from(hashes))
            );
            assert_eq!(attestation.signature.len(), 64);
            assert_eq!(message.deposited_at_ms, 1_700_000_000_000);
        }
    }
}
