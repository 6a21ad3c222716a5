//! How many guests one address may make: a token bucket each, in bounded memory.
//!
//! Pure: time is an argument.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use tokio::time::Instant;

/// How many guests one address may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestLimit {
    /// So many at once.
    pub burst: NonZeroU32,
    /// Then one in this time.
    pub every: Duration,
}

/// The buckets of all addresses that lately made a guest.
pub struct Buckets {
    limit: GuestLimit,
    /// For each address the moment at which its bucket is full again: one number says how many tokens are left.
    full_at: HashMap<IpAddr, Instant>,
}

impl Buckets {
    /// No address has made a guest yet.
    pub fn new(limit: GuestLimit) -> Self {
        Self {
            limit,
            full_at: HashMap::new(),
        }
    }

    /// Takes a token out of an address' bucket, or says how long it is until there is one.
    pub fn take(&mut self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let address = network(address);
        let full_at = self.full_at.get(&address).copied().unwrap_or(now).max(now);
        // With `burst` tokens in the bucket it is full now; each one that is taken makes it full later by `every`.
        let room = self.limit.every.saturating_mul(self.limit.burst.get() - 1);
        let wait = full_at.duration_since(now).saturating_sub(room);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.forget(now);
        self.full_at.insert(address, full_at + self.limit.every);
        Ok(())
    }

    /// Keeps memory bounded. A full bucket is as good as none; if too many are not full, whose is nearly so goes first.
    fn forget(&mut self, now: Instant) {
        if self.full_at.len() < ADDRESSES_MAX {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() < ADDRESSES_MAX {
            return;
        }
        let mut moments: Vec<Instant> = self.full_at.values().copied().collect();
        let (_, median, _) = moments.select_nth_unstable(ADDRESSES_MAX / 2);
        let median = *median;
        self.full_at.retain(|_, full_at| *full_at > median);
    }
}

/// What one user of the net may have for himself: an IPv4 address, or the /64 of an IPv6 address.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

/// About 3 MB: an attacker with more networks than this is a matter for the provider's firewall.
const ADDRESSES_MAX: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn buckets(burst: u32) -> Buckets {
        Buckets::new(GuestLimit {
            burst: NonZeroU32::new(burst).expect("tests give a burst"),
            every: SECOND,
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("tests write addresses")
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let (mut buckets, start, me) = (buckets(3), Instant::now(), ip("192.0.2.1"));
        for _ in 0..3 {
            assert_eq!(buckets.take(me, start), Ok(()));
        }
        assert_eq!(buckets.take(me, start), Err(SECOND));
        assert_eq!(buckets.take(me, start + SECOND / 4), Err(SECOND * 3 / 4));
        assert_eq!(buckets.take(me, start + SECOND), Ok(()));
        assert_eq!(buckets.take(me, start + SECOND), Err(SECOND));
        for _ in 0..3 {
            assert_eq!(
                buckets.take(me, start + SECOND * 60),
                Ok(()),
                "it never holds more than the burst"
            );
        }
        assert_eq!(buckets.take(me, start + SECOND * 60), Err(SECOND));
    }

    #[test]
    fn each_network_has_its_own() {
        let check = |one: &str, other: &str, same: bool| {
            let (mut buckets, now) = (buckets(1), Instant::now());
            assert_eq!(buckets.take(ip(one), now), Ok(()));
            assert_eq!(
                buckets.take(ip(other), now).is_err(),
                same,
                "{one} and {other}"
            );
        };
        check("192.0.2.1", "192.0.2.2", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("2001:db8::1", "2001:db8::ffff:1", true);
        check("2001:db8::1", "2001:db8:0:1::1", false);
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_stay() {
        let (mut buckets, now) = (buckets(10), Instant::now());
        let busy = ip("192.0.2.1");
        for _ in 0..10 {
            assert_eq!(buckets.take(busy, now), Ok(()));
        }
        for n in 0..2 * ADDRESSES_MAX as u32 {
            assert_eq!(
                buckets.take(IpAddr::V4((0x0a00_0000 + n).into()), now),
                Ok(())
            );
        }
        assert!(buckets.full_at.len() <= ADDRESSES_MAX);
        assert_eq!(buckets.take(busy, now), Err(SECOND));
    }
}
