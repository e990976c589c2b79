//! A second window builder, slow and simple, for tests to compare with: it keeps the whole log and reads it anew for
//! every revision.
//!
//! Invariant: nothing is shared with the Fold but where window bounds lie (which has a test of its own). Contents
//! come from [`as_of`] and nothing else.

mod content;
mod log;
mod window;

pub use content::Content;
pub use log::{LoggedMessage, as_of};

use content::Contents;
use window::{RecordPlace, Window};

use crate::{WindowBuilder, grid, settings::Epoch};
use processor::{Event, Outcome, Reject};
use schemas::{
    END_OF_LANE, GroupMessageIngested, GroupSettings, GroupWindowReady, Home, LIVE_LANE, Message, window_id,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the Fold has to make of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// These revisions, in this order; none when the record was only remembered.
    Emit(Vec<GroupWindowReady>),
    /// A drop for this reason.
    Drop(&'static str),
    /// A rejection for this reason.
    Reject(&'static str),
}

impl Expected {
    /// What the Fold made of a record, to compare with.
    pub fn of(result: &Result<Outcome, Reject>) -> Self {
        match result {
            Ok(Outcome::Emit(emissions)) => {
                Self::Emit(emissions.iter().filter_map(|emission| emission.downcast().cloned()).collect())
            }
            Ok(Outcome::Drop(drop)) => Self::Drop(drop.0),
            Err(reject) => Self::Reject(reject.reason),
        }
    }
}

/// The oracle over the records of any number of groups, each in the order of the log.
#[derive(Debug, Default)]
pub struct Oracle {
    options: WindowBuilder,
    groups: BTreeMap<(String, String), Group>,
}

#[derive(Debug)]
struct Group {
    log: Vec<LoggedMessage>,
    epochs: Vec<Epoch>,
    /// Sizes in force, and the settings since which they are.
    sizes: BTreeMap<i32, usize>,
    /// Newest stamp and promise of each lane.
    lanes: BTreeMap<String, (i64, i64)>,
    windows: Vec<Window>,
    /// Messages that created a topic, and messages that are known to belong to one.
    topics: BTreeSet<i64>,
    placed: BTreeSet<i64>,
}

impl Default for Group {
    fn default() -> Self {
        let first = Epoch::default();
        let sizes = first.settings.window_hours.iter().map(|size| (*size, 0)).collect();
        Self {
            log: Vec::new(),
            epochs: vec![first],
            sizes,
            lanes: BTreeMap::new(),
            windows: Vec::new(),
            topics: BTreeSet::new(),
            placed: BTreeSet::new(),
        }
    }
}

impl Oracle {
    /// An oracle for a Fold with these options.
    pub fn new(options: WindowBuilder) -> Self {
        Self { options, groups: BTreeMap::new() }
    }

    /// What the Fold has to make of the next record.
    pub fn step(&mut self, event: &Event<GroupMessageIngested>) -> Expected {
        let record = &event.value;
        let key = (record.tenant_id.clone(), record.group_id.clone());
        let group = self.groups.entry(key).or_default();
        if let Some(settings) = &record.settings {
            match Epoch::of(settings) {
                Ok(epoch) => group.adopt(epoch),
                Err(reject) => return Expected::Reject(reject.reason),
            }
        }
        group.step(event, &self.options)
    }
}

impl Group {
    fn adopt(&mut self, epoch: Epoch) {
        if self.epochs.last().map(|last| &last.settings) == Some(&epoch.settings) {
            return;
        }
        let number = self.epochs.len();
        let since = |size: &i32| self.sizes.get(size).copied().unwrap_or(number);
        self.sizes = epoch.settings.window_hours.iter().map(|size| (*size, since(size))).collect();
        self.epochs.push(epoch);
    }

    fn step(&mut self, event: &Event<GroupMessageIngested>, options: &WindowBuilder) -> Expected {
        let record = &event.value;
        let was_set_back = record.set_back_to.is_some_and(|to| self.set_back(event, to, options));
        let is_control = record.settings.is_some() || was_set_back;
        if record.messages.is_empty() && record.topics.is_empty() && record.complete_until.is_none() {
            return match record.set_back_to {
                _ if is_control => Expected::Emit(Vec::new()),
                Some(_) => Expected::Drop("duplicate"),
                None if record.command.is_some() => Expected::Drop("command"),
                None => Expected::Drop("empty"),
            };
        }
        let (mut newest, mut promised) =
            self.lanes.get(&record.lane).copied().unwrap_or((i64::MIN, i64::MIN));
        let clock = promised.max(newest.saturating_sub(options.grace_ms));
        let visit = RecordPlace { lane: &record.lane, clock, offset: event.source.offset, options };
        let (mut changed, mut late, mut found) = (false, false, BTreeSet::new());
        for topic in &record.topics {
            found.extend(Some(*topic).filter(|topic| self.topics.insert(*topic)));
        }
        changed |= !found.is_empty();
        for message in &record.messages {
            let in_time = self.enter(message, &visit, &mut found);
            late |= in_time.is_none();
            changed |= in_time == Some(true);
            if message.sent_at <= record.observed_at {
                newest = newest.max(message.sent_at);
            }
        }
        changed |= self.place_answers(found, &visit);
        self.log.extend(LoggedMessage::of(event));
        let ends = record.complete_until == Some(END_OF_LANE);
        if let Some(until) = record.complete_until.filter(|_| !ends) {
            promised = promised.max(until);
        }
        self.lanes.insert(record.lane.clone(), (newest, promised));
        let clock = promised.max(newest.saturating_sub(options.grace_ms));
        let (ready, repeated) = self.close(event, if ends { END_OF_LANE } else { clock });
        if ends && record.lane != LIVE_LANE {
            self.lanes.remove(&record.lane);
        }
        if !ready.is_empty() || is_control || changed {
            Expected::Emit(ready)
        } else if late {
            Expected::Drop("late")
        } else if repeated || !(record.messages.is_empty() && record.topics.is_empty()) {
            Expected::Drop("duplicate")
        } else {
            Expected::Emit(Vec::new())
        }
    }

    /// Whether a lane was ahead of a time and is there now.
    fn set_back(&mut self, event: &Event<GroupMessageIngested>, to: i64, options: &WindowBuilder) -> bool {
        let lane = &event.value.lane;
        let Some((newest, promised)) = self.lanes.get_mut(lane) else { return false };
        if *promised <= to && newest.saturating_sub(options.grace_ms) <= to {
            return false;
        }
        *newest = to.saturating_add(options.grace_ms).min(*newest);
        *promised = to.min(*promised);
        let clock = (*promised).max(newest.saturating_sub(options.grace_ms));
        let visit = RecordPlace { lane, clock, offset: event.source.offset, options };
        self.windows.iter_mut().for_each(|window| window.set_back(&visit));
        true
    }

    /// Whether a message is news to a window that it is in time for; `None` when it is late for all of them.
    fn enter(
        &mut self,
        message: &Message,
        visit: &RecordPlace<'_>,
        found: &mut BTreeSet<i64>,
    ) -> Option<bool> {
        self.make_windows(message.sent_at);
        if let Some(topic) = message.topic_id.filter(|_| !message.is_deletion()) {
            found.extend(Some(topic).filter(|topic| self.topics.insert(*topic)));
        }
        let home = message.home(|id| self.topics.contains(&id), |id| self.placed.contains(&id));
        if home != Home::Unknown && self.placed.insert(message.id) {
            found.insert(message.id);
        }
        let mut news = None;
        let at = message.sent_at;
        for window in self.windows.iter_mut().filter(|w| w.start <= at && at < w.end) {
            let is_news = window.contents.enter(message, home, &self.topics);
            if window.visited(visit) {
                news = Some(news.unwrap_or(false) || is_news);
            }
        }
        news
    }

    /// Places the messages that answer one of `found`, and those that answer them; whether that is news in time.
    fn place_answers(&mut self, mut found: BTreeSet<i64>, visit: &RecordPlace<'_>) -> bool {
        let mut news = false;
        while !found.is_empty() {
            let mut placed = BTreeSet::new();
            for window in &mut self.windows {
                let answers = window.contents.place_answers(&found, &self.topics);
                if !answers.is_empty() {
                    news |= window.visited(visit);
                    placed.extend(answers);
                }
            }
            found = placed.difference(&self.placed).copied().collect();
            self.placed.extend(&found);
        }
        news
    }

    /// Opens the windows of the sizes in force at a moment, where there are none.
    fn make_windows(&mut self, at: i64) {
        let epoch = self.epochs.len() - 1;
        for (&size_hours, &since) in &self.sizes {
            let in_the_way = |window: &&Window| window.size_hours == size_hours || window.epoch < since;
            let others: Vec<&Window> = self.windows.iter().filter(in_the_way).collect();
            if others.iter().any(|window| window.start <= at && at < window.end) {
                continue;
            }
            let bounds = grid::bounds(self.epochs[epoch].grid(), size_hours, at);
            let before = others.iter().map(|window| window.end).filter(|end| *end <= at);
            let after = others.iter().map(|window| window.start).filter(|start| *start > at);
            let start = before.fold(bounds.start, i64::max);
            let end = after.fold(bounds.end, i64::min);
            self.windows.push(Window {
                size_hours,
                start,
                end,
                epoch,
                open: BTreeMap::new(),
                emitted: None,
                revision: 0,
                emitted_by_live: false,
                offset: 0,
                contents: Contents::default(),
            });
        }
    }

    /// Closes what is due in the record's lane, and tells whether a window had nothing new.
    fn close(&mut self, event: &Event<GroupMessageIngested>, clock: i64) -> (Vec<GroupWindowReady>, bool) {
        let lane = &event.value.lane;
        let mut due: Vec<&mut Window> = self.windows.iter_mut().collect();
        due.retain(|window| window.open.get(lane).is_some_and(|due| *due <= clock));
        due.sort_by_key(|window| (window.open.get(lane).copied(), window.start, window.size_hours));
        let (mut ready, mut repeated) = (Vec::new(), false);
        for window in due {
            window.open.remove(lane);
            if window.is_revised(lane == LIVE_LANE) {
                let settings = &self.epochs[window.epoch].settings;
                let content = as_of(&self.log, window.start, window.end, window.offset);
                ready.push(window_ready(event, window, settings, &content));
            } else {
                repeated = true;
            }
        }
        (ready, repeated)
    }
}

fn window_ready(
    event: &Event<GroupMessageIngested>,
    window: &Window,
    settings: &GroupSettings,
    content: &[Message],
) -> GroupWindowReady {
    let GroupMessageIngested { tenant_id, group_id, lane, .. } = &event.value;
    let authors: BTreeSet<&str> = content
        .iter()
        .filter_map(|message| message.author.as_ref())
        .map(|author| author.id.as_str())
        .collect();
    GroupWindowReady {
        tenant_id: tenant_id.clone(),
        group_id: group_id.clone(),
        window_id: window_id(tenant_id, group_id, window.size_hours, window.start),
        size_hours: window.size_hours,
        window_start: window.start,
        window_end: window.end,
        revision: window.revision,
        lane: lane.clone(),
        message_count: content.len() as i32,
        participant_count: authors.len() as i32,
        scopes: settings.scopes.clone(),
        settings: settings.clone(),
        source_partition: event.source.partition,
        source_offset: window.offset,
    }
}
