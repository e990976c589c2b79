//! A stage that asks: what it waited for stands on the record of its beginning, and on no other.

use super::Took;
use crate::{
    dead_letter::Origin,
    exactly_once::{
        log::{OutRecord, OwnedRecord, RecordView},
        shape::{Accepted, Fate, Shape},
    },
    shapes::{
        fixtures::{self, SCHEMA_ID},
        lookup::{Answering, Awaited, Clients, LookupShape},
        outlet::{Outlet, Witness},
    },
    wire_check::Placement,
};
use processor::{
    Emission, Event, Lookup, MessagesAsOf, ModelAnswer, ModelQuestion, Moderated, ModerationQuestion,
    Outcome, Port, PortSpec, Request, Response, STARTED, Step,
};
use schemas::{DigestGenerateRequested, DigestPersisted, DigestStageStarted, Encoder, Record};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

const PERSISTED: Port<DigestPersisted> = Port::new("persisted");
const DEAD_LETTERS: Port<schemas::DigestDlq> = Port::new("dead_letters");
const PLACEMENT: Placement = Placement { partitions: 1 };

fn started() -> DigestStageStarted {
    let text = include_str!("../../../../../schemas/examples/digest.stage.started.v1/synthesis.json");
    serde_json::from_str(text).expect("an example")
}

fn persisted() -> DigestPersisted {
    let text = include_str!("../../../../../schemas/examples/digest.persisted.v1/without_topics.json");
    serde_json::from_str(text).expect("an example")
}

/// Asks Postgres, then a model, then who judges, and thinks for a moment after each.
struct Asking(Clock);

/// Time that passes only when somebody says so; what has been told of work.
#[derive(Clone, Default)]
struct Clock(Arc<Mutex<(Duration, Vec<Took>)>>);

impl Clock {
    fn pass(&self, ms: u64) {
        self.0.lock().expect("a clock").0 += Duration::from_millis(ms);
    }
}

impl Witness for Clock {
    fn now(&self) -> Duration {
        self.0.lock().expect("a clock").0
    }

    fn made(&self, _: &'static str, _: &RecordView<'_>, _: &[Emission], took: Took) {
        self.0.lock().expect("a clock").1.push(took);
    }
}

impl Lookup for Asking {
    const NAME: &'static str = "asking";
    type In = DigestGenerateRequested;
    type Cursor = u8;

    fn ports(&self) -> Vec<PortSpec> {
        vec![STARTED.spec(), PERSISTED.spec()]
    }

    fn begin(&self, event: &Event<DigestGenerateRequested>) -> Step<u8> {
        let DigestGenerateRequested { tenant_id, group_id, .. } = event.value.clone();
        let (start_ms, end_ms, partition, offset) = (0, 1, 0, 0);
        let question =
            MessagesAsOf { tenant_id, group_id, start_ms, end_ms, partition, offset, whole: false };
        Step::Ask(0, vec![Request::Messages(question)])
    }

    fn resume(&self, event: &Event<DigestGenerateRequested>, cursor: u8, _: Vec<Response>) -> Step<u8> {
        self.0.pass(1);
        let DigestGenerateRequested { tenant_id, group_id, .. } = event.value.clone();
        match cursor {
            0 => Step::Ask(1, vec![Request::Model(question(tenant_id, group_id))]),
            1 => {
                let texts = vec!["text".to_owned()];
                let judged = ModerationQuestion { tenant_id, group_id, stage: "asking", texts };
                Step::Ask(2, vec![Request::Moderation(judged)])
            }
            _ => Step::Done(Ok(Outcome::Emit(vec![STARTED.emit(started()), PERSISTED.emit(persisted())]))),
        }
    }
}

fn question(tenant_id: String, group_id: String) -> ModelQuestion {
    ModelQuestion {
        tenant_id,
        group_id,
        user_id: None,
        paid_before: None,
        stage: "asking",
        prompt: "asking/1",
        system: String::new(),
        turns: Vec::new(),
        schema: "{}",
        output_tokens_max: 1,
    }
}

/// Answers after 7 ms for Postgres, 30 for a model, 5 for a judgement.
struct Answers(Clock);

impl Clients for Answers {
    fn answer(&self, requests: Vec<Request>, _: Awaited) -> Answering<'_> {
        let answer = |request: &Request| match request {
            Request::Model(_) => (30, Response::Model(ModelAnswer::Off)),
            Request::Moderation(_) => (5, Response::Moderation(Moderated::Off)),
            _ => (7, Response::Messages(Vec::new())),
        };
        let clock = self.0.clone();
        Box::pin(async move {
            let answers: Vec<_> = requests.iter().map(answer).collect();
            clock.pass(answers.iter().map(|(ms, _)| *ms).max().unwrap_or_default());
            answers.into_iter().map(|(_, response)| response).collect()
        })
    }
}

fn outlet(clock: &Clock) -> Outlet {
    let bound = |spec: PortSpec| fixtures::bound(spec.name, &spec, PLACEMENT, 1 << 20);
    let topic: Arc<str> = DigestGenerateRequested::TYPE.into();
    Outlet {
        origin: Origin { stage: "asking", topic: Arc::clone(&topic), physical: topic, group: "group".into() },
        ports: BTreeMap::from([
            (STARTED.spec().name, bound(STARTED.spec())),
            (PERSISTED.spec().name, bound(PERSISTED.spec())),
        ]),
        dead_letters: bound(DEAD_LETTERS.spec()),
        is_dlq_owner: true,
        witness: Arc::new(clock.clone()),
    }
}

fn requested() -> OwnedRecord {
    let text = include_str!("../../../../../schemas/examples/digest.generate.requested.v1/scheduled.json");
    let value: DigestGenerateRequested = serde_json::from_str(text).expect("an example");
    let mut bytes = Vec::new();
    Encoder::new(SCHEMA_ID).and_then(|encoder| encoder.encode(&value, &mut bytes)).expect("encodes");
    let key = Some(Record::key(&value).into_bytes());
    OwnedRecord { partition: 0, offset: 9, timestamp_ms: 1, key, value: Some(bytes), headers: Vec::new() }
}

/// Headers of a record that tell times, by name.
fn times(record: &OutRecord) -> BTreeMap<&str, &str> {
    let headers = record.headers.iter();
    let text = headers.map(|(name, value)| (*name, std::str::from_utf8(value).expect("text")));
    text.filter(|(name, _)| name.ends_with("ms")).collect()
}

#[test]
fn what_a_stage_waited_for_stands_on_its_beginning_and_on_no_other_record() {
    let tasks = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let clock = Clock::default();
    let inlet = fixtures::inlet(DigestGenerateRequested::TYPE, PLACEMENT);
    let mut shape = LookupShape::new(
        Arc::new(Asking(clock.clone())),
        inlet,
        outlet(&clock),
        Arc::new(Answers(clock.clone())),
        tasks.handle().clone(),
    );
    let record = requested();
    assert!(matches!(shape.accept(&record.view()), Accepted::Pending));
    let completed = loop {
        tasks.block_on(tokio::task::yield_now());
        if let Some(completed) = shape.completed() {
            break completed;
        }
    };
    let (0, 9, Fate::Emit(records)) = completed else { panic!("{completed:?}") };
    let [began, told] = &records[..] else { panic!("{records:?}") };
    let expected = [("ce_lookupms", "7"), ("ce_modelms", "35"), ("ce_workms", "45")];
    assert_eq!(times(began), BTreeMap::from(expected));
    assert_eq!(times(told), BTreeMap::new(), "a replay has to give the same bytes");
    let ms = Duration::from_millis;
    let took = Took { work: ms(45), lookup: ms(7), model: ms(35) };
    assert_eq!(clock.0.lock().expect("a clock").1, [took]);
}
