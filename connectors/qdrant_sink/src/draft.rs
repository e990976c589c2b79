//! Points without their vectors: what is indexed, and the text that it is found by. Invariant: a pure function of a record.

use schemas::{
    Claim, DigestReadyForDelivery, DigestStageCompleted, GroupMessageIngested, Message, Version, WindowRef,
};
use std::collections::HashMap;
use vector_index::{Kind, Point, WindowPart, of_version};

/// Topics of the inputs, as payloads name them.
const INGESTED: &str = "group.message.ingested.v1";
const THREADS: &str = "digest.stage.thread_builder.completed.v1";
const READY: &str = "digest.ready_for_delivery.v1";

/// A point to be, and the text that its vector is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    /// With no vector yet.
    pub(crate) point: Point,
    /// What it says.
    pub(crate) text: String,
}

/// Partition and offset of a record.
pub(crate) type Place = (i32, i64);

/// A message that is not deleted. One without text is a point too, near nothing; it takes no text away from a state of the same
/// revision, which knew more.
pub(crate) fn message(record: &GroupMessageIngested, message: &Message, (partition, offset): Place) -> Draft {
    Draft {
        point: Point {
            kind: Kind::Message,
            tenant_id: record.tenant_id.clone(),
            group_id: record.group_id.clone(),
            item: message.id.to_string(),
            revision: message.revision,
            replaces_equal: !message.text.is_empty(),
            source: (INGESTED, partition, offset),
            sent_at: message.sent_at,
            author_id: message.author.as_ref().map(|author| author.id.clone()),
            window: None,
            vector: Vec::new(),
        },
        text: message.text.clone(),
    }
}

/// The conversations of a window; one message alone is found as itself.
pub(crate) fn threads(record: &DigestStageCompleted, version: Version, place: Place) -> Vec<Draft> {
    let by_id: HashMap<i64, _> = record.state.messages.iter().map(|message| (message.id, message)).collect();
    let threads = record.state.threads.iter().flat_map(|found| &found.threads);
    threads
        .filter(|thread| thread.message_ids.len() > 1)
        .map(|thread| {
            let messages = || thread.message_ids.iter().filter_map(|id| by_id.get(id));
            let texts: Vec<&str> = messages().map(|message| message.text.as_str()).collect();
            let last = messages().map(|message| message.sent_at).max();
            let window = Window { id: &record.window_id, version, of: &record.state.window };
            let point = Point {
                kind: Kind::Thread,
                tenant_id: record.tenant_id.clone(),
                group_id: record.group_id.clone(),
                item: format!("{}/{}", record.window_id, thread.thread_id),
                sent_at: last.unwrap_or(record.state.window.window_end),
                ..window.point((THREADS, place.0, place.1))
            };
            Draft { point, text: texts.join("\n") }
        })
        .collect()
}

/// The digest of a window.
pub(crate) fn digest(record: &DigestReadyForDelivery, version: Version, place: Place) -> Draft {
    let window = Window { id: &record.window_id, version, of: &record.window };
    let digest = &record.delivery_payload;
    let claims = |claims: &[Claim]| claims.iter().map(|claim| claim.text.clone()).collect::<Vec<_>>();
    let mut texts = vec![digest.headline.clone()];
    texts.extend(claims(&digest.summary));
    for topic in &digest.topics {
        texts.push(topic.title.clone());
        texts.extend(claims(&topic.story));
    }
    texts.extend(claims(&digest.decisions));
    texts.extend(claims(&digest.questions));
    texts.extend(digest.answers.iter().map(|answer| answer.question.text.clone()));
    let point = Point {
        kind: Kind::Digest,
        tenant_id: record.tenant_id.clone(),
        group_id: record.group_id.clone(),
        item: record.window_id.clone(),
        ..window.point((READY, place.0, place.1))
    };
    Draft { point, text: texts.join("\n") }
}

struct Window<'a> {
    id: &'a str,
    version: Version,
    of: &'a WindowRef,
}

impl Window<'_> {
    /// What threads and digest have in common.
    fn point(&self, source: (&'static str, i32, i64)) -> Point {
        Point {
            kind: Kind::Digest,
            tenant_id: String::new(),
            group_id: String::new(),
            item: String::new(),
            revision: of_version(self.version),
            replaces_equal: true,
            source,
            sent_at: self.of.window_end,
            author_id: None,
            window: Some(WindowPart {
                window_id: self.id.to_owned(),
                version: self.version.to_string(),
                offset: self.of.source_offset,
            }),
            vector: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixtures::state;
    use schemas::{Author, ContextMessage, Thread, Threads};

    fn version() -> Version {
        Version { revision: 2, attempt: 1 }
    }

    #[test]
    fn a_message_is_found_by_its_text_and_knows_where_it_came_from() {
        let record = GroupMessageIngested {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            ..GroupMessageIngested::default()
        };
        let author = Author { id: "u7".to_owned(), name: "Ann".to_owned(), is_bot: false };
        let told = Message { author: Some(author), revision: 9, ..Message::plain(5, 70, "retry storm") };
        let found = message(&record, &told, (3, 12));
        assert_eq!(found.text, "retry storm");
        let Point { item, revision, source, sent_at, author_id, replaces_equal, .. } = found.point;
        assert_eq!((&*item, revision, source, sent_at), ("5", 9, (INGESTED, 3, 12), 70));
        assert_eq!((author_id.as_deref(), replaces_equal), (Some("u7"), true));
        assert!(!message(&record, &Message::plain(5, 70, ""), (3, 12)).point.replaces_equal);
    }

    #[test]
    fn a_conversation_is_found_by_all_its_texts_and_a_message_alone_is_none() {
        let message = |id, text| ContextMessage::plain(id, id * 10, "Ann", text);
        let mut found = state(vec![message(1, "one"), message(2, "two"), message(3, "three")]);
        let thread = |thread_id, ids: &[i64]| Thread { thread_id, message_ids: ids.to_vec() };
        let threads_of = Threads { threads: vec![thread(1, &[1, 3]), thread(2, &[2])], ..Threads::default() };
        found.threads = Some(threads_of);
        let record = DigestStageCompleted {
            tenant_id: "acme".to_owned(),
            group_id: "qa".to_owned(),
            window_id: "w".to_owned(),
            version: version().to_string(),
            trace_id: String::new(),
            stage: "thread_builder".to_owned(),
            outcome: "ok".to_owned(),
            schema_version: 1,
            quality_metrics: std::collections::BTreeMap::new(),
            run_id: String::new(),
            model_id: "offline".to_owned(),
            tokens: 0,
            cost: 0.0,
            state: found,
        };
        let drafts = threads(&record, version(), (1, 8));
        assert_eq!(drafts.len(), 1);
        assert_eq!(drafts[0].text, "one\nthree");
        assert_eq!((&*drafts[0].point.item, drafts[0].point.sent_at), ("w/1", 30));
        assert_eq!(drafts[0].point.revision, 2 << 20 | 1);
        assert_eq!(drafts[0].point.window.as_ref().map(|window| &*window.version), Some("2.1"));
    }
}
