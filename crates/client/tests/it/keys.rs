//! Keys, their file, and the tokens they sign.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use creditbank_client::InstitutionKeys;
use creditbank_client::keys::KeyFileError;
use creditbank_client::token::Minter;
use creditbank_domain::InstitutionId;
use creditbank_domain::record::KeyPurpose;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::fixture::{ORIGIN, keys};

#[test]
fn a_key_file_gives_back_the_same_keys() {
    let generated = InstitutionKeys::generate(InstitutionId::bank()).expect("randomness");
    let again = InstitutionKeys::parse(&generated.to_file()).expect("its own file");
    assert_eq!(again.public_keys(), generated.public_keys());
    assert_eq!(again.to_file(), generated.to_file());
    assert_ne!(
        again.key_id(KeyPurpose::Sign),
        again.key_id(KeyPurpose::Authenticate)
    );
}

#[test]
fn a_damaged_key_file_is_refused_without_being_quoted() {
    let file = keys().to_file();
    let (one, two) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
    for (text, expected) in [
        ("".to_owned(), KeyFileError::Form),
        (file.replace("sign =", "sing ="), KeyFileError::Form),
        (
            file.replace("version = 1", "version = 2"),
            KeyFileError::Version(2),
        ),
        (file.replace(&one, "AAAA"), KeyFileError::Secret("sign")),
        (
            file.replace(&two, "?"),
            KeyFileError::Secret("authenticate"),
        ),
        (file.replace(&two, &one), KeyFileError::OneKeyForBoth),
    ] {
        let error = InstitutionKeys::parse(&text).expect_err("damaged");
        assert_eq!(error, expected);
        assert!(!error.to_string().contains(&one));
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", keys());
    assert!(shown.contains("fudan"));
    for secret in [[1u8; 32], [2; 32], [7; 32]] {
        assert!(
            !shown.contains(&format!("{secret:?}")) && !shown.contains(&STANDARD.encode(secret))
        );
    }
}

#[test]
fn a_token_is_a_compact_jws_of_the_authenticate_key() {
    let keys = keys();
    let now = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let token = Minter::new(ORIGIN, &keys)
        .mint(now, [0xab; 16])
        .expect("a token");
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let (header, claims) = signed.split_once('.').expect("three parts");
    let json = |part: &str| -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    };
    let kid = keys.key_id(KeyPurpose::Authenticate).to_string();
    assert_eq!(
        json(header),
        serde_json::json!({ "typ": "JWT", "alg": "EdDSA", "kid": kid })
    );
    let expected = serde_json::json!({
        "iss": "fudan", "aud": ORIGIN, "iat": 1_790_000_000, "exp": 1_790_000_300, "jti": "ab".repeat(16),
    });
    assert_eq!(json(claims), expected);
    let key = keys.public(KeyPurpose::Authenticate).bytes;
    let key = VerifyingKey::from_bytes(&key).expect("a point");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let signature = Signature::from_slice(&signature).expect("64 bytes");
    key.verify_strict(signed.as_bytes(), &signature)
        .expect("signed by the key that kid names");
}
