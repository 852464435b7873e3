//! What whoever runs a gateway chooses.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use creditbank_client::InstitutionKeys;
use creditbank_client::receipt::LogKeys;
use zeroize::Zeroizing;

use crate::app::GatewayError;
use crate::connections::Bounds;
use crate::proxies::Network;

/// What whoever runs a gateway chooses.
#[derive(Debug)]
pub struct Options {
    /// Where to listen; beyond loopback there is a certificate, or a proxy in front ends TLS.
    pub listen: SocketAddr,
    /// Encrypts connections, where no proxy in front does; it has to offer http/1.1.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How browsers address it, such as `https://xuefen.example`: links, cookies and the check of origins follow it. Empty
    /// for the address that is listened at, on loopback.
    pub base_url: String,
    /// How to reach the ledger.
    pub bank: creditbank_client::Options,
    /// Keys of the ledger's log that are known (`bank.pub`): others are believed when these lead to them.
    pub log_keys: LogKeys,
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
    pub trusted_proxies: Vec<Network>,
    /// Connections at once; one more waits until another ends.
    pub connections_max: usize,
    /// Connections at once of one client; trusted proxies are not counted. One more is closed at once.
    pub connections_of_client_max: usize,
    /// A connection ends when its client takes no byte of an answer for so long.
    pub write_timeout: Duration,
    /// Requests of one client a minute; what guesses could use has a tenth of it.
    pub client_requests_a_minute: u32,
    /// Changes of one learner a minute.
    pub learner_changes_a_minute: u32,
    /// Folder with the fonts of the printed transcript.
    pub fonts: PathBuf,
    /// A session ends when it was not used for so long.
    pub session_idle: Duration,
    /// A session ends after so long.
    pub session_max: Duration,
}

impl Options {
    /// What the port bears.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            connections_max: self.connections_max,
            connections_of_client_max: self.connections_of_client_max,
            trusted_proxies: self.trusted_proxies.clone(),
            write_timeout: self.write_timeout,
        }
    }

    /// Holds the options against each other, and against the address that is listened at.
    pub(crate) fn settle(&mut self, address: SocketAddr) -> Result<(), GatewayError> {
        let is_loopback = address.ip().is_loopback();
        let wrong = |why: &str| Err(GatewayError::Option(why.to_owned()));
        if self.development_login && !is_loopback {
            return wrong("the development login is for loopback alone");
        }
        if self.base_url.is_empty() {
            if !is_loopback {
                return wrong("say with base_url how browsers address this gateway");
            }
            let scheme = self.tls.as_ref().map_or("http", |_| "https");
            self.base_url = format!("{scheme}://{address}");
        }
        let host = match self.base_url.split_once("://") {
            Some(("https", host)) => host,
            Some(("http", host)) if is_local(host) => host,
            _ => {
                return wrong("base_url is https://HOST, or http://HOST on loopback");
            }
        };
        let is_origin = !host.is_empty()
            && host.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte)
            });
        if !is_origin {
            return wrong(
                "base_url is a scheme and a host, in small letters and without a path or a slash at its end",
            );
        }
        if self.development_login && !is_local(host) {
            return wrong("the development login is for loopback alone, and base_url is elsewhere");
        }
        Ok(())
    }
}

/// Whether a host with its port is this machine.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name == "localhost" || name.parse().is_ok_and(|it: IpAddr| it.is_loopback())
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
