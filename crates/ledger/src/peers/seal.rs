//! Packages between banks are sealed for the receiver: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256 and AES-256-GCM, from the TLS stack that is there anyway.
//!
//! HPKE hides a package from everybody but the receiver; it does not say who sent it. The entries of the log that a
//! package carries do.

use aws_lc_rs::agreement::{PrivateKey, X25519};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

/// One static for all.
const SUITE: &dyn Hpke = DH_KEM_X25519_HKDF_SHA256_AES_256;

/// A package cannot be sealed for this key, or does not open: another key, context or damaged bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the package does not open under this key and context, or cannot be sealed for it")]
pub struct NotSealed;

/// A bank's secret key for packages.
pub struct SealKey {
    secret: Zeroizing<[u8; 32]>,
    public: [u8; 32],
}

impl SealKey {
    /// From 32 random bytes: X25519 takes any.
    ///
    /// # Errors
    /// If the public half cannot be derived.
    pub fn new(secret: &[u8; 32]) -> Result<Self, NotSealed> {
        let key = PrivateKey::from_private_key(&X25519, secret).map_err(|_| NotSealed)?;
        let public = key.compute_public_key().map_err(|_| NotSealed)?;
        Ok(Self {
            secret: Zeroizing::new(*secret),
            public: public.as_ref().try_into().map_err(|_| NotSealed)?,
        })
    }

    /// The public half.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Opens what was sealed for this key with the same `info` and `aad`; `enc` came with it.
    ///
    /// # Errors
    /// If it was sealed for another key or context, or was changed.
    pub fn open(
        &self,
        info: &[u8],
        aad: &[u8],
        enc: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotSealed> {
        let secret = HpkePrivateKey::from(self.secret.to_vec());
        let enc = EncapsulatedSecret(enc.to_vec());
        let opened = SUITE.open(&enc, info, aad, ciphertext, &secret);
        opened.map(Zeroizing::new).map_err(|_| NotSealed)
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

/// Seals for the holder of a public key. Gives `enc`, 32 bytes that go along, and the ciphertext.
///
/// # Errors
/// If the public key is one under which nothing is secret.
pub fn seal(
    public: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), NotSealed> {
    let public = HpkePublicKey(public.to_vec());
    let sealed = SUITE.seal(info, aad, plaintext, &public);
    sealed
        .map(|(enc, ciphertext)| (enc.0, ciphertext))
        .map_err(|_| NotSealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let digit = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
        std::array::from_fn(digit)
    }

    /// Keys, encapsulation, info, aad and plaintext of RFC 9180 A.1.1; the ciphertext for AES-256-GCM, which the RFC
    /// does not print, was computed by another implementation that gives the RFC's own for AES-128-GCM.
    #[test]
    fn what_another_implementation_sealed_opens() {
        let key = SealKey::new(&hex(
            "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        ))
        .unwrap();
        let public = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
        assert_eq!(key.public(), &hex(public));
        let enc: [u8; 32] = hex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let sealed: [u8; 45] = hex(
            "090b7dc225419f7da9e8b460becfbb96a26c7964d79b8010d397fa838530a32a397b14f5776db19ff5e57734e0",
        );
        let opened = key.open(b"Ode on a Grecian Urn", b"Count-0", &enc, &sealed);
        assert_eq!(&opened.unwrap()[..], b"Beauty is truth, truth beauty");
    }

    #[test]
    fn only_the_receiver_opens_and_only_in_the_same_context() {
        let (key, other) = (
            SealKey::new(&[1; 32]).unwrap(),
            SealKey::new(&[2; 32]).unwrap(),
        );
        let (enc, sealed) = seal(key.public(), b"info", b"aad", b"package").unwrap();
        let opened = key.open(b"info", b"aad", &enc, &sealed);
        assert_eq!(&opened.unwrap()[..], b"package");
        let mut changed = sealed.clone();
        changed[0] ^= 1;
        for refused in [
            other.open(b"info", b"aad", &enc, &sealed),
            key.open(b"other", b"aad", &enc, &sealed),
            key.open(b"info", b"other", &enc, &sealed),
            key.open(b"info", b"aad", &enc[1..], &sealed),
            key.open(b"info", b"aad", &enc, &changed),
            key.open(b"info", b"aad", &enc, &[]),
        ] {
            assert_eq!(refused, Err(NotSealed));
        }
        let again = seal(key.public(), b"info", b"aad", b"package").unwrap();
        assert_ne!(again.1, sealed);
    }

    #[test]
    fn nothing_is_sealed_for_a_key_of_small_order() {
        let mut one = [0; 32];
        one[0] = 1;
        for public in [[0; 32], one] {
            assert_eq!(seal(&public, b"", b"", b""), Err(NotSealed));
        }
    }
}
