//! Whether an address is one of the public internet, and a resolver that gives no other.
//!
//! Invariant: what is connected to is what was judged: the client gets its addresses from here and resolves nothing itself. A name
//! of which any address is not public is refused as a whole.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

/// An address that nothing is posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address of the public internet")]
pub(crate) struct NotPublic(pub(crate) IpAddr);

/// Resolves names as the system does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver {
    /// Whether any address will do.
    pub(crate) allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !allow_private {
                found.iter().try_for_each(|address| judge(address.ip()))?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Resolver {
    pub(crate) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}

/// Refuses what is not public.
pub(crate) fn judge(address: IpAddr) -> Result<(), NotPublic> {
    let is_public = match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    };
    if is_public { Ok(()) } else { Err(NotPublic(address)) }
}

/// Not in a block of the registry of special-purpose addresses (RFC 6890) that is not globally reachable.
#[expect(clippy::unnested_or_patterns, reason = "a line for each block of the registry")]
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
    )
}

/// Global unicast (`2000::/3`) alone, without what stands for an IPv4 address and what is for documentation and protocols. So
/// unspecified, loopback, IPv4-mapped, NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`), unique local, link-local and multicast
/// addresses are out.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Protocols of the IETF, Teredo among them; for documentation, twice; 6to4, which has an IPv4 address in it.
    let is_special =
        matches!((first, second), (0x2001, 0..=0x01ff | 0x0db8) | (0x3fff, 0..=0x0fff) | (0x2002, _));
    (first & 0xe000) == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_refused() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            let parsed: IpAddr = address.parse().unwrap();
            assert_eq!(judge(parsed), Err(NotPublic(parsed)), "{address}");
        }
    }

    #[test]
    fn what_is_public_is_taken() {
        for address in [
            "1.1.1.1",
            "9.9.9.9",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "169.253.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.169.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert_eq!(judge(address.parse().unwrap()), Ok(()), "{address}");
        }
    }
}
