//! Which addresses are those of proxies in front: one, or a network where proxies come and go, such as the pods of an
//! ingress.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An address, or all that begin with the same bits: `192.0.2.1`, `10.244.0.0/16`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    /// No bit behind the prefix is set.
    address: IpAddr,
    /// Bits that count, at least one.
    prefix: u32,
}

/// What is no network of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor a network.
    #[error("it is an address or a network, such as 192.0.2.1 or 10.244.0.0/16")]
    Form,
    /// Anybody could say that they ask for somebody else.
    #[error("a network of all addresses would believe anybody")]
    Everybody,
    /// More bits are set than count; one of the two is wrong.
    #[error("bits behind the prefix are set; the network is {0}")]
    Bits(Network),
}

impl Network {
    /// Whether an address is one of it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

/// Whether any of these networks has the address.
pub(crate) fn is_among(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|it| it.contains(address))
}

/// Whether an address is of a private network, so that whoever has it and speaks for others is a proxy of ours.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(it) => it.is_private() || it.is_loopback(),
        IpAddr::V6(it) => it.is_unique_local() || it.is_loopback(),
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() {
        Ipv4Addr::BITS
    } else {
        Ipv6Addr::BITS
    }
}

/// The address with nothing behind the prefix.
fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(it) => {
            let mask = u32::MAX.checked_shl(Ipv4Addr::BITS.saturating_sub(prefix));
            Ipv4Addr::from_bits(it.to_bits() & mask.unwrap_or(0)).into()
        }
        IpAddr::V6(it) => {
            let mask = u128::MAX.checked_shl(Ipv6Addr::BITS.saturating_sub(prefix));
            Ipv6Addr::from_bits(it.to_bits() & mask.unwrap_or(0)).into()
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        // The prefix of an IPv4 network that is written as IPv6 would count other bits than those that are held against it.
        if prefix.is_some() && address != address.to_canonical() {
            return Err(NetworkError::Form);
        }
        let address = address.to_canonical();
        let most = bits(address);
        let prefix = prefix.map_or(Ok(most), str::parse);
        let prefix = prefix.ok().filter(|it| *it <= most);
        let prefix = prefix.ok_or(NetworkError::Form)?;
        if prefix == 0 {
            return Err(NetworkError::Everybody);
        }
        let network = Self {
            address: masked(address, prefix),
            prefix,
        };
        if network.address == address {
            Ok(network)
        } else {
            Err(NetworkError::Bits(network))
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix == bits(self.address) {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        for (network, address, is_in) in [
            ("10.244.0.0/16", "10.244.0.0", true),
            ("10.244.0.0/16", "10.244.255.255", true),
            ("10.244.0.0/16", "::ffff:10.244.3.4", true),
            ("10.244.0.0/16", "10.245.0.0", false),
            ("10.244.0.0/16", "2001:db8::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("128.0.0.0/1", "255.0.0.1", true),
            ("128.0.0.0/1", "127.0.0.1", false),
            ("fd00::/8", "fdff::1", true),
            ("fd00::/8", "fe80::1", false),
            ("fd00::/8", "10.0.0.1", false),
            ("2001:db8::1", "2001:db8::1", true),
        ] {
            let found: Network = network.parse().expect("a network");
            let address = address.parse().expect("an address");
            assert_eq!(found.contains(address), is_in, "{network} {address}");
            assert_eq!(found.to_string().parse(), Ok(found), "{network}");
        }
    }

    #[test]
    fn what_believes_anybody_or_is_not_meant_so_is_refused() {
        let bits = |text: &str| NetworkError::Bits(text.parse().expect("a network"));
        for (text, refused) in [
            ("", NetworkError::Form),
            ("ingress", NetworkError::Form),
            ("10.0.0.0/", NetworkError::Form),
            ("10.0.0.0/33", NetworkError::Form),
            ("10.0.0.0/-1", NetworkError::Form),
            ("10.0.0/8", NetworkError::Form),
            ("fd00::/129", NetworkError::Form),
            ("::ffff:10.0.0.0/104", NetworkError::Form),
            ("0.0.0.0/0", NetworkError::Everybody),
            ("::/0", NetworkError::Everybody),
            ("10.1.0.0/8", bits("10.0.0.0/8")),
            ("fd00::1/64", bits("fd00::/64")),
        ] {
            assert_eq!(text.parse::<Network>(), Err(refused), "{text}");
        }
    }
}
