//! How an effect stands, in the words of the ledger.

/// State of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryStatus {
    /// To be done.
    Planned,
    /// Begun.
    Sending,
    /// Done.
    Sent,
    /// Not done, for good.
    Failed,
    /// Begun, and nobody knows how it ended.
    Unknown,
    /// Not done, since a newer version was there first.
    Superseded,
    /// Undone or not done, since a newer version was blocked.
    Withdrawn,
    /// No effect: this version was blocked, and older ones are withdrawn.
    Blocked,
    /// Not done, since the chat was muted when the window ended.
    Muted,
}

impl DeliveryStatus {
    const ALL: [Self; 9] = [
        Self::Planned,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::Unknown,
        Self::Superseded,
        Self::Withdrawn,
        Self::Blocked,
        Self::Muted,
    ];

    /// The name in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
            Self::Blocked => "blocked",
            Self::Muted => "muted",
        }
    }

    /// The state of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// True for an effect that may be there to be seen.
    pub fn is_begun(self) -> bool {
        matches!(self, Self::Sending | Self::Sent | Self::Unknown)
    }
}

/// What is written of one part of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectState<'a> {
    /// State.
    pub status: DeliveryStatus,
    /// Where it is.
    pub reference: Option<&'a str>,
    /// Why it failed, or why nobody knows.
    pub error: Option<&'a str>,
}
