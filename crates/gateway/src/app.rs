//! What every handler shares.

use std::sync::Arc;

use axum_extra::extract::cookie::Key;
use creditbank_client::{Bank, ClientError};
use creditbank_wire::v1;

use crate::options::Options;
use crate::pace::Pace;
use crate::session::Ended;

/// Why a gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The ledger.
    #[error("the ledger: {0}")]
    Bank(#[from] ClientError),
    /// An option.
    #[error("{0}")]
    Option(String),
    /// The port.
    #[error("{address}: {error}")]
    Port {
        /// Which.
        address: std::net::SocketAddr,
        /// Why.
        error: std::io::Error,
    },
}

/// What every handler shares.
pub(crate) struct App {
    pub(crate) options: Options,
    /// Under the role gateway.
    pub(crate) bank: Bank,
    /// Under the role learner-agent.
    pub(crate) agent: Option<Bank>,
    /// Seals session cookies.
    pub(crate) cookie_key: Key,
    /// Sessions that were signed out before their time.
    pub(crate) ended: Ended,
    /// How often a session may ask for a fresh code.
    pub(crate) codes: Pace,
    /// Who signs the credentials of this bank, and with which key its log is signed.
    pub(crate) issuer: v1::CredentialIssuer,
}

impl App {
    /// Connects to the ledger.
    pub(crate) async fn connect(options: Options) -> Result<Arc<Self>, GatewayError> {
        if options.development_login && !options.listen.ip().is_loopback() {
            let why = "the development login is for loopback alone";
            return Err(GatewayError::Option(why.to_owned()));
        }
        let bank = Bank::connect(options.bank.clone(), Some(Arc::clone(&options.keys))).await?;
        let agent = match &options.agent {
            Some(keys) => Some(Bank::connect(options.bank.clone(), Some(Arc::clone(keys))).await?),
            None => None,
        };
        let ask = v1::GetIssuerRequest {};
        let issuer = bank
            .call(ask, |line, it| async move {
                line.credentials().get_issuer(it).await
            })
            .await?;
        Ok(Arc::new(Self {
            cookie_key: Key::from(&*options.session_key),
            ended: Ended::default(),
            codes: crate::pages::code::pace(),
            options,
            bank,
            agent,
            issuer,
        }))
    }

    /// Whether browsers reach this gateway over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.options.base_url.starts_with("https://")
    }
}
