//! libFuzzer on one of the decoders; `cargo xtask fuzz NAME` builds and runs it, and needs no nightly toolchain.

#![no_main]

use std::sync::OnceLock;

#[path = "../decoders.rs"]
mod decoders;

/// Names the decoder.
const NAME: &str = "CREDITBANK_FUZZ";

fn decoder() -> decoders::Decoder {
    static DECODER: OnceLock<decoders::Decoder> = OnceLock::new();
    *DECODER.get_or_init(|| {
        let name = std::env::var(NAME).unwrap_or_default();
        let mut known = decoders::DECODERS.iter();
        match known.find(|(known, _)| *known == name) {
            Some((_, decode)) => *decode,
            None => panic!("no decoder {name:?}"),
        }
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoder()(bytes));
