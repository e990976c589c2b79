//! Records to be stored.

use schemas::{
    Author, Checklist, ChecklistItem, Claim, Digest, DigestBlocked, DigestDlq, DigestReadyForDelivery,
    DigestTopic, Entity, Forward, GroupSettings, Media, Message, Mood, Poll, PollOption, Quality, Reaction,
    RecordHeader, StageRun, WindowRef, digest_id, window_id,
};

/// Start of the window of all samples: 2024-03-01T00:00:00Z.
pub(crate) const START: i64 = 1_709_251_200_000;
const DAY_MS: i64 = 86_400_000;

/// A message with nothing but text.
pub(crate) fn message(id: i64, revision: i64, kind: &str, text: &str) -> Message {
    Message { revision, kind: kind.to_owned(), ..Message::plain(id, START + id * 1_000, text) }
}

/// A message with everything.
pub(crate) fn full_message(id: i64) -> Message {
    Message {
        author: Some(Author { id: "user7".to_owned(), name: "Ann \"A\"".to_owned(), is_bot: true }),
        entities: vec![Entity {
            kind: "link".to_owned(),
            offset: 0,
            length: 4,
            url: Some("https://x.y".to_owned()),
        }],
        reply_to: Some(3),
        topic_id: Some(1),
        media: Some(Media {
            kind: "photo".to_owned(),
            file_name: None,
            mime_type: Some("image/png".to_owned()),
            size_bytes: Some(i64::MAX),
            poll: Some(Poll {
                question: "когда?".to_owned(),
                options: vec![PollOption { text: "сейчас".to_owned(), votes: Some(3) }],
                closed: true,
                voters: None,
            }),
            checklist: Some(Checklist {
                title: "дела".to_owned(),
                items: vec![ChecklistItem { text: "тег".to_owned(), done: Some(true) }],
            }),
        }),
        forward: Some(Forward { from: "канал".to_owned(), sent_at: Some(-1) }),
        reactions: vec![Reaction { emoji: "👍".to_owned(), count: 2 }],
        ..message(id, 0, "new", "text\twith \\N and 'quotes'\n")
    }
}

/// The window of a group that starts `day` days after [`START`].
pub(crate) fn window(day: i64, revision: i32) -> WindowRef {
    WindowRef {
        size_hours: 24,
        window_start: START + day * DAY_MS,
        window_end: START + (day + 1) * DAY_MS,
        revision,
        lane: "live".to_owned(),
        message_count: 7,
        participant_count: 2,
        settings: GroupSettings::default(),
        source_partition: 0,
        source_offset: 41,
    }
}

/// A digest with this headline.
pub(crate) fn digest(headline: &str) -> Digest {
    Digest {
        language: "en".to_owned(),
        headline: headline.to_owned(),
        summary: vec![Claim { text: "said".to_owned(), message_ids: vec![1, 2] }],
        topics: vec![DigestTopic {
            title: "deploy".to_owned(),
            keywords: vec!["ship".to_owned()],
            message_count: 7,
            threads: Vec::new(),
            message_ids: Vec::new(),
            story: Vec::new(),
            outcome: None,
        }],
        decisions: Vec::new(),
        questions: Vec::new(),
        actions: Vec::new(),
        mood: Mood {
            label: "neutral".to_owned(),
            positive: 0.1,
            negative: 0.2,
            neutral: 0.7,
            message_ids: Vec::new(),
        },
        participants: Vec::new(),
        links: Vec::new(),
        message_count: 7,
        participant_count: 2,
        quality: Quality { score: 0.1 + 0.2, ..Quality::default() },
        answers: Vec::new(),
        continuity: None,
        weaknesses: Vec::new(),
        claims_dropped: 0,
        facts_struck: 0,
        recalls: Vec::new(),
    }
}

/// A digest ready for files: of `tenant`, group `g`, a day and a version.
pub(crate) fn ready(tenant: &str, day: i64, version: &str) -> DigestReadyForDelivery {
    let revision = version.split('.').next().unwrap().parse().unwrap();
    let window = window(day, revision);
    let window_id = window_id(tenant, "g", window.size_hours, window.window_start);
    DigestReadyForDelivery {
        tenant_id: tenant.to_owned(),
        group_id: "g".to_owned(),
        digest_id: digest_id(&window_id, version),
        window_id,
        version: version.to_owned(),
        trace_id: "0".repeat(32),
        window,
        quality_score: 0.1 + 0.2,
        delivery_payload: digest(&format!("day {day} version {version}")),
        channels: vec!["file".to_owned()],
        runs: vec![StageRun {
            stage: "topic".to_owned(),
            run_id: "r".to_owned(),
            outcome: "ok".to_owned(),
            model_id: "offline".to_owned(),
            tokens: 5,
            cost: 0.25,
        }],
    }
}

/// A window without a digest.
pub(crate) fn blocked(tenant: &str, day: i64, version: &str) -> DigestBlocked {
    let ready = ready(tenant, day, version);
    DigestBlocked {
        tenant_id: ready.tenant_id,
        group_id: ready.group_id,
        window_id: ready.window_id,
        version: ready.version,
        trace_id: ready.trace_id,
        reason: "too_small".to_owned(),
        quality_score: None,
        missing_scopes: vec!["DIGEST_READ".to_owned()],
        window: ready.window,
        weaknesses: vec!["invented".to_owned(), "thin".to_owned()],
    }
}

/// A dead letter with bytes that are no text.
pub(crate) fn dead_letter(tenant: &str, offset: i64) -> DigestDlq {
    DigestDlq {
        tenant_id: tenant.to_owned(),
        group_id: "g".to_owned(),
        digest_id: None,
        stage: "postgres_sink".to_owned(),
        error: "could not decode value\0".to_owned(),
        error_class: "undecodable".to_owned(),
        fingerprint: "0123456789abcdef".to_owned(),
        retry_count: 0,
        next_action: "investigate".to_owned(),
        topic: "group.message.ingested.v1".to_owned(),
        partition: 0,
        offset,
        timestamp: START,
        key: Some(vec![0, 255, 128]),
        headers: vec![RecordHeader { key: "h".to_owned(), value: None }],
        value: Some((0..=255).collect()),
    }
}
