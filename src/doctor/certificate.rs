//! The certificate of gRPC: that it is in force, for long enough, and that the key is its own.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

use super::Line;
use crate::certificate::Files;
use crate::config::{Folder, Settings};
use crate::connection::read;
use crate::print::moment;

/// Seconds before its end from which a certificate is to be renewed.
const RENEW_S: u64 = 14 * 86_400;
const CHECK: &str = "certificate";

pub(super) fn certificate(folder: &Folder, settings: &Settings, now_s: u64) -> Line {
    let read = |files: Files| {
        let (chain, key) = (read(&files.certificate)?, read(&files.key)?);
        anyhow::Ok((chain, Zeroizing::new(key)))
    };
    let files = folder.tls(settings);
    match files.and_then(|it| it.map(read).transpose()) {
        Ok(None) if settings.allow_plaintext || settings.grpc.ip().is_loopback() => {
            Line::good(CHECK, "none is asked for")
        }
        Ok(None) => Line::finding(
            CHECK,
            format!("none, and gRPC is served at {}", settings.grpc),
            "set tls_certificate and tls_key in bank.toml",
        ),
        Ok(Some((chain, key))) => pair(&chain, &key, now_s),
        Err(error) => Line::finding(
            CHECK,
            format!("{error:#}"),
            "bring both files, readable for the user of the bank",
        ),
    }
}

/// A chain and a key, both PEM.
fn pair(chain: &[u8], key: &[u8], now_s: u64) -> Line {
    let renew = "have it renewed by whoever issued it";
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
    let (chain, key) = match (chain, PrivateKeyDer::from_pem_slice(key)) {
        (Ok(chain), Ok(key)) if !chain.is_empty() => (chain, key),
        _ => return Line::finding(CHECK, "certificate or key is no PEM of one", renew),
    };
    let Ok((_, first)) = X509Certificate::from_der(&chain[0]) else {
        return Line::finding(CHECK, "the first certificate cannot be read", renew);
    };
    let at = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
    let (from, to) = (
        at(first.validity().not_before),
        at(first.validity().not_after),
    );
    let until = moment(to.saturating_mul(1000));
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    if CertifiedKey::from_der(chain.clone(), key, &provider).is_err() {
        return Line::finding(
            CHECK,
            "the key is not that of the certificate",
            "set tls_key to the key that the certificate was issued for",
        );
    }
    match now_s {
        now if now < from => {
            let says = format!("not in force before {}", moment(from.saturating_mul(1000)));
            Line::finding(CHECK, says, "see whether the clock is right")
        }
        now if now >= to => Line::finding(CHECK, format!("ran out at {until}"), renew),
        now if now + RENEW_S >= to => Line::finding(CHECK, format!("runs out at {until}"), renew),
        _ => Line::good(
            CHECK,
            format!("in force until {until}, and the key is its own"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    const DAY_S: u64 = 86_400;

    /// A certificate that is in force from 1 January to 1 July 2027, and its key.
    fn made() -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut wanted = rcgen::CertificateParams::new(vec!["bank.test".to_owned()]).unwrap();
        wanted.not_before = rcgen::date_time_ymd(2027, 1, 1);
        wanted.not_after = rcgen::date_time_ymd(2027, 7, 1);
        let made = wanted.self_signed(&key).unwrap();
        (made.pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_is_good_only_within_its_time_and_with_its_own_key() {
        let (start, end) = (1_798_761_600, 1_814_400_000);
        let ((chain, key), (_, other)) = (made(), made());
        let cases = [
            (&key, start - 1, State::Finding, "not in force"),
            (&key, start, State::Good, "until"),
            (&key, end - 15 * DAY_S, State::Good, "until"),
            (&key, end - 14 * DAY_S, State::Finding, "runs out"),
            (&key, end, State::Finding, "ran out"),
            (&other, start, State::Finding, "not that of"),
        ];
        for (key, now_s, state, says) in cases {
            let line = pair(chain.as_bytes(), key.as_bytes(), now_s);
            assert_eq!(line.state, state, "{line:?}");
            assert!(line.says.contains(says), "{line:?}");
        }
        assert_eq!(pair(b"", key.as_bytes(), start).state, State::Finding);
    }
}
