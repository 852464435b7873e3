//! How often one client, and one learner, may ask.
//!
//! A client is an IPv4 address or the first 64 bits of an IPv6 address, which is what one subscriber has. What is counted is
//! a keyed hash of it in a table of fixed size: memory is bounded whoever asks, no address is kept, and nobody can choose
//! whom to share a place with.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::failure::Failure;
use crate::options::Options;
use crate::proxies::{Network, is_among};
use crate::session::Session;

/// Places of a table.
const PLACES: u64 = 1 << 18;
/// What guesses could use has one part in so many of a client's requests.
const GUESSES_PART: u32 = 10;
/// Places that are full again are freed after so many requests.
const SHRINK_AFTER: u32 = 1 << 16;

/// How often one client, and one learner, may ask.
pub(crate) struct Limits {
    requests: Limit,
    guesses: Limit,
    changes: Limit,
}

impl Limits {
    pub(crate) fn new(options: &Options) -> Self {
        let all = options.client_requests_a_minute;
        Self {
            requests: Limit::new(all),
            guesses: Limit::new(all / GUESSES_PART),
            changes: Limit::new(options.learner_changes_a_minute),
        }
    }

    /// One more request of a client.
    pub(crate) fn request(&self, client: IpAddr, path: &str) -> Result<(), Failure> {
        let client = network(client);
        self.requests.take(&client)?;
        if is_guess(path) {
            self.guesses.take(&client)?;
        }
        Ok(())
    }

    /// One more change by whoever is signed in.
    pub(crate) fn change(&self, session: &Session) -> Result<(), Failure> {
        self.changes.take(session.learner.as_bytes())
    }
}

/// Whether a secret or an account could be found there by trying.
fn is_guess(path: &str) -> bool {
    let is_below = |folder: &str| {
        let rest = path.strip_prefix(folder);
        rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
    };
    ["/sign-in", "/s"].into_iter().any(is_below)
}

struct Limit {
    places: DefaultKeyedRateLimiter<u64>,
    hashes: RandomState,
    clock: DefaultClock,
    taken: AtomicU32,
}

impl Limit {
    fn new(a_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(a_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            places: RateLimiter::keyed(quota),
            hashes: RandomState::new(),
            clock: DefaultClock::default(),
            taken: AtomicU32::new(0),
        }
    }

    fn take(&self, who: &[u8]) -> Result<(), Failure> {
        if self.taken.fetch_add(1, Ordering::Relaxed) % SHRINK_AFTER == SHRINK_AFTER - 1 {
            self.places.retain_recent();
            self.places.shrink_to_fit();
        }
        let place = self.hashes.hash_one(who) % PLACES;
        self.places.check_key(&place).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            Failure::TooMany {
                retry_s: wait.as_secs() + 1,
            }
        })
    }
}

/// What one subscriber has of an address.
pub(crate) fn network(address: IpAddr) -> [u8; 8] {
    match address.to_canonical() {
        IpAddr::V4(it) => {
            let [a, b, c, d] = it.octets();
            [a, b, c, d, 0xff, 0xff, 0xff, 0xff]
        }
        IpAddr::V6(it) => {
            let mut network = [0; 8];
            network.copy_from_slice(&Ipv6Addr::octets(&it)[..8]);
            network
        }
    }
}

/// Who asks: whoever is connected, or whom a trusted proxy names. A proxy adds at the right of `X-Forwarded-For` who asked
/// it, and so the last that is no trusted proxy is the client; what stands left of it anybody may have written.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut client = peer.to_canonical();
    let lines = headers.get_all("x-forwarded-for").into_iter().rev();
    let named = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for name in named {
        if !is_among(trusted, client) {
            break;
        }
        match name.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_client_is_whom_the_last_trusted_proxy_names() {
        let trusted = ["127.0.0.1", "10.0.0.0/8"].map(|it| it.parse().expect("a network"));
        for (peer, named, client_is) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("127.0.0.1", &["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
            (
                "127.0.0.1",
                &["6.6.6.6", "198.51.100.7, 10.0.0.1"],
                "198.51.100.7",
            ),
            ("127.0.0.1", &["6.6.6.6, nonsense"], "127.0.0.1"),
            ("::ffff:127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ] {
            let mut headers = HeaderMap::new();
            for line in named {
                headers.append("x-forwarded-for", line.parse().expect("a value"));
            }
            let found = client(address(peer), &headers, &trusted);
            assert_eq!(found, address(client_is), "{peer} {named:?}");
        }
    }

    #[test]
    fn one_subscriber_is_one_client() {
        let same = [
            ("2001:db8::1", "2001:db8::ffff:1"),
            ("192.0.2.1", "::ffff:192.0.2.1"),
        ];
        for (one, other) in same {
            assert_eq!(network(address(one)), network(address(other)));
        }
        let others = [
            ("2001:db8::1", "2001:db8:0:1::1"),
            ("192.0.2.1", "192.0.2.2"),
        ];
        for (one, other) in others {
            assert_ne!(network(address(one)), network(address(other)));
        }
    }

    #[test]
    fn whoever_asks_too_often_is_told_when_to_ask_again() {
        let limit = Limit::new(2);
        assert!(limit.take(b"one").is_ok() && limit.take(b"one").is_ok());
        let Err(Failure::TooMany { retry_s }) = limit.take(b"one") else {
            panic!("a third within a minute");
        };
        assert!((1..=31).contains(&retry_s), "{retry_s}");
        assert!(limit.take(b"other").is_ok());
    }

    #[test]
    fn paths_with_secrets_are_held_more_strictly() {
        for (path, strict) in [
            ("/sign-in", true),
            ("/sign-in/return", true),
            ("/s/abc", true),
            ("/sign-interesting", false),
            ("/archive", false),
            ("/sharing", false),
        ] {
            assert_eq!(is_guess(path), strict, "{path}");
        }
    }
}
