//! The groups that a process leaves when it is stopped in order.
//!
//! Static members do not leave by themselves: a group keeps them until their session ends, so that a restart is no
//! rebalance. A process that was asked to stop says that it is gone: another takes its partitions over at once, and what
//! is told of its units is true.
//!
//! Invariant: only a consumer that is closed leaves, and only in the name that it had: somebody else who has taken the
//! name over stays. The end of the process is held up for no longer than [`PATIENCE`].

use super::Stop;
use crate::{
    config::Config,
    kafka::{GroupConsumer, Standing, member_id},
    observe::connect,
};
use kafka_admin::{Member, leave};
use rdkafka::ClientConfig;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tracing::debug;

/// Longest wait for the coordinators' answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// Members whose consumers end because the process does.
#[derive(Debug, Default)]
pub(super) struct Leaving(Mutex<Vec<Member>>);

impl Leaving {
    /// Notes the member that a consumer is, which is about to be closed. One that is closed for another reason comes
    /// back, and keeps its place.
    pub(super) fn closes(&self, stop: &Stop, consumer: &GroupConsumer, settings: &ClientConfig) {
        if !stop.is_asked() {
            return;
        }
        let setting = |name| settings.get(name).map(str::to_owned);
        let (group, instance) = (setting("group.id"), setting("group.instance.id"));
        if let (Some(group), Some(instance), Some(id)) = (group, instance, member_id(consumer)) {
            let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            members.push(Member { group, instance, id });
        }
    }

    /// Takes what was noted out of the groups. What cannot leave stays until its session ends.
    pub(super) fn leave(&self, config: &Config, standing: &Standing) {
        let members = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if members.is_empty() || standing.is_away() {
            return;
        }
        let config = config.clone();
        let (told, answer) = crossbeam_channel::bounded(1);
        let left = move || {
            let stay = connect(&config)
                .and_then(|mut cluster| Ok(leave(&mut cluster, &members)?))
                .map(|stay| stay.iter().map(ToString::to_string).collect::<Vec<_>>());
            // Whoever has waited long enough does not listen any more.
            drop(told.send(stay.map_err(|error| error.to_string())));
        };
        if let Err(error) = std::thread::Builder::new().name("leaving groups".to_owned()).spawn(left) {
            debug!(%error, "could not leave the groups");
            return;
        }
        match answer.recv_timeout(PATIENCE) {
            Ok(Ok(stay)) => stay.iter().for_each(|why| debug!(why, "could not leave a group")),
            Ok(Err(why)) => debug!(why, "could not leave the groups"),
            Err(_) => debug!("could not leave the groups within {PATIENCE:?}"),
        }
    }
}
