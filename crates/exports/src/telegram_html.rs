//! Telegram Desktop's HTML export: pages of a thousand messages each.
//!
//! Its messages are those of the JSON export of the same chat: ids, times, answers and texts are the same. What HTML
//! does not tell (who is who but by name, when a message was edited, sizes of files) is left open; a message that was
//! imported from JSON before keeps what it has, for it has the same id and no older revision.
//! Invariant: of a page no more than one message is in memory.

mod element;
mod media;
mod message;
mod page;
mod text;

use crate::{
    Reader,
    entry::Entry,
    error::Error,
    guard::Tally,
    plan::{Chat, Plan},
    store::{Part, Store},
};
use ingest::Topics;
use jiff::tz::TimeZone;
use message::Before;
use page::{Found, Page};
use std::collections::BTreeMap;

/// True where a page begins as Telegram Desktop writes it.
pub(crate) fn is_page(head: &[u8]) -> bool {
    let has = |what: &[u8]| head.windows(what.len()).any(|window| window.eq_ignore_ascii_case(what));
    has(b"<html") && has(b"page_wrap") && has(b"page_header")
}

/// Number of a page by its name: `messages.html` is the first, `messages2.html` the second.
pub(crate) fn page_number(file_name: &str) -> Option<u32> {
    match file_name.strip_prefix("messages")?.strip_suffix(".html")? {
        "" => Some(1),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

/// The chats of a folder or an archive: each folder with pages is one.
pub(crate) fn chats(store: &Store, head_bytes: u64) -> Result<Vec<Chat>, Error> {
    let mut folders: BTreeMap<&str, Vec<(u32, Part)>> = BTreeMap::new();
    for part in &store.parts {
        if let Some(number) = page_number(part.file_name()) {
            folders.entry(part.folder()).or_default().push((number, part.clone()));
        }
    }
    let mut chats = Vec::new();
    for (folder, mut pages) in folders {
        pages.sort_by_key(|(number, _)| *number);
        let parts: Vec<Part> = pages.into_iter().map(|(_, part)| part).collect();
        let Some(first) = parts.first() else { continue };
        let head = store.head(first, head_bytes)?;
        if is_page(&head) {
            let id = folder.rsplit('/').next().unwrap_or(folder);
            let id = if id.is_empty() { "messages" } else { id };
            chats.push(Chat { id: id.to_owned(), name: page::title(&head), parts });
        }
    }
    Ok(chats)
}

/// The pages of a chat, in order.
#[derive(Debug)]
pub(crate) struct TelegramHtml {
    pages: Vec<Part>,
    title: Option<String>,
}

impl TelegramHtml {
    /// The pages of a chat, if none is missing.
    pub(crate) fn new(store: &Store, chat: &Chat) -> Result<Self, Error> {
        if chat.parts.len() > 1 || store.parts.len() > 1 {
            let numbers = chat.parts.iter().filter_map(|part| page_number(part.file_name()));
            if let Some((expected, _)) = (1..).zip(numbers).find(|(expected, number)| expected != number) {
                let missing = if expected == 1 { String::new() } else { expected.to_string() };
                return Err(Error::Partial {
                    path: store.name(),
                    what: format!("messages{missing}.html is missing"),
                });
            }
        }
        Ok(Self { pages: chat.parts.clone(), title: chat.name.clone() })
    }
}

impl Plan for TelegramHtml {
    fn open(&self, store: &Store, zone: &TimeZone, tally: &Tally) -> Result<Box<dyn Reader>, Error> {
        let store = store.with(self.pages.clone());
        Ok(Box::new(Pages {
            store,
            tally: tally.clone(),
            zone: zone.clone(),
            next: 0,
            page: None,
            topics: Topics::default(),
            before: Before::default(),
        }))
    }

    fn identity(&self) -> String {
        "telegram_html".to_owned()
    }

    fn notes(&self) -> Vec<String> {
        let title = self.title.iter().map(|title| format!("the chat is called {title:?}"));
        let count = self.pages.len();
        title.chain([format!("{count} page{}", if count == 1 { "" } else { "s" })]).collect()
    }
}

struct Pages {
    store: Store,
    tally: Tally,
    zone: TimeZone,
    /// The page that comes next.
    next: usize,
    page: Option<Page>,
    topics: Topics,
    /// What a joined message takes from the one above it.
    before: Before,
}

impl Pages {
    /// Pages that this one links to and that are not there.
    fn check_links(&self, links: &[String]) -> Result<(), Error> {
        let is_there = |link: &&String| {
            let name = link.rsplit('/').next().unwrap_or(link);
            let name = name.split('#').next().unwrap_or(name);
            page_number(name).is_none() || self.store.parts.iter().any(|part| part.file_name() == name)
        };
        match links.iter().find(|link| !is_there(link)) {
            None => Ok(()),
            Some(link) => Err(Error::Partial { path: self.store.name(), what: format!("{link} is missing") }),
        }
    }
}

impl Reader for Pages {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            let Some(page) = &mut self.page else {
                let Some(part) = self.store.parts.get(self.next) else { return Ok(None) };
                self.page = Some(Page::open(&self.store, part, &self.tally)?);
                self.next += 1;
                continue;
            };
            match page.next()? {
                Some(Found::Message(raw)) => {
                    self.tally.element();
                    if let Some(entry) = raw.entry(&mut self.before, &mut self.topics, &self.zone) {
                        return Ok(Some(entry));
                    }
                }
                Some(Found::Links(links)) => self.check_links(&links)?,
                None => self.page = None,
            }
        }
    }
}
