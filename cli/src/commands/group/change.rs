//! `gistmill group set`: what is given changes, the rest stays; told as old → new.

use std::io::Write;

use anyhow::bail;
use clap::{Args, builder::PossibleValuesParser};
use jiff::Timestamp;
use schemas::{CHANNELS, GroupSettings};
use state::AuditChange;
use telegram_export_source::{ControlSource, Group};
use telegram_sink::is_target;

use super::{Name, as_json, fields, newest, write_control};
use crate::{
    commands::audit,
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

#[derive(Debug, Args)]
pub(super) struct Change {
    /// Window sizes in hours, ascending: some of 1, 2, 4, 6, 12, 24 (also as 2h)
    #[arg(long, visible_alias = "window", value_delimiter = ',', value_parser = hours)]
    hours: Option<Vec<i32>>,
    /// Time of day in the group's zone at which a day's window ends and the next begins; shorter ones count from it
    #[arg(long, value_name = "HH:MM", value_parser = minutes_of_day)]
    at: Option<i32>,
    /// IANA time zone in which windows are aligned
    #[arg(long)]
    time_zone: Option<String>,
    /// ru, en, or auto to go by the messages of each window
    #[arg(long)]
    language: Option<String>,
    /// Scopes granted to the group's digests; those without the delivery scope are refused
    #[arg(long, value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// Delivery channels
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(CHANNELS))]
    channels: Option<Vec<String>>,
    /// Chat that channel telegram posts to: its number (-100...) or @name, and the topic of a forum after a slash
    #[arg(long, allow_hyphen_values = true)]
    chat: Option<String>,
    /// Take scopes that block every digest of the group
    #[arg(long)]
    block_digests: bool,
}

impl Change {
    fn of(&self, before: &GroupSettings) -> GroupSettings {
        fn or<T: Clone>(given: Option<&T>, before: &T) -> T {
            given.unwrap_or(before).clone()
        }
        GroupSettings {
            window_hours: or(self.hours.as_ref(), &before.window_hours),
            time_zone: or(self.time_zone.as_ref(), &before.time_zone),
            language: or(self.language.as_ref(), &before.language),
            scopes: or(self.scopes.as_ref(), &before.scopes),
            channels: or(self.channels.as_ref(), &before.channels),
            chat: self.chat.clone().or_else(|| before.chat.clone()),
            day_start_minutes: self.at.unwrap_or(before.day_start_minutes),
        }
    }

    /// A target that channel telegram cannot post to.
    fn is_deliverable(wanted: &GroupSettings) -> anyhow::Result<()> {
        if !wanted.channels.iter().any(|channel| channel == "telegram") {
            return Ok(());
        }
        match &wanted.chat {
            Some(chat) if is_target(chat) => Ok(()),
            Some(chat) => bail!(
                "could not set chat {}: channel telegram posts to a chat's number (-1001234567890) or @name, and to a \
                 topic of a forum as -1001234567890/TOPIC",
                printable(chat)
            ),
            None => bail!("could not set channel telegram: give the chat that it posts to with --chat"),
        }
    }

    /// Scopes that are given and lack the one that digests need, unless that is what is wanted.
    fn grants(&self, needed: &str) -> anyhow::Result<()> {
        let Some(scopes) = self.scopes.as_ref().filter(|_| !self.block_digests) else { return Ok(()) };
        if scopes.iter().any(|scope| scope == needed) {
            return Ok(());
        }
        let given = printable(&scopes.join(","));
        bail!(
            "could not set scopes {given}: without {needed} (DIGEST_DELIVERY_SCOPE) every digest of the group is \
             blocked; add it, or say --block-digests if that is wanted"
        )
    }
}

/// A number of hours, with or without its unit.
fn hours(text: &str) -> Result<i32, String> {
    text.trim_end_matches('h').parse().map_err(|_| "give hours such as 24 or 2h".to_owned())
}

/// Minutes after midnight of a time of day.
fn minutes_of_day(text: &str) -> Result<i32, String> {
    let time = jiff::civil::Time::strptime("%H:%M", text);
    let time = time.map_err(|_| "give a time of day such as 09:00".to_owned())?;
    Ok(i32::from(time.hour()) * 60 + i32::from(time.minute()))
}

pub(super) fn run(
    name: &Name,
    change: &Change,
    (settings, json): (&Settings, bool),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let group = Group::new(&name.tenant, &name.group)?;
    change.grants(&settings.config()?.digest.delivery_scope)?;
    let now = Timestamp::now().as_millisecond();
    // Whether they can work is seen before a broker is asked for those that hold.
    let source = |wanted: &GroupSettings| ControlSource::settings(&group, wanted, &now.to_string(), now);
    source(&change.of(&GroupSettings::default()))?;
    let before = newest(name, settings)?;
    let base = before.clone().unwrap_or_default();
    let wanted = change.of(&base);
    Change::is_deliverable(&wanted)?;
    if before.as_ref() != Some(&wanted) {
        write_control(source(&wanted)?, settings)?;
        put_on_record((&group, settings), before.as_ref(), &wanted)?;
    }
    if json {
        let mut value = as_json("set", &wanted);
        value["before"] = as_json(if before.is_some() { "set" } else { "default" }, &base);
        writeln!(out, "{value}")?;
        return Ok(Exit::Done);
    }
    tell(name, (before.as_ref(), &wanted), now, out)
}

fn put_on_record(
    (group, settings): (&Group, &Settings),
    before: Option<&GroupSettings>,
    wanted: &GroupSettings,
) -> anyhow::Result<()> {
    let (before, after) = (before.map(serde_json::to_value).transpose()?, serde_json::to_value(wanted)?);
    let change = AuditChange {
        tenant_id: group.tenant_id(),
        actor: &settings.operator(),
        action: "group set",
        subject: group.group_id(),
        before: before.as_ref(),
        after: Some(&after),
    };
    audit::record_of(settings, &change)
}

fn tell(
    name: &Name,
    (before, wanted): (Option<&GroupSettings>, &GroupSettings),
    now: i64,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let owner = format!("{}/{}", name.tenant, name.group);
    if before == Some(wanted) {
        writeln!(out, "{owner} has these settings already: nothing was changed")?;
        return Ok(Exit::Done);
    }
    let base = before.cloned().unwrap_or_default();
    for ((field, old), (_, new)) in fields(&base).into_iter().zip(fields(wanted)) {
        let (old, new) = (printable(&old), printable(&new));
        if old != new {
            let default = if before.is_none() { " (default)" } else { "" };
            writeln!(out, "{field:<10} {old}{default} → {new}")?;
        }
    }
    writeln!(
        out,
        "set for {owner} as of {}: windows that open from now on have them, open ones keep theirs",
        when(now)
    )?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use clap::{Parser, error::ErrorKind};

    use super::{super::*, *};
    use crate::line::Line;

    const NAME: [&str; 6] = ["group", "set", "--tenant", "acme", "--group", "team"];

    fn parsed(flags: &[&str]) -> Result<Line<Arguments>, clap::Error> {
        Line::try_parse_from(NAME.iter().chain(flags))
    }

    fn change(flags: &[&str]) -> Change {
        match parsed(flags).unwrap().arguments.command {
            Command::Set { change, .. } => change,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_channel_that_nothing_delivers_to_is_refused_with_those_there_are() {
        let error = parsed(&["--channels", "file,telegraph"]).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::InvalidValue, 2));
        assert!(error.to_string().contains("[possible values: file, telegram, webhook, email]"), "{error}");
        assert!(GroupSettings::default().channels.iter().all(|name| CHANNELS.contains(&name.as_str())));
    }

    #[test]
    fn settings_that_cannot_work_are_a_wrong_command_line() {
        let settings = Settings::default();
        let mut out = Vec::new();
        let arguments = parsed(&["--hours", "5"]).unwrap().arguments;
        let error = super::super::run(arguments, &settings, &mut out).unwrap_err();
        assert_eq!(crate::exit::report(&error, &mut out), Exit::Usage);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "error: setting window_hours cannot be \"5\": give some of 1, 2, 4, 6, 12, 24, ascending\n"
        );
    }

    #[test]
    fn what_is_not_given_stays_as_it_was_set() {
        let before = GroupSettings {
            window_hours: vec![4],
            time_zone: "Europe/Berlin".to_owned(),
            chat: Some("c".to_owned()),
            ..GroupSettings::default()
        };
        let expected = GroupSettings { language: "en".to_owned(), ..before.clone() };
        assert_eq!(change(&["--language", "en"]).of(&before), expected);
        let wider = GroupSettings { window_hours: vec![6, 24], ..before.clone() };
        assert_eq!(change(&["--hours", "6,24"]).of(&before), wider);
        assert_eq!(change(&[]).of(&before), before);
        let at_nine = GroupSettings { day_start_minutes: 540, ..before.clone() };
        assert_eq!(change(&["--at", "09:00"]).of(&before), at_nine);
        assert_eq!(change(&["--language", "en"]).of(&at_nine).day_start_minutes, 540);
        assert_eq!(change(&["--at", "00:00"]).of(&at_nine), before);
        let small = GroupSettings { window_hours: vec![1, 2], ..before.clone() };
        assert_eq!(change(&["--window", "1h,2h"]).of(&before), small);
        for wrong in [["--at", "25:00"], ["--at", "9"], ["--at", "09:00:30"], ["--hours", "2d"]] {
            assert!(parsed(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn scopes_that_block_every_digest_are_refused_unless_that_is_wanted() {
        let error = change(&["--scopes", "NONSENSE"]).grants("DIGEST_READ").unwrap_err().to_string();
        assert!(error.starts_with("could not set scopes NONSENSE: without DIGEST_READ"), "{error}");
        for flags in [
            vec!["--scopes", "DIGEST_READ,NONSENSE"],
            vec!["--scopes", "NONSENSE", "--block-digests"],
            vec!["--language", "en"],
        ] {
            assert!(change(&flags).grants("DIGEST_READ").is_ok(), "{flags:?}");
        }
    }

    #[test]
    fn channel_telegram_needs_a_chat_that_it_can_post_to() {
        let refused = |flags: &[&str]| {
            let wanted = change(flags).of(&GroupSettings::default());
            Change::is_deliverable(&wanted).map_err(|error| error.to_string())
        };
        for chat in ["-1001234567890", "-1001234567890/45", "@team_news"] {
            assert_eq!(refused(&["--channels", "file,telegram", "--chat", chat]), Ok(()), "{chat}");
        }
        assert_eq!(refused(&["--chat", "anything"]), Ok(()));
        let missing = "could not set channel telegram: give the chat that it posts to with --chat";
        assert_eq!(refused(&["--channels", "telegram"]), Err(missing.to_owned()));
        let error = refused(&["--channels", "telegram", "--chat", "https://t.me/team"]).unwrap_err();
        assert!(
            error.starts_with("could not set chat https://t.me/team: channel telegram posts to"),
            "{error}"
        );
    }

    #[test]
    fn old_and_new_are_told_and_from_when() {
        let name = Name { tenant: "acme".to_owned(), group: "team".to_owned() };
        let told = |before: Option<&GroupSettings>, wanted: &GroupSettings| {
            let mut out = Vec::new();
            tell(&name, (before, wanted), 0, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let four = GroupSettings { window_hours: vec![4], ..GroupSettings::default() };
        let when = "set for acme/team as of 1970-01-01T00:00:00.000Z: windows that open from now on have them, open \
                    ones keep theirs\n";
        assert_eq!(told(None, &four), format!("hours      24 (default) → 4\n{when}"));
        let english = GroupSettings { language: "en".to_owned(), ..four.clone() };
        assert_eq!(told(Some(&four), &english), format!("language   auto → en\n{when}"));
        assert_eq!(told(Some(&four), &four), "acme/team has these settings already: nothing was changed\n");
    }
}
