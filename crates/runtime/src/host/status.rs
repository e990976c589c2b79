//! What each unit of a process is doing, for health checks and for people who wait.

use super::{
    letters::{Letter, Letters, Line},
    peer,
};
use processor::Emission;
use schemas::DigestDlq;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// A loop that has not turned for this long is stuck; longer than the longest call to a broker that is away.
const STUCK: Duration = Duration::from_secs(150);

/// What keeps a unit from its work.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Held {
    /// Something is away; the unit goes on by itself.
    Waiting(String),
    /// Its group has given its partitions away; it joins again.
    Joining,
    /// Another process does the work.
    StandingBy(String),
    /// It stopped and will be started again.
    Restarting(String),
    /// It stopped for good.
    Failed(String),
}

/// State of one unit.
#[derive(Debug)]
pub(crate) struct UnitStatus {
    pub(crate) name: String,
    started: Instant,
    turned_ms: AtomicU64,
    ready: AtomicBool,
    /// With since when.
    held: Mutex<Option<(Held, Instant)>>,
    letters: Mutex<Letters>,
    /// When letters are to be counted for the log, in ms since the start: looked at in each turn.
    letters_due_ms: AtomicU64,
}

impl UnitStatus {
    /// Every state that [`Self::state`] tells.
    pub(crate) const STATES: [&str; 6] =
        ["starting", "ready", "waiting", "standing_by", "restarting", "failed"];

    pub(crate) fn new(name: String) -> Arc<Self> {
        Arc::new(Self {
            name,
            started: Instant::now(),
            turned_ms: AtomicU64::new(0),
            ready: AtomicBool::new(false),
            held: Mutex::new(None),
            letters: Mutex::default(),
            letters_due_ms: AtomicU64::new(u64::MAX),
        })
    }

    /// The loop has turned once more.
    pub(crate) fn turned(&self) {
        let now_ms = self.started.elapsed().as_millis() as u64;
        self.turned_ms.store(now_ms, Ordering::Relaxed);
        if now_ms >= self.letters_due_ms.load(Ordering::Relaxed) {
            self.tell(|letters| letters.due(Instant::now()));
        }
    }

    /// The unit has what it needs.
    pub(crate) fn ready(&self) {
        if !self.ready.swap(true, Ordering::Relaxed) {
            info!(unit = self.name, "ready");
        }
        self.go_on();
    }

    /// What the unit waited for has come; a group that it has lost is none of that.
    pub(crate) fn working(&self) {
        if self.held() != Some(Held::Joining) {
            self.go_on();
        }
    }

    fn go_on(&self) {
        match self.set(None) {
            Some(Held::Waiting(what)) => info!(unit = self.name, "goes on after waiting: {what}"),
            Some(Held::StandingBy(_)) => info!(unit = self.name, "takes over"),
            Some(Held::Joining | Held::Restarting(_) | Held::Failed(_)) | None => {}
        }
    }

    /// The unit cannot begin or go on; said once per reason.
    pub(crate) fn waiting(&self, what: &str) {
        self.turned();
        let waiting = Held::Waiting(what.to_owned());
        if self.set(Some(waiting.clone())) != Some(waiting) {
            warn!(unit = self.name, "waiting: {what}");
        }
    }

    /// The group has given the unit's partitions away, because the broker did not hear of it for too long. The log is told
    /// by who gives them up.
    pub(crate) fn joining(&self) {
        self.turned();
        self.set(Some(Held::Joining));
    }

    /// Another process does the unit's work, and this one takes over when that one ends; said once. It is as good as
    /// ready.
    pub(crate) fn standing_by(&self, what: &str) {
        self.turned();
        let standing_by = Held::StandingBy(what.to_owned());
        if self.set(Some(standing_by.clone())) != Some(standing_by) {
            warn!(unit = self.name, "standing by: {what}");
        }
    }

    /// The unit has stopped and is started again soon.
    pub(crate) fn restarting(&self, why: &str) {
        self.turned();
        self.ready.store(false, Ordering::Relaxed);
        self.set(Some(Held::Restarting(why.to_owned())));
    }

    /// The unit has stopped for good.
    pub(crate) fn failed(&self, why: &str) {
        self.set(Some(Held::Failed(why.to_owned())));
    }

    /// Why it has stopped for good, if it has.
    pub(crate) fn failure(&self) -> Option<String> {
        match self.held() {
            Some(Held::Failed(why)) => Some(why),
            _ => None,
        }
    }

    /// An input has become a dead letter, which the log hears of at once or in a count.
    pub(crate) fn buried(&self, letter: Letter) {
        self.tell(|letters| letters.add(letter, Instant::now()));
    }

    /// A source has written these: of them, what it gives up itself. What it publishes for others, those have told.
    pub(crate) fn published(&self, source: &str, emissions: &[Emission]) {
        let letters = emissions.iter().filter_map(|it| it.record.as_any().downcast_ref::<DigestDlq>());
        for letter in letters.filter(|letter| letter.stage == source) {
            self.buried(Letter::of_record(letter));
        }
    }

    /// The log hears of all dead letters that it has not been told of: the unit has ended.
    pub(crate) fn tell_letters(&self) {
        self.tell(Letters::rest);
    }

    fn tell<Lines: IntoIterator<Item = Line>>(&self, take: impl FnOnce(&mut Letters) -> Lines) {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        for line in take(&mut letters) {
            line.tell(&self.name);
        }
        let due =
            letters.next_due().map(|due| due.saturating_duration_since(self.started).as_millis() as u64);
        self.letters_due_ms.store(due.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn set(&self, held: Option<Held>) -> Option<Held> {
        let mut now = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.as_ref().filter(|(before, _)| Some(before) == held.as_ref()).map(|(_, since)| *since);
        let held = held.map(|held| (held, since.unwrap_or_else(Instant::now)));
        std::mem::replace(&mut *now, held).map(|(held, _)| held)
    }

    fn held(&self) -> Option<Held> {
        self.held_since().map(|(held, _)| held)
    }

    fn held_since(&self) -> Option<(Held, Instant)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// False when its loop is stuck. One that has ended is not.
    pub(crate) fn is_live(&self) -> bool {
        let turned = Duration::from_millis(self.turned_ms.load(Ordering::Relaxed));
        self.failure().is_some() || self.started.elapsed().saturating_sub(turned) < STUCK
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state(), "ready" | "standing_by")
    }

    /// In one word of [`Self::STATES`].
    pub(crate) fn state(&self) -> &'static str {
        match self.held() {
            Some(Held::Waiting(_) | Held::Joining) => "waiting",
            Some(Held::StandingBy(_)) => "standing_by",
            Some(Held::Restarting(_)) => "restarting",
            Some(Held::Failed(_)) => "failed",
            None if self.ready.load(Ordering::Relaxed) => "ready",
            None => "starting",
        }
    }

    /// The peer that it waits for, if it does.
    pub(crate) fn awaited(&self) -> Option<&'static str> {
        match self.held() {
            Some(Held::Waiting(what)) => Some(peer::named(&what)),
            Some(Held::Joining) => Some("kafka"),
            Some(Held::StandingBy(_) | Held::Restarting(_) | Held::Failed(_)) | None => None,
        }
    }

    /// One line for people: name and state, and for how long it has waited.
    pub(crate) fn line(&self) -> String {
        self.line_at(Instant::now())
    }

    fn line_at(&self, now: Instant) -> String {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        self.state_line(now) + &letters.told()
    }

    fn state_line(&self, now: Instant) -> String {
        let name = &self.name;
        match self.held_since() {
            Some((Held::Waiting(what), since)) => match now.saturating_duration_since(since).as_secs() {
                0 => format!("{name}: waiting: {what}"),
                seconds => format!("{name}: waiting: {what} (for {seconds} s)"),
            },
            Some((Held::Joining, _)) => {
                format!(
                    "{name}: waiting: to be let into its group again, which has not heard of it for too long"
                )
            }
            Some((Held::StandingBy(what), _)) => format!("{name}: standing by: {what}"),
            Some((Held::Restarting(why), _)) => format!("{name}: stopped, will be started again: {why}"),
            Some((Held::Failed(why), _)) => format!("{name}: failed: {why}"),
            None => format!("{name}: {}", self.state()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Stop, Wait};

    #[test]
    fn a_restore_that_goes_on_is_alive_until_a_stop_is_asked_for() {
        let new = UnitStatus::new("topic".to_owned());
        let mut status = Arc::into_inner(new).expect("the only one");
        // One turn of the loop has lasted that long already.
        status.started = Instant::now().checked_sub(STUCK * 2).expect("the machine runs for some minutes");
        assert!(!status.is_live());
        let stop = Stop::default();
        let wait = Wait { stop: &stop, status: &status };
        assert_eq!(wait.goes_on(), Ok(()));
        assert!(status.is_live());
        stop.ask();
        assert_eq!(wait.goes_on(), Err("the process has been asked to stop".to_owned()));
    }

    #[test]
    fn it_is_said_for_how_long_a_unit_has_waited_for_the_same() {
        let status = UnitStatus::new("topic".to_owned());
        status.waiting("kafka");
        let (_, since) = status.held_since().expect("waiting");
        status.waiting("kafka");
        let later = since + Duration::from_millis(35_500);
        assert_eq!(status.line_at(later), "topic: waiting: kafka (for 35 s)");
        assert_eq!(status.held_since().map(|(_, since)| since), Some(since));
    }

    #[test]
    fn dead_letters_are_told_by_the_line() {
        let status = UnitStatus::new("topic".to_owned());
        status.ready();
        let reason = "wrong_magic".to_owned();
        let fingerprint = schemas::Fingerprint::default();
        status.buried(Letter { topic: "t.v1".to_owned(), partition: 3, offset: 9, reason, fingerprint });
        let line =
            "topic: ready; dead letters since its start: 1, last t.v1/3:9 wrong_magic (`gistmill dlq ls`)";
        assert_eq!((status.line(), status.is_ready()), (line.to_owned(), true));
    }

    #[test]
    fn each_state_has_its_line_and_says_whether_the_unit_is_ready() {
        let status = UnitStatus::new("topic".to_owned());
        let mut seen = Vec::new();
        let mut look = |status: &UnitStatus| {
            seen.push(status.state());
            (status.line_at(status.started), status.is_ready())
        };
        assert_eq!(look(&status), ("topic: starting".to_owned(), false));
        status.standing_by("another process reads x");
        assert_eq!(look(&status), ("topic: standing by: another process reads x".to_owned(), true));
        status.ready();
        assert_eq!(look(&status), ("topic: ready".to_owned(), true));
        status.waiting("kafka");
        assert_eq!(look(&status), ("topic: waiting: kafka".to_owned(), false));
        status.joining();
        let line = "topic: waiting: to be let into its group again, which has not heard of it for too long";
        assert_eq!(look(&status), (line.to_owned(), false));
        status.working();
        assert_eq!(look(&status), (line.to_owned(), false), "what was mended meanwhile does not let it in");
        status.ready();
        assert_eq!(look(&status), ("topic: ready".to_owned(), true), "let in, with partitions or without");
        status.restarting("fenced");
        assert_eq!(look(&status), ("topic: stopped, will be started again: fenced".to_owned(), false));
        status.working();
        assert_eq!(look(&status), ("topic: starting".to_owned(), false), "not ready by that alone");
        status.failed("no offset");
        assert_eq!(look(&status), ("topic: failed: no offset".to_owned(), false));
        assert_eq!((status.failure().as_deref(), status.is_live()), (Some("no offset"), true));
        seen.sort_unstable();
        seen.dedup();
        let mut states = UnitStatus::STATES;
        states.sort_unstable();
        assert_eq!(seen, states);
    }
}
