//! The certificate of a port: read from files, and read again on demand. Connections that are open keep theirs; a handshake
//! takes the newest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// A certificate chain with its key, which can be replaced while ports use it.
#[derive(Debug)]
pub(crate) struct Certificate(ArcSwap<CertifiedKey>);

impl Certificate {
    /// Reads both files.
    pub(crate) fn read(files: &Files) -> Result<Arc<Self>> {
        Ok(Arc::new(Self(ArcSwap::from_pointee(files.read()?))))
    }

    /// Reads both files again; what served before still serves if they cannot be used. Tells whether anything changed.
    pub(crate) fn read_again(&self, files: &Files) -> Result<bool> {
        let new = files.read()?;
        let is_new = self.0.load().cert != new.cert;
        self.0.store(Arc::new(new));
        Ok(is_new)
    }

    /// How a port speaks TLS with it, for these protocols.
    pub(crate) fn config(self: &Arc<Self>, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>> {
        let resolver = Arc::clone(self) as Arc<dyn ResolvesServerCert>;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Where a certificate chain and its key lie, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    fn read(&self) -> Result<CertifiedKey> {
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.with_context(|| unusable(&self.certificate, "certificate chain"))?;
        anyhow::ensure!(
            !chain.is_empty(),
            unusable(&self.certificate, "certificate chain")
        );
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.with_context(|| unusable(&self.key, "private key"))?;
        CertifiedKey::from_der(chain, key, &provider()).with_context(|| {
            format!(
                "{} and {} are no certificate and its key",
                self.certificate.display(),
                self.key.display()
            )
        })
    }
}

fn unusable(path: &Path, what: &str) -> String {
    format!("{} holds no {what} in PEM", path.display())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
