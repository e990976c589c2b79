//! What a point is of, and how that is written down. Invariant: the same item has the same id in every collection.

use qdrant_client::qdrant::{PointStruct, Value};
use schemas::{Version, identity_hash};
use std::{collections::HashMap, fmt};
use uuid::Uuid;

/// What a point is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A message.
    Message,
    /// A conversation of a window.
    Thread,
    /// A window's digest.
    Digest,
}

impl Kind {
    /// The name in payloads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Thread => "thread",
            Self::Digest => "digest",
        }
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Message, Self::Thread, Self::Digest].into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a thread or digest has of its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowPart {
    /// The window.
    pub window_id: String,
    /// `<revision>.<attempt>`.
    pub version: String,
    /// Last offset of the window's messages.
    pub offset: i64,
}

/// A vector and what it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What it is of.
    pub kind: Kind,
    /// Tenant that owns the group.
    pub tenant_id: String,
    /// Group inside the tenant.
    pub group_id: String,
    /// Unique within group and kind.
    pub item: String,
    /// A later state is greater; below 2^53, since Qdrant compares numbers as floating point.
    pub revision: i64,
    /// Whether it also replaces a point of its own revision. False for what knows less than that may.
    pub replaces_equal: bool,
    /// Logical topic, partition and offset of the record that told it.
    pub source: (&'static str, i32, i64),
    /// Event time in ms.
    pub sent_at: i64,
    /// Author of a message.
    pub author_id: Option<String>,
    /// Window of a thread or digest.
    pub window: Option<WindowPart>,
    /// As many numbers as the model makes.
    pub vector: Vec<f32>,
}

/// The revision of what belongs to a version of a window.
pub fn of_version(version: Version) -> i64 {
    i64::from(version.revision) << 20 | i64::from(version.attempt).min((1 << 20) - 1)
}

/// The id of the point of an item.
pub(crate) fn id(kind: Kind, tenant_id: &str, group_id: &str, item: &str) -> Uuid {
    identity_hash("point", &[tenant_id, group_id, kind.as_str(), item])
}

impl Point {
    /// Its id: `UUIDv5` of tenant, group, kind and item.
    pub fn id(&self) -> Uuid {
        id(self.kind, &self.tenant_id, &self.group_id, &self.item)
    }

    fn payload(&self) -> HashMap<String, Value> {
        let (topic, partition, offset) = self.source;
        let mut payload: HashMap<&str, Value> = [
            ("tenant_id", self.tenant_id.as_str().into()),
            ("group_id", self.group_id.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("item", self.item.as_str().into()),
            ("revision", self.revision.into()),
            ("source_topic", topic.into()),
            ("source_partition", i64::from(partition).into()),
            ("source_offset", offset.into()),
            ("sent_at", self.sent_at.into()),
        ]
        .into();
        if let Some(author) = &self.author_id {
            payload.insert("author_id", author.as_str().into());
        }
        if let Some(window) = &self.window {
            payload.insert("window_id", window.window_id.as_str().into());
            payload.insert("version", window.version.as_str().into());
            payload.insert("window_offset", window.offset.into());
        }
        payload.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    pub(crate) fn to_wire(&self) -> PointStruct {
        PointStruct {
            id: Some(self.id().to_string().into()),
            payload: self.payload(),
            vectors: Some(self.vector.clone().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_ids_never_change() {
        let message = id(Kind::Message, "acme", "qa", "7").to_string();
        assert_eq!(message, "e6f8c80b-9f29-5803-8ba1-08adb6748912");
        assert_ne!(message, id(Kind::Message, "other", "qa", "7").to_string());
        assert_ne!(message, id(Kind::Thread, "acme", "qa", "7").to_string());
    }

    #[test]
    fn versions_are_ordered_and_exact_as_floating_point() {
        let revision = |text: &str| of_version(text.parse().expect("a version"));
        assert!(revision("2.0") > revision("1.9"));
        assert!(revision("1.1") > revision("1.0"));
        let large = revision("2147483647.3");
        assert_eq!(large as f64 as i64, large);
    }
}
