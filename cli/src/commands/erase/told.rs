//! What an erasure took, and what stays where. Invariant: nothing of what was erased is told, but how much.

use std::io::Write;

use serde::Serialize;
use state::{Erasable, Erased};
use topology::{Map, Retention};

/// Records that hold words of messages, and what keeps a replay of them from bringing words back.
const LOG: (&str, &str) = (
    "group.message.ingested.v1",
    "the messages themselves: read again, postgres_sink writes them without words",
);
const MADE: &str = "what was made of them: read again, digests from before the deletions are stored without words and not written";
const MADE_RECORDS: [&str; 5] = [
    "digest.context.prepared.v1",
    "digest.stage.completed.v1",
    "digest.ready_for_delivery.v1",
    "digest.persisted.v1",
    "digest.dlq.v1",
];

/// A topic that keeps what was erased for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Remains {
    topic: String,
    retention: String,
    what: &'static str,
}

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    subject: String,
    /// Messages and keys found before.
    found_messages: i64,
    groups: i64,
    keys: i64,
    recipients: i64,
    messages: u64,
    digests: u64,
    asked_digests: usize,
    pub(super) files_removed: usize,
    pub(super) rounds: u32,
    remains: Vec<Remains>,
}

impl Told {
    pub(super) fn new(subject: &str, found: &Erasable) -> anyhow::Result<Self> {
        Ok(Self {
            subject: subject.to_owned(),
            found_messages: found.messages,
            groups: found.groups,
            keys: found.keys,
            recipients: found.recipients,
            messages: 0,
            digests: 0,
            asked_digests: 0,
            files_removed: 0,
            rounds: 0,
            remains: remains(&Map::embedded()?),
        })
    }

    pub(super) fn add(&mut self, erased: &Erased) {
        self.messages += erased.messages;
        self.digests += erased.digests;
        self.asked_digests += erased.asked.len();
    }

    /// What is about to be erased.
    pub(super) fn announce(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { subject, found_messages, groups, keys, recipients, .. } = self;
        writeln!(
            out,
            "{subject}: {found_messages} messages in {groups} groups, {keys} keys, {recipients} addresses of mail"
        )?;
        Ok(())
    }

    pub(super) fn write(&self, json: bool, out: &mut dyn Write) -> anyhow::Result<()> {
        if json {
            writeln!(out, "{}", serde_json::to_value(self)?)?;
            return Ok(());
        }
        if self.rounds == 0 {
            self.announce(out)?;
        } else {
            let Self { messages, digests, asked_digests, files_removed, .. } = self;
            writeln!(
                out,
                "erased {messages} messages; {digests} versions of digests lost their words, {asked_digests} of them asked \
                 for and not made anew; {files_removed} files of those removed"
            )?;
            writeln!(
                out,
                "files, posts and vectors of the other digests follow with their new versions: `gistmill lag`"
            )?;
        }
        writeln!(out, "what stays in Kafka until its retention:")?;
        for what in [LOG.1, MADE] {
            writeln!(out, "  {what}")?;
            for Remains { topic, retention, .. } in self.remains.iter().filter(|topic| topic.what == what) {
                writeln!(out, "    {retention:<10} {topic}")?;
            }
        }
        Ok(())
    }
}

fn remains(map: &Map) -> Vec<Remains> {
    let of_topic = |topic: &topology::Topic| {
        let what = match topic.record.as_deref()? {
            record if record == LOG.0 => LOG.1,
            record if MADE_RECORDS.contains(&record) => MADE,
            _ => return None,
        };
        let retention = match topic.retention {
            Retention::Days(days) => format!("{days}d"),
            Retention::Unlimited => "unlimited".to_owned(),
        };
        Some(Remains { topic: topic.name.clone(), retention, what })
    };
    map.topics().filter_map(of_topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_that_can_hold_words_is_told_with_how_long() {
        let remains = remains(&Map::embedded().unwrap());
        let of =
            |name: &str| remains.iter().find(|remains| remains.topic == name).map(|it| it.retention.as_str());
        assert_eq!(of("group.message.ingested.v1"), Some("unlimited"));
        assert_eq!(of("digest.context.prepared.v1"), Some("30d"));
        assert_eq!(of("digest.stage.writer.completed.v1"), Some("30d"));
        assert_eq!((of("digest.dlq.v1"), of("digest.delivered.v1")), (Some("90d"), None));
        let found = Erasable { tenant_known: true, messages: 3, groups: 1, ..Erasable::default() };
        let mut told = Told::new("user sha256:ab", &found).unwrap();
        let mut out = Vec::new();
        told.write(false, &mut out).unwrap();
        told.add(&Erased { messages: 3, digests: 2, asked: vec!["w".to_owned()] });
        told.rounds = 1;
        told.write(false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("user sha256:ab: 3 messages in 1 groups, 0 keys, 0 addresses"), "{text}");
        assert!(
            text.contains("\nerased 3 messages; 2 versions of digests lost their words, 1 of them asked"),
            "{text}"
        );
    }
}
