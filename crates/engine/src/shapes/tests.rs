//! Records that lie elsewhere than their group, offered to each side of a topic: its owner and the others.

use super::{
    Inlet, ProcessorShape,
    fixtures::{self, Nobody, SCHEMA_ID, decoder},
    fold::FoldShape,
    outlet::{Bound, Outlet},
};
use crate::{
    dead_letter::Origin,
    exactly_once::{
        log::{OutRecord, OwnedRecord, RecordView},
        shape::{Accepted, Fate, Shape},
    },
    replayed::{FOR_ANOTHER, REPLAY_FOR},
    wire_check::Placement,
};
use processor::{Event, Fold, FoldState, Outcome, Port, PortSpec, Processor, Reject, StateError};
use schemas::{DigestDlq, DigestPersisted, Encoder, Fingerprint, GroupMessageIngested, Record};
use std::{collections::BTreeMap, sync::Arc};

const PARTITIONS: i32 = 4;
const PLACEMENT: Placement = Placement { partitions: PARTITIONS };
const PERSISTED: Port<DigestPersisted> = Port::new("persisted");
const DEAD_LETTERS: Port<DigestDlq> = Port::new("dead_letters");

/// Says how many records of the key it has seen, as an offset.
struct Counting;

#[derive(Default)]
struct Count(i64);

impl FoldState for Count {
    fn drain_changes(&mut self, _: &mut dyn FnMut(&str, Option<Vec<u8>>)) {}
    fn restore(&mut self, _: &str, _: &[u8]) -> Result<(), StateError> {
        Ok(())
    }
}

impl Fold for Counting {
    const NAME: &'static str = "counting";
    const STATE_VERSION: u32 = 1;
    type In = GroupMessageIngested;
    type State = Count;

    fn ports(&self) -> Vec<PortSpec> {
        vec![PERSISTED.spec()]
    }

    fn step(&self, state: &mut Count, event: &Event<GroupMessageIngested>) -> Result<Outcome, Reject> {
        state.0 += 1;
        let (tenant_id, group_id) = (event.value.tenant_id.clone(), event.value.group_id.clone());
        Ok(Outcome::Emit(vec![PERSISTED.emit(DigestPersisted {
            tenant_id,
            group_id,
            digest_id: state.0.to_string(),
            ..persisted()
        })]))
    }
}

/// Drops everything.
struct Dropping;

impl Processor for Dropping {
    const NAME: &'static str = "dropping";
    type In = GroupMessageIngested;

    fn ports(&self) -> Vec<PortSpec> {
        Vec::new()
    }

    fn process(&self, _: &Event<GroupMessageIngested>) -> Result<Outcome, Reject> {
        Ok(Outcome::drop("seen"))
    }
}

fn persisted() -> DigestPersisted {
    let example = include_str!("../../../../schemas/examples/digest.persisted.v1/without_topics.json");
    serde_json::from_str(example).expect("an example")
}

fn bound(port: &PortSpec) -> Bound {
    fixtures::bound(port.name, port, PLACEMENT, 1 << 20)
}

fn outlet(is_dlq_owner: bool) -> Outlet {
    let topic: Arc<str> = GroupMessageIngested::TYPE.into();
    Outlet {
        origin: Origin { stage: "stage", topic: Arc::clone(&topic), physical: topic, group: "group".into() },
        ports: BTreeMap::from([(PERSISTED.spec().name, bound(&PERSISTED.spec()))]),
        dead_letters: bound(&DEAD_LETTERS.spec()),
        is_dlq_owner,
        witness: Arc::new(Nobody),
    }
}

fn inlet() -> Inlet<GroupMessageIngested> {
    fixtures::inlet(GroupMessageIngested::TYPE, PLACEMENT)
}

/// A record of group `acme/qa`.
fn ingested(key: Option<&[u8]>, partition: i32) -> OwnedRecord {
    let value = GroupMessageIngested {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        ..GroupMessageIngested::default()
    };
    let mut bytes = Vec::new();
    Encoder::new(SCHEMA_ID).and_then(|encoder| encoder.encode(&value, &mut bytes)).expect("encodes");
    OwnedRecord {
        partition,
        offset: 9,
        timestamp_ms: 1,
        key: key.map(<[u8]>::to_vec),
        value: Some(bytes),
        headers: Vec::new(),
    }
}

fn fate(shape: &mut impl Shape, record: &RecordView<'_>) -> Fate {
    match shape.accept(record) {
        Accepted::Done(fate) => fate,
        other => panic!("{other:?}"),
    }
}

fn letter(record: &OutRecord) -> DigestDlq {
    let mut decoder = decoder::<DigestDlq>();
    decoder.decode(record.value.as_deref()).expect("a dead letter")
}

fn home() -> i32 {
    PLACEMENT.partition(b"acme/qa")
}

/// A record with another key and one in another partition, with the reason of each.
fn elsewhere() -> [(OwnedRecord, &'static str); 3] {
    [
        (ingested(Some(b"some/one"), home()), "wrong_key"),
        (ingested(None, home()), "wrong_key"),
        (ingested(Some(b"acme/qa"), (home() + 1) % PARTITIONS), "wrong_partition"),
    ]
}

#[test]
fn the_owner_dead_letters_what_lies_elsewhere_and_others_leave_it_to_the_owner() {
    let shape = |is_dlq_owner| ProcessorShape {
        processor: Arc::new(Dropping),
        inlet: inlet(),
        outlet: outlet(is_dlq_owner),
    };
    let (mut owner, mut other) = (shape(true), shape(false));
    for (record, reason) in elsewhere() {
        let left = fate(&mut other, &record.view());
        let Fate::LeftToOwner(kind) = &left else { panic!("{left:?}") };
        assert_eq!((kind.reason, left.label()), (reason, ("drop", "rejected_by_owner")));
        let rejected = fate(&mut owner, &record.view());
        // However many they are: one producer must not stop everybody's readers.
        assert!(
            left.rejection().is_none() && rejected.rejection().is_none(),
            "the guard looks for faults of ours"
        );
        let Fate::DeadLetter(record, found) = rejected else { panic!("{reason}") };
        assert_eq!(found.reason, reason);
        let letter = letter(&record);
        assert_eq!((letter.error_class.as_str(), letter.next_action.as_str()), (reason, "investigate"));
        assert_eq!(
            (letter.fingerprint.as_str(), found.fingerprint),
            (&*found.fingerprint.to_string(), Fingerprint::of_letter(&letter))
        );
        assert!(letter.error.contains("partitioner=murmur2_random"), "{}", letter.error);
        // Whose it is says the payload, also where the key says otherwise.
        assert_eq!((letter.tenant_id.as_str(), letter.group_id.as_str()), ("acme", "qa"));
        assert_eq!((record.key.as_slice(), record.partition), (&b"acme/qa"[..], Some(home())));
    }
    assert_eq!(fate(&mut owner, &ingested(Some(b"acme/qa"), home()).view()), Fate::Drop("seen"));
    let unreadable = OwnedRecord { value: None, ..ingested(Some(b"acme/qa"), home()) };
    assert!(fate(&mut owner, &unreadable.view()).rejection().is_some());
}

#[test]
fn a_fold_sees_nothing_of_a_group_that_lies_elsewhere() {
    let mut shape = FoldShape::new(Arc::new(Counting), inlet(), outlet(true), "snapshots".into());
    for (record, reason) in elsewhere() {
        assert!(
            matches!(fate(&mut shape, &record.view()), Fate::DeadLetter(_, found) if found.reason == reason)
        );
    }
    let Fate::Emit(records) = fate(&mut shape, &ingested(Some(b"acme/qa"), home()).view()) else {
        panic!("emits")
    };
    let mut decoder = decoder::<DigestPersisted>();
    let counted = decoder.decode(records[0].value.as_deref()).expect("decodes");
    assert_eq!((counted.digest_id.as_str(), records[0].partition), ("1", Some(home())));
}

#[test]
fn what_was_written_again_for_another_reader_is_dropped_unread() {
    let again = |group: &str, record: OwnedRecord| {
        let headers = vec![(REPLAY_FOR.to_owned(), Some(group.as_bytes().to_vec()))];
        OwnedRecord { headers, ..record }
    };
    let dropped = Fate::Drop(FOR_ANOTHER);
    let own = outlet(true).origin.group.to_string();
    let mut shape = ProcessorShape { processor: Arc::new(Dropping), inlet: inlet(), outlet: outlet(true) };
    let good = || ingested(Some(b"acme/qa"), home());
    assert_eq!(fate(&mut shape, &again("another", good()).view()), dropped);
    assert_eq!(fate(&mut shape, &again(&own, good()).view()), Fate::Drop("seen"));
    assert_eq!(fate(&mut shape, &again("*", good()).view()), Fate::Drop("seen"));
    // Of what is another's no dead letter is made either.
    assert_eq!(fate(&mut shape, &again("another", ingested(None, home())).view()), dropped);
    let mut fold = FoldShape::new(Arc::new(Counting), inlet(), outlet(true), "snapshots".into());
    assert_eq!(fate(&mut fold, &again("another", good()).view()), dropped);
    let Fate::Emit(records) = fate(&mut fold, &again(&own, good()).view()) else { panic!("emits") };
    let mut decoder = decoder::<DigestPersisted>();
    let counted = decoder.decode(records[0].value.as_deref()).expect("decodes");
    assert_eq!(counted.digest_id, "1", "the state has seen what is its own alone");
}

#[test]
fn a_letter_of_what_was_written_again_tells_how_often() {
    let headers =
        vec![("replay_count".to_owned(), Some(b"2".to_vec())), (REPLAY_FOR.to_owned(), Some(b"*".to_vec()))];
    let record = OwnedRecord { headers, ..ingested(None, home()) };
    let mut shape = ProcessorShape { processor: Arc::new(Dropping), inlet: inlet(), outlet: outlet(true) };
    let Fate::DeadLetter(record, _) = fate(&mut shape, &record.view()) else { panic!("a letter") };
    assert_eq!(letter(&record).retry_count, 2);
}
