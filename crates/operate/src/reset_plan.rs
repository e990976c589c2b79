//! What a reset is to set, and what it would do; and who may not be reset.

use super::{Error, Place};
use serde::Serialize;

/// What to set, and to what.
#[derive(Debug, Clone)]
pub struct ResetOptions {
    /// Processor or connector.
    pub name: String,
    /// Where it is to go on.
    pub to: Place,
    /// One input only, by logical name. Default: all of a sink's.
    pub topic: Option<String>,
    /// One partition only. Default: all.
    pub partition: Option<i32>,
    /// Which position of a source, by what it reads. Default: that of the outbox.
    pub identity: Option<String>,
}

/// What an offset stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResetKind {
    /// Committed offset of a processor's or a lookup's group.
    Processor,
    /// The same of a Fold, which has state besides.
    Fold,
    /// Offset of a sink, in Postgres.
    Sink,
}

/// One offset, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Next offset to read now; none when there is none.
    pub before: Option<i64>,
    /// Next offset to read then.
    pub after: i64,
}

/// What a reset would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ResetPlan {
    /// Set offsets.
    Offsets {
        /// Processor or sink.
        name: String,
        /// What it is.
        kind: ResetKind,
        /// By topic and partition.
        moves: Vec<Move>,
    },
    /// Forget the position of a source, which then reads from the start.
    Position {
        /// Source.
        name: String,
        /// What it reads.
        identity: String,
        /// Position now, in the source's own terms.
        before: String,
    },
}

/// Whoever runs a unit goes on from where it is, and writes that over what is set here.
pub(super) fn refuse_members(name: &str, members: usize) -> Result<(), Error> {
    let members = match members {
        0 => return Ok(()),
        1 => "a member".to_owned(),
        many => format!("{many} members"),
    };
    Err(Error::Refused(format!(
        "{name} is running: its group has {members}, to go on from where it is. stop `gistmill up` or its own process \
         first (one that was killed counts until its session ends, 6 s), then repeat this"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_runs_is_not_reset() {
        assert!(refuse_members("topic", 0).is_ok());
        let refused =
            |members| refuse_members("postgres_outbox_source", members).expect_err("runs").to_string();
        let one =
            "postgres_outbox_source is running: its group has a member, to go on from where it is. stop";
        assert!(refused(1).starts_with(one), "{}", refused(1));
        assert!(refused(3).contains("its group has 3 members"), "{}", refused(3));
    }

    #[test]
    fn a_plan_is_one_flat_object() {
        let moves = vec![Move { topic: "t.v1".to_owned(), partition: 0, before: None, after: 3 }];
        let plan = ResetPlan::Offsets { name: "topic".to_owned(), kind: ResetKind::Fold, moves };
        assert_eq!(
            serde_json::to_string(&plan).expect("serializes"),
            r#"{"name":"topic","kind":"fold","moves":[{"topic":"t.v1","partition":0,"before":null,"after":3}]}"#
        );
    }
}
