//! The token that every call of an institution carries: a compact JWT signed with EdDSA by the key whose purpose is
//! `authenticate`.
//!
//! The bank binds a token to the first connection that presents it, so each connection has its own, signed afresh
//! well before it ends, or when the bank says that it no longer serves.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use creditbank_domain::record::KeyPurpose;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use tonic::metadata::{Ascii, MetadataValue};
use zeroize::Zeroizing;

use crate::failure::ClientError;
use crate::keys::InstitutionKeys;

/// The longest life of a token that a bank accepts.
pub const TOKEN_LIFE_MAX: Duration = Duration::from_secs(300);
/// A token is replaced this long before its end.
const RENEW_BEFORE: Duration = Duration::from_secs(60);
/// What stands before the seed in the PKCS#8 form of an Ed25519 key (RFC 8410 §7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];

/// Signs tokens of one institution for one ledger.
pub struct Minter {
    key: EncodingKey,
    header: Header,
    issuer: String,
    audience: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: &'a str,
}

impl Minter {
    /// For the ledger of this origin.
    #[must_use]
    pub fn new(origin: &str, keys: &InstitutionKeys) -> Self {
        let mut der = Zeroizing::new([0; 48]);
        der[..16].copy_from_slice(&PKCS8_PREFIX);
        der[16..].copy_from_slice(keys.key(KeyPurpose::Authenticate).as_bytes());
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(keys.key_id(KeyPurpose::Authenticate).to_string());
        Self {
            key: EncodingKey::from_ed_der(&*der),
            header,
            issuer: keys.institution().to_string(),
            audience: origin.to_owned(),
        }
    }

    /// A token that is valid from `now` for [`TOKEN_LIFE_MAX`]; `nonce` is random and never used twice.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn mint(&self, now: SystemTime, nonce: [u8; 16]) -> Result<String, ClientError> {
        let iat = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = Claims {
            iss: &self.issuer,
            aud: &self.audience,
            iat,
            exp: iat + TOKEN_LIFE_MAX.as_secs(),
            jti: &format!("{:032x}", u128::from_be_bytes(nonce)),
        };
        Ok(jsonwebtoken::encode(&self.header, &claims, &self.key)?)
    }
}

/// The token of one connection.
pub(crate) struct Session {
    minter: Arc<Minter>,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    /// How often the bank refused the token in use. Calls remember the epoch they began in: of many that failed over
    /// one token, the first replaces it and the others find that done.
    epoch: u64,
    token: Option<Minted>,
}

struct Minted {
    header: MetadataValue<Ascii>,
    renew_at: SystemTime,
}

impl Session {
    pub(crate) fn new(minter: Arc<Minter>) -> Self {
        Self {
            minter,
            current: Mutex::default(),
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.lock().epoch
    }

    /// The value of the `authorization` header.
    pub(crate) fn header(&self) -> Result<MetadataValue<Ascii>, ClientError> {
        let now = now();
        let mut current = self.lock();
        if let Some(minted) = current
            .token
            .as_ref()
            .filter(|minted| now < minted.renew_at)
        {
            return Ok(minted.header.clone());
        }
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce)
            .map_err(|_| ClientError::Configuration("the system has no randomness"))?;
        let header = format!("Bearer {}", self.minter.mint(now, nonce)?)
            .parse::<MetadataValue<Ascii>>()
            .expect("a compact JWT is ASCII");
        let renew_at = now + (TOKEN_LIFE_MAX - RENEW_BEFORE);
        current.token = Some(Minted {
            header: header.clone(),
            renew_at,
        });
        Ok(header)
    }

    /// The bank refused the token of this epoch.
    pub(crate) fn forget(&self, epoch: u64) {
        let mut current = self.lock();
        if current.epoch == epoch {
            *current = Current {
                epoch: epoch + 1,
                token: None,
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().expect("no holder of this lock panics")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the life of a token is wall-clock time"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
