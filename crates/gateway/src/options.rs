//! What whoever runs a gateway chooses.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use creditbank_client::InstitutionKeys;
use zeroize::Zeroizing;

/// What whoever runs a gateway chooses.
#[derive(Debug)]
pub struct Options {
    /// Where to listen; beyond loopback a proxy in front ends TLS.
    pub listen: SocketAddr,
    /// How browsers address it, such as `https://xuefen.example`: links, cookies and the check of origins follow it.
    pub base_url: String,
    /// How to reach the ledger.
    pub bank: creditbank_client::Options,
    /// Keys of an institution with the role gateway.
    pub keys: Arc<InstitutionKeys>,
    /// Keys of an institution with the role learner-agent: without them nobody can apply or transfer here.
    pub agent: Option<Arc<InstitutionKeys>>,
    /// Other regions' banks that outcomes can go to. Without one nobody consents to a transfer here.
    pub recipients: Vec<Recipient>,
    /// Address of the ledger's public log over HTTP, which is passed on.
    pub log_url: String,
    /// Seals session cookies: 64 secret bytes, the same on every gateway behind one address.
    pub session_key: Zeroizing<[u8; 64]>,
    /// Who signs learners in.
    pub provider: Option<Provider>,
    /// Lets anybody sign in as any learner. Only on loopback; every page says so.
    pub development_login: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Folder with the fonts of the printed transcript.
    pub fonts: PathBuf,
    /// A session ends when it was not used for so long.
    pub session_idle: Duration,
    /// A session ends after so long.
    pub session_max: Duration,
}

/// An OpenID Connect provider, found by discovery.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its issuer identifier.
    pub issuer: String,
    /// What the gateway is called there.
    pub client_id: String,
    /// Its secret there; absent for a public client.
    pub client_secret: Option<Zeroizing<String>>,
    /// Certificate authority that vouches for its address, PEM, where the system's do not.
    pub ca_pem: Option<Vec<u8>>,
}

/// Another region's bank, with what a learner must be told of it before an outcome goes there.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Origin of its log, as the ledger knows its peer.
    pub origin: String,
    /// Its name, Chinese and English.
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// How a learner reaches it: telephone and address.
    pub contact: String,
}
