//! A peer's card: the public facts of a bank, as the file that its operator sends to the operators of other banks.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{Algorithm, KeyPurpose, PublicKey};
use creditbank_ledger::BankKeys;
use creditbank_merkle::{CosignerKey, VerifierKey};
use creditbank_wire::convert::record::public_key_message;
use creditbank_wire::v1;
use serde::{Deserialize, Serialize};

use crate::config::{PeerSettings, province};
use crate::print::{from_hex, hex};

const VERSION: u32 = 1;

/// Who a bank is, where, and with which keys. Nothing in it is secret; that it is this bank's is for the two operators
/// to make sure of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerCard {
    version: u32,
    /// Resource id that it is to be registered under at its peers.
    pub(crate) id: String,
    /// As people know it.
    pub(crate) name: String,
    /// Name of its log.
    pub(crate) origin: String,
    /// Two province digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    grpc: String,
    http: String,
    /// Public key of its log, a vkey.
    log: String,
    /// Public key that it cosigns under, a vkey.
    cosigner: String,
    /// Public key that signs its own records, in hexadecimal, like the rest.
    sign: String,
    /// Public keys that signed them before: entries under them are still read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former_sign: Vec<String>,
    /// Public key that authenticates its calls.
    authenticate: String,
    /// Public key that packages are sealed for.
    seal: String,
}

/// What a card says beyond the keys.
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) grpc: String,
    pub(crate) http: String,
    /// Public keys that signed its records before, in hexadecimal.
    pub(crate) former_sign: Vec<String>,
}

impl PeerCard {
    /// The card of the bank that has these keys.
    pub(crate) fn of(keys: &BankKeys, facts: Facts) -> Result<Self> {
        const MISSING: &str = "a key for dealing with peers is missing";
        let origin = keys.log.name().to_owned();
        let card = Self {
            version: VERSION,
            id: facts.id,
            name: facts.name.unwrap_or_else(|| origin.clone()),
            region: facts.region,
            grpc: facts.grpc,
            http: facts.http,
            log: keys.log.verifier().to_string(),
            cosigner: keys.cosign.as_ref().context(MISSING)?.public().to_string(),
            sign: hex(keys.bank.verifying_key().as_bytes()),
            former_sign: facts.former_sign,
            authenticate: hex(keys
                .peer
                .as_ref()
                .context(MISSING)?
                .verifying_key()
                .as_bytes()),
            seal: hex(keys.seal.as_ref().context(MISSING)?.public()),
            origin,
        };
        card.keys()?;
        Ok(card)
    }

    /// Reads a card and checks that its parts fit together.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no card of a bank", path.display()))
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let card: Self = toml::from_str(text)?;
        ensure!(
            card.version == VERSION,
            "version: it has {}; this program knows {VERSION}",
            card.version
        );
        card.keys()?;
        Ok(card)
    }

    /// The file.
    pub(crate) fn to_file(&self) -> Result<String> {
        let card = toml::to_string(self)?;
        Ok(format!(
            "# The card of a credit bank, for the operators of other banks. Nothing here is secret; make sure of the\n\
             # log's key over another channel.\n{card}"
        ))
    }

    /// What `bank.toml` of another bank pins.
    pub(crate) fn settings(&self, ca: Option<std::path::PathBuf>) -> PeerSettings {
        PeerSettings {
            id: self.id.clone(),
            grpc: self.grpc.clone(),
            http: self.http.clone(),
            log_keys: vec![self.log.clone()],
            ca,
        }
    }

    /// The profile, as the registry takes it.
    pub(crate) fn profile(&self) -> v1::InstitutionProfile {
        let region = self.region.as_ref().map(|digits| format!("{digits}0000"));
        v1::InstitutionProfile {
            institution_id: self.id.clone(),
            display_name: self.name.clone(),
            role: v1::Role::PeerBank.into(),
            region: region.unwrap_or_default(),
            ..v1::InstitutionProfile::default()
        }
    }

    /// The keys, as the registry takes them.
    pub(crate) fn keys(&self) -> Result<Vec<v1::PublicKey>> {
        InstitutionId::parse(&self.id).with_context(|| format!("id: {:?}", self.id))?;
        if let Some(region) = &self.region {
            province(region)?;
        }
        for (field, url) in [("grpc", &self.grpc), ("http", &self.http)] {
            let is_url = url.starts_with("http://") || url.starts_with("https://");
            ensure!(is_url, "{field}: {url:?} is no http:// or https:// URL");
        }
        let log: VerifierKey = self.log.parse().context("log")?;
        let cosigner: CosignerKey = self.cosigner.parse().context("cosigner")?;
        for (field, name) in [("log", log.name()), ("cosigner", cosigner.name())] {
            ensure!(
                name == self.origin,
                "{field}: its name is {name:?}, not the origin {:?}",
                self.origin
            );
        }
        let ed25519 = Algorithm::Ed25519;
        let former = self.former_sign.iter();
        let former = former.map(|it| Ok((KeyPurpose::Sign, ed25519, bytes("former_sign", it)?)));
        let mut keys = former.collect::<Result<Vec<_>>>()?;
        keys.extend([
            (KeyPurpose::Sign, ed25519, bytes("sign", &self.sign)?),
            (
                KeyPurpose::Authenticate,
                ed25519,
                bytes("authenticate", &self.authenticate)?,
            ),
            (KeyPurpose::Log, ed25519, log.key().to_bytes()),
            (KeyPurpose::Cosign, ed25519, cosigner.key().to_bytes()),
            (
                KeyPurpose::Seal,
                Algorithm::X25519,
                bytes("seal", &self.seal)?,
            ),
        ]);
        let key = |(purpose, algorithm, bytes)| {
            public_key_message(&PublicKey {
                algorithm,
                bytes,
                purpose,
            })
        };
        Ok(keys.into_iter().map(key).collect())
    }
}

fn bytes(field: &str, text: &str) -> Result<[u8; 32]> {
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.with_context(|| format!("{field}: a public key has 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use creditbank_ledger::peers::seal::SealKey;
    use creditbank_ledger::vault::KeyEncryptionKey;
    use creditbank_merkle::{Cosigner, NoteSigner};
    use ed25519_dalek::SigningKey;

    use super::*;

    fn keys() -> BankKeys {
        let key = |seed: u8| SigningKey::from_bytes(&[seed; 32]);
        BankKeys {
            log: NoteSigner::new("sh.example/log", key(1)).unwrap(),
            bank: key(2),
            log_next: None,
            seal_next: None,
            key_encryption: KeyEncryptionKey::new(&[3; 32]),
            identity: [4; 32].into(),
            cosign: Some(Cosigner::new("sh.example/log", key(5)).unwrap()),
            seal: Some(SealKey::new(&[6; 32]).unwrap()),
            peer: Some(key(7)),
            published: None,
            credential: Some(key(8)),
        }
    }

    fn facts() -> Facts {
        Facts {
            id: "shanghai".into(),
            name: Some("上海市终身教育学分银行".into()),
            region: Some("31".into()),
            grpc: "https://sh.example:7300".into(),
            http: "https://sh.example:7301".into(),
            former_sign: vec![hex(&[9; 32])],
        }
    }

    #[test]
    fn a_card_comes_back_and_one_whose_parts_do_not_fit_is_refused() {
        let card = PeerCard::of(&keys(), facts()).unwrap();
        let file = card.to_file().unwrap();
        assert_eq!(PeerCard::parse(&file).unwrap(), card);
        assert_eq!(card.keys().unwrap().len(), 6);
        let cases = [
            ("version = 1", "version = 2", "version"),
            ("id = \"shanghai\"", "id = \"sh\"", "id"),
            ("\"31\"", "\"99\"", "region"),
            ("grpc = \"https", "grpc = \"ftp", "grpc"),
            ("origin = \"sh", "origin = \"js", "log"),
            (card.cosigner.as_str(), card.log.as_str(), "cosigner"),
            (card.seal.as_str(), "ab", "seal"),
            (card.former_sign[0].as_str(), "ab", "former_sign"),
        ];
        for (from, to, field) in cases {
            let error = PeerCard::parse(&file.replace(from, to)).unwrap_err();
            assert!(format!("{error:#}").starts_with(field), "{error:#}");
        }
    }
}
