//! The certificate of a port: read from files, and read again on demand. Connections that are open keep theirs; a handshake
//! takes the newest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use arc_swap::ArcSwap;
use metrics::{Unit, describe_gauge, gauge};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::clock;
use crate::print::moment;

/// A certificate chain with its key, which can be replaced while ports use it.
#[derive(Debug)]
pub(crate) struct Certificate(ArcSwap<CertifiedKey>);

impl Certificate {
    /// Reads both files.
    pub(crate) fn read(files: &Files) -> Result<Arc<Self>> {
        let read = files.read()?;
        tell_end(&read);
        if let Err(error) = expect_in_force(&read, clock::seconds()) {
            tracing::warn!(
                "{}: {error:#}: callers will refuse it",
                files.certificate.display()
            );
        }
        Ok(Arc::new(Self(ArcSwap::from_pointee(read))))
    }

    /// Reads both files again; what served before still serves if they cannot be used. Tells whether anything changed.
    pub(crate) fn read_again(&self, files: &Files) -> Result<bool> {
        let new = files.read()?;
        expect_in_force(&new, clock::seconds())
            .with_context(|| files.certificate.display().to_string())?;
        let is_new = self.0.load().cert != new.cert;
        tell_end(&new);
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

/// Refuses a certificate that callers would refuse at this time.
fn expect_in_force(certificate: &CertifiedKey, now_s: u64) -> Result<()> {
    let Some((from, to)) = certificate.cert.first().and_then(|it| validity(it)) else {
        return Ok(());
    };
    let at = |time: i64| moment(u64::try_from(time).unwrap_or(0).saturating_mul(1000));
    let now = i64::try_from(now_s).unwrap_or(i64::MAX);
    ensure!(
        now >= from,
        "the certificate is not in force before {}",
        at(from)
    );
    ensure!(now <= to, "the certificate ran out at {}", at(to));
    Ok(())
}

/// Measures until when it holds, so that nobody is surprised.
fn tell_end(certificate: &CertifiedKey) {
    let name = "creditbank_certificate_expiry_timestamp_seconds";
    if let Some((_, end)) = certificate.cert.first().and_then(|it| validity(it)) {
        describe_gauge!(
            name,
            Unit::Seconds,
            "When the certificate of the port ends, since the epoch."
        );
        gauge!(name).set(end as f64);
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Seconds since the epoch from and until which a certificate holds, from its DER.
fn validity(certificate: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let validity = certificate.validity();
    let (from, to) = (validity.not_before, validity.not_after);
    Some((from.timestamp(), to.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_out_of_its_time_is_refused() {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut wanted =
            rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        wanted.not_before = rcgen::date_time_ymd(2027, 1, 1);
        wanted.not_after = rcgen::date_time_ymd(2027, 7, 1);
        let made = wanted.self_signed(&key).expect("a certificate");
        let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let chain = vec![made.der().clone()];
        let pair = CertifiedKey::from_der(chain, der, &provider()).expect("its key");
        let (start, end) = (1_798_761_600, 1_814_400_000);
        for (now_s, says) in [
            (start - 1, Some("not in force before 2027-01-01 08:00:00")),
            (start, None),
            (end, None),
            (end + 1, Some("ran out at 2027-07-01 08:00:00")),
        ] {
            let refused = expect_in_force(&pair, now_s).err().map(|it| it.to_string());
            let is_said = match (&refused, says) {
                (Some(refused), Some(says)) => refused.contains(says),
                (refused, says) => refused.is_none() && says.is_none(),
            };
            assert!(is_said, "{now_s}: {refused:?}");
        }
    }

    #[test]
    fn the_last_day_of_a_certificate_is_read_and_bytes_that_are_none_have_none() {
        for (year, expected) in [(2049, 2_493_072_000), (2050, 2_524_608_000)] {
            let mut parameters =
                rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = rcgen::KeyPair::generate().expect("a key");
            let certificate = parameters.self_signed(&key).expect("a certificate");
            let der = certificate.der().to_vec();
            assert_eq!(validity(&der).map(|it| it.1), Some(expected), "{year}");
            assert_eq!(validity(&der[1..]), None);
        }
    }
}
