//! Data Integrity proofs: a set of two over the same unsigned document, neither of which covers the other.
//!
//! eddsa-rdfc-2022 is what Open Badges verifiers ask for; eddsa-jcs-2022 needs no JSON-LD, so a browser checks it with
//! nothing but SHA-256 and Ed25519.

use creditbank_domain::record::Digest32;
use ed25519_dalek::{Signer, SigningKey};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{CredentialError, canon, did, time};

/// Who signs: a bank and its credential key.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// The credential key.
    pub key: &'a SigningKey,
    /// Origin of the bank's log; identifiers of what it names begin with it.
    pub origin: &'a str,
    /// The bank's name.
    pub name: &'a str,
}

/// `Profile` of whoever is named in a credential.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    id: String,
    #[serde(rename = "type")]
    kind: [&'static str; 1],
    name: String,
}

impl Profile {
    /// A profile that has an id and a name.
    pub(crate) fn new(id: String, name: &str) -> Self {
        Self {
            id,
            kind: ["Profile"],
            name: name.to_owned(),
        }
    }
}

impl Issuer<'_> {
    /// The bank's DID.
    pub(crate) fn did(&self) -> String {
        did::did_key(&self.key.verifying_key())
    }

    /// The bank as an issuer.
    pub(crate) fn profile(&self) -> Profile {
        Profile::new(self.did(), self.name)
    }

    /// A URN of something that this bank names, its parts escaped.
    pub(crate) fn urn(&self, parts: &[&str]) -> String {
        let mut urn = "urn:creditbank".to_owned();
        for part in [self.origin].iter().chain(parts) {
            urn.push(':');
            escape(part, &mut urn);
        }
        urn
    }
}

/// Percent-encodes what is not unreserved in a URI, so that a colon only separates.
fn escape(part: &str, urn: &mut String) {
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                urn.push(char::from(byte));
            }
            other => urn.push_str(&format!("%{other:02X}")),
        }
    }
}

/// A credential that can be signed: its contexts are repeated in its proofs.
pub trait Credential: Serialize {
    /// Its `@context`.
    fn contexts(&self) -> &'static [&'static str];
}

/// A credential with its proofs.
#[derive(Clone, Debug, Serialize)]
pub struct Signed<T> {
    #[serde(flatten)]
    credential: T,
    proof: [Proof; 2],
}

impl<T: Credential> Signed<T> {
    /// Signs a credential twice, at `created`.
    ///
    /// # Errors
    /// Only where this program built something that is no JSON-LD.
    pub fn new(
        credential: T,
        issuer: &Issuer<'_>,
        created: Timestamp,
    ) -> Result<Self, CredentialError> {
        let options = Options {
            context: credential.contexts(),
            kind: "DataIntegrityProof",
            cryptosuite: "",
            created: time::utc(created)?,
            verification_method: did::verification_method(&issuer.key.verifying_key()),
            proof_purpose: "assertionMethod",
        };
        let proof = [
            rdfc(&credential, issuer.key, options.clone())?,
            jcs(&credential, issuer.key, options)?,
        ];
        Ok(Self { credential, proof })
    }

    /// The signed credential.
    pub fn credential(&self) -> &T {
        &self.credential
    }

    /// The JSON text.
    ///
    /// # Errors
    /// None that is known: it was canonicalised before.
    pub fn to_json(&self) -> Result<String, CredentialError> {
        Ok(serde_json::to_string(self)?)
    }
}

/// What a proof says of itself; signed with the document.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    #[serde(rename = "@context", skip_serializing_if = "<[_]>::is_empty")]
    context: &'static [&'static str],
    #[serde(rename = "type")]
    kind: &'static str,
    cryptosuite: &'static str,
    created: String,
    verification_method: String,
    proof_purpose: &'static str,
}

/// A `DataIntegrityProof`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    #[serde(flatten)]
    options: Options,
    proof_value: String,
}

/// vc-di-eddsa §3.2: the options are canonicalised under the document's contexts, and stand in the proof without them.
fn rdfc(
    credential: &impl Credential,
    key: &SigningKey,
    options: Options,
) -> Result<Proof, CredentialError> {
    let mut options = Options {
        cryptosuite: "eddsa-rdfc-2022",
        ..options
    };
    let signed = canon::rdfc(&options)?;
    let document = canon::rdfc(credential)?;
    options.context = &[];
    Ok(sign(key, options, signed.as_bytes(), document.as_bytes()))
}

/// vc-di-eddsa §3.3: the options hold the document's contexts, in the proof too.
fn jcs(
    credential: &impl Credential,
    key: &SigningKey,
    options: Options,
) -> Result<Proof, CredentialError> {
    let options = Options {
        cryptosuite: "eddsa-jcs-2022",
        ..options
    };
    let signed = canon::jcs(&options)?;
    let document = canon::jcs(credential)?;
    Ok(sign(key, options, &signed, &document))
}

fn sign(key: &SigningKey, options: Options, signed: &[u8], document: &[u8]) -> Proof {
    let digest = |bytes: &[u8]| -> Digest32 { Sha256::digest(bytes).into() };
    let hashes = [digest(signed), digest(document)].concat();
    Proof {
        options,
        proof_value: did::base58(&key.sign(&hashes).to_bytes()),
    }
}
