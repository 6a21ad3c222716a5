//! Latencies: counted in buckets, each at most a sixteenth wider than the one before, so that percentiles of any number
//! of measurements cost a few kilobytes.

use std::time::Duration;

/// Counts of microseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            buckets: vec![0; BUCKETS],
            count: 0,
            max: Duration::ZERO,
        }
    }
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
        self.max = self.max.max(latency);
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Histogram) {
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += more;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest, exactly.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// So many of a hundred are no larger than this, to a sixteenth; zero if there is none.
    pub fn percentile(&self, percent: u64) -> Duration {
        let wanted = self.count.saturating_mul(percent).div_ceil(100);
        let mut seen = 0;
        for (number, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return Duration::from_micros(top(number)).min(self.max);
            }
        }
        self.max
    }
}

/// Below 16 one bucket each; above, 16 for each power of two.
fn bucket(micros: u64) -> usize {
    let exponent = u64::BITS - micros.leading_zeros();
    let shift = exponent.saturating_sub(SIXTEENTHS + 1);
    let place = u64::from(shift) * (1 << SIXTEENTHS) + (micros >> shift);
    usize::try_from(place)
        .expect("there are fewer than a thousand buckets")
        .min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn top(number: usize) -> u64 {
    let number = u64::try_from(number).expect("there are fewer than a thousand buckets");
    let step = 1 << SIXTEENTHS;
    if number < 2 * step {
        return number;
    }
    let shift = number / step - 1;
    ((number - shift * step + 1) << shift) - 1
}

/// Two to this many buckets for each power of two.
const SIXTEENTHS: u32 = 4;
/// Up to 2^40 microseconds, twelve days; what is longer goes into the last.
const BUCKETS: usize = (40 - 3) << SIXTEENTHS;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BUCKETS, Histogram, bucket, top};

    #[test]
    fn a_bucket_holds_what_falls_into_it() {
        for micros in (0..5_000).chain([65_535, 65_536, 1_000_000, 123_456_789]) {
            let number = bucket(micros);
            assert!(top(number) >= micros, "{micros}");
            assert!(number == 0 || top(number - 1) < micros, "{micros}");
            assert!(top(number) - micros <= micros / 16, "{micros}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(50), Duration::ZERO);
        for micros in 1..=1_000 {
            histogram.add(Duration::from_micros(micros));
        }
        let check = |percent, expected: u64| {
            let micros = histogram.percentile(percent).as_micros();
            let expected = u128::from(expected);
            assert!(
                micros >= expected && micros <= expected + expected / 16,
                "{percent}: {micros}"
            );
        };
        check(50, 500);
        check(99, 990);
        check(100, 1_000);
        assert_eq!(histogram.max(), Duration::from_micros(1_000));
        let mut twice = histogram.clone();
        twice.merge(&histogram);
        assert_eq!(twice.count(), 2_000);
        assert_eq!(twice.percentile(50), histogram.percentile(50));
    }
}
