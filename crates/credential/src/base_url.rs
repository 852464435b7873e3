//! Where the public pages of a bank are: the only part of a credential's addresses that a caller chooses.

use std::fmt;

use creditbank_domain::Refusal;

/// Most characters of a base URL.
pub const BASE_URL_MAX: u32 = 200;
const EXPECTED: &str = "https://host[:port]";
/// Most characters of a label of a host name (RFC 1035).
const LABEL_MAX: usize = 63;

/// `https://host[:port]`, or `http` where the host is this machine. No path, no user, no query; lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Takes the URL as it is.
    ///
    /// # Errors
    /// `MISSING`, `TOO_LONG`, `MALFORMED`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::Missing);
        }
        if text.len() > BASE_URL_MAX as usize {
            return Err(Refusal::TooLong { max: BASE_URL_MAX });
        }
        let is_known = match text.split_once("://") {
            Some(("https", rest)) => split_port(rest).is_some_and(is_host),
            Some(("http", rest)) => split_port(rest).is_some_and(is_this_machine),
            _ => false,
        };
        if is_known {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::Malformed { expected: EXPECTED })
        }
    }

    /// The URL, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host in front of a port, if the port is one.
fn split_port(authority: &str) -> Option<&str> {
    let after = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority[after..].find(':') else {
        return Some(authority);
    };
    let (host, port) = authority.split_at(after + colon);
    let digits = &port[1..];
    let is_port = digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
        && digits.parse::<u16>().is_ok();
    is_port.then_some(host)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    is_six(host) || host.split('.').all(is_label)
}

fn is_six(host: &str) -> bool {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_scheme_host_and_port_alone() {
        for good in [
            "https://bank.example",
            "https://bank.example:8443",
            "https://xn--fiqs8s.example",
            "https://[2001:db8::1]:8443",
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:80",
        ] {
            assert_eq!(BaseUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://bank.example",
            "https://bank.example/",
            "https://bank.example/v1",
            "https://user@bank.example",
            "https://bank.example?x=1",
            "https://bank.example#x",
            "https://bank.example:",
            "https://bank.example:0",
            "https://bank.example:65536",
            "https://bank.example:+80",
            "https://Bank.example",
            "https://bank..example",
            "https://-bank.example",
            "https://",
            "https://[::1",
            "https://[::1]x:80",
            "https://bank.example\n",
            "https://银行.example",
            "ftp://bank.example",
            "javascript:alert(1)",
            "//bank.example",
            "http://localhost.bank.example",
            "http://127.0.0.1.bank.example",
        ] {
            let refused = BaseUrl::parse(bad).unwrap_err();
            assert_eq!(refused, Refusal::Malformed { expected: EXPECTED }, "{bad}");
        }
        assert_eq!(BaseUrl::parse(""), Err(Refusal::Missing));
        let long = format!("https://{}", "a.".repeat(100));
        assert_eq!(
            BaseUrl::parse(&long),
            Err(Refusal::TooLong { max: BASE_URL_MAX })
        );
    }
}
