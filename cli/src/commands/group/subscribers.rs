//! `gistmill group subscribers`: who gets a group's digests in the private chat with the bot.

use std::io::{self, Write};

use state::Subscriber;
use telegram_export_source::Group;

use super::{Name, link::with_store};
use crate::{
    exit::Exit,
    printing::{printable, when},
    settings::Settings,
};

pub(super) fn list(
    name: &Name,
    json: bool,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let group = Group::new(&name.tenant, &name.group)?;
    let of = (group.tenant_id(), group.group_id());
    let found = with_store(settings, async |store| Ok(store.subscribers(of.0, of.1).await?))?;
    for subscriber in &found {
        if json {
            writeln!(out, "{}", serde_json::to_string(subscriber)?)?;
        } else {
            writeln!(out, "{}", line(subscriber))?;
        }
    }
    if found.is_empty() {
        drop(writeln!(io::stderr(), "nobody has subscribed; people write /subscribe in the group's chat"));
    }
    Ok(Exit::Done)
}

fn line(subscriber: &Subscriber) -> String {
    let Subscriber { person_id, chat_id, since_ms, ended_why, .. } = subscriber;
    let ended = ended_why.as_ref().map_or_else(String::new, |why| format!("  ended: {}", printable(why)));
    format!("{person_id}  by chat {chat_id}  since {}{ended}", when(*since_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_who_since_when_and_why_no_more() {
        let subscriber = Subscriber { id: 1, person_id: 7, chat_id: -1001, since_ms: 0, ended_why: None };
        let since = "7  by chat -1001  since 1970-01-01T00:00:00.000Z";
        assert_eq!(line(&subscriber), since);
        let ended = Subscriber { ended_why: Some("blocked".to_owned()), ..subscriber };
        assert_eq!(line(&ended), format!("{since}  ended: blocked"));
    }
}
