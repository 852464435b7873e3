//! The certificate of a port: read from files, and read again on demand. Connections that are open keep theirs; a handshake
//! takes the newest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use arc_swap::ArcSwap;
use jiff::tz::Offset;
use metrics::{Unit, describe_gauge, gauge};
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
        let read = files.read()?;
        tell_end(&read);
        Ok(Arc::new(Self(ArcSwap::from_pointee(read))))
    }

    /// Reads both files again; what served before still serves if they cannot be used. Tells whether anything changed.
    pub(crate) fn read_again(&self, files: &Files) -> Result<bool> {
        let new = files.read()?;
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

/// Measures until when it holds, so that nobody is surprised.
fn tell_end(certificate: &CertifiedKey) {
    let name = "creditbank_certificate_expiry_timestamp_seconds";
    if let Some(end) = certificate.cert.first().and_then(|it| not_after(it)) {
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

/// Seconds since the epoch until which a certificate holds, from its DER.
fn not_after(certificate: &[u8]) -> Option<i64> {
    let whole = element(certificate)?.inside;
    let mut fields = element(whole)?.inside;
    // The version is marked and may be missing; then serial number, algorithm and issuer.
    if element(fields)?.tag == 0xa0 {
        fields = element(fields)?.rest;
    }
    for _ in 0..3 {
        fields = element(fields)?.rest;
    }
    let validity = element(fields)?.inside;
    let until = element(element(validity)?.rest)?;
    let text = std::str::from_utf8(until.inside).ok()?;
    // UTCTime has two digits of the year, GeneralizedTime four.
    let text = match until.tag {
        0x17 if text < "50" => format!("20{text}"),
        0x17 => format!("19{text}"),
        _ => text.to_owned(),
    };
    let time = jiff::fmt::strtime::parse("%Y%m%d%H%M%SZ", &text).ok()?;
    let time = time.to_datetime().ok()?;
    Some(Offset::UTC.to_timestamp(time).ok()?.as_second())
}

/// One element of DER.
struct Element<'a> {
    tag: u8,
    inside: &'a [u8],
    rest: &'a [u8],
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = der.split_first()?;
    let (&length, mut rest) = rest.split_first()?;
    let mut bytes = usize::from(length);
    if length >= 0x80 {
        let digits = usize::from(length & 0x7f);
        let (head, tail) = rest.split_at_checked(digits.min(8))?;
        bytes = head
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        rest = tail;
    }
    let (inside, rest) = rest.split_at_checked(bytes)?;
    Some(Element { tag, inside, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_of_a_certificate_is_read_and_bytes_that_are_none_have_none() {
        for (year, expected) in [(2049, 2_493_072_000), (2050, 2_524_608_000)] {
            let mut parameters =
                rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = rcgen::KeyPair::generate().expect("a key");
            let certificate = parameters.self_signed(&key).expect("a certificate");
            let der = certificate.der().to_vec();
            assert_eq!(not_after(&der), Some(expected), "{year}");
            for end in 0..der.len() {
                // Whatever is cut off, it does not panic.
                not_after(&der[..end]);
            }
        }
    }
}
