//! Pages of operators: the real map, with a pipeline in which something waits.

use crate::{Named, sample::Sample};
use console_pages::{
    Audit, AuditLine, Cost, CostLine, Deliveries, DeliveryLine, DisabledTarget, Flight, Hanging, Input,
    Letter, LetterField, LetterKind, LetterLine, LetterList, Letters, MapPage, MutedDelivery, Outbox,
    PartitionPosition, Positions, Replay, Revision, Running, SchemaRevisions, Step, Subject, TracePage,
    Transactions, Unit, UnitKind, UnitPosition, UnknownDelivery, Windows,
};
use topology::{ConnectorShape, Map, processors_in_order};

const STAGES: [(&str, f64, f64); 9] = [
    ("context_builder", 0.212, 0.008),
    ("thread_builder", 0.031, 0.006),
    ("segmenter", 0.024, 0.006),
    ("emotion", 0.019, 0.006),
    ("roles", 0.015, 0.006),
    ("topic", 0.066, 0.007),
    ("synthesis", 0.148, 0.007),
    ("writer", 1.904, 0.009),
    ("delivery_manager", 0.012, 0.006),
];

pub(crate) fn pages(sample: &Sample) -> Vec<Named> {
    vec![
        ("map", Box::new(map(sample))),
        ("windows", Box::new(windows(sample))),
        ("windows_empty", Box::new(Windows::default())),
        ("trace", Box::new(trace(sample))),
        ("letters", Box::new(Letters { kinds: kinds(sample), unsettled: String::new() })),
        ("letters_empty", Box::new(Letters::default())),
        ("letter_list", Box::new(letter_list(sample))),
        ("letter", Box::new(letter(sample))),
        ("replay", Box::new(replay())),
        ("deliveries", Box::new(deliveries(sample))),
        ("transactions", Box::new(transactions())),
        ("positions", Box::new(positions(sample))),
        ("schema_revisions", Box::new(schemas())),
        ("cost", Box::new(cost(sample))),
        ("audit", Box::new(audit(sample))),
    ]
}

/// What waits before a unit: records and seconds.
fn waiting(unit: &str) -> (u64, f64) {
    match unit {
        "writer" => (14, 42.0),
        "qdrant_sink" => (12_480, 310.0),
        _ => (0, 0.0),
    }
}

fn map(sample: &Sample) -> MapPage {
    let map = Map::embedded().expect("the map");
    let input = |unit: &str, topic: &str| {
        let (waiting, behind_seconds) = waiting(unit);
        Input {
            topic: topic.to_owned(),
            waiting: Some(if topic == "digest.blocked.v1" { 0 } else { waiting }),
            is_estimate: waiting > 10_000,
            behind_seconds,
            per_second: Some(if unit == "qdrant_sink" { 38.5 } else { 1.4 }),
        }
    };
    let connector = |shape: ConnectorShape, kind: UnitKind| {
        let found = map.connectors().filter(move |it| it.shape == shape);
        found.map(move |it| Unit {
            name: it.name.clone(),
            kind,
            members: Some(u64::from(!it.optional || it.name == "qdrant_sink")),
            is_optional: it.optional,
            inputs: it.inputs.values().map(|topic| input(&it.name, topic)).collect(),
            outputs: it.ports.values().cloned().collect(),
            problem: String::new(),
        })
    };
    let processors = processors_in_order(&map).into_iter().map(|it| Unit {
        name: it.name.clone(),
        kind: UnitKind::Processor,
        members: Some(2),
        inputs: vec![input(&it.name, &it.input)],
        outputs: it.ports.values().cloned().collect(),
        ..Unit::default()
    });
    let units = connector(ConnectorShape::Source, UnitKind::Source)
        .chain(processors)
        .chain(connector(ConnectorShape::Sink, UnitKind::Sink));
    MapPage { units: units.collect(), measured_at_ms: Some(sample.now_ms) }
}

fn steps(sample: &Sample, count: usize) -> Vec<Step> {
    let mut at = sample.now_ms - 2_600;
    let first = Step {
        topic: "group.window.ready.v1".to_owned(),
        unit: "window_builder".to_owned(),
        partition: 2,
        offset: 311,
        appended_at_ms: at,
        transaction_seconds: Some(0.006),
        details: vec![("messages".to_owned(), "164".to_owned())],
        ..Step::default()
    };
    let mut steps = vec![first];
    for (unit, work, transaction) in STAGES.iter().take(count) {
        at += (work * 1000.0) as i64 + 7;
        let topic = match *unit {
            "context_builder" => "digest.context.prepared.v1".to_owned(),
            "delivery_manager" => "digest.ready_for_delivery.v1".to_owned(),
            stage => format!("digest.stage.{stage}.completed.v1"),
        };
        let model = (*unit == "writer").then_some(1.86);
        let mut details = vec![("outcome".to_owned(), "ok".to_owned())];
        if model.is_some() {
            details.extend([
                ("model".to_owned(), "gigachat-2".to_owned()),
                ("tokens".to_owned(), "4211".to_owned()),
                ("cost".to_owned(), "0.0021".to_owned()),
            ]);
        }
        steps.push(Step {
            topic,
            unit: (*unit).to_owned(),
            partition: 2,
            offset: 87,
            appended_at_ms: at,
            queue_and_work_seconds: Some(*work),
            work_seconds: Some(*work - 0.004),
            lookup_seconds: (*unit == "context_builder").then_some(0.187),
            model_seconds: model,
            transaction_seconds: Some(*transaction),
            details,
        });
    }
    steps
}

fn windows(sample: &Sample) -> Windows {
    let flight = |day: usize, count: usize, before: &str| {
        let line = &sample.days[day].line;
        Flight {
            tenant_id: "acme".to_owned(),
            group_id: sample.group.clone(),
            window_id: line.window_id.clone(),
            window_start_ms: line.window_start_ms,
            window_end_ms: line.window_end_ms,
            message_count: line.message_count,
            before: before.to_owned(),
            steps: steps(sample, count),
        }
    };
    Windows { flights: vec![flight(2, 7, "writer"), flight(1, 2, "segmenter")], total: 14 }
}

fn trace(sample: &Sample) -> TracePage {
    let line = &sample.days[2].line;
    TracePage {
        group_id: sample.group.clone(),
        window_id: line.window_id.clone(),
        digest_id: line.digest_id.clone(),
        version: line.version.clone(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        window_start_ms: line.window_start_ms,
        window_end_ms: line.window_end_ms,
        steps: steps(sample, STAGES.len()),
        missing: vec!["digest.delivered.v1".to_owned()],
        has_digest: true,
    }
}

fn kinds(sample: &Sample) -> Vec<LetterKind> {
    let kind = |fingerprint: &str, unit: &str, topic: &str, reason: &str, error: &str, inputs| LetterKind {
        fingerprint: fingerprint.to_owned(),
        unit: unit.to_owned(),
        topic: topic.to_owned(),
        reason: reason.to_owned(),
        error: error.to_owned(),
        inputs,
        first_ms: sample.now_ms - 90_000_000,
        last_ms: sample.now_ms - 1_260_000,
        example: "2:17".to_owned(),
    };
    vec![
        kind(
            "9f2c61a07be4d318",
            "window_builder",
            "group.message.ingested.v1",
            "undecodable",
            "could not decode value: failed to read boolean, invalid byte 0x73 at 41",
            12_480,
        ),
        kind(
            "03d8e1c55a90f7b2",
            "digest_trigger",
            "group.window.ready.v1",
            "wrong_partition",
            "record lies in partition 3, its key acme/team belongs to partition 1",
            4,
        ),
    ]
}

fn letter_list(sample: &Sample) -> LetterList {
    let letter = |at: i64, state: &str| LetterLine {
        place: format!("2:{}", 17 + at),
        appended_at_ms: sample.now_ms - 1_260_000 - at * 61_000,
        state: state.to_owned(),
        group: format!("acme/{}", sample.group),
        input: format!("group.message.ingested.v1/2:{}", 40_011 + at),
        error: kinds(sample)[0].error.clone(),
    };
    LetterList {
        kind: kinds(sample).remove(0),
        letters: vec![letter(2, "open"), letter(1, "parked"), letter(0, "replayed")],
        total: 12_480,
        may_replay: true,
    }
}

fn letter(sample: &Sample) -> Letter {
    let field = |name: &str, value: &str| LetterField { name: name.to_owned(), value: value.to_owned() };
    Letter {
        place: "2:17".to_owned(),
        fingerprint: "9f2c61a07be4d318".to_owned(),
        appended_at_ms: sample.now_ms - 1_260_000,
        state: "open".to_owned(),
        error: kinds(sample)[0].error.clone(),
        next_action: "investigate".to_owned(),
        fields: vec![
            field("given up by", "window_builder"),
            field("reason", "undecodable"),
            field("attempts", "1"),
            field("input", "group.message.ingested.v1/2:40011"),
            field("key", "acme/team"),
        ],
        headers: vec![
            field("ce_type", "group.message.ingested.v1"),
            field("ce_id", "acme/team/4711/0"),
            field("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ],
        value_bytes: Some(4_301),
        preview: (0..6)
            .map(|row| {
                format!("{:06x}  00 00 00 00 07 0a 61 63 6d 65 08 74 65 61 6d 00  ......acme.team.", row * 16)
            })
            .collect(),
        read_again: String::new(),
        may_replay: true,
    }
}

fn replay() -> Replay {
    Replay {
        fingerprint: "9f2c61a07be4d318".to_owned(),
        unit: "window_builder".to_owned(),
        topic: "group.message.ingested.v1".to_owned(),
        inputs: 12_471,
        parked: 9,
        unfit: 0,
        rate: Some(500),
        ..Replay::default()
    }
}

fn deliveries(sample: &Sample) -> Deliveries {
    let line = &sample.days[2].line;
    let recent = |status: &str, channel: &str, ago: i64| DeliveryLine {
        digest_id: line.digest_id.clone(),
        version: line.version.clone(),
        channel: channel.to_owned(),
        chat: if channel == "file" { "out/acme".to_owned() } else { "-1001234567890".to_owned() },
        part: 1,
        status: status.to_owned(),
        at_ms: sample.now_ms - ago,
    };
    Deliveries {
        unknown: vec![UnknownDelivery {
            group_id: sample.group.clone(),
            digest_id: line.digest_id.clone(),
            version: line.version.clone(),
            channel: "telegram".to_owned(),
            chat: "-1001234567890/45".to_owned(),
            part: 1,
            error: "operation timed out after 30 s".to_owned(),
            sending_at_ms: Some(sample.now_ms - 780_000),
        }],
        disabled: vec![DisabledTarget {
            channel: "telegram".to_owned(),
            chat: "-1009876543210".to_owned(),
            reason: "Forbidden: bot was kicked from the supergroup chat".to_owned(),
        }],
        muted: vec![MutedDelivery {
            group_id: "board".to_owned(),
            digest_id: line.digest_id.clone(),
            chat: "-1005550001".to_owned(),
        }],
        recent: vec![
            recent("sent", "telegram", 60_000),
            recent("sent", "file", 61_000),
            recent("failed", "telegram", 86_460_000),
            recent("superseded", "telegram", 90_000_000),
        ],
        may_settle: true,
        note: String::new(),
    }
}

fn transactions() -> Transactions {
    let hanging = |outcome: &str, because: &str| Hanging {
        topic: "digest.stage.segmenter.completed.v1".to_owned(),
        partition: 2,
        start_offset: 87_041,
        producer_id: 4_012,
        producer_epoch: 3,
        transactional_id: "segmenter-0-0".to_owned(),
        age_seconds: Some(190.0),
        blocks: vec![("emotion".to_owned(), "reads no further".to_owned())],
        outcome: outcome.to_owned(),
        because: because.to_owned(),
    };
    Transactions {
        hanging: vec![
            hanging("COMMIT", "partition 1 of the same transaction has its marker"),
            hanging("", "no other partition of it is left, and the coordinators' log has been compacted"),
        ],
        running: vec![Running {
            place: "digest.context.prepared.v1/1".to_owned(),
            start_offset: 5_120,
            producer_id: 4_007,
            transactional_id: "context_builder-0-1".to_owned(),
        }],
        unseen: Vec::new(),
    }
}

fn positions(sample: &Sample) -> Positions {
    let units = map(sample).units.into_iter().filter(|unit| !unit.inputs.is_empty()).map(|unit| {
        let (waiting, behind_seconds) = waiting(&unit.name);
        let partition = |partition| PartitionPosition {
            topic: unit.inputs[0].topic.clone(),
            partition,
            position: Some(40_000 + i64::from(partition) * 17),
            waiting: waiting / 4,
            to_stable: waiting as i64 / 4 + 1,
            to_end: waiting as i64 / 4 + 2,
            behind_seconds,
            problem: String::new(),
        };
        UnitPosition {
            unit: unit.name.clone(),
            members: unit.members.unwrap_or_default(),
            waiting,
            is_estimate: waiting > 10_000,
            to_stable: waiting as i64 + 4,
            to_end: waiting as i64 + 9,
            behind_seconds,
            open_seconds: (unit.name == "emotion").then_some(190.0),
            partitions: (0..4).map(partition).collect(),
            is_unknown: false,
        }
    });
    Positions {
        measured_at_ms: sample.now_ms,
        units: units.collect(),
        outboxes: vec![Outbox { unit: "postgres_outbox_source".to_owned(), members: 2, rows: 3, stalled: 0 }],
        notes: vec![
            "emotion waits until a transaction of segmenter ends: see `gistmill txn finish`".to_owned(),
        ],
    }
}

fn schemas() -> SchemaRevisions {
    let map = Map::embedded().expect("the map");
    let mut id = 0;
    let subjects = map.topics().filter_map(|topic| {
        let record = topic.record.clone()?;
        id += 2;
        let revision = |name: String, back: i32| Revision {
            name,
            registered: Some(2 - back),
            schema_id: Some(id - back),
        };
        Some(Subject {
            subject: format!("{}-value", topic.name),
            revisions: vec![revision(format!("{record}.r2"), 0), revision(record.clone(), 1)],
            record,
            compatibility: "FULL_TRANSITIVE".to_owned(),
        })
    });
    SchemaRevisions { subjects: subjects.collect(), away: String::new() }
}

fn cost(sample: &Sample) -> Cost {
    let line = |group: &str, stage: &str, model: &str, settled: i64, micros, currency: &str| CostLine {
        group_id: group.to_owned(),
        stage: stage.to_owned(),
        model: model.to_owned(),
        settled,
        failed: settled / 40,
        unknown: settled % 3,
        tokens_in: settled * 3_912,
        tokens_out: settled * 411,
        cost_micros: micros,
        currency: currency.to_owned(),
    };
    let (year, month) = if sample.query.is_ascii() { (2026, 3) } else { (2026, 4) };
    Cost {
        year,
        month,
        lines: vec![
            line(&sample.group, "writer", "gigachat-2", 212, 41_300_000, "RUB"),
            line("board", "writer", "gpt-5-mini", 61, 1_902_400, "USD"),
            line("on-call", "writer", "llama-3.3", 34, 0, ""),
        ],
    }
}

fn audit(sample: &Sample) -> Audit {
    let line =
        |seq: i64, actor: &str, action: &str, subject: &str, (before, after): (&str, &str)| AuditLine {
            seq,
            at_ms: sample.now_ms - (10 - seq) * 4_000_000,
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        };
    Audit {
        days: 30,
        entries: vec![
            line(
                3,
                "maria",
                "group set",
                &sample.group,
                (r#"{"window_hours":[24]}"#, r#"{"window_hours":[4,24]}"#),
            ),
            line(
                2,
                "ops",
                "delivery resolve",
                "6f0c2c0e-6d3b-5d0c-9a43-3a6f1a4d7b11",
                ("", r#"{"message":412}"#),
            ),
            line(1, "ops", "dlq replay", "9f2c61a07be4d318", ("", r#"{"replayed":12471}"#)),
        ],
    }
}
