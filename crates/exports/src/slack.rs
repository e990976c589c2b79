//! Slack's workspace export: `users.json`, lists of channels, and a folder for each with a file a day.
//!
//! Invariant: an id is the message's own time stamp, in microseconds, by which Slack itself names it.

mod message;
mod text;
mod users;

use crate::{
    Reader,
    entry::Entry,
    error::Error,
    guard::Tally,
    json::{self, Documents, Element, Json},
    plan::{Chat, Plan},
    store::{Part, Store},
};
use jiff::{civil::Date, tz::TimeZone};
use message::Shape;
use serde::Deserialize;
use std::collections::BTreeMap;
use users::Users;

/// Files that list channels, and the names of people in them.
const LISTS: [&str; 4] = ["channels.json", "groups.json", "mpims.json", "dms.json"];
const USERS: &str = "users.json";

#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    /// Absent for direct messages, whose folder is called by the id.
    name: Option<String>,
}

/// True for a file of messages of a day.
fn is_day(part: &Part) -> bool {
    part.file_name().strip_suffix(".json").is_some_and(|day| day.len() == 10 && day.parse::<Date>().is_ok())
}

/// The channels of a workspace that have messages; none where it is no export of one.
pub(crate) fn chats(store: &Store, head_bytes: u64) -> Result<Vec<Chat>, Error> {
    let mut folders: BTreeMap<&str, Vec<Part>> = BTreeMap::new();
    for part in store.parts.iter().filter(|part| is_day(part)) {
        folders.entry(part.folder()).or_default().push(part.clone());
    }
    let Some(first) = folders.values().next().and_then(|days| days.first()) else { return Ok(Vec::new()) };
    if !is_day_of_messages(&store.head(first, head_bytes)?) {
        return Ok(Vec::new());
    }
    let names = listed(store)?;
    let chat = |(folder, parts): (&str, Vec<Part>)| {
        let name = folder.rsplit('/').next().unwrap_or(folder).to_owned();
        match names.get(&name) {
            Some(id) => Chat { id: id.clone(), name: Some(name), parts },
            None => Chat { id: name, name: None, parts },
        }
    };
    Ok(folders.into_iter().map(chat).collect())
}

/// By its first message; a day without any is one, too.
fn is_day_of_messages(head: &[u8]) -> bool {
    let is_message = json::first::<Shape>(head).is_some_and(|shape| shape.is_stamped());
    is_message || head.trim_ascii().strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii() == b"]")
}

/// Ids of channels by the names of their folders.
fn listed(store: &Store) -> Result<BTreeMap<String, String>, Error> {
    let mut names = BTreeMap::new();
    for part in store.parts.iter().filter(|part| LISTS.contains(&part.file_name())) {
        let Some(mut json) = Json::open(store, part, &Tally::default(), None)? else { continue };
        while let Some(listed) = json.next::<Listed>()? {
            let Element::Read(Listed { id, name }) = listed else { continue };
            names.insert(name.unwrap_or_else(|| id.clone()), id);
        }
    }
    Ok(names)
}

/// The days of one channel.
#[derive(Debug)]
pub(crate) struct Slack {
    name: String,
    days: Vec<Part>,
    users: Option<Part>,
}

impl Slack {
    pub(crate) fn new(store: &Store, chat: &Chat) -> Self {
        let users = store.parts.iter().find(|part| part.file_name() == USERS).cloned();
        let name = chat.name.clone().unwrap_or_else(|| chat.id.clone());
        Self { name, days: chat.parts.clone(), users }
    }
}

impl Plan for Slack {
    fn open(&self, store: &Store, _: &TimeZone, tally: &Tally) -> Result<Box<dyn Reader>, Error> {
        let users = match &self.users {
            Some(part) => Users::read(store, part, tally)?,
            None => Users::default(),
        };
        Ok(Box::new(Days { documents: Documents::of(store.with(self.days.clone()), tally, None), users }))
    }

    fn identity(&self) -> String {
        "slack".to_owned()
    }

    fn notes(&self) -> Vec<String> {
        let people =
            self.users.is_none().then(|| "there is no users.json: people are called by their ids".to_owned());
        [format!("the channel is called {:?}", self.name)].into_iter().chain(people).collect()
    }
}

struct Days {
    documents: Documents,
    users: Users,
}

impl Reader for Days {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let lacks = |path| Error::Damaged {
            path,
            place: "its start".to_owned(),
            what: "it is no list of messages".to_owned(),
        };
        Ok(self.documents.next::<Shape>(lacks)?.map(|element| match element {
            Element::Read(shape) => shape.entry(&self.users),
            Element::Other => Entry::Skipped("bad_shape"),
        }))
    }
}
