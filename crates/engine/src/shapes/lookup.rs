//! Shape 2: questions asked on the async side, answered in any order, emitted in the log's.

use super::{
    Inlet, Took, admitted,
    outlet::{Outlet, Witness},
    took::Round,
};
use crate::exactly_once::{
    log::{OwnedRecord, RecordView},
    shape::{Accepted, Fate, Shape},
};
use crossbeam_channel::{Receiver, Sender, unbounded};
use processor::{Event, Lookup, Outcome, Reject, Request, Response, Step};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::AbortHandle;

/// Answers requests; waits and retries inside until there is an answer, however long a dependency is away.
pub trait Clients: Send + Sync + 'static {
    /// One response per request, in order; `awaited` is told what they wait for.
    fn answer(&self, requests: Vec<Request>, awaited: Awaited) -> Answering<'_>;
}

/// Responses on their way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Vec<Response>> + Send + 'a>>;

/// What an answer waits for, in words for people, and whether that has failed.
#[derive(Debug, Clone, Default)]
pub struct Awaited(Arc<Mutex<(Option<String>, bool)>>);

impl Awaited {
    /// From now on it waits for this, which will come in its time.
    pub fn is(&self, what: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(what), false);
    }

    /// An attempt failed so; from now on it waits for another.
    pub fn has_failed(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (Some(why), true);
    }

    /// What it waits for, as far as is known.
    pub fn what(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn is_failing(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// What a task brings back: where, and the processor's decision.
struct Decided {
    partition: i32,
    offset: i64,
    /// Which stay on the partition asked; answers for an earlier one are void.
    generation: u64,
    /// None when the processor panicked.
    result: Option<Result<Outcome, Reject>>,
    took: Took,
}

/// Tells the loop also of a question that ended in a panic, which the async side would swallow.
struct Answer {
    sender: Sender<Decided>,
    decided: Option<Decided>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(decided) = self.decided.take() {
            // The receiver is gone only when the loop has ended: then nobody wants the answer.
            drop(self.sender.send(decided));
        }
    }
}

/// An input whose answer is awaited; its question is taken back when this is dropped.
struct Waiting {
    /// Kept whole for a dead letter.
    input: OwnedRecord,
    question: AbortHandle,
    awaited: Awaited,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.question.abort();
    }
}

/// A Lookup fitted to the engine. Bounded by the engine, which stops reading at its in-flight limit.
pub struct LookupShape<P: Lookup> {
    lookup: Arc<P>,
    inlet: Inlet<P::In>,
    outlet: Outlet,
    clients: Arc<dyn Clients>,
    tasks: tokio::runtime::Handle,
    sender: Sender<Decided>,
    receiver: Receiver<Decided>,
    /// Inputs whose answers are awaited, by partition and offset.
    waiting: BTreeMap<(i32, i64), Waiting>,
    generation: u64,
    generations: BTreeMap<i32, u64>,
}

impl<P: Lookup> std::fmt::Debug for LookupShape<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LookupShape").finish_non_exhaustive()
    }
}

impl<P: Lookup> LookupShape<P> {
    /// A Lookup whose questions `clients` answer, on the runtime of `tasks`.
    pub fn new(
        lookup: Arc<P>,
        inlet: Inlet<P::In>,
        outlet: Outlet,
        clients: Arc<dyn Clients>,
        tasks: tokio::runtime::Handle,
    ) -> Self {
        let (sender, receiver) = unbounded();
        Self {
            lookup,
            inlet,
            outlet,
            clients,
            tasks,
            sender,
            receiver,
            waiting: BTreeMap::new(),
            generation: 0,
            generations: BTreeMap::new(),
        }
    }

    fn ask(
        &mut self,
        event: Event<P::In>,
        record: &RecordView<'_>,
        cursor: P::Cursor,
        requests: Vec<Request>,
    ) {
        let (partition, offset) = (record.partition, record.offset);
        let generation = self.generations.get(&partition).copied().unwrap_or_default();
        let (lookup, clients, sender) =
            (Arc::clone(&self.lookup), Arc::clone(&self.clients), self.sender.clone());
        let (awaited, witness) = (Awaited::default(), Arc::clone(&self.outlet.witness));
        let asked = awaited.clone();
        let question = self.tasks.spawn(async move {
            let began = witness.now();
            let decided = Decided { partition, offset, generation, result: None, took: Took::default() };
            let mut answer = Answer { sender, decided: Some(decided) };
            let (asked, mut took) = ((clients.as_ref(), asked), Took::default());
            let timed = (witness.as_ref(), &mut took);
            let result = rounds(lookup.as_ref(), asked, timed, &event, (cursor, requests)).await;
            took.work = witness.now().saturating_sub(began);
            answer.decided = Some(Decided { partition, offset, generation, result: Some(result), took });
        });
        let waiting = Waiting { input: record.detach(), question: question.abort_handle(), awaited };
        self.waiting.insert((partition, offset), waiting);
    }
}

async fn rounds<P: Lookup>(
    lookup: &P,
    (clients, awaited): (&dyn Clients, Awaited),
    (witness, took): (&dyn Witness, &mut Took),
    event: &Event<P::In>,
    (mut cursor, mut requests): (P::Cursor, Vec<Request>),
) -> Result<Outcome, Reject> {
    for _ in 0..P::ROUNDS_MAX {
        let (round, asked_at) = (Round::of(&requests), witness.now());
        let responses = clients.answer(requests, awaited.clone()).await;
        took.add(round, witness.now().saturating_sub(asked_at));
        match lookup.resume(event, cursor, responses) {
            Step::Done(result) => return result,
            Step::Ask(next_cursor, next_requests) => (cursor, requests) = (next_cursor, next_requests),
        }
    }
    Err(Reject::new("too_many_rounds", format!("no decision after {} rounds of questions", P::ROUNDS_MAX)))
}

impl<P: Lookup> Shape for LookupShape<P> {
    fn accept(&mut self, record: &RecordView<'_>) -> Accepted {
        let event = match admitted(&mut self.inlet, &self.outlet, record) {
            Ok(event) => event,
            Err(accepted) => return accepted,
        };
        let began = self.outlet.witness.now();
        match self.lookup.begin(&event) {
            Step::Done(result) => Accepted::Done(self.outlet.ended(result, record, began)),
            Step::Ask(cursor, requests) => {
                self.ask(event, record, cursor, requests);
                Accepted::Pending
            }
        }
    }

    fn completed(&mut self) -> Option<(i32, i64, Fate)> {
        while let Ok(decided) = self.receiver.try_recv() {
            let current = self.generations.get(&decided.partition).copied().unwrap_or_default();
            if decided.generation != current {
                continue;
            }
            let Some(result) = decided.result else {
                // A defect: the process dies with the offset uncommitted, as when any other shape panics.
                std::panic::resume_unwind(Box::new("a lookup panicked"));
            };
            if let Some(waiting) = self.waiting.remove(&(decided.partition, decided.offset)) {
                let fate = self.outlet.measured(result, &waiting.input.view(), decided.took);
                return Some((decided.partition, decided.offset, fate));
            }
        }
        None
    }

    fn in_flight(&self) -> usize {
        self.waiting.len()
    }

    fn waits_for(&self, partition: i32, offset: i64) -> Option<String> {
        self.waiting.get(&(partition, offset))?.awaited.what()
    }

    fn is_failing(&self, partition: i32, offset: i64) -> bool {
        self.waiting.get(&(partition, offset)).is_some_and(|waiting| waiting.awaited.is_failing())
    }

    fn forget(&mut self, partitions: &[i32]) {
        self.generation += 1;
        for partition in partitions {
            self.generations.insert(*partition, self.generation);
        }
        self.waiting.retain(|(partition, _), _| !partitions.contains(partition));
    }
}
