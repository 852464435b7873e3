//! What a credential proves beyond its signature: the record's receipt, and the opening of its commitment.
//!
//! Both stand in signed members as `data:` addresses, so they need no term of our own and cannot be left out of what is
//! signed. With them anybody checks, without the bank: the leaf lies in the log of a signed checkpoint, the leaf's
//! commitment is SHA-256("creditbank/payload/v1\n" ‖ salt ‖ payload), and the payload says what the credential says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// `genre` of the receipt: C2SP tlog-proof text whose `extra` line is the leaf.
pub const RECEIPT: &str = "creditbank-receipt";
/// `genre` of the opening: 32 bytes of salt, then the payload as its institution sent it.
pub const OPENING: &str = "creditbank-opening";

/// One piece of evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    id: String,
    #[serde(rename = "type")]
    kind: [&'static str; 1],
    name: &'static str,
    genre: &'static str,
}

/// The receipt of a record, `text` as [`RECEIPT`] says.
#[must_use]
pub fn receipt(text: &str) -> Evidence {
    piece(
        "text/plain",
        text.as_bytes(),
        "存入回执 Receipt of the log",
        RECEIPT,
    )
}

/// The opening of a record's commitment.
#[must_use]
pub fn opening(salt: &[u8; 32], payload: &[u8]) -> Evidence {
    let bytes = [salt, payload].concat();
    piece(
        "application/octet-stream",
        &bytes,
        "承诺的开启 Opening of the commitment",
        OPENING,
    )
}

fn piece(media: &str, bytes: &[u8], name: &'static str, genre: &'static str) -> Evidence {
    Evidence {
        id: format!("data:{media};base64,{}", STANDARD.encode(bytes)),
        kind: ["Evidence"],
        name,
        genre,
    }
}
