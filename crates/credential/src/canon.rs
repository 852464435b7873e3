//! The two canonical forms that are signed: RDF datasets by RDFC-1.0, and JSON by RFC 8785 (JCS).

use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::Dataset;
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use serde::Serialize;

use crate::CredentialError;
use crate::context;

/// The canonical N-Quads of a JSON-LD document of ours, under the embedded contexts.
///
/// Not for foreign documents: it has no limit of work.
///
/// # Errors
/// It is no JSON-LD, or names a context that is not embedded.
pub fn rdfc(document: &impl Serialize) -> Result<String, CredentialError> {
    let json = serde_json::to_vec(document)?;
    let parser = JsonLdParser::new()
        .for_slice(&json)
        .with_load_document_callback(|address, _| {
            let text = context::find(address).ok_or("this context is not embedded")?;
            Ok(JsonLdRemoteDocument {
                document: text.as_bytes().to_vec(),
                document_url: address.to_owned(),
            })
        });
    let mut dataset = Dataset::new();
    for quad in parser {
        dataset.insert(&quad?);
    }
    dataset.canonicalize(CanonicalizationAlgorithm::Rdfc10 {
        hash_algorithm: CanonicalizationHashAlgorithm::Sha256,
    });
    let mut lines: Vec<String> = dataset.iter().map(|quad| format!("{quad} .\n")).collect();
    lines.sort_unstable();
    Ok(lines.concat())
}

/// The canonical JSON of a document.
///
/// # Errors
/// It has no JSON form.
pub fn jcs(document: &impl Serialize) -> Result<Vec<u8>, CredentialError> {
    Ok(serde_json_canonicalizer::to_vec(document)?)
}
