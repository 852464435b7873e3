//! What every handler shares.

use std::sync::Arc;
use std::time::Duration;

use axum_extra::extract::cookie::Key;
use creditbank_client::receipt::NotFollowed;
use creditbank_client::{Bank, ClientError};
use creditbank_wire::v1;
use tokio::sync::Semaphore;

use crate::api::EXPORTS_MAX;
use crate::ask::institutions::Institutions;
use crate::ask::statistics::Yearbooks;
use crate::issuer::{self, Issuer};
use crate::limits::Limits;
use crate::options::Options;
use crate::pace::Pace;
use crate::session::{Ended, Session};
use crate::sign_in::SignIn;
use crate::tiles::Log;

/// From one question to a ledger that is away to the next.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Why a gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The ledger.
    #[error("the ledger: {0}")]
    Bank(#[from] ClientError),
    /// The keys of the log that it is pinned to lead to none that the ledger has.
    #[error("the keys of the ledger's log: {0}")]
    Keys(#[from] NotFollowed),
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
    /// Who the bank is.
    pub(crate) issuer: Issuer,
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
    /// Connects to the ledger, and waits for it where it is away: the two may be started in any order.
    pub(crate) async fn connect(options: Options) -> Result<Arc<Self>, GatewayError> {
        let provider = options.provider.as_ref();
        let sign_in = provider.map(|it| SignIn::new(it, &options.base_url));
        let (sign_in, log) = (sign_in.transpose()?, Log::new(&options.log_url)?);
        let (bank, issuer) = first_answer(&options).await?;
        let agent = match &options.agent {
            Some(keys) => Some(Bank::connect(options.bank.clone(), Some(Arc::clone(keys))).await?),
            None => None,
        };
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
            issuer: Issuer::new(&options.log_keys, issuer)?,
            options,
            bank,
            agent,
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

/// Asks the ledger who signs its credentials until it answers.
async fn first_answer(options: &Options) -> Result<(Bank, v1::CredentialIssuer), GatewayError> {
    loop {
        let answer = async {
            let keys = Some(Arc::clone(&options.keys));
            let bank = Bank::connect(options.bank.clone(), keys).await?;
            let issuer = issuer::ask(&bank).await?;
            Ok((bank, issuer))
        };
        match answer.await {
            Ok(answer) => return Ok(answer),
            Err(error @ (ClientError::Connect(_) | ClientError::Silent(_))) => {
                tracing::warn!(%error, "the ledger does not answer yet; asking again");
                tokio::time::sleep(ASK_AGAIN).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
