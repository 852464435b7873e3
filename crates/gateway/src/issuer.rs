//! Who the bank is: its names, who signs its credentials, and the keys of its log. The ledger says it, and the keys are
//! believed when the pinned ones (`bank.pub`) lead to them. It is asked again from time to time, when a checkpoint does not
//! verify, and when whoever runs the gateway wants it, so a bank that replaces its keys needs no gateway restarted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use creditbank_client::receipt::{LogKeys, follow};
use creditbank_client::{Bank, ClientError, Line};
use creditbank_wire::v1;
use tokio::sync::Mutex;

use crate::app::{App, GatewayError};
use crate::clock;

/// From one question to the next.
const EVERY: Duration = Duration::from_secs(60);
/// Not sooner again because of a checkpoint that does not verify.
const AGAIN: Duration = Duration::from_secs(5);
/// How long the ledger may take.
const WITHIN: Duration = Duration::from_secs(10);

/// What is known of the bank.
#[derive(Debug, PartialEq)]
pub(crate) struct Known {
    /// As the ledger says it; its `log_keys` are those of the field below.
    pub(crate) issuer: v1::CredentialIssuer,
    /// The keys of its log, as the pinned ones lead to them.
    pub(crate) log_keys: LogKeys,
}

impl Known {
    fn new(trusted: &LogKeys, mut issuer: v1::CredentialIssuer) -> Result<Self, GatewayError> {
        let contract = |what| GatewayError::Bank(ClientError::Contract(what));
        let shown = issuer.log_keys.join("\n").parse();
        let shown = shown.map_err(|_| contract("the keys of the bank's log are none"))?;
        let log_keys = follow(trusted, &shown)?;
        let is_newest = |it: &LogKeys| {
            it.all()
                .iter()
                .any(|it| it.key.to_string() == issuer.log_key)
        };
        if !is_newest(&log_keys) {
            return Err(contract(
                "the key that signs the bank's log is not among its keys",
            ));
        }
        issuer.log_keys = log_keys.to_string().lines().map(str::to_owned).collect();
        Ok(Self { issuer, log_keys })
    }
}

/// The bank as it is known now.
pub(crate) struct Issuer {
    known: ArcSwap<Known>,
    /// When the ledger was asked last because of a checkpoint; held by whoever asks.
    asked: Mutex<Option<Instant>>,
}

impl Issuer {
    /// From the first answer of the ledger.
    pub(crate) fn new(
        pinned: &LogKeys,
        issuer: v1::CredentialIssuer,
    ) -> Result<Self, GatewayError> {
        Ok(Self {
            known: ArcSwap::from_pointee(Known::new(pinned, issuer)?),
            asked: Mutex::default(),
        })
    }

    pub(crate) fn known(&self) -> Arc<Known> {
        self.known.load_full()
    }

    /// Asks the ledger; what is known stays as it was if it does not answer, or if nothing that is trusted leads to its keys.
    async fn ask(&self, bank: &Bank, trusted: &LogKeys) -> Result<(), GatewayError> {
        let asked = tokio::time::timeout(WITHIN, ask(bank)).await;
        let silent = |_| ClientError::Contract("the ledger does not say in time who it is");
        let known = Known::new(trusted, asked.map_err(silent)??)?;
        if known != **self.known.load() {
            self.known.store(Arc::new(known));
            tracing::info!("keys or names of the bank are new");
        }
        Ok(())
    }
}

/// Who signs the credentials of the bank, and with which keys its log is signed.
pub(crate) async fn ask(bank: &Bank) -> Result<v1::CredentialIssuer, ClientError> {
    let send = |line: Line, it| async move { line.credentials().get_issuer(it).await };
    bank.call(v1::GetIssuerRequest {}, send).await
}

impl App {
    /// What is known of the bank.
    pub(crate) fn known(&self) -> Arc<Known> {
        self.issuer.known()
    }

    /// The keys of the bank's log; asked for again if none of those that are known signs this checkpoint.
    pub(crate) async fn log_keys_for(&self, checkpoint: &str) -> LogKeys {
        if self.known().log_keys.open(checkpoint).is_err() {
            let mut asked = self.issuer.asked.lock().await;
            if asked.is_none_or(|it| clock::instant().duration_since(it) >= AGAIN) {
                self.ask_again().await;
                *asked = Some(clock::instant());
            }
        }
        self.known().log_keys.clone()
    }

    /// Asks the ledger again and again.
    pub(crate) async fn keep_known(self: Arc<Self>) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.ask_again().await;
        }
    }

    async fn ask_again(&self) {
        let trusted = &self.known().log_keys;
        if let Err(error) = self.issuer.ask(&self.bank, trusted).await {
            tracing::warn!(%error, "the keys of the bank could not be taken; those before hold");
        }
    }
}

/// Renews what a gateway knows of its bank.
#[derive(Clone)]
pub struct Keys(pub(crate) Arc<App>);

impl Keys {
    /// Asks the ledger now, and believes what these keys of its log lead to.
    ///
    /// # Errors
    /// If the ledger does not answer, or they lead to none of its keys; everything stays as it was.
    pub async fn renew(&self, pinned: &LogKeys) -> Result<(), GatewayError> {
        self.0.issuer.ask(&self.0.bank, pinned).await
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}
