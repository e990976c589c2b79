//! What is to be erased, what there is of it, and what became of it. Invariant: plain data.

/// What is to be erased: a tenant, or what of it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureScope {
    /// Tenant.
    pub tenant_id: String,
    /// One group of it.
    pub group_id: Option<String>,
    /// What one person wrote.
    pub author_id: Option<String>,
}

/// What is there to be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erasable {
    /// False for a tenant of which nothing is stored.
    pub tenant_known: bool,
    /// Messages, deleted ones too, that were not erased.
    pub messages: i64,
    /// Groups that they are in.
    pub groups: i64,
    /// Keys for language models.
    pub keys: i64,
    /// Addresses that get mail, or did.
    pub recipients: i64,
    /// True when the same was erased before.
    pub done_before: bool,
}

/// What an erasure took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Erased {
    /// Messages.
    pub messages: u64,
    /// Versions of digests that lost their words.
    pub digests: u64,
    /// Windows of those of them that somebody had asked for, of which no new version comes.
    pub asked: Vec<String>,
}

/// A message whose deletion goes into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedMessage {
    /// Erasure that it belongs to.
    pub erasure: String,
    /// Group.
    pub group_id: String,
    /// Message.
    pub id: i64,
    /// When it was sent, in ms.
    pub sent_at: i64,
    /// Newest revision that was known.
    pub revision: i64,
    /// A digest of its time went to a channel other than files.
    pub posted: bool,
    /// When it was erased, in ms.
    pub erased_at: i64,
}
