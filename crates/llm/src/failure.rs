//! How a call of a model can fail, and what that says about asking again.
//!
//! Invariant: a failure holds no words of a request or an answer and no secret; its reason is a label of a metric.

use std::time::Duration;

/// Why there is no answer from this provider and model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Too many requests or tokens in its time; 429.
    #[error("the provider limits the rate of requests")]
    RateLimited {
        /// What it wants waited, where it says so.
        retry_after: Option<Duration>,
    },
    /// It has no room now and did not begin; 503, 529.
    #[error("the provider is overloaded")]
    Overloaded {
        /// What it wants waited, where it says so.
        retry_after: Option<Duration>,
    },
    /// It broke while it worked; other 5xx.
    #[error("the provider failed by its own fault")]
    ServerError,
    /// The key is not taken; 401, 403.
    #[error("the provider does not take the key")]
    Unauthorized,
    /// The account has no money or no quota left; 402.
    #[error("the provider's account has no credit left")]
    NoCredit,
    /// It knows no such model.
    #[error("the provider has no such model")]
    NoSuchModel,
    /// No such interface is there, or it answers with a redirect, which would carry the key elsewhere.
    #[error("the provider's address answers as no provider does")]
    WrongAddress,
    /// It does not understand the request; 400, 422.
    #[error("the provider does not take the request")]
    BadRequest,
    /// It, or the model, will not answer this.
    #[error("the provider refuses to answer")]
    Refused,
    /// The answer reached the limit of tokens.
    #[error("the answer was cut at the limit of tokens")]
    Truncated,
    /// The request is longer than the model reads; 413.
    #[error("the request is longer than the model reads")]
    TooLong,
    /// The answer is none: no JSON of the provider's form, or blank.
    #[error("the provider's answer could not be read")]
    Malformed,
    /// 200, and an error where the answer should be.
    #[error("the provider answered 200 with an error inside")]
    ErrorInside,
    /// The answer ended without its terminal event, or for a reason that is no end.
    #[error("the answer has no end")]
    Unfinished,
    /// The answer is longer than is read.
    #[error("the provider's answer is too large")]
    TooLarge,
    /// No answer in time.
    #[error("the provider did not answer in time")]
    Timeout,
    /// An answer that comes as a stream has not begun in its time.
    #[error("the provider did not begin to answer in time")]
    NoFirstToken,
    /// An answer that comes as a stream went on no more.
    #[error("the provider fell silent in the midst of its answer")]
    Silent,
    /// No connection.
    #[error("the provider could not be reached")]
    Unreachable,
    /// The connection broke after the request had left: it may have been answered and paid.
    #[error("the connection to the provider broke")]
    Broken,
    /// Whoever asked went away.
    #[error("the call was given up")]
    Cancelled,
}

/// What a failure says about the provider's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answers; the trouble lies with the request.
    Good,
    /// It may be ill: one more such failure counts against it.
    Doubtful,
    /// It will not get better before somebody acts: a key, an account, a name, an address.
    Bad,
    /// Nothing is said.
    Unknown,
}

impl Failure {
    /// Label of a metric.
    pub fn reason(self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Overloaded { .. } => "overloaded",
            Self::ServerError => "server_error",
            Self::Unauthorized => "unauthorized",
            Self::NoCredit => "no_credit",
            Self::NoSuchModel => "no_such_model",
            Self::WrongAddress => "wrong_address",
            Self::BadRequest => "bad_request",
            Self::Refused => "refused",
            Self::Truncated => "truncated",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::ErrorInside => "error_inside",
            Self::Unfinished => "unfinished",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::NoFirstToken => "no_first_token",
            Self::Silent => "silent",
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the same provider may be asked the same again: only where nothing can have been generated, and so paid.
    pub fn may_repeat(self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Overloaded { .. } | Self::Unreachable)
    }

    /// Whether something may have been generated, and so paid, that the provider has not told the usage of.
    pub fn may_be_paid(self) -> bool {
        matches!(
            self,
            Self::Malformed
                | Self::ErrorInside
                | Self::Unfinished
                | Self::TooLarge
                | Self::Timeout
                | Self::NoFirstToken
                | Self::Silent
                | Self::Broken
                | Self::Cancelled
        )
    }

    /// Whether the next in the chain is asked. Not after an answer that was cut: the limit is the request's own, and the
    /// next would be paid to meet it too.
    pub fn tries_next(self) -> bool {
        !matches!(self, Self::Truncated | Self::Cancelled)
    }

    /// What the provider wants waited before anything is asked of it again.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Overloaded { retry_after } => retry_after,
            _ => None,
        }
    }

    /// What it says about the provider.
    pub fn health(self) -> Health {
        match self {
            Self::Refused | Self::Truncated | Self::TooLong | Self::BadRequest => Health::Good,
            Self::Unauthorized | Self::NoCredit | Self::NoSuchModel | Self::WrongAddress => Health::Bad,
            Self::RateLimited { .. } | Self::Cancelled => Health::Unknown,
            _ => Health::Doubtful,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of what follows from each: reason, the same again, the next, whether it may have been paid for.
    #[test]
    fn each_failure_says_what_follows() {
        let after = Some(Duration::from_secs(7));
        for (failure, reason, repeats, next, paid, health) in [
            (Failure::RateLimited { retry_after: after }, "rate_limited", true, true, false, Health::Unknown),
            (Failure::Overloaded { retry_after: None }, "overloaded", true, true, false, Health::Doubtful),
            (Failure::ServerError, "server_error", false, true, false, Health::Doubtful),
            (Failure::Unauthorized, "unauthorized", false, true, false, Health::Bad),
            (Failure::NoCredit, "no_credit", false, true, false, Health::Bad),
            (Failure::NoSuchModel, "no_such_model", false, true, false, Health::Bad),
            (Failure::WrongAddress, "wrong_address", false, true, false, Health::Bad),
            (Failure::BadRequest, "bad_request", false, true, false, Health::Good),
            (Failure::Refused, "refused", false, true, false, Health::Good),
            (Failure::Truncated, "truncated", false, false, false, Health::Good),
            (Failure::TooLong, "too_long", false, true, false, Health::Good),
            (Failure::Malformed, "malformed", false, true, true, Health::Doubtful),
            (Failure::ErrorInside, "error_inside", false, true, true, Health::Doubtful),
            (Failure::Unfinished, "unfinished", false, true, true, Health::Doubtful),
            (Failure::TooLarge, "too_large", false, true, true, Health::Doubtful),
            (Failure::Timeout, "timeout", false, true, true, Health::Doubtful),
            (Failure::NoFirstToken, "no_first_token", false, true, true, Health::Doubtful),
            (Failure::Silent, "silent", false, true, true, Health::Doubtful),
            (Failure::Unreachable, "unreachable", true, true, false, Health::Doubtful),
            (Failure::Broken, "broken", false, true, true, Health::Doubtful),
            (Failure::Cancelled, "cancelled", false, false, true, Health::Unknown),
        ] {
            let asked = (failure.reason(), failure.may_repeat(), failure.tries_next());
            assert_eq!(asked, (reason, repeats, next));
            assert_eq!((failure.may_be_paid(), failure.health()), (paid, health), "{reason}");
        }
        assert_eq!(Failure::RateLimited { retry_after: after }.retry_after(), after);
        assert_eq!(Failure::ServerError.retry_after(), None);
    }
}
