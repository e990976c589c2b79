//! One try of one delivery.
//!
//! Invariant: `sending` is committed before it and how it ended after it; no transaction is open meanwhile. What a digest is for
//! its target is settled at the first try and stays.

use crate::{
    Admission, Answer, Door, Kind, Parcel, backoff,
    judge::{effects, kind, may_be_there, own},
};
use delivery::{DELIVERED, Ended, delivered, effects::newest_past, now_ms};
use schemas::Version;
use state::{DeliveryStatus, Due, Effect, EffectState, Error, QueueEntry, Store, VERSIONS_KEPT};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::warn;

/// Tries at a time.
pub(crate) const TRIES_AT_ONCE_MAX: usize = 32;
/// Rows of the queue that are looked at in one go.
const DUE_MAX: u32 = 64;
const WRITE_AGAIN: Duration = Duration::from_millis(500);
/// Why a try is unknown that a process began which is no more.
const LOST: &str = "the sink ended before it knew";
/// Why a version has failed that may have arrived.
const OVERTAKEN: &str = "nobody knows whether it arrived, and nothing newer was delivered in its place";

/// What all tries of a sink share.
pub(crate) struct Trips<D: Door> {
    store: Store,
    door: Arc<D>,
    worker: String,
    versions_kept: AtomicU32,
    /// Seconds that digests have waited.
    waited: Mutex<Vec<f64>>,
}

impl<D: Door> Trips<D> {
    pub(crate) fn new(store: Store, door: Arc<D>, worker: &str) -> Self {
        let versions_kept = AtomicU32::new(VERSIONS_KEPT);
        Self { store, door, worker: worker.to_owned(), versions_kept, waited: Mutex::default() }
    }

    pub(crate) fn keep(&self, versions: u32) {
        self.versions_kept.store(versions, Ordering::Relaxed);
    }

    pub(crate) fn waited(&self) -> Vec<f64> {
        std::mem::take(&mut *self.waited.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives back what a process of this name was trying when it ended.
    pub(crate) async fn free(&self) -> Result<(), Error> {
        self.store.free_deliveries(D::CHANNEL, &self.worker).await.map(drop)
    }

    /// What is due at targets that are not busy; one delivery for each. A target that much waits for fills all rows that are looked
    /// at: `is_thorough` looks behind it for others.
    pub(crate) async fn due(&self, busy: &BTreeSet<String>, is_thorough: bool) -> Result<Vec<Due>, Error> {
        let (mut seen, mut found) = (busy.clone(), Vec::new());
        loop {
            let except: Vec<String> = seen.iter().cloned().collect();
            let due = self.store.due_deliveries(D::CHANNEL, &except, i64::from(DUE_MAX)).await?;
            let is_all = due.len() < DUE_MAX as usize;
            found.extend(due.into_iter().filter(|due| seen.insert(target(due))));
            if is_all || !is_thorough || found.len() >= TRIES_AT_ONCE_MAX {
                return Ok(found);
            }
        }
    }

    /// Tries a delivery once, if it may be tried now.
    pub(crate) async fn carry(&self, due: &Due) -> Result<(), Error> {
        let way = match self.door.admit(due).await? {
            Admission::Go(way) => way,
            Admission::Hold { wait, why } => return self.put_off(due, wait, &why).await,
            Admission::Refused(why) => {
                let Some(entry) = self.store.hold_delivery(due, true).await? else { return Ok(()) };
                return self.fail(entry, &why).await;
            }
        };
        let Some(entry) = self.store.hold_delivery(due, true).await? else { return Ok(()) };
        let Some(parcel) = self.begin(entry, due).await? else { return Ok(()) };
        let answer = self.door.deliver(&parcel, way).await;
        let until = Instant::now() + D::LEASE;
        loop {
            match self.finish(due, &parcel, &answer).await {
                Err(error) if error.is_transient() && Instant::now() < until => {
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
                finished => return finished,
            }
        }
    }

    async fn put_off(&self, due: &Due, wait: Duration, why: &str) -> Result<(), Error> {
        let Some(mut entry) = self.store.hold_delivery(due, true).await? else { return Ok(()) };
        if entry.age > D::PATIENCE {
            return self.fail(entry, &gave_up::<D>(why)).await;
        }
        entry.postpone(wait, Some(why)).await?;
        entry.commit().await
    }

    /// Commits that it is about to be tried; `None` where it is not.
    async fn begin(&self, mut entry: QueueEntry, due: &Due) -> Result<Option<Parcel>, Error> {
        let ledger = entry.effects().await?;
        if Self::lose(&mut entry, &ledger).await? {
            entry.end().await?;
            return entry.commit().await.map(|()| None);
        }
        let (version, digest_id) = (entry.version, entry.digest_id.clone());
        let Some(payload) = entry.payload.clone() else {
            let state = EffectState { status: DeliveryStatus::Withdrawn, reference: None, error: None };
            entry.put((version, &digest_id), &state).await?;
            self.give_up_older(&mut entry, &ledger, version).await?;
            entry.end().await?;
            return entry.commit().await.map(|()| None);
        };
        if let Some(why) = entry.disabled().await? {
            return self.fail(entry, &format!("the target is disabled: {why}")).await.map(|()| None);
        }
        let kind = entry.kind.as_deref().and_then(Kind::of).unwrap_or_else(|| kind(&ledger, version));
        let reference = self.door.reference(due, (&digest_id, version), kind);
        let is_first = |it: &&Effect| it.version < version && it.reference.is_some();
        let parcel = Parcel {
            due: due.clone(),
            version,
            group_id: entry.group_id.clone(),
            kind,
            payload,
            first: effects(&ledger).find(is_first).and_then(|it| it.reference.clone()),
            tries: entry.tries + 1,
            is_doubtful: own(&ledger, version).any(|it| it.status == DeliveryStatus::Sending),
            reference,
            digest_id,
        };
        let sending =
            EffectState { status: DeliveryStatus::Sending, reference: Some(&parcel.reference), error: None };
        entry.put((version, &parcel.digest_id), &sending).await?;
        entry.lease(kind.as_str(), &self.worker, D::LEASE).await?;
        entry.commit().await.map(|()| Some(parcel))
    }

    /// Writes down how a try ended, and says what came of the delivery.
    async fn finish(&self, due: &Due, parcel: &Parcel, answer: &Answer) -> Result<(), Error> {
        let Some(mut entry) = self.store.hold_delivery(due, false).await? else { return Ok(()) };
        let ledger = entry.effects().await?;
        let Some(own) = own(&ledger, parcel.version).find(|it| it.status == DeliveryStatus::Sending) else {
            // It was settled meanwhile.
            return entry.commit().await;
        };
        let is_newest = entry.version == parcel.version;
        let reference = Some(&*parcel.reference);
        let of = (parcel.version, &*parcel.digest_id);
        match answer {
            Answer::Delivered => self.done(&mut entry, parcel, &ledger).await?,
            Answer::Refused(why) | Answer::Gone(why) => {
                if matches!(answer, Answer::Gone(_)) {
                    warn!(
                        tenant = due.tenant_id,
                        channel = D::CHANNEL,
                        target = due.chat,
                        why,
                        "target disabled"
                    );
                    entry.disable(why).await?;
                }
                let reference = reference.filter(|_| parcel.is_doubtful);
                let state = EffectState { status: DeliveryStatus::Failed, reference, error: Some(why) };
                entry.put(of, &state).await?;
                self.say(&mut entry, (parcel.kind, of), Some(why)).await?;
            }
            Answer::Lost { why, .. } if !D::REPEATABLE => {
                entry.mark(own, DeliveryStatus::Unknown, Some(why)).await?;
            }
            Answer::NotYet { why, .. } | Answer::Lost { why, .. } if entry.age > D::PATIENCE && is_newest => {
                let is_doubtful = parcel.is_doubtful || matches!(answer, Answer::Lost { .. });
                let why = gave_up::<D>(why);
                let reference = reference.filter(|_| is_doubtful);
                let state = EffectState { status: DeliveryStatus::Failed, reference, error: Some(&why) };
                entry.put(of, &state).await?;
                self.say(&mut entry, (parcel.kind, of), Some(&why)).await?;
            }
            Answer::NotYet { why, after } | Answer::Lost { why, after } => {
                let is_doubtful = parcel.is_doubtful || matches!(answer, Answer::Lost { .. });
                if !is_doubtful {
                    let status = if is_newest { DeliveryStatus::Planned } else { DeliveryStatus::Superseded };
                    entry.put(of, &EffectState { status, reference: None, error: Some(why) }).await?;
                }
                entry.postpone(backoff::wait(parcel.tries, *after), Some(why)).await?;
                return entry.commit().await;
            }
        }
        if is_newest {
            if *answer != Answer::Delivered {
                self.give_up_older(&mut entry, &ledger, parcel.version).await?;
            }
            entry.end().await?;
        } else {
            // A newer version came meanwhile and waits for this one.
            entry.postpone(Duration::ZERO, None).await?;
        }
        entry.commit().await
    }

    async fn done(&self, entry: &mut QueueEntry, parcel: &Parcel, ledger: &[Effect]) -> Result<(), Error> {
        let is_notice = parcel.kind == Kind::Withdrawn;
        let status = if is_notice { DeliveryStatus::Withdrawn } else { DeliveryStatus::Sent };
        let of = (parcel.version, &*parcel.digest_id);
        entry.put(of, &EffectState { status, reference: Some(&parcel.reference), error: None }).await?;
        for older in effects(ledger).filter(|it| it.version < parcel.version) {
            if matches!(older.status, DeliveryStatus::Planned | DeliveryStatus::Sending) {
                entry.mark(older, DeliveryStatus::Superseded, None).await?;
            } else if is_notice && older.status == DeliveryStatus::Sent {
                entry.mark(older, DeliveryStatus::Withdrawn, None).await?;
                if entry.standing(older.version).await?.sent == 0 {
                    let of_older = (older.version, &*older.digest_id);
                    tell(entry, of_older, Ended::Withdrawn(Some(parcel.version))).await?;
                }
            }
        }
        self.say(entry, (parcel.kind, of), None).await?;
        if let Some(newest) = newest_past(ledger, self.versions_kept.load(Ordering::Relaxed)) {
            entry.forget(&newest).await?;
        }
        let seconds = (now_ms() - entry.appended_ms) as f64 / 1_000.0;
        self.waited.lock().unwrap_or_else(PoisonError::into_inner).push(seconds);
        Ok(())
    }

    /// It is delivered no more, before it was tried: why.
    async fn fail(&self, mut entry: QueueEntry, why: &str) -> Result<(), Error> {
        let ledger = entry.effects().await?;
        if Self::lose(&mut entry, &ledger).await? {
            entry.end().await?;
            return entry.commit().await;
        }
        let (version, digest_id) = (entry.version, entry.digest_id.clone());
        let reference = own(&ledger, version).find(|it| may_be_there(it)).and_then(|it| it.reference.clone());
        let state =
            EffectState { status: DeliveryStatus::Failed, reference: reference.as_deref(), error: Some(why) };
        entry.put((version, &digest_id), &state).await?;
        let kind = entry.kind.as_deref().and_then(Kind::of).unwrap_or(Kind::New);
        self.say(&mut entry, (kind, (version, &digest_id)), Some(why)).await?;
        self.give_up_older(&mut entry, &ledger, version).await?;
        entry.end().await?;
        entry.commit().await
    }

    /// Calls unknown what a process began which is no more, where nothing is tried again; true where the version that waits is.
    async fn lose(entry: &mut QueueEntry, ledger: &[Effect]) -> Result<bool, Error> {
        let mut is_lost = false;
        for lost in effects(ledger).filter(|it| !D::REPEATABLE && it.status == DeliveryStatus::Sending) {
            entry.mark(lost, DeliveryStatus::Unknown, Some(LOST)).await?;
            is_lost |= lost.version == entry.version;
        }
        Ok(is_lost)
    }

    /// Ends older versions that may have arrived and that nothing newer has replaced: they would be called `sending` for ever. They
    /// keep their names, so that what comes later corrects them.
    async fn give_up_older(
        &self,
        entry: &mut QueueEntry,
        ledger: &[Effect],
        version: Version,
    ) -> Result<(), Error> {
        let is_open =
            |it: &&Effect| D::REPEATABLE && it.version < version && it.status == DeliveryStatus::Sending;
        for older in effects(ledger).filter(is_open) {
            entry.mark(older, DeliveryStatus::Failed, Some(OVERTAKEN)).await?;
            // Of a notice nothing is said: its version is no digest.
            let is_notice =
                ledger.iter().any(|it| it.version == older.version && it.status == DeliveryStatus::Blocked);
            let kind = if is_notice { Kind::Withdrawn } else { Kind::Edited };
            self.say(entry, (kind, (older.version, &older.digest_id)), Some(OVERTAKEN)).await?;
        }
        Ok(())
    }

    /// Says of a digest that it is delivered, once a target has it; or that it failed, once that is so at all targets.
    async fn say(
        &self,
        entry: &mut QueueEntry,
        (kind, of): (Kind, (Version, &str)),
        failure: Option<&str>,
    ) -> Result<(), Error> {
        if kind == Kind::Withdrawn {
            return Ok(());
        }
        let standing = entry.standing(of.0).await?;
        match failure {
            // Who has it first; it is not said again of the others.
            None if standing.sent == 1 => tell(entry, of, Ended::Success).await,
            Some(why) if standing.open == 0 && standing.sent == 0 => {
                tell(entry, of, Ended::Failed(why)).await
            }
            _ => Ok(()),
        }
    }
}

fn gave_up<D: Door>(why: &str) -> String {
    format!("given up after {} hours: {why}", D::PATIENCE.as_secs() / 3_600)
}

async fn tell(entry: &mut QueueEntry, of: (Version, &str), ended: Ended<'_>) -> Result<(), Error> {
    let delivery = state::Delivery { version: of.0, digest_id: of.1, ..entry.delivery() };
    let event = delivered(&delivery, ended, now_ms());
    entry.say(DELIVERED, &event).await
}

/// The target of a delivery.
pub(crate) fn target(due: &Due) -> String {
    format!("{}/{}", due.tenant_id, due.chat)
}
