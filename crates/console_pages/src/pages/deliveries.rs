//! Deliveries that wait for an operator, and what happened lately. Filled by `Store::unknown_deliveries`,
//! `disabled_targets`, `muted_deliveries` and `delivery_page`; the forms do what `gistmill delivery resolve` and `enable` do.

use crate::{Page, Section, locale::Words};
use serde::{Deserialize, Serialize};

/// A delivery that may have happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownDelivery {
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Part, from 1.
    pub part: i32,
    /// Why nobody knows; empty where that is not known either.
    pub error: String,
    /// When it was begun, in ms.
    pub sending_at_ms: Option<i64>,
}

/// A target that nothing is delivered to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisabledTarget {
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Why.
    pub reason: String,
}

/// A digest that was kept from a muted chat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutedDelivery {
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// Target in the channel's own terms.
    pub chat: String,
}

/// A delivery in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryLine {
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Channel.
    pub channel: String,
    /// Target in the channel's own terms.
    pub chat: String,
    /// Part, from 1.
    pub part: i32,
    /// `sending`, `sent`, `failed`, `unknown`, `muted` and so on.
    pub status: String,
    /// When it came to that, in ms.
    pub at_ms: i64,
}

/// Deliveries of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    /// Those of which nobody knows whether they happened.
    pub unknown: Vec<UnknownDelivery>,
    /// Targets that refuse.
    pub disabled: Vec<DisabledTarget>,
    /// Digests that were kept from muted chats, the newest.
    pub muted: Vec<MutedDelivery>,
    /// What happened lately, the newest first.
    pub recent: Vec<DeliveryLine>,
    /// Whether the reader may settle and enable.
    pub may_settle: bool,
    /// What became of the form that was sent: settled, or not, as `gistmill delivery` says it; empty for none.
    pub note: String,
}

impl Page for Deliveries {
    fn title(&self, words: &'static Words) -> String {
        words.deliveries.to_owned()
    }

    fn section(&self) -> Section {
        Section::Deliveries
    }

    html!(Deliveries, "deliveries.html");
}
