//! Names that are functions of what they name: `UUIDv5` over length-prefixed parts, never random, never a clock.

use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Namespace of every id of the product (`UUIDv5` of the DNS name `gistmill.dev`).
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1c_35f3_2a52_5d3c_9b1e_2c6d_84a7_90e1);

/// `UUIDv5` over `kind` and `parts`; each part is length-prefixed so that no two lists of parts collide.
pub fn identity_hash(kind: &str, parts: &[&str]) -> Uuid {
    let mut name = String::with_capacity(64);
    for part in std::iter::once(&kind).chain(parts) {
        name.push_str(&part.len().to_string());
        name.push(':');
        name.push_str(part);
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// Id of a window: `UUIDv5` of tenant, group, size in hours and start in ms.
pub fn window_id(tenant_id: &str, group_id: &str, size_hours: i32, start_ms: i64) -> String {
    identity_hash("window", &[tenant_id, group_id, &size_hours.to_string(), &start_ms.to_string()])
        .to_string()
}

/// Id of a digest: `UUIDv5` of window id and version.
pub fn digest_id(window_id: &str, version: &str) -> String {
    identity_hash("digest", &[window_id, version]).to_string()
}

/// Id of a stage's run: `UUIDv5` of stage, code (and prompt) version and the identity of the input.
pub fn run_id(stage: &str, code_version: &str, input_identity: &str) -> String {
    identity_hash("run", &[stage, code_version, input_identity]).to_string()
}

/// Id of an import's lane: `UUIDv5` of the identity of its source.
pub fn lane_id(source_identity: &str) -> String {
    identity_hash("lane", &[source_identity]).to_string()
}

/// W3C trace id (32 hex digits) of an identity.
pub fn trace_id(identity: &str) -> String {
    identity_hash("trace", &[identity]).simple().to_string()
}

/// W3C span id (16 hex digits) of a stage's work on an input.
pub fn span_id(trace_id: &str, stage: &str, input_identity: &str) -> String {
    let mut id = identity_hash("span", &[trace_id, stage, input_identity]).simple().to_string();
    id.truncate(16);
    id
}

/// Version of a digest: the window's revision and the attempt at digesting it. Ordered: newest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Revision of the window's contents, from 1.
    pub revision: i32,
    /// 0 for the scheduled digest, 1 and up for those asked for.
    pub attempt: i32,
}

impl Version {
    /// Of what is delivered and is no digest: no digest has it, since revisions count from 1.
    pub const NO_DIGEST: Self = Self { revision: 0, attempt: 0 };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.revision, self.attempt)
    }
}

/// Not a `<revision>.<attempt>` pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not read version {0:?}: expected <revision>.<attempt>")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (revision, attempt) = text.split_once('.')?;
            Some(Self { revision: revision.parse().ok()?, attempt: attempt.parse().ok()? })
        };
        parse().ok_or_else(|| VersionError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_length_prefixed() {
        assert_ne!(identity_hash("k", &["ab", "c"]), identity_hash("k", &["a", "bc"]));
        assert_ne!(identity_hash("k", &["1:a"]), identity_hash("k", &["1", "a"]));
    }

    #[test]
    fn versions_order_by_revision_then_attempt() {
        let parse = |text: &str| text.parse::<Version>().expect("valid");
        assert!(parse("2.0") > parse("1.9"));
        assert!(parse("10.0") > parse("9.3"));
        assert_eq!(parse("3.1").to_string(), "3.1");
        assert!("3".parse::<Version>().is_err());
    }

    #[test]
    fn released_ids_never_change() {
        assert_eq!(window_id("acme", "qa", 24, 0), window_id("acme", "qa", 24, 0));
        assert_eq!(trace_id("x").len(), 32);
        assert_eq!(span_id(&trace_id("x"), "topic", "y").len(), 16);
    }
}
