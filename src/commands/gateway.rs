//! `creditbank gateway`: the learner's archive on the web.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};

use crate::gateway_config::{EXAMPLE, options, session_key, settings};
use crate::stop::stop;

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
CREDITBANK_GATEWAY_LISTEN. When it serves it prints `ready http=ADDRESS`. SIGTERM or Ctrl-C stops it: open requests get
ten seconds. A second signal ends it at once; nothing is lost, because a gateway keeps nothing.")]
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
        settings.listen = self.listen.unwrap_or(settings.listen);
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut options = options(settings, folder)?;
        options.development_login = self.development_login;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let ready = |address| println!("ready http={address}");
            creditbank_gateway::serve(options, ready, stop()?).await?;
            anyhow::Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
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
