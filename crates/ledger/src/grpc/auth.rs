//! Who calls: a short-lived EdDSA JWT, signed by a registered key whose purpose is `authenticate`.
//!
//! A token belongs to the connection that presented it first; from any other it is a replay. So a stolen token is
//! worth nothing elsewhere, and a call costs a look-up instead of a signature. Tokens that were issued before this
//! process started are refused, because it cannot know whether they were used.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use creditbank_domain::record::{KeyId, KeyPurpose, Role};
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::{LeafIndex, Refusal};
use creditbank_wire::convert::record::digest;
use ed25519_dalek::Signature;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use tonic::Request;

use crate::bank::Bank;
use crate::clock;

/// Longest life of a token.
pub(crate) const TOKEN_SECONDS_MAX: u64 = 300;
/// How far clocks may differ.
const CLOCK_SKEW_S: u64 = 30;
/// Most bytes of a token.
const TOKEN_BYTES_MAX: usize = 2048;
/// Most live tokens; more than the bank has institutions many times over.
const TOKENS_MAX: usize = 1 << 20;
/// Verified tokens looked up without verifying again.
const SESSIONS_CACHED: usize = 65_536;

/// The caller of one request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) number: InstitutionNumber,
    pub(crate) role: Role,
}

#[derive(Debug, Clone)]
struct Session {
    caller: Caller,
    key_id: KeyId,
    expires_s: u64,
    connection: Option<SocketAddr>,
}

/// Tokens that were presented and have not expired.
#[derive(Debug)]
pub(crate) struct Tokens {
    started_s: u64,
    sessions: Cache<[u8; 32], Arc<Session>>,
    used: Mutex<HashMap<TokenId, Claimed>>,
}

/// The key that signed a token, and the digest of the token's own id.
type TokenId = (KeyId, [u8; 32]);

/// The connection that a token belongs to.
#[derive(Debug)]
struct Claimed {
    connection: Option<SocketAddr>,
    expires_s: u64,
}

#[derive(serde::Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

#[derive(serde::Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
    jti: String,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        Self {
            started_s: clock::now_s(),
            sessions: Cache::new(SESSIONS_CACHED),
            used: Mutex::default(),
        }
    }

    pub(crate) fn authenticate<T>(
        &self,
        bank: &Bank,
        request: &Request<T>,
    ) -> Result<Caller, Refusal> {
        let header = request
            .metadata()
            .get("authorization")
            .ok_or(Refusal::TokenMissing)?;
        let text = header.to_str().map_err(|_| Refusal::TokenMalformed)?;
        let token = text
            .strip_prefix("Bearer ")
            .ok_or(Refusal::TokenMalformed)?;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TokenMalformed);
        }
        let connection = request.remote_addr();
        let hash: [u8; 32] = Sha256::digest(token).into();
        let session = match self.sessions.get(&hash) {
            Some(session) => session,
            None => {
                let session = Arc::new(self.verify(bank, token, connection)?);
                self.sessions.insert(hash, Arc::clone(&session));
                session
            }
        };
        if session.connection != connection {
            return Err(Refusal::TokenReplayed);
        }
        if session.expires_s <= clock::now_s() {
            return Err(Refusal::TokenExpired);
        }
        // A key may be revoked and an institution suspended while its token lives.
        let head = bank.head();
        let index = LeafIndex(head.row.size);
        head.registry.admit_key(
            &session.caller.id,
            &session.key_id,
            KeyPurpose::Authenticate,
            index,
        )?;
        Ok(session.caller.clone())
    }

    fn verify(
        &self,
        bank: &Bank,
        token: &str,
        connection: Option<SocketAddr>,
    ) -> Result<Session, Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::TokenMalformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refusal::TokenMalformed)?;
        let header: Header = decode(header)?;
        if header.alg != "EdDSA" {
            return Err(Refusal::TokenMalformed);
        }
        let claims: Claims = decode(claims)?;
        let key_id = key_id(&header.kid)?;
        let head = bank.head();
        let index = LeafIndex(head.row.size);
        let (institution, key) =
            head.registry
                .admit_key(&claims.iss, &key_id, KeyPurpose::Authenticate, index)?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| Refusal::TokenMalformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| Refusal::TokenMalformed)?;
        let verifier = bank.verifier(&key_id, &key.key.bytes)?;
        verifier
            .verify_strict(signed.as_bytes(), &signature)
            .map_err(|_| Refusal::SignatureInvalid)?;
        self.check_times(&claims)?;
        if claims.aud != bank.origin() {
            return Err(Refusal::TokenAudience);
        }
        if claims.jti.is_empty() {
            return Err(Refusal::TokenMalformed);
        }
        let jti = Sha256::digest(&claims.jti).into();
        self.claim((key_id, jti), connection, claims.exp)?;
        let caller = Caller {
            id: claims.iss,
            number: institution.number,
            role: institution.profile.role,
        };
        Ok(Session {
            caller,
            key_id,
            expires_s: claims.exp,
            connection,
        })
    }

    fn check_times(&self, claims: &Claims) -> Result<(), Refusal> {
        let now = clock::now_s();
        if claims.exp <= now || claims.iat > now + CLOCK_SKEW_S || claims.exp <= claims.iat {
            return Err(Refusal::TokenExpired);
        }
        if claims.exp - claims.iat > TOKEN_SECONDS_MAX {
            return Err(Refusal::TokenTooLong {
                max_seconds: TOKEN_SECONDS_MAX,
            });
        }
        if claims.iat < self.started_s {
            Err(Refusal::TokenReplayed)
        } else {
            Ok(())
        }
    }

    fn claim(
        &self,
        id: TokenId,
        connection: Option<SocketAddr>,
        expires_s: u64,
    ) -> Result<(), Refusal> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= TOKENS_MAX {
            let now = clock::now_s();
            used.retain(|_, claimed| claimed.expires_s > now);
            if used.len() >= TOKENS_MAX {
                return Err(Refusal::QueueFull { retry_ms: 1000 });
            }
        }
        match used.entry(id) {
            std::collections::hash_map::Entry::Occupied(first)
                if first.get().connection != connection =>
            {
                Err(Refusal::TokenReplayed)
            }
            entry => {
                entry.or_insert(Claimed {
                    connection,
                    expires_s,
                });
                Ok(())
            }
        }
    }
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::TokenMalformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::TokenMalformed)
}

fn key_id(hex: &str) -> Result<KeyId, Refusal> {
    let digits = hex.as_bytes();
    if digits.len() != 64 || !hex.is_ascii() {
        return Err(Refusal::TokenMalformed);
    }
    let byte = |i: usize| {
        u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).map_err(|_| Refusal::TokenMalformed)
    };
    let bytes = (0..32).map(byte).collect::<Result<Vec<_>, _>>()?;
    digest(&bytes).map(KeyId)
}
