//! Which records hold the messages of a window: the span of the window is linked to theirs.
//!
//! Invariant: the state of a window does not name them, so that they are remembered beside it, while spans are sent and as
//! far as the bounds go; of a window it is said how many of its messages no link leads to.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use processor::AnyRecord;
use schemas::{GroupMessageIngested, GroupWindowReady, Record};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
};

/// The unit that makes windows of messages.
const WINDOWS: &str = "window_builder";
/// Messages that a process remembers, the newest: some 10 MB with their records.
const MESSAGES_MAX: usize = 200_000;

/// Partition and offset.
type At = (i32, i64);

/// A record of messages.
#[derive(Debug)]
struct Held {
    trace: TraceId,
    span: SpanId,
    /// When each was sent, and its id.
    messages: Vec<(i64, i64)>,
}

#[derive(Debug, Default)]
struct Remembered {
    groups: BTreeMap<String, BTreeMap<At, Held>>,
    /// In the order in which they came.
    order: VecDeque<(String, At)>,
    messages: usize,
}

/// What has been read.
#[derive(Debug)]
pub(super) struct Messages {
    remembered: Mutex<Remembered>,
    most: usize,
}

impl Default for Messages {
    fn default() -> Self {
        Self::at_most(MESSAGES_MAX)
    }
}

/// The spans of records that hold a window's messages, the newest first.
#[derive(Debug, PartialEq)]
pub(super) struct OfWindow {
    pub(super) spans: Vec<SpanContext>,
    /// Messages of the window that are in none of them.
    pub(super) unlinked: i64,
}

impl Messages {
    pub(super) fn at_most(most: usize) -> Self {
        Self { remembered: Mutex::default(), most }
    }

    /// Takes in what a unit has read, if windows are made of it; a record that is read again takes its own place.
    pub(super) fn read(
        &self,
        unit: &str,
        at: At,
        record: &dyn AnyRecord,
        span: impl FnOnce() -> Option<SpanContext>,
    ) {
        let Some(ingested) = record.as_any().downcast_ref::<GroupMessageIngested>() else { return };
        if unit != WINDOWS || ingested.messages.is_empty() {
            return;
        }
        let Some(span) = span() else { return };
        let messages: Vec<_> =
            ingested.messages.iter().map(|message| (message.sent_at, message.id)).collect();
        let held = Held { trace: span.trace_id(), span: span.span_id(), messages };
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.take(Record::key(ingested), at, held);
        remembered.forget_down_to(self.most);
    }

    /// What a window is linked to besides `cause`, at most so many; none for another record.
    pub(super) fn of_window(
        &self,
        output: &dyn AnyRecord,
        cause: Option<&SpanContext>,
        most: usize,
    ) -> Option<OfWindow> {
        let ready = output.as_any().downcast_ref::<GroupWindowReady>()?;
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut spans, mut linked) = (Vec::new(), BTreeSet::new());
        for held in
            remembered.groups.get(&Record::key(ready)).into_iter().flat_map(|held| held.values().rev())
        {
            let inside =
                |(sent_at, _): &&(i64, i64)| (ready.window_start..ready.window_end).contains(sent_at);
            let mut inside = held.messages.iter().filter(inside).peekable();
            if inside.peek().is_none() {
                continue;
            }
            let is_cause = cause.is_some_and(|it| (it.trace_id(), it.span_id()) == (held.trace, held.span));
            if !is_cause && spans.len() >= most {
                break;
            }
            linked.extend(inside.map(|(_, id)| *id));
            if !is_cause {
                spans.push(held.context());
            }
        }
        let linked = i64::try_from(linked.len()).unwrap_or(i64::MAX);
        Some(OfWindow { spans, unlinked: i64::from(ready.message_count).saturating_sub(linked).max(0) })
    }
}

impl Remembered {
    fn take(&mut self, group: String, at: At, held: Held) {
        self.messages += held.messages.len();
        let before = self.groups.entry(group.clone()).or_default().insert(at, held);
        match before {
            Some(before) => self.messages -= before.messages.len(),
            None => self.order.push_back((group, at)),
        }
    }

    fn forget_down_to(&mut self, most: usize) {
        while self.messages > most
            && let Some((group, at)) = self.order.pop_front()
        {
            let Some(held) = self.groups.get_mut(&group) else { continue };
            self.messages -= held.remove(&at).map_or(0, |held| held.messages.len());
            if held.is_empty() {
                self.groups.remove(&group);
            }
        }
    }
}

impl Held {
    fn context(&self) -> SpanContext {
        SpanContext::new(self.trace, self.span, TraceFlags::SAMPLED, true, TraceState::default())
    }
}
