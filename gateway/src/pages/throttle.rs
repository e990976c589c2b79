//! How often one may try to log in.
//!
//! Invariant: addresses that were never seen again are forgotten, so that nobody fills memory with them.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::{InMemoryState, NotKeyed, keyed::HashMapStateStore},
};
use std::{net::IpAddr, num::NonZeroU32};

/// Attempts a minute: of an address, and of all together.
const OF_ADDRESS: u32 = 10;
const OF_ALL: u32 = 120;
/// Addresses that are remembered before those that have all of theirs back are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Attempts to log in.
pub(super) struct LogIns {
    by_address: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
    all: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
}

impl std::fmt::Debug for LogIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogIns").finish_non_exhaustive()
    }
}

impl Default for LogIns {
    fn default() -> Self {
        let a_minute = |times| Quota::per_minute(NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN));
        Self {
            by_address: RateLimiter::hashmap(a_minute(OF_ADDRESS)),
            all: RateLimiter::direct(a_minute(OF_ALL)),
        }
    }
}

impl LogIns {
    /// Takes one attempt of an address.
    ///
    /// # Errors
    /// Seconds until the next, where there is none left.
    pub(super) fn take(&self, address: IpAddr) -> Result<(), u64> {
        if self.by_address.len() > ADDRESSES_MAX {
            self.by_address.retain_recent();
        }
        let now = DefaultClock::default().now();
        self.by_address
            .check_key(&group_of(address))
            .map_err(|until| until.wait_time_from(now).as_secs() + 1)?;
        self.all.check().map_err(|until| until.wait_time_from(now).as_secs() + 1)
    }
}

/// Of IPv6 the network: whoever has one address has as many as they like.
fn group_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            },
            IpAddr::V4,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_attempts_and_all_have_theirs() {
        let log_ins = LogIns::default();
        let of = |last: u8| IpAddr::from([192, 0, 2, last]);
        for _ in 0..OF_ADDRESS {
            assert_eq!(log_ins.take(of(1)), Ok(()));
        }
        let wait = log_ins.take(of(1)).unwrap_err();
        assert!((1..=7).contains(&wait), "{wait}");
        let others = (2..=u8::MAX).filter(|last| log_ins.take(of(*last)).is_ok()).count();
        // Some came back meanwhile, where the machine is slow.
        assert!((110..250).contains(&others), "{others}");
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let v6 = |text: &str| group_of(text.parse().unwrap());
        assert_eq!(v6("2001:db8:1:2::1"), v6("2001:db8:1:2:ffff::9"));
        assert_ne!(v6("2001:db8:1:2::1"), v6("2001:db8:1:3::1"));
        assert_eq!(v6("::ffff:192.0.2.1"), IpAddr::from([192, 0, 2, 1]));
    }
}
