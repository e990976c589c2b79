//! What every reader of `group.message.ingested` refuses beyond what Avro can say, so that all refuse the same.
//!
//! Invariant: a record is taken or refused as a whole; a window's counts equal what the store holds because both
//! asked here.

use crate::{END_OF_LANE, GroupMessageIngested, Message, MessageKind};
use std::ops::RangeInclusive;

/// Event times that can be: after the epoch (0 means that the source did not know), up to the year 9999.
const EVENT_TIME_MS: RangeInclusive<i64> = 1..=253_402_300_799_999;
/// Longest tenant or group in bytes: stores index by both.
const NAME_BYTES_MAX: usize = 512;

/// Why a record is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Invalid {
    /// As a metric label.
    pub reason: &'static str,
    /// For the operator; never message text.
    pub detail: String,
}

impl GroupMessageIngested {
    /// Refuses a record that no reader can use: a tenant or group that makes no key, or another group's
    /// (`bad_name`), a kind that this version does not know (`unknown_kind`), a send time that is missing or absurd
    /// (`bad_sent_at`; edits and deletions carry the original's, or their window could not be found), a negative
    /// revision (`bad_revision`), an absurd `complete_until` (`bad_complete_until`).
    pub fn check(&self) -> Result<(), Invalid> {
        let refuse = |reason, detail: String| Err(Invalid { reason, detail });
        check_name("tenant_id", &self.tenant_id)?;
        check_name("group_id", &self.group_id)?;
        if self.tenant_id.contains('/') {
            return refuse("bad_name", "tenant_id contains a slash, which ends it in the key".to_owned());
        }
        if let Some(until) = self.complete_until
            && until != END_OF_LANE
            && !EVENT_TIME_MS.contains(&until)
        {
            return refuse("bad_complete_until", format!("complete_until {until} is no event time"));
        }
        self.messages.iter().try_for_each(check_message)
    }
}

fn check_name(what: &str, name: &str) -> Result<(), Invalid> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.len() > NAME_BYTES_MAX {
        "is longer than 512 bytes"
    } else if name.contains('\0') {
        "contains a NUL character"
    } else {
        return Ok(());
    };
    Err(Invalid { reason: "bad_name", detail: format!("{what} {problem}") })
}

fn check_message(message: &Message) -> Result<(), Invalid> {
    let id = message.id;
    let refuse = |reason, detail: String| Err(Invalid { reason, detail });
    if MessageKind::parse(&message.kind).is_none() {
        return refuse("unknown_kind", format!("kind {:?} of message {id} is unknown", message.kind));
    }
    if !EVENT_TIME_MS.contains(&message.sent_at) {
        return refuse(
            "bad_sent_at",
            format!("sent_at {} of message {id} is no event time", message.sent_at),
        );
    }
    if message.revision < 0 {
        return refuse("bad_revision", format!("revision {} of message {id} is negative", message.revision));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(change: impl FnOnce(&mut GroupMessageIngested)) -> GroupMessageIngested {
        let message = Message {
            id: 1,
            revision: 0,
            kind: "new".to_owned(),
            author: None,
            sent_at: 1_700_000_000_000,
            text: String::new(),
            entities: Vec::new(),
            reply_to: None,
            topic_id: None,
            media: None,
            forward: None,
            reactions: Vec::new(),
        };
        let mut record = GroupMessageIngested {
            tenant_id: "acme".to_owned(),
            group_id: "a/b".to_owned(),
            messages: vec![message],
            ..GroupMessageIngested::default()
        };
        change(&mut record);
        record
    }

    #[test]
    fn each_reason_is_given() {
        let reason = |change: fn(&mut GroupMessageIngested)| {
            record(change).check().map_err(|invalid| invalid.reason).err()
        };
        assert_eq!(reason(|_| ()), None);
        assert_eq!(reason(|r| r.complete_until = Some(END_OF_LANE)), None);
        assert_eq!(reason(|r| r.tenant_id = "a/b".to_owned()), Some("bad_name"));
        assert_eq!(reason(|r| r.tenant_id = "a\0b".to_owned()), Some("bad_name"));
        assert_eq!(reason(|r| r.group_id.clear()), Some("bad_name"));
        assert_eq!(reason(|r| r.group_id = "x".repeat(513)), Some("bad_name"));
        assert_eq!(reason(|r| r.complete_until = Some(-1)), Some("bad_complete_until"));
        assert_eq!(reason(|r| r.complete_until = Some(END_OF_LANE - 1)), Some("bad_complete_until"));
        assert_eq!(reason(|r| r.messages[0].kind = "pinned".to_owned()), Some("unknown_kind"));
        assert_eq!(reason(|r| r.messages[0].sent_at = 0), Some("bad_sent_at"));
        assert_eq!(reason(|r| r.messages[0].sent_at = i64::MIN), Some("bad_sent_at"));
        assert_eq!(reason(|r| r.messages[0].sent_at = 253_402_300_800_000), Some("bad_sent_at"));
        assert_eq!(reason(|r| r.messages[0].revision = -1), Some("bad_revision"));
    }
}
