//! `did:key` of an Ed25519 key: the identifier is the key, so nothing has to be looked up.

use ed25519_dalek::VerifyingKey;

/// Multicodec prefix of an Ed25519 public key.
const ED25519_PUBLIC: [u8; 2] = [0xed, 0x01];

/// The DID of a key: `did:key:z…`.
#[must_use]
pub fn did_key(key: &VerifyingKey) -> String {
    format!("did:key:{}", multibase_key(key))
}

/// The only verification method of that DID: `did:key:z…#z…`.
pub(crate) fn verification_method(key: &VerifyingKey) -> String {
    let key = multibase_key(key);
    format!("did:key:{key}#{key}")
}

/// Multibase base58-btc of the bytes.
pub(crate) fn base58(bytes: &[u8]) -> String {
    format!("z{}", bs58::encode(bytes).into_string())
}

fn multibase_key(key: &VerifyingKey) -> String {
    base58(&[&ED25519_PUBLIC[..], key.as_bytes()].concat())
}
