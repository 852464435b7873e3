//! The public halves of an institution's keys, as the file that it sends to the bank's operator.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use creditbank_client::InstitutionKeys;
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{Algorithm, KeyPurpose, PublicKey};
use creditbank_wire::convert::record::public_key_message;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};

use crate::print::{from_hex, hex};

const VERSION: u32 = 1;

/// The public halves, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicKeys {
    version: u32,
    institution: String,
    sign: String,
    authenticate: String,
}

impl PublicKeys {
    /// The public halves of an institution's keys.
    pub(crate) fn of(keys: &InstitutionKeys) -> Self {
        let public = |purpose| hex(&keys.public(purpose).bytes);
        Self {
            version: VERSION,
            institution: keys.institution().to_string(),
            sign: public(KeyPurpose::Sign),
            authenticate: public(KeyPurpose::Authenticate),
        }
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} holds no public keys", path.display()))
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let keys: Self = toml::from_str(text)?;
        ensure!(
            keys.version == VERSION,
            "it has version {}; this program knows {VERSION}",
            keys.version
        );
        keys.messages()?;
        Ok(keys)
    }

    /// The file.
    pub(crate) fn to_file(&self) -> String {
        format!(
            "# The public keys of an institution of the credit bank. Nothing here is secret.\n\
             version = {}\ninstitution = \"{}\"\nsign = \"{}\"\nauthenticate = \"{}\"\n",
            self.version, self.institution, self.sign, self.authenticate
        )
    }

    /// Whose they are.
    pub(crate) fn institution(&self) -> Result<InstitutionId> {
        InstitutionId::parse(&self.institution)
            .with_context(|| format!("{:?} is no id of an institution", self.institution))
    }

    /// The keys, as the registry takes them.
    pub(crate) fn messages(&self) -> Result<Vec<v1::PublicKey>> {
        let both = [
            (KeyPurpose::Sign, &self.sign),
            (KeyPurpose::Authenticate, &self.authenticate),
        ];
        both.into_iter()
            .map(|(purpose, text)| message(purpose, text))
            .collect()
    }
}

fn message(purpose: KeyPurpose, text: &str) -> Result<v1::PublicKey> {
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.context("a public key has 64 hexadecimal digits")?;
    Ok(public_key_message(&PublicKey {
        algorithm: Algorithm::Ed25519,
        bytes,
        purpose,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_public_keys_comes_back_and_a_wrong_one_is_refused() {
        let keys = InstitutionKeys::from_seeds(
            InstitutionId::parse("shou").unwrap(),
            &[1; 32],
            &[2; 32],
            &[3; 32],
        );
        let public = PublicKeys::of(&keys);
        let file = public.to_file();
        assert_eq!(PublicKeys::parse(&file).unwrap(), public);
        assert_eq!(public.messages().unwrap(), keys.public_keys());
        for (from, to) in [
            ("version = 1", "version = 2"),
            ("sign", "sing"),
            (public.sign.as_str(), "ab"),
        ] {
            assert!(PublicKeys::parse(&file.replace(from, to)).is_err(), "{to}");
        }
    }
}
