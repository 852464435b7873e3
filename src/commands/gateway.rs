//! `creditbank gateway`: the learner's archive on the web.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, bail, ensure};
use creditbank_gateway::{GatewayError, Keys};

use crate::admin::{Admin, Probe};
use crate::certificate::Certificate;
use crate::gateway_config::{
    EXAMPLE, Settings, collector, log_keys, options, session_key, settings, tls,
};
use crate::logging::{self, Logging};
use crate::notify::{self, State};
use crate::reload::{self, Again};
use crate::stop::stop;

/// Settings that SIGHUP brings in.
const RELOADED: [&str; 4] = ["log", "tls_certificate", "tls_key", "bank"];

/// Run a gateway: pages and JSON for learners, the public log, and a page where anybody verifies a record.
#[derive(clap::Args)]
#[command(after_help = "\
A gateway is a process of its own without a database and without a key of the bank. It speaks with the ledger under the
role gateway, so the operator registers it first:
  creditbank gateway --init web
  creditbank keygen gateway-1 --output web/gateway.key
  creditbank institution register gateway-1 --name 网上服务 --role gateway --public-keys web/gateway.key.pub \\
    --key bank/operator.key --bank bank/bank.pub
  cp bank/bank.pub web/ && creditbank gateway web/gateway.toml

Settings are read from the file; each above [provider] can be overridden by the environment, such as
CREDITBANK_GATEWAY_LISTEN. When it serves it prints `ready http=ADDRESS`. With metrics in the file or --metrics it tells
Prometheus how it is (/metrics), and probes whether it lives and serves (/healthz, /readyz). SIGHUP has certificate, log
and the keys of the ledger's log read again; what cannot be used is said and changes nothing. SIGTERM or Ctrl-C stops
it: open requests get ten seconds. A second signal ends it at once; nothing is lost, because a gateway keeps nothing.")]
pub(crate) struct Gateway {
    /// The settings, such as gateway.toml.
    #[arg(required_unless_present = "init")]
    config: Option<PathBuf>,
    /// Write settings with every key explained, and a session key, into this folder; serve nothing.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "listen", "development_login"])]
    init: Option<PathBuf>,
    /// Address for HTTP; port 0 takes a free one.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Address for metrics and probes; port 0 takes a free one.
    #[arg(long)]
    metrics: Option<SocketAddr>,
    /// Let anybody sign in as any learner, for demonstrations. Only on loopback; every page says so.
    #[arg(long)]
    development_login: bool,
}

impl Gateway {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if let Some(folder) = &self.init {
            return init(folder);
        }
        let file = self.config.context("clap asks for it")?;
        let mut settings = settings(&file)?;
        let logging = logging::start(&settings.log, collector(&settings))?;
        settings.listen = self.listen.unwrap_or(settings.listen);
        settings.metrics = self.metrics.or(settings.metrics);
        // Before anything is measured.
        let admin = settings
            .metrics
            .map(|at| anyhow::Ok((Admin::install()?, at)));
        let admin = admin.transpose()?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let certificate = tls(&settings, folder)?;
        let certificate = certificate.map(|it| Certificate::read(&it)).transpose()?;
        let mut options = options(settings.clone(), folder)?;
        let tls = certificate.as_ref().map(|it| it.config(&[b"http/1.1"]));
        options.tls = tls.transpose()?;
        options.development_login = self.development_login;
        let reloaded = Reloaded {
            file,
            settings,
            certificate,
            logging,
            keys: Arc::default(),
        };
        let keys = Arc::clone(&reloaded.keys);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let admin = match admin {
                Some((admin, at)) => Some((Arc::clone(&admin), admin.serve(at).await?)),
                None => None,
            };
            reload::at_hangup(reloaded)?;
            let ready = |serving: creditbank_gateway::Serving| {
                // It serves once.
                drop(keys.set(serving.keys));
                let metrics = admin.map(|(admin, address)| {
                    admin.watch(probe(serving.probe));
                    format!(" metrics={address}")
                });
                println!(
                    "ready http={}{}",
                    serving.address,
                    metrics.unwrap_or_default()
                );
                notify::tell(State::Ready);
                // Nothing here waits but for its ledger, which a restart does not bring back.
                notify::watch(|| std::future::ready(true));
            };
            creditbank_gateway::serve(options, ready, stop()?).await?;
            anyhow::Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What whoever watches asks of a gateway: everything is measured while it happens.
fn probe(probe: creditbank_gateway::Probe) -> Probe {
    Probe {
        sample: Box::new(|| {}),
        ready: Box::new(move || {
            let probe = probe.clone();
            Box::pin(async move { probe.is_ready().await })
        }),
    }
}

/// What SIGHUP has read again.
struct Reloaded {
    file: PathBuf,
    settings: Settings,
    certificate: Option<Arc<Certificate>>,
    logging: Logging,
    /// Set once the ledger has answered.
    keys: Arc<OnceLock<Keys>>,
}

impl Again for Reloaded {
    async fn again(&mut self) -> Result<()> {
        let now = settings(&self.file)?;
        let folder = self.file.parent().unwrap_or(Path::new(""));
        self.renew_keys(&now, folder).await?;
        match (&self.certificate, tls(&now, folder)?) {
            (Some(certificate), Some(files)) => {
                let is_new = certificate.read_again(&files)?;
                tracing::info!(is_new, "the certificate was read again");
            }
            (None, None) => {}
            _ => bail!("TLS is switched on or off by a restart alone"),
        }
        self.logging.show(&now.log)?;
        reload::tell(&self.settings, &now, &RELOADED);
        tracing::info!("reloaded");
        self.settings = now;
        Ok(())
    }
}

impl Reloaded {
    /// Asks the ledger for the keys of its log, and holds them against `bank.pub` as it is now.
    async fn renew_keys(&self, now: &Settings, folder: &Path) -> Result<()> {
        let pinned = log_keys(now, folder)?;
        let Some(keys) = self.keys.get() else {
            return Ok(());
        };
        match keys.renew(&pinned).await {
            Err(GatewayError::Bank(error)) => {
                tracing::warn!(%error, "the ledger does not say its keys; reload again when it does");
                Ok(())
            }
            renewed => Ok(renewed?),
        }
    }
}

fn init(folder: &Path) -> Result<ExitCode> {
    let file = folder.join("gateway.toml");
    ensure!(!file.exists(), "there is a {} already", file.display());
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    std::fs::write(&file, EXAMPLE).with_context(|| file.display().to_string())?;
    session_key(&folder.join("session.key"))?;
    println!("settings     {}", file.display());
    println!("next: `creditbank gateway --help` shows how its keys are made and registered");
    Ok(ExitCode::SUCCESS)
}
