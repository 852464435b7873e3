//! Compiles `proto/` without a system protoc.

use std::path::{Path, PathBuf};

#[expect(
    clippy::disallowed_methods,
    reason = "build scripts are told their output folder by the environment"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("creditbank/v1"))?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let descriptors = protox::compile(&files, [&root])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(
        out.join("descriptors.bin"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    println!("cargo:rerun-if-changed={}", root.display());
    tonic_prost_build::configure()
        .bytes(".creditbank.v1")
        .compile_fds(descriptors)?;
    Ok(())
}
