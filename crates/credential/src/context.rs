//! The JSON-LD contexts, embedded: what a term means is part of what is signed, and is never fetched.

/// W3C Verifiable Credentials 2.0.
pub(crate) const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// Open Badges 3.0.
pub(crate) const OPEN_BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
/// Comprehensive Learner Record 2.0. The address without a version serves a stub that leaves the learner unsigned.
pub(crate) const CLR: &str = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json";

/// Every context with its address.
pub const CONTEXTS: [(&str, &str); 3] = [
    (
        CREDENTIALS_V2,
        include_str!("../contexts/credentials-v2.json"),
    ),
    (
        OPEN_BADGES,
        include_str!("../contexts/open-badges-3.0.3.json"),
    ),
    (CLR, include_str!("../contexts/clr-2.0.1.json")),
];

/// The text of the context at `address`, if it is one of ours.
pub(crate) fn find(address: &str) -> Option<&'static str> {
    CONTEXTS
        .iter()
        .find(|(known, _)| *known == address)
        .map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn contexts_are_byte_for_byte_those_that_were_published() {
        let digests = [
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
            "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
            "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
        ];
        for ((address, text), digest) in CONTEXTS.iter().zip(digests) {
            let found: String = Sha256::digest(text)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(found, digest, "{address}");
        }
    }
}
