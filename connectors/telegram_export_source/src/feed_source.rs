//! Lines of a feed: an import from standard input, or the live lane.
//!
//! Invariant: a batch that was given once is given again unchanged when the position goes back, for a pipe cannot
//! be read twice. What a restart of the process needs is in the README.

use crate::{
    batch::{self, Origin},
    clock::{Clock, SystemClock},
    draft::Item,
    error::Error,
    feed::{Feed, Next},
    feed_position::FeedPosition,
    line,
    lines::Line,
    meter::{Damage, Meter, Phase},
    options::FeedOptions,
    repair::Counts,
};
use processor::PortSpec;
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{LIVE_LANE, lane_id};
use state::{Given, State};
use std::{collections::VecDeque, time::Duration};

/// Batches that can be given again; the runtime goes back by one.
const GIVEN_MAX: usize = 4;
/// How long a call waits for a line.
const LINE_WAIT: Duration = Duration::from_millis(200);
/// How soon to ask again: a call has waited already.
const IDLE: Duration = Duration::from_millis(1);

/// Reads lines as they come.
#[derive(Debug)]
pub struct FeedSource<C = SystemClock> {
    name: String,
    origin: Origin,
    follow: bool,
    skip_damaged: bool,
    /// The feed starts again with the process, so committed lines come again.
    starts_again: bool,
    clock: C,
    meter: Meter,
    feed: Feed,
    wait: Duration,
    /// `None` until the first call has told where to go on.
    state: Option<State>,
    given: VecDeque<Given>,
}

impl FeedSource {
    /// Listens to standard input or to a growing file. Takes lines from now on, gives them from the first call on.
    pub fn open(options: &FeedOptions, meter: Meter) -> Result<Self, Error> {
        let feed = match &options.path {
            None => Feed::until_end(std::io::stdin()),
            Some(path) => Feed::growing(path).map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => Error::Missing { path: options.name() },
                _ => Error::Unreadable { path: options.name(), source },
            })?,
        };
        Self::listen(options, meter, feed, SystemClock)
    }
}

impl<C: Clock> FeedSource<C> {
    pub(crate) fn listen(options: &FeedOptions, meter: Meter, feed: Feed, clock: C) -> Result<Self, Error> {
        let identity = options.identity()?;
        let lane = if options.follow { LIVE_LANE.to_owned() } else { lane_id(&identity) };
        meter.update(|snapshot| snapshot.phase = Phase::Reading);
        Ok(Self {
            name: options.name(),
            origin: Origin { group: options.group.clone(), lane, identity },
            follow: options.follow,
            skip_damaged: options.skip_damaged,
            starts_again: options.id.is_some(),
            clock,
            meter,
            feed,
            wait: LINE_WAIT,
            state: None,
            given: VecDeque::new(),
        })
    }

    /// Waits no longer than this for a line.
    #[cfg(test)]
    pub(crate) fn waiting(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// Where to go on, or a batch to give again.
    fn resume(&mut self, from: &FeedPosition) -> Result<Option<SourceBatch>, SourceError> {
        let Some(state) = &self.state else {
            // A pipe that does not start again goes on after what is committed; one that does, before it.
            let passed = if self.starts_again { FeedPosition::default() } else { from.clone() };
            self.state = Some(State::resumed(passed, from));
            return Ok(None);
        };
        if state.before == *from {
            return Ok(None);
        }
        if let Some(again) = self.given.iter().find(|given| given.before == *from) {
            let emissions = batch::emit(again.records.iter().cloned());
            return Ok(Some(SourceBatch::Records { emissions, position: again.after.position()? }));
        }
        if from.lines < state.after.lines {
            return Err(Error::OtherFeed { path: self.name.clone(), what: "it went back too far" }.into());
        }
        // Another process has read the feed meanwhile, and got further.
        self.state = Some(State::resumed(state.after.clone(), from));
        self.given.clear();
        Ok(None)
    }

    /// Passes over committed lines; false when they are not all there yet.
    async fn pass_over(&mut self) -> Result<bool, Error> {
        let Some(state) = &mut self.state else { return Ok(true) };
        while state.passed.lines < state.committed.lines {
            match self.feed.next(self.wait).await {
                Next::Line(line) => state.passed.pass(&line),
                Next::Nothing => return Ok(false),
                Next::End => {
                    return Err(Error::OtherFeed {
                        path: self.name.clone(),
                        what: "it is shorter than what was read",
                    });
                }
                Next::Failed(source) => return Err(Error::Unreadable { path: self.name.clone(), source }),
            }
            if state.passed.lines == state.committed.lines && state.passed.digest != state.committed.digest {
                return Err(Error::OtherFeed { path: self.name.clone(), what: "its first lines differ" });
            }
        }
        Ok(true)
    }

    /// Reads lines until the batch is to be given; false when there is nothing to do but wait.
    async fn fill(&mut self) -> bool {
        let now = self.clock.now_ms();
        if let Some(state) = &mut self.state {
            state.silence.begin(now);
        }
        let mut is_idle = false;
        while let Some(state) = &self.state
            && !(state.batch.is_full() || state.is_over || state.failure.is_some() || is_idle)
        {
            // A live batch goes out as soon as no line is waiting; that of an import is cut by its content alone.
            let flushes = self.follow && state.after.lines > state.before.lines;
            match self.feed.next(if flushes { Duration::ZERO } else { self.wait }).await {
                Next::Line(line) => self.take(&line),
                Next::Nothing => is_idle = true,
                Next::End => self.end(),
                Next::Failed(source) => self.fail(Error::Unreadable { path: self.name.clone(), source }),
            }
        }
        if is_idle && self.follow {
            self.mark();
        }
        !is_idle || self.follow
    }

    fn take(&mut self, line: &Line) {
        let now = self.clock.now_ms();
        let Some(state) = &mut self.state else { return };
        state.silence.end(now);
        let at = state.after.lines;
        let mut slips = Counts::new();
        let item = match line::parse(line, &mut slips) {
            Ok(item) => item,
            Err(_) if self.follow => Some(Item::Skipped("bad_line")),
            Err(bad) if self.skip_damaged => Some(Item::Damaged(Damage::of_line(at + 1, bad.0))),
            Err(bad) => {
                let consequence = "the lines before it are imported; correct it or give --skip-damaged, \
                                   and feed all again with the same --id";
                let (path, line, what) = (self.name.clone(), at + 1, bad.0);
                return self.fail(Error::BadLine { path, line, what, consequence });
            }
        };
        state.after.pass(line);
        let Some(item) = item else { return };
        self.meter.update(|snapshot| {
            snapshot.bytes_done += line.taken;
            snapshot.summary.bytes = snapshot.bytes_done;
            snapshot.summary.count(&item);
            snapshot.summary.repair(&slips);
            snapshot.summary.given = snapshot.summary.read;
        });
        match &item {
            Item::Message(draft) => {
                if draft.message.sent_at < crate::date::FUTURE_FROM_MS {
                    state.after.newest = state.after.newest.max(draft.message.sent_at);
                }
                state.after.heard(now);
            }
            Item::CompleteUntil(_) => state.after.feed_marks = true,
            Item::Topic(_) | Item::Skipped(_) | Item::Damaged(_) => {}
        }
        let observed_at = if self.follow { now } else { state.after.newest };
        batch::push(&mut state.batch, &self.origin, (at, observed_at), item);
    }

    fn mark(&mut self) {
        let now = self.clock.now_ms();
        if let Some(state) = &mut self.state
            && state.after.is_mark_due(now, state.silence.since(now))
        {
            state.after.marked_at = now;
            state.silence.marked();
            state.batch.control(&self.origin, &format!("mark:{now}"), now, now);
        }
    }

    fn end(&mut self) {
        let Some(state) = &mut self.state else { return };
        state.is_over = true;
        if !self.follow {
            state.after.is_ended = true;
            state.batch.end(&self.origin, state.after.newest);
        }
    }

    fn fail(&mut self, error: Error) {
        if let Some(state) = &mut self.state {
            state.failure = Some(error);
        }
    }

    /// Gives what was read; remembers it in case it is asked for again.
    fn give(&mut self) -> Result<SourceBatch, SourceError> {
        let Some(state) = &mut self.state else { return Ok(SourceBatch::Idle(IDLE)) };
        if state.after == state.before {
            if let Some(failure) = state.failure.take() {
                return Err(failure.into());
            }
            if state.is_over {
                self.meter.update(|snapshot| snapshot.phase = Phase::Done);
                return Ok(SourceBatch::End);
            }
            return Ok(SourceBatch::Idle(IDLE));
        }
        let records = std::mem::take(&mut state.batch).finish(&self.origin);
        let before = std::mem::replace(&mut state.before, state.after.clone());
        let after = state.after.clone();
        let position = after.position()?;
        let emissions = batch::emit(records.iter().cloned());
        if self.given.len() == GIVEN_MAX {
            self.given.pop_front();
        }
        self.given.push_back(Given { before, records, after });
        Ok(SourceBatch::Records { emissions, position })
    }
}

impl<C: Clock> Source for FeedSource<C> {
    const NAME: &'static str = crate::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        crate::ports()
    }

    fn identity(&self) -> String {
        self.origin.identity.clone()
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        let from = FeedPosition::parse(position)?;
        if from.is_ended {
            self.meter.update(|snapshot| snapshot.phase = Phase::Done);
            return Ok(SourceBatch::End);
        }
        if let Some(again) = self.resume(&from)? {
            return Ok(again);
        }
        if !self.pass_over().await? || !self.fill().await {
            return Ok(SourceBatch::Idle(IDLE));
        }
        self.give()
    }
}

mod state;
#[cfg(test)]
mod tests;
