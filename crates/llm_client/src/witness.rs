//! Who is told of each attempt, such as a ledger.
//!
//! Invariant: `begin` has returned before a byte of the request leaves, and where it refuses none does. Whose `begin` has no `end` was
//! given up or killed: nobody knows whether it was paid.

use crate::Attempt;

/// An attempt that is about to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun<'a> {
    /// The provider's name in the settings.
    pub provider: &'a str,
    /// Whom its prices are looked up by.
    pub vendor: &'a str,
    /// The model that is asked.
    pub model: &'a str,
    /// Attempts of this call before it.
    pub attempts: usize,
    /// Tokens that it may take at most, as far as can be told before.
    pub tokens: u64,
}

/// The attempt may not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Label of a metric, such as `quota`.
    pub reason: &'static str,
    /// Whether the next in the chain may: a quota is one provider's, a ledger that is away is all of theirs.
    pub tries_next: bool,
}

/// Is told of each attempt.
pub trait Witness: Sync {
    /// An attempt is about to begin.
    ///
    /// # Errors
    /// It must not.
    fn begin(&self, begun: Begun<'_>) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// It has ended.
    fn end(&self, attempt: &Attempt) -> impl Future<Output = ()> + Send;
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwitnessed;

impl Witness for Unwitnessed {
    async fn begin(&self, _: Begun<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn end(&self, _: &Attempt) {}
}
