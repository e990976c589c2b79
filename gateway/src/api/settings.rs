//! How a group's digests are made: read from the log, and changed by a record in it.
//!
//! Invariant: what is changed here is written as `gistmill group set` writes it, and is on record as that is.

use super::groups::known;
use crate::{
    app::App,
    blocking::look,
    extract::{Json, Path},
    guard::Caller,
    problem::{Problem, Refusals},
    produce::drive,
    times,
    whole::whole,
};
use axum::extract::State;
use ingest::Group;
use runtime::Config;
use schemas::{CHANNELS, GroupSettings};
use serde::{Deserialize, Serialize};
use state::AuditChange;
use telegram_export_source::ControlSource;
use telegram_sink::is_target;
use topology::Map;
use tracing::error;
use utoipa::ToSchema;

/// Settings of a group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct Shown {
    /// Whether any were ever set; without, these are the defaults.
    is_set: bool,
    /// Window sizes in hours, ascending.
    window_hours: Vec<i32>,
    /// IANA time zone in which windows are aligned.
    time_zone: String,
    /// `ru`, `en`, or `auto` to go by the messages of each window.
    language: String,
    /// Scopes granted to the group's digests.
    scopes: Vec<String>,
    /// Channels that digests are delivered by.
    channels: Vec<String>,
    /// Chat that channel `telegram` posts to.
    chat: Option<String>,
    /// Minutes after local midnight at which days begin.
    day_start_minutes: i32,
}

impl Shown {
    fn of(settings: GroupSettings, is_set: bool) -> Self {
        Self {
            is_set,
            window_hours: settings.window_hours,
            time_zone: settings.time_zone,
            language: settings.language,
            scopes: settings.scopes,
            channels: settings.channels,
            chat: settings.chat,
            day_start_minutes: settings.day_start_minutes,
        }
    }
}

/// What is to change; what is not given stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SettingsChange)]
pub(crate) struct Change {
    /// Window sizes in hours, ascending: some of 1, 2, 4, 6, 12, 24.
    window_hours: Option<Vec<i32>>,
    /// IANA time zone.
    time_zone: Option<String>,
    /// `ru`, `en` or `auto`.
    language: Option<String>,
    /// Scopes; without the one that digests need they are refused.
    scopes: Option<Vec<String>>,
    /// Channels: some of `file`, `telegram`, `webhook`, `email`.
    channels: Option<Vec<String>>,
    /// A chat's number (-1001234567890) or @name, and the topic of a forum after a slash.
    chat: Option<String>,
    /// Minutes after local midnight at which days begin.
    day_start_minutes: Option<i32>,
}

impl Change {
    fn of(self, before: &GroupSettings) -> GroupSettings {
        fn or<T: Clone>(given: Option<T>, before: &T) -> T {
            given.unwrap_or_else(|| before.clone())
        }
        GroupSettings {
            window_hours: or(self.window_hours, &before.window_hours),
            time_zone: or(self.time_zone, &before.time_zone),
            language: or(self.language, &before.language),
            scopes: or(self.scopes, &before.scopes),
            channels: or(self.channels, &before.channels),
            chat: self.chat.or_else(|| before.chat.clone()),
            day_start_minutes: or(self.day_start_minutes, &before.day_start_minutes),
        }
    }
}

fn refused(why: impl Into<String>) -> Problem {
    Problem::unprocessable("bad_settings", why)
}

/// Settings that nothing could be delivered by.
fn is_deliverable(wanted: &GroupSettings, needed_scope: &str) -> Result<(), Problem> {
    if let Some(other) = wanted.channels.iter().find(|name| !CHANNELS.contains(&name.as_str())) {
        let known = CHANNELS.join(", ");
        return Err(refused(format!("nothing delivers to channel {other:?}: there are {known}")));
    }
    if !wanted.scopes.iter().any(|scope| scope == needed_scope) {
        return Err(refused(format!("without scope {needed_scope} every digest of the group is blocked")));
    }
    match &wanted.chat {
        _ if !wanted.channels.iter().any(|channel| channel == "telegram") => Ok(()),
        Some(chat) if is_target(chat) => Ok(()),
        Some(_) => Err(refused("channel telegram posts to a chat's number (-1001234567890) or @name")),
        None => Err(refused("channel telegram needs a chat to post to")),
    }
}

/// The settings that hold now, as the log has them; none when none were ever set.
pub(crate) async fn newest(app: &App, group: &Group) -> Result<Option<GroupSettings>, Problem> {
    let key = format!("{}/{}", group.tenant_id(), group.group_id());
    let keeper = app.clone();
    let newest = move |config: &Config, map: &Map| {
        keeper.0.remembered.newest(&key, |since| operate::settings_since(config, map, &key, since))
    };
    look(app, newest).await
}

/// A group of the caller's tenant, whether or not it has messages.
pub(crate) fn group(caller: &Caller, group_id: &str) -> Result<Group, Problem> {
    let bad = |_| Problem::not_found("there is no such group: a name has letters, digits and . _ - : @ +");
    Group::new(&caller.tenant_id, group_id).map_err(bad)
}

/// Settings that hold for windows opened from now on
#[utoipa::path(
    operation_id = "show_settings",
    get, path = "/api/v1/groups/{group_id}/settings", tag = "groups", security(("key" = ["DIGEST_READ"])),
    params(("group_id" = String, Path, description = "Group")),
    responses((status = 200, description = "The settings", body = Shown), Refusals)
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(group_id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let group = group(&caller, &group_id)?;
    let found = newest(&app, &group).await?;
    if found.is_none() {
        known(&app, &caller, &group_id).await?;
    }
    let is_set = found.is_some();
    Ok(Json(Shown::of(found.unwrap_or_default(), is_set)))
}

/// Change settings for windows opened from now on
#[utoipa::path(
    operation_id = "change_settings",
    patch, path = "/api/v1/groups/{group_id}/settings", tag = "groups", security(("key" = ["DIGEST_ADMIN"])),
    params(("group_id" = String, Path, description = "Group; one without messages may have settings")),
    request_body = Change,
    responses((status = 200, description = "The settings as they are now", body = Shown), Refusals)
)]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(group_id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Json<Shown>, Problem> {
    let group = group(&caller, &group_id)?;
    let before = newest(&app, &group).await?;
    let wanted = change.of(before.as_ref().unwrap_or(&GroupSettings::default()));
    is_deliverable(&wanted, &app.0.config.digest.delivery_scope)?;
    let now = times::now_ms();
    let source = ControlSource::settings(&group, &wanted, &now.to_string(), now);
    let source = source.map_err(|error| refused(error.to_string()))?;
    if before.as_ref() != Some(&wanted) {
        whole(written(app, (caller, group), source, (before, wanted.clone()))).await?;
    }
    Ok(Json(Shown::of(wanted, true)))
}

/// Writes settings and puts them on record.
async fn written(
    app: App,
    (caller, group): (Caller, Group),
    source: ControlSource,
    (before, wanted): (Option<GroupSettings>, GroupSettings),
) -> Result<(), Problem> {
    // Of itself it waits for a broker that is away, and holds a writer's place.
    let Ok(driven) = tokio::time::timeout(app.request_timeout(), drive(&app, source)).await else {
        error!(group = group.group_id(), "settings may be changed, and not in the audit log");
        return Err(Problem::away("the broker", &"settings were not written in time"));
    };
    driven?;
    put_on_record(&app, (&caller, &group), before.as_ref(), &wanted).await;
    Ok(())
}

/// Puts on record what was changed; that it could not is told in the log, and undoes nothing.
async fn put_on_record(
    app: &App,
    (caller, group): (&Caller, &Group),
    before: Option<&GroupSettings>,
    wanted: &GroupSettings,
) {
    let json = |settings: &GroupSettings| serde_json::to_value(settings).ok();
    let (actor, before, after) = (caller.actor(), before.and_then(json), json(wanted));
    let change = AuditChange {
        tenant_id: group.tenant_id(),
        actor: &actor,
        action: "group set",
        subject: group.group_id(),
        before: before.as_ref(),
        after: after.as_ref(),
    };
    if let Err(why) = app.0.store.audit(&change).await {
        error!(why = why.describe(), "settings are changed, and not in the audit log");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let before =
            GroupSettings { window_hours: vec![4], chat: Some("c".into()), ..GroupSettings::default() };
        let change: Change = serde_json::from_str(r#"{"language": "en"}"#).unwrap();
        assert_eq!(change.of(&before), GroupSettings { language: "en".to_owned(), ..before.clone() });
        assert_eq!(Change::default().of(&before), before);
        assert!(serde_json::from_str::<Change>(r#"{"langauge": "en"}"#).is_err());
    }

    #[test]
    fn settings_that_nothing_is_delivered_by_are_refused() {
        let wanted = |change: &str| {
            let change: Change = serde_json::from_str(change).unwrap();
            is_deliverable(&change.of(&GroupSettings::default()), "DIGEST_READ").is_ok()
        };
        assert!(wanted("{}") && wanted(r#"{"channels": ["telegram"], "chat": "-1001234567890/45"}"#));
        assert!(wanted(r#"{"channels": ["file", "webhook", "email"]}"#));
        for refused in [
            r#"{"channels": ["telegraph"]}"#,
            r#"{"channels": ["telegram"]}"#,
            r#"{"channels": ["telegram"], "chat": "https://t.me/team"}"#,
            r#"{"scopes": ["OTHER"]}"#,
        ] {
            assert!(!wanted(refused), "{refused}");
        }
    }
}
