//! `creditbank serve`: the service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arc_swap::ArcSwap;
use creditbank_ledger::peers::guard;
use creditbank_ledger::server::{ServerOptions, serve};
use creditbank_ledger::{Bank, CallLimits, StepTrap, shift_clock};

use crate::admin::{Admin, Probe};
use crate::certificate::Certificate;
use crate::config::{Folder, Settings};
use crate::logging::{self, Logging};
use crate::notify::{self, State};
use crate::reload::{self, Again};
use crate::stop::stop;

/// Settings that SIGHUP brings in.
const RELOADED: [&str; 5] = [
    "log",
    "calls_max",
    "calls_of_caller_max",
    "tls_certificate",
    "tls_key",
];

/// Run a bank: gRPC for institutions, and the public log over HTTP (C2SP tlog-tiles).
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  creditbank serve bank
  creditbank serve bank --grpc 0.0.0.0:7300 --http 127.0.0.1:7301   (with tls_certificate and tls_key in bank.toml)

Settings are read from DIR/bank.toml; each can be overridden by the environment, such as CREDITBANK_BLOCK_CACHE_MIB,
but for region and the peers. Before it signs anything the bank asks its peers what they have cosigned of its log, for
at most three seconds: one that was restored from an old copy does not start while a peer that knows better is reached.
Memory is bounded by block_cache_mib + write_buffer_mib + learner_keys_cached × 600 bytes + 64 MiB of queue, beside
about 100 MiB for the program and its connections. With metrics in bank.toml or --metrics it tells Prometheus how it is
(/metrics), and probes whether it lives and serves (/healthz, /readyz). SIGHUP has certificate, log and limits of calls read
again; what cannot be used is said and changes nothing. SIGTERM or Ctrl-C stops it: open calls get ten seconds. A second
signal, or kill -9, ends it at once; nothing that was acknowledged is lost.")]
pub(crate) struct Serve {
    /// The bank's folder, made by `creditbank init`.
    dir: PathBuf,
    /// Address for gRPC; port 0 takes a free one.
    #[arg(long)]
    grpc: Option<SocketAddr>,
    /// Address for the public log over HTTP.
    #[arg(long)]
    http: Option<SocketAddr>,
    /// Address for metrics and probes; port 0 takes a free one.
    #[arg(long)]
    metrics: Option<SocketAddr>,
    /// Serve without TLS beyond loopback, behind a proxy that encrypts and passes each connection through: a token
    /// belongs to one connection, so a proxy must not share connections between callers.
    #[arg(long)]
    allow_plaintext: bool,
    /// Abort at a step of the append pipeline, such as written:3 (tests only).
    #[arg(long, hide = true)]
    abort_at: Option<StepTrap>,
    /// Have the ledger live so many seconds later, or earlier (rehearsals and tests only).
    #[arg(
        long,
        hide = true,
        value_name = "SECONDS",
        allow_negative_numbers = true
    )]
    clock_shift: Option<i64>,
}

impl Serve {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let folder = Folder::new(&self.dir);
        let settings = folder.settings()?;
        let logging = logging::start(&settings.log, settings.collector())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let (bank, sequencer) = runtime.block_on(self.serve(folder, settings, logging))?;
        sequencer
            .join()
            .ok()
            .context("the sequencer ended by a broken invariant; see the log")?;
        bank.store().close()?;
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(
        self,
        folder: Folder,
        settings: Settings,
        logging: Logging,
    ) -> Result<(Arc<Bank>, std::thread::JoinHandle<()>)> {
        if let Some(seconds) = self.clock_shift {
            tracing::warn!(seconds, "the ledger's clock is shifted: a rehearsal");
            shift_clock(seconds);
        }
        let admin = match self.metrics.or(settings.metrics) {
            Some(address) => {
                let admin = Admin::install()?;
                let address = admin.serve(address).await?;
                Some((admin, address))
            }
            None => None,
        };
        folder.make_credential_key()?;
        let certificate = folder.tls(&settings)?;
        let certificate = certificate.map(|it| Certificate::read(&it)).transpose()?;
        let tls = certificate.as_ref().map(|it| it.config(&[b"h2"]));
        let limits = Arc::new(ArcSwap::from_pointee(settings.limits()));
        let options = ServerOptions {
            grpc: self.grpc.unwrap_or(settings.grpc),
            http: self.http.unwrap_or(settings.http),
            tls: tls.transpose()?,
            allow_plaintext: self.allow_plaintext || settings.allow_plaintext,
            connections_max: settings.connections_max,
            limits: Arc::clone(&limits),
        };
        let (bank_options, keys) = (folder.options(&settings, self.abort_at)?, folder.keys()?);
        let cosigned = guard::gather(&bank_options.peers, keys.log.name()).await;
        let (bank, sequencer) = Bank::open(bank_options, keys, &cosigned)?;
        if let Err(fault) = bank.register_credential_key().await {
            tracing::warn!(%fault, "the key of credentials is not registered; the next start tries again");
        }
        let reloaded = Reloaded {
            folder,
            settings,
            certificate,
            limits,
            logging,
        };
        reload::at_hangup(reloaded)?;
        let metrics = admin.map(|(admin, address)| {
            admin.watch(probe(&bank));
            format!(" metrics={address}")
        });
        let origin = bank.origin().to_owned();
        let size = bank.head().row.size;
        let watched = Arc::clone(&bank);
        let ready = move |serving: creditbank_ledger::server::Serving| {
            println!(
                "ready {origin} grpc={} http={} leaves={size}{}",
                serving.grpc,
                serving.http,
                metrics.unwrap_or_default()
            );
            notify::tell(State::Ready);
            notify::watch(move || {
                let bank = Arc::clone(&watched);
                async move { bank.works().await }
            });
        };
        serve(Arc::clone(&bank), options, ready, stop()?).await?;
        Ok((bank, sequencer))
    }
}

/// What whoever watches asks of a bank.
fn probe(bank: &Arc<Bank>) -> Probe {
    let (measured, asked) = (Arc::clone(bank), Arc::clone(bank));
    Probe {
        sample: Box::new(move || measured.sample()),
        ready: Box::new(move || {
            let is_ready = asked.is_ready();
            Box::pin(std::future::ready(is_ready))
        }),
    }
}

/// What SIGHUP has read again.
struct Reloaded {
    folder: Folder,
    settings: Settings,
    certificate: Option<Arc<Certificate>>,
    limits: Arc<ArcSwap<CallLimits>>,
    logging: Logging,
}

impl Again for Reloaded {
    async fn again(&mut self) -> Result<()> {
        let settings = self.folder.settings()?;
        match (&self.certificate, self.folder.tls(&settings)?) {
            (Some(certificate), Some(files)) => {
                let is_new = certificate.read_again(&files)?;
                tracing::info!(is_new, "the certificate was read again");
            }
            (None, None) => {}
            _ => bail!("TLS is switched on or off by a restart alone"),
        }
        self.logging.show(&settings.log)?;
        self.limits.store(Arc::new(settings.limits()));
        reload::tell(&self.settings, &settings, &RELOADED);
        tracing::info!("reloaded");
        self.settings = settings;
        Ok(())
    }
}
