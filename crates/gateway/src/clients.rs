//! How many connections each client has: nobody holds all that there are. A client is what one subscriber has of an address,
//! as in `limits`; trusted proxies connect for many and are not counted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::network;
use crate::proxies::{Network, is_among};

/// Open connections by client; one that has none is not in the table, so it is never larger than the port's bound.
#[derive(Debug)]
pub(crate) struct Clients {
    /// Most connections of one client.
    of_client_max: usize,
    trusted_proxies: Vec<Network>,
    open: Mutex<HashMap<[u8; 8], usize>>,
}

/// One connection's place; given back with it.
#[derive(Debug)]
pub(crate) struct Place {
    clients: Arc<Clients>,
    /// `None` for a proxy.
    client: Option<[u8; 8]>,
}

impl Clients {
    pub(crate) fn new(of_client_max: usize, trusted_proxies: Vec<Network>) -> Arc<Self> {
        Arc::new(Self {
            of_client_max,
            trusted_proxies,
            open: Mutex::default(),
        })
    }

    /// A place for one more connection; `None` if this client has as many as it may.
    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let is_proxy = is_among(&self.trusted_proxies, peer);
        let client = (!is_proxy).then(|| network(peer));
        if let Some(client) = client {
            let mut open = self.lock();
            let count = open.entry(client).or_default();
            if *count >= self.of_client_max {
                return None;
            }
            *count += 1;
        }
        let clients = Arc::clone(self);
        Some(Place { clients, client })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 8], usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(client) = self.client else { return };
        let mut open = self.clients.lock();
        if let Some(count) = open.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_its_places_and_no_more_until_one_is_given_back() {
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let clients = Clients::new(2, vec!["10.0.0.1".parse().expect("an address")]);
        let first = clients.enter(at("2001:db8:1:1::1"));
        let second = clients.enter(at("2001:db8:1:1:ffff::2"));
        assert!(first.is_some() && second.is_some());
        for (peer, enters) in [
            ("2001:db8:1:1::3", false),
            ("2001:db8:1:2::1", true),
            ("192.0.2.1", true),
        ] {
            assert_eq!(clients.enter(at(peer)).is_some(), enters, "{peer}");
        }
        drop(first);
        let third = clients.enter(at("2001:db8:1:1::3"));
        assert!(third.is_some());
        let proxied: Vec<_> = ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1"]
            .map(|it| clients.enter(at(it)))
            .into();
        assert!(proxied.iter().all(Option::is_some));
        drop((second, third, proxied));
        assert!(clients.lock().is_empty());
    }
}
