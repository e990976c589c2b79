//! What a tenant and a user may spend: reserve before a call, settle after it, expire what nobody settled.
//!
//! Invariant: arithmetic over rows, never a counter: whoever adds up the same rows at the same moment comes to the same balance. What
//! is reserved counts as spent until it is settled or has expired; of what has expired nobody knows whether it was paid, and it is
//! told apart.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Requests of a user in a day, unless the settings say otherwise.
pub const USER_REQUESTS_PER_DAY: u64 = 1_000;

/// An amount of what is limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Calls of a provider.
    pub requests: u64,
    /// Tokens, input and output.
    pub tokens: u64,
    /// Money in millionths of the currency that the limits are in; 0 where the price is not known.
    pub cost_micros: u64,
}

/// The most of each within a period. Default: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most calls.
    pub requests: Option<u64>,
    /// Most tokens.
    pub tokens: Option<u64>,
    /// Most money, in millionths.
    pub cost_micros: Option<u64>,
}

/// What limits hold for. Days and months are those of UTC, so that a quota ends at the same moment everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day, for a user.
    Day,
    /// A month, for a tenant.
    Month,
}

/// How a row of the ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Set aside for a call that is on its way, until this moment.
    Reserved {
        /// From then on it is unknown: who made it is gone.
        until: Timestamp,
    },
    /// The call ended, and this is what it took.
    Settled,
    /// The call never left: nothing was spent.
    Released,
}

/// The rows of a period, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Known to be spent.
    pub settled: Amount,
    /// Set aside.
    pub reserved: Amount,
    /// Was set aside, and never settled. It does not count against the limits: a crash does not take a tenant's month.
    pub unknown: Amount,
}

/// A limit that stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the quota of {limit} {what} is used up: {used} are spent or set aside, and {wanted} more are wanted"
)]
pub struct Over {
    /// `requests`, `tokens` or `cost_micros`: a label of a metric.
    pub what: &'static str,
    /// The most.
    pub limit: u64,
    /// What counts against it.
    pub used: u64,
    /// What is asked for.
    pub wanted: u64,
}

impl Amount {
    /// The sum, at most what a number holds.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }
}

impl Period {
    /// The first day of the period that a moment lies in: the name under which its rows are added up.
    pub fn of(self, moment: Timestamp) -> Date {
        let day = moment.to_zoned(TimeZone::UTC).date();
        match self {
            Self::Day => day,
            Self::Month => day.first_of_month(),
        }
    }
}

impl Balance {
    /// The rows of a period at a moment.
    pub fn of(rows: impl IntoIterator<Item = (Amount, Standing)>, now: Timestamp) -> Self {
        rows.into_iter().fold(Self::default(), |balance, (amount, standing)| match standing {
            Standing::Settled => Self { settled: balance.settled.plus(amount), ..balance },
            Standing::Reserved { until } if now < until => {
                Self { reserved: balance.reserved.plus(amount), ..balance }
            }
            Standing::Reserved { .. } => Self { unknown: balance.unknown.plus(amount), ..balance },
            Standing::Released => balance,
        })
    }

    /// What counts against limits.
    pub fn used(&self) -> Amount {
        self.settled.plus(self.reserved)
    }

    /// Whether this may be reserved as well.
    ///
    /// # Errors
    /// The first limit that would be exceeded.
    pub fn reserve(&self, limits: Limits, wanted: Amount) -> Result<(), Over> {
        let used = self.used();
        let lines = [
            ("requests", limits.requests, used.requests, wanted.requests),
            ("tokens", limits.tokens, used.tokens, wanted.tokens),
            ("cost_micros", limits.cost_micros, used.cost_micros, wanted.cost_micros),
        ];
        for (what, limit, used, wanted) in lines {
            if let Some(limit) = limit.filter(|limit| used.saturating_add(wanted) > *limit) {
                return Err(Over { what, limit, used, wanted });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tokens(tokens: u64) -> Amount {
        Amount { requests: 1, tokens, cost_micros: 0 }
    }

    #[test]
    fn what_is_set_aside_counts_until_it_is_settled_or_has_expired() {
        let until = at("2026-11-30T23:59:59Z");
        let rows = [
            (tokens(10), Standing::Settled),
            (tokens(20), Standing::Reserved { until }),
            (tokens(40), Standing::Released),
        ];
        let before = Balance::of(rows, at("2026-11-30T23:59:58Z"));
        assert_eq!((before.used().tokens, before.unknown.tokens, before.used().requests), (30, 0, 2));
        let after = Balance::of(rows, until);
        assert_eq!((after.used().tokens, after.unknown.tokens), (10, 20));
        let limits = Limits { tokens: Some(35), ..Limits::default() };
        assert_eq!(before.reserve(limits, tokens(5)), Ok(()));
        let over = before.reserve(limits, tokens(6)).unwrap_err();
        assert_eq!(over, Over { what: "tokens", limit: 35, used: 30, wanted: 6 });
        assert_eq!(
            over.to_string(),
            "the quota of 35 tokens is used up: 30 are spent or set aside, and 6 more are wanted"
        );
        assert_eq!(after.reserve(limits, tokens(25)), Ok(()));
    }

    #[test]
    fn each_limit_is_kept_by_itself() {
        let spent =
            Balance { settled: Amount { requests: 3, tokens: 5, cost_micros: 7 }, ..Balance::default() };
        let one = Amount { requests: 1, tokens: 1, cost_micros: 1 };
        for (limits, what) in [
            (Limits { requests: Some(3), ..Limits::default() }, "requests"),
            (Limits { tokens: Some(5), ..Limits::default() }, "tokens"),
            (Limits { cost_micros: Some(7), ..Limits::default() }, "cost_micros"),
        ] {
            assert_eq!(spent.reserve(limits, one).unwrap_err().what, what);
        }
        assert_eq!(spent.reserve(Limits::default(), one), Ok(()));
    }

    #[test]
    fn a_quota_of_a_month_begins_anew_with_the_month_of_utc() {
        let last = at("2026-11-30T23:59:59Z");
        let first = at("2026-12-01T00:00:00Z");
        assert_eq!((Period::Month.of(last), Period::Month.of(first)).0.to_string(), "2026-11-01");
        assert_eq!(Period::Month.of(first).to_string(), "2026-12-01");
        assert_eq!(
            (Period::Day.of(last).to_string(), Period::Day.of(first).to_string()),
            ("2026-11-30".to_owned(), "2026-12-01".to_owned())
        );
    }

    proptest! {
        /// Whoever reserves only what is allowed, and settles no more than that, never spends more than the limit; rows in any order
        /// come to the same.
        #[test]
        fn what_is_allowed_never_sums_up_to_more(wanted in prop::collection::vec((1_u64..50, 0_u64..50, any::<bool>()), 0..40)) {
            let limits = Limits { tokens: Some(200), ..Limits::default() };
            let now = at("2026-11-06T00:00:00Z");
            let until = at("2026-11-07T00:00:00Z");
            let mut rows = Vec::new();
            for (reserved, used, is_settled) in wanted {
                if Balance::of(rows.clone(), now).reserve(limits, tokens(reserved)).is_err() {
                    continue;
                }
                let settled = (tokens(used.min(reserved)), Standing::Settled);
                rows.push(if is_settled { settled } else { (tokens(reserved), Standing::Reserved { until }) });
            }
            let balance = Balance::of(rows.clone(), now);
            prop_assert!(balance.used().tokens <= 200);
            rows.reverse();
            prop_assert_eq!(Balance::of(rows, now), balance);
        }
    }
}
