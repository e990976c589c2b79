//! What a channel has to say of itself. Invariant: a door decides nothing of the ledger's.

use schemas::{DigestBlocked, DigestReadyForDelivery, Version};
use state::{Batch, Due, Error};
use std::{future::Future, time::Duration};

/// What a delivery is for its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A digest of a window that the target has none of.
    New,
    /// A newer version of one that it has.
    Edited,
    /// That the one it has does not hold any more.
    Withdrawn,
}

impl Kind {
    /// The name in the queue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Edited => "edited",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::New, Self::Edited, Self::Withdrawn].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One delivery, about to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Tenant, window, channel, target.
    pub due: Due,
    /// Version.
    pub version: Version,
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// What it is: the same at every try.
    pub kind: Kind,
    /// What the door made of the digest: the same at every try.
    pub payload: String,
    /// Name of the delivery, by [`Door::reference`].
    pub reference: String,
    /// Name of the oldest version of the window that the target may have.
    pub first: Option<String>,
    pub(crate) tries: i32,
    /// True where an earlier try may have reached the target.
    pub(crate) is_doubtful: bool,
}

impl Parcel {
    /// A first try, for tests of doors.
    pub fn of_test(
        (due, version): (Due, Version),
        (group_id, digest_id): (&str, &str),
        (kind, payload): (Kind, &str),
        (reference, first): (&str, Option<&str>),
    ) -> Self {
        Self {
            due,
            version,
            group_id: group_id.to_owned(),
            digest_id: digest_id.to_owned(),
            kind,
            payload: payload.to_owned(),
            reference: reference.to_owned(),
            first: first.map(str::to_owned),
            tries: 1,
            is_doubtful: false,
        }
    }
}

/// Whether a target is tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission<W> {
    /// It is, this way.
    Go(W),
    /// Later: why.
    Hold {
        /// How long to wait.
        wait: Duration,
        /// Why; the same words each time.
        why: String,
    },
    /// Never: why.
    Refused(String),
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The target has it.
    Delivered,
    /// It was not delivered: another try may succeed.
    NotYet {
        /// Why.
        why: String,
        /// How long the target asks to wait.
        after: Option<Duration>,
    },
    /// Nobody knows whether it was delivered.
    Lost {
        /// Why.
        why: String,
        /// How long the target asks to wait.
        after: Option<Duration>,
    },
    /// It was not delivered, for good.
    Refused(String),
    /// It was not delivered, and nothing is to be delivered there any more.
    Gone(String),
}

/// A channel.
pub trait Door: Send + Sync + 'static {
    /// Binary, crate, metric label and consumer group of its sink.
    const NAME: &'static str;
    /// The channel.
    const CHANNEL: &'static str;
    /// Whether a try of which nobody knows how it ended is made again: the target can tell that it is the same.
    const REPEATABLE: bool;
    /// Longest try. For so long nobody else tries the same.
    const LEASE: Duration;
    /// How long a delivery is tried before it is given up.
    const PATIENCE: Duration = Duration::from_hours(72);
    /// Why a group has no target, and what to do.
    const NO_TARGET: &'static str;

    /// How a target is reached.
    type Way: Send;

    /// Targets of a group, in the channel's own terms.
    ///
    /// # Errors
    /// Those of any read.
    fn targets(
        &self,
        open: &mut Batch,
        of: (&str, &str),
    ) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// What is delivered of a digest whose record the broker got at `appended_ms`: the same whenever it is read.
    fn digest(&self, ready: &DigestReadyForDelivery, appended_ms: i64) -> String;

    /// What is delivered of a version that was blocked.
    fn withdrawal(&self, blocked: &DigestBlocked, appended_ms: i64) -> String;

    /// Name of a delivery, which no other has.
    fn reference(&self, due: &Due, of: (&str, Version), kind: Kind) -> String;

    /// Whether a target is tried now.
    ///
    /// # Errors
    /// Those of any read.
    fn admit(&self, due: &Due) -> impl Future<Output = Result<Admission<Self::Way>, Error>> + Send;

    /// Tries once.
    fn deliver(&self, parcel: &Parcel, way: Self::Way) -> impl Future<Output = Answer> + Send;

    /// The peer that all deliveries go by, and whether it is left alone; none where each target is a peer.
    fn breaker(&self) -> Option<(&'static str, bool)> {
        None
    }
}
