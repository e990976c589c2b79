//! Discord, as DiscordChatExporter writes a channel in JSON.
//!
//! Invariant: ids are Discord's own, so an export of the same channel at another time gives the same messages.

mod message;

use crate::{
    Reader,
    entry::Entry,
    error::Error,
    guard::Tally,
    json::{self, Documents, Element},
    plan::{Chat, Plan},
    store::{Part, Store},
};
use jiff::tz::TimeZone;
use message::Shape;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
struct Guild {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Channel {
    id: String,
    category: Option<String>,
    name: Option<String>,
}

/// True where a document begins as the exporter writes it.
pub(crate) fn is_export(head: &[u8]) -> bool {
    channel(head).is_some()
}

fn channel(head: &[u8]) -> Option<(Guild, Channel)> {
    Some((json::field(head, "guild")?, json::field(head, "channel")?))
}

/// The channels among some files; of one that is split the parts in order.
pub(crate) fn chats(store: &Store, head_bytes: u64) -> Result<Vec<Chat>, Error> {
    let is_lone = store.parts.len() == 1;
    let mut chats: BTreeMap<String, Chat> = BTreeMap::new();
    for part in store.parts.iter().filter(|part| is_lone || part.name.to_lowercase().ends_with(".json")) {
        let Some((guild, channel)) = channel(&store.head(part, head_bytes)?) else { continue };
        let names = [guild.name, channel.category, channel.name].into_iter().flatten();
        let name = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" / ");
        let chat = Chat { id: channel.id.clone(), name: Some(name), parts: Vec::new() };
        chats.entry(channel.id).or_insert(chat).parts.push(part.clone());
    }
    let mut chats: Vec<Chat> = chats.into_values().collect();
    for chat in &mut chats {
        chat.parts.sort_by_key(|part| (split_number(&part.name), part.name.clone()));
    }
    Ok(chats)
}

/// Of `channel [part 10].json` the 10.
fn split_number(name: &str) -> u32 {
    let number = name.rsplit_once("[part ").and_then(|(_, rest)| rest.split(']').next()?.parse().ok());
    number.unwrap_or(0)
}

/// The files of one channel.
#[derive(Debug)]
pub(crate) struct Discord {
    id: String,
    name: Option<String>,
    parts: Vec<Part>,
}

impl Discord {
    pub(crate) fn new(chat: &Chat) -> Self {
        Self { id: chat.id.clone(), name: chat.name.clone(), parts: chat.parts.clone() }
    }
}

impl Plan for Discord {
    fn open(&self, store: &Store, _: &TimeZone, tally: &Tally) -> Result<Box<dyn Reader>, Error> {
        let documents = Documents::of(store.with(self.parts.clone()), tally, Some("messages"));
        Ok(Box::new(Messages { documents, channel: self.id.clone() }))
    }

    fn identity(&self) -> String {
        "discord".to_owned()
    }

    fn notes(&self) -> Vec<String> {
        self.name.iter().map(|name| format!("the channel is called {name:?}")).collect()
    }
}

struct Messages {
    documents: Documents,
    channel: String,
}

impl Reader for Messages {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let lacks = |path| Error::Partial { path, what: "it has no messages".to_owned() };
        Ok(self.documents.next::<Shape>(lacks)?.map(|element| match element {
            Element::Read(shape) => shape.entry(&self.channel),
            Element::Other => Entry::Skipped("bad_shape"),
        }))
    }
}
