//! How many requests a key has left.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};
use std::num::NonZeroU32;

type Limiter = RateLimiter<String, HashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// Seconds in which a key that has none left gets all of them back.
const MINUTE_S: u64 = 60;

/// As many requests a minute for each key, at once or spread.
pub(crate) struct Limits {
    limiter: Limiter,
    per_minute: NonZeroU32,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("per_minute", &self.per_minute).finish_non_exhaustive()
    }
}

/// What is left to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    limit: u32,
    remaining: u32,
    /// Seconds until the next request is let through, where none is; until all are back otherwise.
    pub(crate) reset_s: u64,
}

impl Limits {
    pub(crate) fn new(per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::hashmap(Quota::per_minute(per_minute));
        Self { limiter: limiter.with_middleware::<StateInformationMiddleware>(), per_minute }
    }

    /// Takes one request of a key. The keys are those that were verified: there are no more than were made.
    ///
    /// # Errors
    /// It has none left.
    pub(crate) fn take(&self, prefix: &str) -> Result<Left, Left> {
        let limit = self.per_minute.get();
        match self.limiter.check_key(&prefix.to_owned()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = u64::from(limit.saturating_sub(remaining));
                Ok(Left { limit, remaining, reset_s: (used * MINUTE_S).div_ceil(u64::from(limit)) })
            }
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                Err(Left { limit, remaining: 0, reset_s: wait.as_secs() + 1 })
            }
        }
    }
}

impl Left {
    /// Tells it.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        headers.insert(HeaderName::from_static("ratelimit-limit"), HeaderValue::from(self.limit));
        headers.insert(HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(self.remaining));
        headers.insert(HeaderName::from_static("ratelimit-reset"), HeaderValue::from(self.reset_s));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_and_is_told_when_to_come_again() {
        let limits = Limits::new(3);
        let remaining =
            |left: Result<Left, Left>| left.map(|left| left.remaining).map_err(|left| left.reset_s);
        assert_eq!([(); 3].map(|()| remaining(limits.take("a"))), [Ok(2), Ok(1), Ok(0)]);
        let wait = remaining(limits.take("a")).unwrap_err();
        assert!((1..=21).contains(&wait), "{wait}");
        assert_eq!(remaining(limits.take("b")), Ok(2));
    }
}
