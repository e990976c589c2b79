//! The settings of groups, as pages need them: the time zone that they tell times in, and the chat.
//!
//! Invariant: what is known of a group is as old as a page may be; a page does not wait for Kafka, nor go without it.

use crate::{
    api::settings::{group, newest},
    app::App,
    guard::Caller,
};
use schemas::GroupSettings;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long what was read holds.
const HOLDS: Duration = Duration::from_secs(30);
/// How long a page waits for them: of a group that was never looked at, the whole log may have to be read.
const SOON: Duration = Duration::from_secs(2);
/// Groups that are remembered.
const GROUPS_MAX: usize = 1_000;

type Read = HashMap<(String, String), (Instant, GroupSettings)>;

/// Settings that were read.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Read>);

/// The settings of a group of the caller's; the defaults where it has none, and where the log cannot be read.
pub(super) async fn settings_of(app: &App, caller: &Caller, group_id: &str) -> GroupSettings {
    let key = (caller.tenant_id.to_string(), group_id.to_owned());
    let known = &app.0.console.settings.0;
    let lock = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, settings)) = lock().get(&key)
        && at.elapsed() < HOLDS
    {
        return settings.clone();
    }
    let Ok(group) = group(caller, group_id) else { return GroupSettings::default() };
    if !app.broker_answers() {
        return GroupSettings::default();
    }
    // The look goes on, and the next page has what it found.
    let read = tokio::time::timeout(SOON, newest(app, &group)).await;
    let Ok(Ok(read)) = read else { return GroupSettings::default() };
    let settings = read.unwrap_or_default();
    let mut known = lock();
    if known.len() >= GROUPS_MAX {
        known.retain(|_, (at, _)| at.elapsed() < HOLDS);
    }
    if known.len() < GROUPS_MAX {
        known.insert(key, (Instant::now(), settings.clone()));
    }
    settings
}
