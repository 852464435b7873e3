//! What every handler shares.

use std::sync::Arc;

use axum_extra::extract::cookie::Key;
use creditbank_client::{Bank, ClientError};
use creditbank_wire::v1;
use tokio::sync::Semaphore;

use crate::api::EXPORTS_MAX;
use crate::ask::institutions::Institutions;
use crate::ask::statistics::Yearbooks;
use crate::limits::Limits;
use crate::options::Options;
use crate::pace::Pace;
use crate::session::{Ended, Session};
use crate::sign_in::SignIn;
use crate::tiles::Log;

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
    /// Names of institutions, as they were read last.
    pub(crate) institutions: Institutions,
    /// Yearbooks, as they were read.
    pub(crate) yearbooks: Yearbooks,
    /// How often a session may ask for a fresh code.
    pub(crate) codes: Pace,
    /// Who signs the credentials of this bank, and with which key its log is signed.
    pub(crate) issuer: v1::CredentialIssuer,
    /// The identity provider, where there is one.
    pub(crate) sign_in: Option<SignIn>,
    /// How often one may ask.
    pub(crate) limits: Limits,
    /// The ledger's public log.
    pub(crate) log: Log,
    /// Room for whoever takes everything away.
    pub(crate) exports: Arc<Semaphore>,
}

impl App {
    /// Connects to the ledger.
    pub(crate) async fn connect(options: Options) -> Result<Arc<Self>, GatewayError> {
        let provider = options.provider.as_ref();
        let sign_in = provider.map(|it| SignIn::new(it, &options.base_url));
        let (sign_in, log) = (sign_in.transpose()?, Log::new(&options.log_url)?);
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
            institutions: Institutions::default(),
            yearbooks: Yearbooks::default(),
            limits: Limits::new(&options),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            sign_in,
            log,
            codes: crate::pages::code::pace(),
            options,
            bank,
            agent,
            issuer,
        }))
    }

    /// Ends a session before its time.
    pub(crate) fn end(&self, session: &Session) {
        let until_s = session.began_s + self.options.session_max.as_secs();
        self.ended.end(&session.id, until_s);
    }

    /// Whether browsers reach this gateway over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.options.base_url.starts_with("https://")
    }
}
