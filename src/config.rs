//! Configuration of a bank's folder: the sole reader of its files and of the environment.
//!
//! ```text
//! DIR/bank.toml            settings; the keys of OVERRIDES can be overridden by CREDITBANK_<KEY>
//! DIR/bank.pub             public keys of the log (C2SP vkeys): give it to everybody
//! DIR/former-signers.pub   public keys that signed the bank's records before, for the cards of peers
//! DIR/operator.key         keys of the operator: the institution `bank`
//! DIR/secrets/             what only the server may read (mode 0600)
//! DIR/db, DIR/anchor       the database, and what it is held against at every start
//! DIR/making               `creditbank init` was cut off while this is there
//! ```

mod own_keys;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use creditbank_client::InstitutionKeys;
use creditbank_domain::identifier::{InstitutionId, Province, TestRegions};
use creditbank_domain::record::KeyPurpose;
use creditbank_domain::transfer::duty::Terms;
use creditbank_ledger::peers::PeerOptions;
use creditbank_ledger::peers::seal::SealKey;
use creditbank_ledger::vault::{KeyEncryptionKey, random_seed};
use creditbank_ledger::{BankKeys, BankOptions, CallLimits, Names, StepTrap};
use creditbank_merkle::{Cosigner, LogKeys, NoteSigner};
use creditbank_store::StoreOptions;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub(crate) use self::own_keys::{OwnKey, put};
use crate::certificate::{Certificate, Files};
use crate::logging;
use crate::settings::{self, Fault, Number, Overrides, Reading};
use crate::traces::{self, Collector};

const SETTINGS: &str = "bank.toml";
const PUBLIC_KEY: &str = "bank.pub";
const SECRETS: &str = "secrets";
/// Lies in the folder of a new bank until it is made whole.
const MAKING: &str = "making";

/// What `bank.toml` may say. Unknown keys are refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Address of the gRPC service.
    pub(crate) grpc: SocketAddr,
    /// Address of the public log over HTTP.
    pub(crate) http: SocketAddr,
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
    /// Certificate chain for gRPC, PEM; with `tls_key`.
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    pub(crate) tls_key: Option<PathBuf>,
    /// Serve without TLS beyond loopback.
    pub(crate) allow_plaintext: bool,
    /// Connections at once, of each port.
    pub(crate) connections_max: usize,
    /// Calls at once, of all callers.
    pub(crate) calls_max: usize,
    /// Calls at once, of one caller.
    pub(crate) calls_of_caller_max: usize,
    /// Take identity numbers of unassigned regions: never in production.
    pub(crate) test_regions: bool,
    /// The anchor file, if not beside the database; better on another disk.
    pub(crate) anchor: Option<PathBuf>,
    /// MiB of table blocks, indexes and filters kept in memory.
    pub(crate) block_cache_mib: usize,
    /// MiB of rows not yet in table files.
    pub(crate) write_buffer_mib: usize,
    /// Threads that flush and compact.
    pub(crate) background_threads: i32,
    /// Table files kept open.
    pub(crate) open_files_max: i32,
    /// Learners' keys kept unwrapped in memory; about 600 bytes each.
    pub(crate) learner_keys_cached: usize,
    /// Seconds from the reservation of an outcome until a peer bank that has not cosigned it gets nothing.
    pub(crate) transfer_release_s: u64,
    /// Seconds from the release of an outcome until it is taken back undecided.
    pub(crate) transfer_decide_s: u64,
    /// What this bank is called in the registries of its peers; `creditbank peer card` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// The two province digits of the region that this is the bank of, such as "31".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// Name of the bank, Chinese, as credentials print it; the log's origin where neither name is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name_zh: Option<String>,
    /// Name of the bank, English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name_en: Option<String>,
    /// Other regions' banks; `creditbank peer add` writes them.
    #[serde(default, rename = "peer", skip_serializing_if = "Vec::is_empty")]
    pub(crate) peers: Vec<PeerSettings>,
}

/// Another region's bank, as `[[peer]]` pins it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeerSettings {
    /// Its resource id in this bank's registry.
    pub(crate) id: String,
    /// URL of its gRPC service.
    pub(crate) grpc: String,
    /// URL of its public log.
    pub(crate) http: String,
    /// Public keys of its log (C2SP vkey), one of which signs the first checkpoint that is cosigned.
    pub(crate) log_keys: Vec<String>,
    /// Certificate authority that vouches for its https addresses, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        let store = StoreOptions::default();
        let terms = Terms::default();
        let limits = CallLimits::default();
        Self {
            grpc: SocketAddr::from(([127, 0, 0, 1], 7300)),
            http: SocketAddr::from(([127, 0, 0, 1], 7301)),
            metrics: None,
            log: logging::USUAL.to_owned(),
            traces: None,
            traces_one_in: 100,
            tls_certificate: None,
            tls_key: None,
            allow_plaintext: false,
            connections_max: 4096,
            calls_max: limits.calls,
            calls_of_caller_max: limits.calls_of_caller,
            test_regions: false,
            anchor: None,
            block_cache_mib: store.block_cache_bytes >> 20,
            write_buffer_mib: store.write_buffer_bytes >> 20,
            background_threads: store.background_threads,
            open_files_max: store.open_files_max,
            learner_keys_cached: 200_000,
            transfer_release_s: terms.release_ms / 1000,
            transfer_decide_s: terms.decide_ms / 1000,
            id: None,
            region: None,
            name_zh: None,
            name_en: None,
            peers: Vec::new(),
        }
    }
}

/// A bank's folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Reads the settings: defaults, then `bank.toml`, then the environment.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let reading = self.reading()?.map_err(|faults| told(&self.0, &faults))?;
        let faults = reading.settings.limits_faults(&reading);
        ensure!(faults.is_empty(), told(&self.0, &faults));
        Ok(reading.settings)
    }

    /// The same with the place of every setting, or everything that is wrong with how they are written.
    pub(crate) fn reading(&self) -> Result<Result<Reading<Settings>, Vec<Fault>>> {
        let file = self.0.join(SETTINGS);
        ensure!(
            !self.has(MAKING),
            "the making of {} was cut off; run `creditbank init` again, which begins anew",
            self.0.display()
        );
        ensure!(
            file.exists(),
            "{} is not a bank's folder; make one with `creditbank init`",
            self.0.display()
        );
        Ok(settings::read(&file, OVERRIDES, &settings::environment()))
    }

    /// What is wrong with settings that can be read: values out of their bounds, files that cannot be used, what does not
    /// go together.
    pub(crate) fn faults(&self, reading: &Reading<Settings>) -> Vec<Fault> {
        let settings = &reading.settings;
        let mut faults = settings.limits_faults(reading);
        let mut hold = |key: &str, held: Result<()>| {
            if let Err(error) = held {
                faults.push(reading.fault(key, format!("{error:#}")));
            }
        };
        hold(
            "tls_certificate",
            self.tls(settings)
                .and_then(|it| it.map(|it| Certificate::read(&it)).transpose().map(drop)),
        );
        let is_open =
            |address: SocketAddr| !address.ip().is_loopback() && !settings.allow_plaintext;
        let rule =
            "beyond loopback it needs tls_certificate and tls_key, or allow_plaintext = true";
        if is_open(settings.grpc) && settings.tls_certificate.is_none() {
            hold("grpc", Err(anyhow!(rule)));
        }
        if is_open(settings.http) {
            hold(
                "http",
                Err(anyhow!(
                    "beyond loopback it needs allow_plaintext = true, behind a proxy that encrypts"
                )),
            );
        }
        hold(
            "region",
            settings
                .region
                .as_deref()
                .map_or(Ok(()), |it| province(it).map(drop)),
        );
        hold(
            "id",
            settings
                .id
                .as_deref()
                .map_or(Ok(()), |it| own_id(it).map(drop)),
        );
        let names = Names::new(settings.name_zh.as_deref(), settings.name_en.as_deref());
        let names = names
            .map(drop)
            .context("name_zh and name_en are 1 to 200 characters");
        hold("name_zh", names);
        for peer in &settings.peers {
            hold("peer", self.peer(peer).map(drop));
        }
        let anchor = self.anchor(settings);
        if let Some(folder) = anchor.parent().filter(|it| !it.is_dir()) {
            hold(
                "anchor",
                Err(anyhow!("there is no folder {}", folder.display())),
            );
        }
        faults
    }

    /// Options for opening the bank.
    pub(crate) fn options(
        &self,
        settings: &Settings,
        trap: Option<StepTrap>,
    ) -> Result<BankOptions> {
        let peers = settings.peers.iter().map(|peer| self.peer(peer));
        Ok(BankOptions {
            directory: self.database(),
            anchor: self.anchor(settings),
            store: StoreOptions {
                block_cache_bytes: settings.block_cache_mib << 20,
                write_buffer_bytes: settings.write_buffer_mib << 20,
                background_threads: settings.background_threads,
                open_files_max: settings.open_files_max,
            },
            learner_keys_cached: settings.learner_keys_cached,
            test_regions: if settings.test_regions {
                TestRegions::Accept
            } else {
                TestRegions::Refuse
            },
            region: settings.region.as_deref().map(province).transpose()?,
            peers: peers.collect::<Result<_>>()?,
            id: settings.id.as_deref().map(own_id).transpose()?,
            names: Names::new(settings.name_zh.as_deref(), settings.name_en.as_deref())
                .context("name_zh and name_en are 1 to 200 characters")?,
            transfer_terms: Terms {
                release_ms: settings.transfer_release_s.saturating_mul(1000),
                decide_ms: settings.transfer_decide_s.saturating_mul(1000),
            },
            trap,
        })
    }

    /// The anchor file.
    pub(crate) fn anchor(&self, settings: &Settings) -> PathBuf {
        let named = settings.anchor.as_deref();
        self.0.join(named.unwrap_or(Path::new("anchor")))
    }

    fn peer(&self, peer: &PeerSettings) -> Result<PeerOptions> {
        let place = || format!("{SETTINGS}: peer {:?}", peer.id);
        let key = |(number, text): (usize, &String)| {
            let key = text.trim().parse();
            key.with_context(|| format!("{}: log_keys[{number}]", place()))
        };
        let log_keys = peer.log_keys.iter().enumerate().map(key);
        let ca = peer.ca.as_ref().map(|path| {
            let path = self.0.join(path);
            fs::read(&path).with_context(|| format!("{}: ca: {}", place(), path.display()))
        });
        Ok(PeerOptions {
            id: peer.id.clone(),
            grpc: peer.grpc.clone(),
            http: peer.http.clone(),
            log_keys: log_keys.collect::<Result<_>>()?,
            ca_pem: ca.transpose()?,
        })
    }

    /// Pins a peer in `bank.toml`, behind what is there; `false` if it is pinned just so already.
    pub(crate) fn add_peer(&self, peer: &PeerSettings) -> Result<bool> {
        let settings = self.settings()?;
        let path = self.0.join(SETTINGS);
        if let Some(found) = settings.peers.iter().find(|it| it.id == peer.id) {
            ensure!(
                found == peer,
                "{} pins the peer {:?} otherwise; remove its [[peer]] table first, if you are sure",
                path.display(),
                peer.id
            );
            return Ok(false);
        }
        // Read as it will be read, before anything is written.
        self.peer(peer)?;
        let table = toml::to_string(&Pinned { peer: [peer] })?;
        self.rewrite(|text| format!("{}\n\n{table}", text.trim_end()))?;
        Ok(true)
    }

    /// Writes what this bank is called at its peers into `bank.toml`; once, because their registries say so for ever.
    pub(crate) fn take_id(&self, id: &str) -> Result<()> {
        own_id(id)?;
        match self.settings()?.id {
            Some(known) => ensure!(known == id, "this bank is known to its peers as {known:?}"),
            // Before every table.
            None => self.rewrite(|text| format!("id = {id:?}\n{text}"))?,
        }
        Ok(())
    }

    fn rewrite(&self, edit: impl FnOnce(&str) -> String) -> Result<()> {
        let path = self.0.join(SETTINGS);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let beside = path.with_added_extension("new");
        let file = fs::File::create(&beside).with_context(|| beside.display().to_string())?;
        (&file).write_all(edit(&text).as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &path).with_context(|| path.display().to_string())?;
        sync_folder(&self.0)
    }

    /// Certificate and key, where the settings name them.
    pub(crate) fn tls(&self, settings: &Settings) -> Result<Option<Files>> {
        match (&settings.tls_certificate, &settings.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Files {
                certificate: self.0.join(certificate),
                key: self.0.join(key),
            })),
            _ => bail!("tls_certificate and tls_key go together"),
        }
    }

    /// Reads the bank's secrets.
    pub(crate) fn keys(&self) -> Result<BankKeys> {
        let log = self.log_signer(&OwnKey::Log.file())?;
        let log_next = OwnKey::Log.next_file();
        let log_next = self.has(&log_next).then(|| self.log_signer(&log_next));
        let cosigner = |seed: Zeroizing<_>| Cosigner::new(log.name(), ed25519_key(&seed));
        let seed = |key: OwnKey| self.seed_if_any(&key.file());
        let signing = |key: OwnKey| Ok::<_, anyhow::Error>(seed(key)?.map(|it| ed25519_key(&it)));
        let seal = |seed: Zeroizing<_>| SealKey::new(&seed);
        let seal_next = self.seed_if_any(&OwnKey::Seal.next_file())?;
        Ok(BankKeys {
            cosign: seed(OwnKey::Cosign)?
                .map(cosigner)
                .transpose()
                .context("the origin")?,
            seal: seed(OwnKey::Seal)?.map(seal).transpose()?,
            seal_next: seal_next.map(seal).transpose()?,
            peer: signing(OwnKey::Peer)?,
            credential: signing(OwnKey::Credential)?,
            published: self.has(PUBLIC_KEY).then(|| self.log_keys()).transpose()?,
            log_next: log_next.transpose()?,
            log,
            bank: ed25519_key(&*self.seed(&OwnKey::Bank.file())?),
            key_encryption: self
                .key_encryption()?
                .context("secrets/key-encryption.key is missing")?,
            identity: self.seed("secrets/identity.key")?,
        })
    }

    fn log_signer(&self, name: &str) -> Result<NoteSigner> {
        let text = Zeroizing::new(self.secret(name)?);
        NoteSigner::from_secret_text(text.trim()).with_context(|| name.to_owned())
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of secrets.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.0.join(SECRETS)
    }

    /// The public key of the log.
    pub(crate) fn public_key(&self) -> PathBuf {
        self.0.join(PUBLIC_KEY)
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("db")
    }

    /// The operator's key file.
    pub(crate) fn operator_key(&self) -> PathBuf {
        self.0.join(OwnKey::Operator.file())
    }

    /// The key-encryption key alone, for a check; `None` if this folder does not hold it. While it is replaced, the next one
    /// wraps, and both open.
    pub(crate) fn key_encryption(&self) -> Result<Option<KeyEncryptionKey>> {
        let key = |name: String| {
            Ok::<_, anyhow::Error>(
                self.seed_if_any(&name)?
                    .map(|it| KeyEncryptionKey::new(&it)),
            )
        };
        let now = key(OwnKey::KeyEncryption.file())?;
        let next = key(OwnKey::KeyEncryption.next_file())?;
        Ok(match (now, next) {
            (Some(now), Some(next)) => Some(next.replacing(now)),
            (now, next) => now.or(next),
        })
    }

    /// Makes the keys for dealing with peers that are missing: a folder that an older program made has none of them.
    pub(crate) fn make_peer_keys(&self) -> Result<()> {
        let missing = [OwnKey::Cosign, OwnKey::Seal, OwnKey::Peer];
        missing
            .iter()
            .try_for_each(|key| self.make_key(&key.file()))
    }

    /// Makes the key that signs credentials and learner codes, where a folder that an older program made has none.
    pub(crate) fn make_credential_key(&self) -> Result<()> {
        self.make_key(&OwnKey::Credential.file())
    }

    fn make_key(&self, name: &str) -> Result<()> {
        if self.has(name) {
            return Ok(());
        }
        self.write_secret(name, &seed_text(&random_seed()))
    }

    /// Makes the folder of a new bank with fresh keys; the database is made by the caller, who then says so with
    /// [`Self::made`]. What a making that was cut off has left goes first: nobody was served from it.
    pub(crate) fn create(&self, origin: &str, settings: &Settings) -> Result<[u8; 32]> {
        let path = &self.0;
        let was_cut_off = self.has(MAKING);
        ensure!(
            was_cut_off || !self.has(SETTINGS),
            "{} already holds a bank",
            path.display()
        );
        ensure!(
            was_cut_off || !self.has(SECRETS),
            "{} is there, and a new bank makes keys of its own; to bring a bank back, see `creditbank restore --help`",
            self.secrets().display()
        );
        let log = NoteSigner::new(origin, ed25519_key(&random_seed())).context("the origin")?;
        settings.region.as_deref().map(province).transpose()?;
        fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        if was_cut_off {
            self.clear()?;
        } else {
            self.write_new(MAKING, 0o644, "")?;
        }
        fs::DirBuilder::new()
            .mode(0o700)
            .create(path.join(SECRETS))
            .with_context(|| path.display().to_string())?;
        let bank = random_seed();
        let operator = InstitutionKeys::from_seeds(
            InstitutionId::bank(),
            &bank,
            &random_seed(),
            &random_seed(),
        );
        self.write_secret("secrets/log.key", &format!("{}\n", log.to_secret_text()))?;
        self.write_secret("secrets/bank.key", &seed_text(&bank))?;
        self.write_secret("secrets/key-encryption.key", &seed_text(&random_seed()))?;
        self.write_secret("secrets/identity.key", &seed_text(&random_seed()))?;
        self.make_peer_keys()?;
        self.make_credential_key()?;
        self.write_secret(&OwnKey::Operator.file(), &operator.to_file())?;
        let keys = LogKeys::from(log.verifier().clone());
        self.write_new(PUBLIC_KEY, 0o644, &keys.to_string())?;
        self.write_new(SETTINGS, 0o644, &first_settings(settings)?)?;
        sync_folder(path.parent().unwrap_or(path))?;
        Ok(operator.public(KeyPurpose::Authenticate).bytes)
    }

    /// The bank is made whole.
    pub(crate) fn made(&self) -> Result<()> {
        remove(fs::remove_file, &self.0.join(MAKING))?;
        sync_folder(&self.0)
    }

    /// Removes what `create` and its caller make.
    fn clear(&self) -> Result<()> {
        for name in [SECRETS, "db"] {
            remove(fs::remove_dir_all, &self.0.join(name))?;
        }
        let operator = OwnKey::Operator.file();
        for name in [SETTINGS, PUBLIC_KEY, &operator, "anchor"] {
            remove(fs::remove_file, &self.0.join(name))?;
        }
        Ok(())
    }

    fn secret(&self, name: &str) -> Result<String> {
        let path = self.0.join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    fn seed(&self, name: &str) -> Result<Zeroizing<[u8; 32]>> {
        let text = Zeroizing::new(self.secret(name)?);
        let bytes = STANDARD.decode(text.trim()).ok().map(Zeroizing::new);
        let seed = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        seed.map(Zeroizing::new)
            .with_context(|| format!("{name} is not base64 of 32 bytes"))
    }

    fn seed_if_any(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>> {
        self.has(name).then(|| self.seed(name)).transpose()
    }

    fn write_secret(&self, name: &str, text: &str) -> Result<()> {
        self.write_new(name, 0o600, text)
    }

    /// Writes a file that was not there. When this returns, a power cut takes neither its bytes nor its name: what is
    /// signed or sealed with a key outlives nothing without it.
    fn write_new(&self, name: &str, mode: u32, text: &str) -> Result<()> {
        let path = self.0.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path);
        let mut file = file.with_context(|| path.display().to_string())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder(path.parent().unwrap_or(&path))
    }
}

/// Removes what may not be there.
fn remove(by: fn(PathBuf) -> std::io::Result<()>, path: &Path) -> Result<()> {
    match by(path.to_owned()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> Result<()> {
    // The parent of a relative path of one word.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.with_context(|| folder.display().to_string())
}

impl Settings {
    /// How many calls may be open at once.
    pub(crate) fn limits(&self) -> CallLimits {
        CallLimits {
            calls: self.calls_max,
            calls_of_caller: self.calls_of_caller_max,
        }
    }

    /// Where traces go.
    pub(crate) fn collector(&self) -> Option<Collector<'_>> {
        let one_in = self.traces_one_in;
        let address = self.traces.as_deref();
        address.map(|address| Collector { address, one_in })
    }

    /// Numbers out of their bounds, and a log filter that cannot be read.
    fn limits_faults(&self, reading: &Reading<Self>) -> Vec<Fault> {
        let mut faults = reading.outside(&[
            Number::new("traces_one_in", self.traces_one_in, 1, traces::ONE_IN_MAX),
            Number::new("connections_max", self.connections_max, 1, 65_536),
            Number::new("calls_max", self.calls_max, 1, 1 << 20),
            Number::new("calls_of_caller_max", self.calls_of_caller_max, 1, 1 << 20),
            Number::new("block_cache_mib", self.block_cache_mib, 1, 1 << 20),
            Number::new("write_buffer_mib", self.write_buffer_mib, 1, 1 << 16),
            Number::new("background_threads", self.background_threads, 1, 256),
            Number::new("open_files_max", self.open_files_max, 32, 1 << 20),
            Number::new(
                "learner_keys_cached",
                self.learner_keys_cached,
                1,
                100_000_000,
            ),
        ]);
        let log = logging::parse(&self.log).err();
        let log = log.map(|error| reading.fault("log", error.to_string()));
        let traces = self
            .traces
            .as_deref()
            .and_then(|it| traces::check(it).err());
        let traces = traces.map(|error| reading.fault("traces", error.to_string()));
        faults.extend(log.into_iter().chain(traces));
        faults
    }
}

/// Everything that is wrong with a file, a line each.
pub(crate) fn told(folder: &Path, faults: &[Fault]) -> anyhow::Error {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    anyhow!("in {}: {}", folder.display(), lines.join("\n  "))
}

/// The settings with every key explained, as `creditbank init` writes them.
pub(crate) const EXAMPLE: &str = include_str!("../deploy/bank.toml");

/// The keys of `bank.toml`, as the environment may name them.
pub(crate) const OVERRIDES: Overrides = Overrides {
    prefix: settings::PREFIX,
    keys: &SETTING_NAMES,
};

const SETTING_NAMES: [&str; 21] = [
    "grpc",
    "http",
    "metrics",
    "log",
    "traces",
    "traces_one_in",
    "connections_max",
    "calls_max",
    "calls_of_caller_max",
    "tls_certificate",
    "tls_key",
    "allow_plaintext",
    "test_regions",
    "anchor",
    "block_cache_mib",
    "write_buffer_mib",
    "background_threads",
    "open_files_max",
    "learner_keys_cached",
    "transfer_release_s",
    "transfer_decide_s",
];

/// What differs from the defaults, and every key explained.
fn first_settings(settings: &Settings) -> Result<String> {
    let mut own = toml::Table::try_from(settings)?;
    let usual = toml::Table::try_from(Settings::default())?;
    own.retain(|key, value| usual.get(key) != Some(value));
    Ok(format!("{}\n{EXAMPLE}", toml::to_string(&own)?))
}

/// A table as it stands in `bank.toml`.
#[derive(Serialize)]
struct Pinned<'a> {
    peer: [&'a PeerSettings; 1],
}

/// A province by its two digits.
pub(crate) fn province(digits: &str) -> Result<Province> {
    let number = Some(digits).filter(|it| it.len() == 2);
    let number = number.and_then(|it| it.parse().ok());
    let province = number.and_then(|it| Province::from_number(it).ok());
    province.with_context(|| format!("region {digits:?} is no province, such as \"31\""))
}

fn seed_text(seed: &[u8; 32]) -> String {
    format!("{}\n", STANDARD.encode(seed))
}

fn ed25519_key(seed: &[u8; 32]) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(seed)
}

fn own_id(id: &str) -> Result<InstitutionId> {
    InstitutionId::parse(id).with_context(|| format!("id {id:?} is no id of an institution"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_names_every_key_and_says_the_defaults() {
        let told: Settings = toml::from_str(&settings::uncommented(EXAMPLE)).expect("it is read");
        let mut known = toml::Table::try_from(&told).expect("a table");
        let usual = toml::Table::try_from(Settings::default()).expect("a table");
        for name in usual.keys().map(String::as_str).chain(SETTING_NAMES) {
            assert!(known.contains_key(name), "{name} is not in the example");
        }
        known.retain(|name, _| usual.contains_key(name));
        assert_eq!(known, usual);
        let read: Settings = toml::from_str(EXAMPLE).expect("TOML");
        assert_eq!(toml::Table::try_from(&read).expect("a table"), usual);
    }
}
