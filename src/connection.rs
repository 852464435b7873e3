//! How a command reaches the bank: address, keys, the bank's own public key. The flags are the same everywhere.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use creditbank_client::receipt::LogKeys;
use creditbank_client::{Bank, ClientError, InstitutionKeys, Options};

/// Threads for work that does not wait for the network; the reader of a file holds one of them to its end.
const BLOCKING_THREADS: usize = 4;

/// Flags of every command that speaks with a bank.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "The bank")]
pub(crate) struct Connection {
    /// Address of the bank: https://bank.example:7300, or http://127.0.0.1:7300 on loopback.
    #[arg(
        long,
        global = true,
        env = "CREDITBANK_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7300"
    )]
    pub(crate) server: String,
    /// The public keys of the bank's log (bank.pub): check its checkpoints, and name the log's origin.
    #[arg(long, global = true, env = "CREDITBANK_BANK", value_name = "FILE")]
    pub(crate) bank: Option<PathBuf>,
    /// Origin of the bank's log, where --bank is not given.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) origin: Option<String>,
    /// Certificate authority that vouches for an https address, as PEM.
    #[arg(long, global = true, env = "CREDITBANK_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// The flag of commands that act for somebody.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "The bank")]
pub(crate) struct Key {
    /// Key file of the institution or operator that calls, as `creditbank keygen` writes it.
    #[arg(long, global = true, env = "CREDITBANK_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
}

impl Key {
    /// The keys; the command cannot do without.
    pub(crate) fn required(&self) -> Result<Arc<InstitutionKeys>> {
        self.optional()?
            .context("say who calls with --key FILE (or CREDITBANK_KEY)")
    }

    /// The keys, if a file is named.
    pub(crate) fn optional(&self) -> Result<Option<Arc<InstitutionKeys>>> {
        self.key
            .as_deref()
            .map(|path| read_keys(path).map(Arc::new))
            .transpose()
    }
}

impl Connection {
    /// The public keys of the bank's log, if a file is named.
    pub(crate) fn log_keys(&self) -> Result<Option<LogKeys>> {
        self.bank.as_deref().map(read_log_keys).transpose()
    }

    /// The origin of the bank's log.
    pub(crate) fn origin(&self) -> Result<String> {
        match (&self.origin, self.log_keys()?) {
            (Some(origin), Some(key)) if origin != key.name() => {
                bail!(
                    "--origin {origin} is not the bank of --bank, which is {}",
                    key.name()
                )
            }
            (Some(origin), _) => Ok(origin.clone()),
            (None, Some(key)) => Ok(key.name().to_owned()),
            (None, None) => {
                bail!("say which bank it is with --bank FILE (its bank.pub) or --origin NAME")
            }
        }
    }

    /// How to connect as somebody.
    pub(crate) fn options(&self) -> Result<Options> {
        let mut options = Options::new(self.server.clone(), self.origin()?);
        options.ca_pem = self.ca.as_deref().map(read).transpose()?;
        Ok(options)
    }

    /// Connects as whom the keys belong to.
    pub(crate) async fn connect(&self, keys: Arc<InstitutionKeys>) -> Result<Bank> {
        Ok(Bank::connect(self.options()?, Some(keys)).await?)
    }

    /// Connects without a caller: what is public needs none, nor the bank's name.
    pub(crate) async fn connect_public(&self) -> Result<Bank> {
        let mut options = Options::new(self.server.clone(), self.origin().unwrap_or_default());
        options.ca_pem = self.ca.as_deref().map(read).transpose()?;
        Ok(Bank::connect(options, None).await?)
    }
}

/// Tells why a command failed. Exit code 3: the bank was not reached or did not answer; 1: it refused; 2: the command
/// could not even ask (usage, files); 0: whoever read its output had enough.
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    let client = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<ClientError>());
    if client.is_none() && error.chain().any(is_unheard) {
        return ExitCode::SUCCESS;
    }
    eprintln!("creditbank: {error:#}");
    ExitCode::from(match client {
        None => 2,
        Some(ClientError::Refused(refused)) if !refused.transient => 1,
        Some(ClientError::Configuration(_) | ClientError::NotSendable(_)) => 2,
        Some(_) => 3,
    })
}

/// Whether a pipe was closed on the other side; two libraries keep that to themselves.
fn is_unheard(cause: &(dyn std::error::Error + 'static)) -> bool {
    let of_csv = cause
        .downcast_ref()
        .and_then(|error: &csv::Error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        });
    let of_json = cause
        .downcast_ref()
        .and_then(serde_json::Error::io_error_kind);
    let kind = cause.downcast_ref().map(std::io::Error::kind);
    [kind, of_csv, of_json].contains(&Some(ErrorKind::BrokenPipe))
}

/// Reads a key file.
pub(crate) fn read_keys(path: &Path) -> Result<InstitutionKeys> {
    let text = String::from_utf8(read(path)?)
        .with_context(|| format!("{} is no key file", path.display()))?;
    InstitutionKeys::parse(&text).with_context(|| format!("in {}", path.display()))
}

/// Writes a key file that only its owner can read; never over another.
pub(crate) fn write_keys(path: &Path, keys: &InstitutionKeys) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let write = || -> std::io::Result<()> {
        let mut file = file?;
        file.write_all(keys.to_file().as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write the key file {}", path.display()))
}

/// Reads the public keys of a bank's log.
pub(crate) fn read_log_keys(path: &Path) -> Result<LogKeys> {
    let text = String::from_utf8(read(path)?)
        .with_context(|| format!("{} is no public key", path.display()))?;
    text.parse()
        .with_context(|| format!("{} is no public key of a bank", path.display()))
}

/// Reads a file, and names it if that fails.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Runs a command's calls. An import reads, maps, signs and verifies on threads of its own: few, so that what one of
/// them frees another uses again.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(work)
}
