//! Configuration of a gateway: one file, and the key files that it names. The environment may override what stands above
//! the tables.
//!
//! ```text
//! gateway.toml    settings; every key above [provider] can be overridden by CREDITBANK_GATEWAY_<KEY>
//! gateway.key     keys of an institution with the role gateway
//! session.key     what seals session cookies; made where it is missing (mode 0600)
//! ```
//!
//! Paths in the file are relative to its folder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use creditbank_client::receipt::LogKeys;
use creditbank_gateway::{Network, Options, Provider, Recipient};
use creditbank_ledger::vault::random_seed;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::certificate::{Certificate, Files};
use crate::config::told;
use crate::connection::{read, read_keys, read_log_keys};
use crate::logging;
use crate::settings::{self, Fault, Number, Overrides, Reading};
use crate::traces::{self, Collector};

/// The settings with every key explained, as `creditbank gateway --init` writes them.
pub(crate) const EXAMPLE: &str = include_str!("../deploy/gateway.toml");
/// Secret bytes behind session cookies.
const SESSION_KEY_BYTES: usize = 64;
/// Most connections that a setting may allow.
const CONNECTIONS_MAX: i64 = 65_536;
/// Most requests and changes a minute, which is as good as no limit.
const A_MINUTE_MAX: i64 = u32::MAX as i64;
/// Most minutes of a session: 30 days.
const SESSION_MINUTES_MAX: i64 = 30 * 24 * 60;

/// What the file may say. Unknown keys are refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Address of metrics and probes, over HTTP; none if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<SocketAddr>,
    /// What the log shows.
    pub(crate) log: String,
    /// Collector of traces (OTLP over gRPC); none if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traces: Option<String>,
    /// One in so many calls is traced.
    pub(crate) traces_one_in: u32,
    /// Certificate chain, PEM; with `tls_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_key: Option<PathBuf>,
    /// How browsers address it; the address that is listened at, if not given on loopback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base_url: Option<String>,
    /// The ledger's gRPC service.
    pub(crate) bank_url: String,
    /// Public key of the ledger's log, `bank.pub`.
    pub(crate) bank: PathBuf,
    /// Certificate authority of an https address of the ledger, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bank_ca: Option<PathBuf>,
    /// Connections to the ledger.
    pub(crate) bank_connections: usize,
    /// The ledger's public log over HTTP.
    pub(crate) log_url: String,
    /// Keys of an institution with the role gateway.
    pub(crate) key: PathBuf,
    /// Keys of an institution with the role learner-agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent_key: Option<PathBuf>,
    /// Seals session cookies.
    pub(crate) session_key: PathBuf,
    /// Minutes until an unused session ends.
    pub(crate) session_idle_minutes: u32,
    /// Minutes until any session ends.
    pub(crate) session_minutes: u32,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<Network>,
    /// Connections at once.
    pub(crate) connections_max: usize,
    /// Connections at once of one client.
    pub(crate) connections_of_client_max: usize,
    /// Seconds for which a client may take no byte of an answer.
    pub(crate) write_timeout_s: u32,
    /// Requests of one client a minute.
    pub(crate) client_requests_a_minute: u32,
    /// Changes of one learner a minute.
    pub(crate) learner_changes_a_minute: u32,
    /// Fonts of the printed transcript.
    pub(crate) fonts: PathBuf,
    /// Who signs learners in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<ProviderSettings>,
    /// Other regions' banks that outcomes can go to.
    #[serde(default, rename = "recipient", skip_serializing_if = "Vec::is_empty")]
    pub(crate) recipients: Vec<RecipientSettings>,
}

/// Another region's bank, as a `[[recipient]]` names it: what the notice of a transfer has to say of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecipientSettings {
    /// Origin of its log.
    pub(crate) origin: String,
    /// Its name in Chinese.
    pub(crate) name_zh: String,
    /// Its name in English.
    pub(crate) name_en: String,
    /// How to reach it.
    pub(crate) contact: String,
}

/// An OpenID Connect provider, as `[provider]` names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderSettings {
    /// Its issuer identifier.
    pub(crate) issuer: String,
    /// What the gateway is called there.
    pub(crate) client_id: String,
    /// File with the secret there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<PathBuf>,
    /// Certificate authority that vouches for its address, PEM, where the system's do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7400)),
            metrics: None,
            log: logging::USUAL.to_owned(),
            traces: None,
            traces_one_in: 100,
            tls_certificate: None,
            tls_key: None,
            base_url: None,
            bank_url: "http://127.0.0.1:7300".to_owned(),
            bank: "bank.pub".into(),
            bank_ca: None,
            bank_connections: 2,
            log_url: "http://127.0.0.1:7301".to_owned(),
            key: "gateway.key".into(),
            agent_key: None,
            session_key: "session.key".into(),
            session_idle_minutes: 60,
            session_minutes: 12 * 60,
            trusted_proxies: Vec::new(),
            connections_max: 4096,
            connections_of_client_max: 256,
            write_timeout_s: 30,
            client_requests_a_minute: 600,
            learner_changes_a_minute: 60,
            fonts: "/usr/share/fonts".into(),
            provider: None,
            recipients: Vec::new(),
        }
    }
}

/// How the environment may override the file.
pub(crate) const OVERRIDES: Overrides = Overrides {
    prefix: "CREDITBANK_GATEWAY_",
    keys: &SETTING_NAMES,
};

const SETTING_NAMES: [&str; 25] = [
    "listen",
    "metrics",
    "log",
    "traces",
    "traces_one_in",
    "tls_certificate",
    "tls_key",
    "base_url",
    "bank_url",
    "bank",
    "bank_ca",
    "bank_connections",
    "log_url",
    "key",
    "agent_key",
    "session_key",
    "session_idle_minutes",
    "session_minutes",
    "trusted_proxies",
    "connections_max",
    "connections_of_client_max",
    "write_timeout_s",
    "client_requests_a_minute",
    "learner_changes_a_minute",
    "fonts",
];

/// Reads the settings: defaults, then the file, then the environment.
pub(crate) fn settings(file: &Path) -> Result<Settings> {
    ensure!(
        file.exists(),
        "there is no {}; `creditbank gateway --init DIR` makes one",
        file.display()
    );
    let reading = reading(file).map_err(|faults| told(file, &faults))?;
    let faults = limits_faults(&reading);
    ensure!(faults.is_empty(), told(file, &faults));
    Ok(reading.settings)
}

/// The same with the place of every setting, or everything that is wrong with how they are written.
pub(crate) fn reading(file: &Path) -> Result<Reading<Settings>, Vec<Fault>> {
    settings::read(file, OVERRIDES, &settings::environment())
}

/// What is wrong with settings that can be read.
pub(crate) fn faults(reading: &Reading<Settings>, folder: &Path) -> Vec<Fault> {
    let settings = &reading.settings;
    let mut faults = limits_faults(reading);
    let mut hold = |key: &str, held: Result<()>| {
        if let Err(error) = held {
            faults.push(reading.fault(key, format!("{error:#}")));
        }
    };
    let at = |path: &Path| folder.join(path);
    let tls = tls(settings, folder);
    let tls = tls.and_then(|it| it.map(|it| Certificate::read(&it)).transpose());
    hold("tls_certificate", tls.map(drop));
    hold("bank", log_keys(settings, folder).map(drop));
    hold("key", read_keys(&at(&settings.key)).map(drop));
    if let Some(path) = &settings.agent_key {
        hold("agent_key", read_keys(&at(path)).map(drop));
    }
    let files = [("bank_ca", settings.bank_ca.as_ref())];
    let provider = settings.provider.as_ref();
    let files = files.into_iter().chain([
        (
            "provider",
            provider.and_then(|it| it.client_secret.as_ref()),
        ),
        ("provider", provider.and_then(|it| it.ca.as_ref())),
    ]);
    for (key, path) in files {
        if let Some(path) = path {
            hold(key, read(&at(path)).map(drop));
        }
    }
    if settings.base_url.is_none() && !settings.listen.ip().is_loopback() {
        hold("base_url", Err(anyhow!("beyond loopback it is needed")));
    }
    faults
}

/// What can be used, and is probably not meant.
pub(crate) fn note(reading: &Reading<Settings>) -> Option<&'static str> {
    let it = &reading.settings;
    let is_behind_proxy = !it.listen.ip().is_loopback() && it.tls_certificate.is_none();
    (is_behind_proxy && it.trusted_proxies.is_empty()).then_some(
        "trusted_proxies names nobody: all who ask through the proxy that ends TLS count as one client, and have its limits \
         together",
    )
}

/// Numbers out of their bounds, and a log filter that cannot be read.
fn limits_faults(reading: &Reading<Settings>) -> Vec<Fault> {
    let settings = &reading.settings;
    let it = settings;
    let (requests, changes) = (it.client_requests_a_minute, it.learner_changes_a_minute);
    let of_client = it.connections_of_client_max;
    let mut faults = reading.outside(&[
        Number::new("traces_one_in", it.traces_one_in, 1, traces::ONE_IN_MAX),
        Number::new("bank_connections", it.bank_connections, 1, 64),
        Number::new(
            "session_idle_minutes",
            it.session_idle_minutes,
            1,
            SESSION_MINUTES_MAX,
        ),
        Number::new(
            "session_minutes",
            it.session_minutes,
            1,
            SESSION_MINUTES_MAX,
        ),
        Number::new("connections_max", it.connections_max, 1, CONNECTIONS_MAX),
        Number::new("connections_of_client_max", of_client, 1, CONNECTIONS_MAX),
        Number::new("write_timeout_s", it.write_timeout_s, 1, 600),
        // Sign-in has a tenth of it.
        Number::new("client_requests_a_minute", requests, 10, A_MINUTE_MAX),
        Number::new("learner_changes_a_minute", changes, 1, A_MINUTE_MAX),
    ]);
    if let Err(error) = logging::parse(&settings.log) {
        faults.push(reading.fault("log", error.to_string()));
    }
    if let Some(Err(error)) = settings.traces.as_deref().map(traces::check) {
        faults.push(reading.fault("traces", error.to_string()));
    }
    faults
}

/// Where traces go.
pub(crate) fn collector(settings: &Settings) -> Option<Collector<'_>> {
    let one_in = settings.traces_one_in;
    let address = settings.traces.as_deref();
    address.map(|address| Collector { address, one_in })
}

/// Certificate and key, where the settings name them.
pub(crate) fn tls(settings: &Settings, folder: &Path) -> Result<Option<Files>> {
    match (&settings.tls_certificate, &settings.tls_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(Files {
            certificate: folder.join(certificate),
            key: folder.join(key),
        })),
        _ => bail!("tls_certificate and tls_key go together"),
    }
}

/// The keys of the ledger's log that are known.
pub(crate) fn log_keys(settings: &Settings, folder: &Path) -> Result<LogKeys> {
    read_log_keys(&folder.join(&settings.bank))
}

/// Reads the files that the settings name. Paths are relative to `folder`.
pub(crate) fn options(settings: Settings, folder: &Path) -> Result<Options> {
    let at = |path: &Path| folder.join(path);
    let optional = |path: &Option<PathBuf>| path.as_deref().map(|it| read(&at(it))).transpose();
    let log_keys = log_keys(&settings, folder)?;
    let origin = log_keys.name().to_owned();
    let mut bank = creditbank_client::Options::new(settings.bank_url, origin);
    bank.connections = settings.bank_connections;
    bank.ca_pem = optional(&settings.bank_ca)?;
    let agent = settings.agent_key.as_deref();
    let agent = agent.map(|path| read_keys(&at(path))).transpose()?;
    let minutes = |count: u32| Duration::from_secs(u64::from(count) * 60);
    let provider = settings.provider.map(|it| provider(it, folder));
    Ok(Options {
        listen: settings.listen,
        tls: None,
        base_url: settings.base_url.unwrap_or_default(),
        bank,
        log_keys,
        keys: Arc::new(read_keys(&at(&settings.key))?),
        agent: agent.map(Arc::new),
        recipients: settings.recipients.into_iter().map(recipient).collect(),
        log_url: settings.log_url,
        session_key: session_key(&at(&settings.session_key))?,
        provider: provider.transpose()?,
        development_login: false,
        trusted_proxies: settings.trusted_proxies,
        connections_max: settings.connections_max,
        connections_of_client_max: settings.connections_of_client_max,
        write_timeout: Duration::from_secs(u64::from(settings.write_timeout_s)),
        client_requests_a_minute: settings.client_requests_a_minute,
        learner_changes_a_minute: settings.learner_changes_a_minute,
        fonts: at(&settings.fonts),
        session_idle: minutes(settings.session_idle_minutes),
        session_max: minutes(settings.session_minutes),
    })
}

fn recipient(settings: RecipientSettings) -> Recipient {
    let RecipientSettings {
        origin,
        name_zh,
        name_en,
        contact,
    } = settings;
    Recipient {
        origin,
        name_zh,
        name_en,
        contact,
    }
}

fn provider(settings: ProviderSettings, folder: &Path) -> Result<Provider> {
    let secret = settings.client_secret.map(|path| {
        let path = folder.join(path);
        let text = Zeroizing::new(read(&path)?);
        let text = std::str::from_utf8(&text).with_context(|| path.display().to_string())?;
        anyhow::Ok(Zeroizing::new(text.trim().to_owned()))
    });
    Ok(Provider {
        issuer: settings.issuer,
        client_id: settings.client_id,
        client_secret: secret.transpose()?,
        ca_pem: settings.ca.map(|it| read(&folder.join(it))).transpose()?,
    })
}

/// Reads what seals session cookies; makes it where it is missing.
pub(crate) fn session_key(path: &Path) -> Result<Zeroizing<[u8; SESSION_KEY_BYTES]>> {
    if !path.exists() {
        make_session_key(path).with_context(|| path.display().to_string())?;
    }
    let text = Zeroizing::new(read(path)?);
    let bytes = STANDARD.decode(text.trim_ascii()).map(Zeroizing::new);
    let key = bytes
        .ok()
        .and_then(|it| <[u8; SESSION_KEY_BYTES]>::try_from(it.as_slice()).ok());
    key.map(Zeroizing::new).with_context(|| {
        format!(
            "{} is not base64 of {SESSION_KEY_BYTES} bytes",
            path.display()
        )
    })
}

fn make_session_key(path: &Path) -> Result<()> {
    let mut bytes = Zeroizing::new([0; SESSION_KEY_BYTES]);
    for part in bytes.chunks_mut(SESSION_KEY_BYTES / 2) {
        part.copy_from_slice(&*random_seed());
    }
    let text = Zeroizing::new(STANDARD.encode(*bytes));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", *text)?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_names_every_key_and_says_the_defaults() {
        let told: Settings =
            toml::from_str(&settings::uncommented(EXAMPLE)).expect("the example is read");
        let mut known = toml::Table::try_from(&told).expect("a table");
        let mut usual = toml::Table::try_from(Settings::default()).expect("a table");
        for (name, _) in &usual {
            assert!(known.contains_key(name), "{name} is not in the example");
        }
        for name in SETTING_NAMES {
            assert!(known.contains_key(name), "{name} is not in the example");
        }
        for optional in [
            "base_url",
            "bank_ca",
            "agent_key",
            "provider",
            "recipient",
            "trusted_proxies",
            "metrics",
            "traces",
            "tls_certificate",
            "tls_key",
        ] {
            known.remove(optional);
            usual.remove(optional);
        }
        assert_eq!(known, usual);
        toml::from_str::<toml::Table>(EXAMPLE).expect("TOML");
    }

    #[test]
    fn a_key_that_nobody_knows_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, "listne = \"127.0.0.1:1\"\n").expect("room");
        let error = settings(&file).expect_err("a key that nobody knows");
        assert!(format!("{error:#}").contains("listne"), "{error:#}");
        std::fs::write(&file, "[provider]\nissuer = \"x\"\nclient = \"y\"\n").expect("room");
        assert!(settings(&file).is_err());
    }

    #[test]
    fn a_session_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("session.key");
        let made = session_key(&path).expect("it is made");
        assert_eq!(*session_key(&path).expect("it is read"), *made);
        let mode = std::fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, "AAAA\n").expect("room");
        assert!(session_key(&path).is_err());
    }
}
