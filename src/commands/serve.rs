//! `creditbank serve`: the service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use creditbank_ledger::peers::guard;
use creditbank_ledger::server::{ServerOptions, serve};
use creditbank_ledger::{Bank, StepTrap, shift_clock};

use crate::config::Folder;
use crate::stop::stop;

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
about 100 MiB for the program and its connections. SIGTERM or Ctrl-C stops it: open calls get ten seconds. A second
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let (bank, sequencer) = runtime.block_on(self.serve())?;
        sequencer
            .join()
            .ok()
            .context("the sequencer ended by a broken invariant; see the log")?;
        bank.store().close()?;
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(self) -> Result<(std::sync::Arc<Bank>, std::thread::JoinHandle<()>)> {
        if let Some(seconds) = self.clock_shift {
            tracing::warn!(seconds, "the ledger's clock is shifted: a rehearsal");
            shift_clock(seconds);
        }
        let folder = Folder::new(&self.dir);
        let settings = folder.settings()?;
        folder.make_credential_key()?;
        let options = ServerOptions {
            grpc: self.grpc.unwrap_or(settings.grpc),
            http: self.http.unwrap_or(settings.http),
            tls: folder.tls(&settings)?,
            allow_plaintext: self.allow_plaintext || settings.allow_plaintext,
        };
        let (bank_options, keys) = (folder.options(&settings, self.abort_at)?, folder.keys()?);
        let cosigned = guard::gather(&bank_options.peers, keys.log.name()).await;
        let (bank, sequencer) = Bank::open(bank_options, keys, &cosigned)?;
        if let Err(fault) = bank.register_credential_key().await {
            tracing::warn!(%fault, "the key of credentials is not registered; the next start tries again");
        }
        let origin = bank.origin().to_owned();
        let size = bank.head().row.size;
        let ready = move |serving: creditbank_ledger::server::Serving| {
            println!(
                "ready {origin} grpc={} http={} leaves={size}",
                serving.grpc, serving.http
            );
        };
        serve(std::sync::Arc::clone(&bank), options, ready, stop()?).await?;
        Ok((bank, sequencer))
    }
}
