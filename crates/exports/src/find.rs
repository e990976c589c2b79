//! Tells whose export it is, and reads it whole once.
//!
//! Invariant: it is told by what is in a file; a name decides only where a folder has many files.

mod looks;

use crate::{
    Choice, Entry, Reader,
    discord::{self, Discord},
    error::Error,
    guard::Tally,
    plan::{Chat, Plan},
    slack::{self, Slack},
    store::{self, Store},
    telegram_html::{self, TelegramHtml},
    whatsapp,
};
use jiff::tz::TimeZone;
use std::{
    fmt::Debug,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes of a file by which it is told.
const HEAD_BYTES: u64 = 64 * 1024;
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Elements between two ticks.
const TICK_ELEMENTS: u64 = 1000;

/// Whose exports are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Discord,
    Slack,
    TelegramHtml,
    WhatsApp,
}

impl Maker {
    fn name(self) -> &'static str {
        match self {
            Self::Discord => "Discord",
            Self::Slack => "Slack",
            Self::TelegramHtml => "Telegram (HTML)",
            Self::WhatsApp => "WhatsApp",
        }
    }
}

/// An export that was found.
#[derive(Debug)]
pub struct Found {
    store: Store,
    maker: Maker,
    chats: Vec<Chat>,
}

/// Looks what lies at a path; `None` for what is JSON of Telegram or lines, or nothing that is known.
pub fn find(path: &Path) -> Result<Option<Found>, Error> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    if metadata.is_dir() {
        let is_telegram = ["result.json", "result.json.gz"].iter().any(|name| path.join(name).is_file());
        return if is_telegram { Ok(None) } else { in_store(Store::folder(path)?).map(Some) };
    }
    let mut magic = Vec::new();
    let file = File::open(path).map_err(|source| store::unreadable(path, source))?;
    file.take(4).read_to_end(&mut magic).map_err(|source| store::unreadable(path, source))?;
    if magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"PK\x05\x06") {
        let store = Store::archive(path)?;
        let is_telegram = store.parts.iter().any(|part| part.file_name() == "result.json");
        return if is_telegram { Ok(None) } else { in_store(store).map(Some) };
    }
    in_file(path, magic.starts_with(GZIP))
}

/// A lone file. What the source reads itself, and faults that it has words for, are not told here.
fn in_file(path: &Path, is_gzip: bool) -> Result<Option<Found>, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if let Some(folder) = path.parent().filter(|_| name == "export_results.html") {
        return in_store(Store::folder(folder)?).map(Some);
    }
    let mut store = Store::file(path, is_gzip)?;
    let Some(part) = store.parts.first() else { return Ok(None) };
    let Ok(head) = store.head(part, HEAD_BYTES) else { return Ok(None) };
    let Some(maker) = maker(&head) else {
        return match looks::like(&head) {
            Some(looks) => Err(Error::Unknown { path: store.name(), looks: looks.to_owned() }),
            None => Ok(None),
        };
    };
    let mut chat = Chat { id: part.file_name().to_owned(), name: None, parts: vec![part.clone()] };
    if maker == Maker::Discord {
        chat = discord::chats(&store, HEAD_BYTES)?.pop().unwrap_or(chat);
    }
    if maker == Maker::TelegramHtml && telegram_html::page_number(&name).is_some() {
        // The other pages lie beside it.
        store.add_siblings(path, |name| telegram_html::page_number(name).is_some())?;
        chat = telegram_html::chats(&store, HEAD_BYTES)?.pop().unwrap_or(chat);
    }
    Ok(Some(Found { store, maker, chats: vec![chat] }))
}

/// By the first bytes of a file.
fn maker(head: &[u8]) -> Option<Maker> {
    match head.trim_ascii_start().first()? {
        b'{' => discord::is_export(head).then_some(Maker::Discord),
        b'<' => telegram_html::is_page(head).then_some(Maker::TelegramHtml),
        _ => whatsapp::is_head(head).then_some(Maker::WhatsApp),
    }
}

/// Among the files of a folder or an archive.
fn in_store(store: Store) -> Result<Found, Error> {
    let pages = telegram_html::chats(&store, HEAD_BYTES)?;
    if !pages.is_empty() {
        return Ok(Found { store, maker: Maker::TelegramHtml, chats: pages });
    }
    for (maker, chats) in [
        (Maker::Slack, slack::chats(&store, HEAD_BYTES)?),
        (Maker::Discord, discord::chats(&store, HEAD_BYTES)?),
    ] {
        if !chats.is_empty() {
            return Ok(Found { store, maker, chats });
        }
    }
    let mut chats = Vec::new();
    for part in store.parts.iter().filter(|part| part.name.to_lowercase().ends_with(".txt")) {
        if whatsapp::is_head(&store.head(part, HEAD_BYTES)?) {
            chats.push(Chat { id: part.name.clone(), name: None, parts: vec![part.clone()] });
        }
    }
    if chats.is_empty() {
        return Err(Error::Unknown { path: store.name(), looks: looks::of_store(&store) });
    }
    Ok(Found { store, maker: Maker::WhatsApp, chats })
}

impl Found {
    /// Whose export it is.
    pub fn maker(&self) -> &'static str {
        self.maker.name()
    }

    /// Bytes of the chosen chat's files, as far as the export tells.
    fn size(chat: &Chat) -> u64 {
        chat.parts.iter().map(|part| part.size).sum()
    }

    /// Reads all of the chosen chat: `entry` is told of each element, `tick` of bytes done and of all.
    pub fn survey(
        self,
        choice: &Choice,
        entry: &mut dyn FnMut(&Entry),
        tick: &mut dyn FnMut(u64, u64),
    ) -> Result<Export, Error> {
        let chat = choose(&self.store, &self.chats, choice.chat.as_deref())?.clone();
        let is_alone = self.chats.len() == 1;
        let size = Self::size(&chat);
        let plan = self.plan(&chat, choice, &mut |bytes| tick(bytes, size))?;
        let tally = Tally::hashing();
        let mut reader = plan.open(&self.store, &TimeZone::UTC, &tally)?;
        let mut elements = 0_u64;
        while let Some(found) = reader.next()? {
            entry(&found);
            elements += 1;
            if elements.is_multiple_of(TICK_ELEMENTS) {
                tick(tally.bytes(), size);
            }
        }
        let identity = plan.identity();
        let identity = if is_alone { identity } else { format!("{identity}/chat:{}", chat.id) };
        let (sha256, bytes) = (tally.sha256(), tally.bytes());
        Ok(Export { store: Arc::new(self.store), maker: self.maker, plan, sha256, bytes, identity })
    }

    fn plan(&self, chat: &Chat, choice: &Choice, tick: &mut dyn FnMut(u64)) -> Result<Arc<dyn Plan>, Error> {
        if let Some(order) = choice.date_order.filter(|_| self.maker != Maker::WhatsApp) {
            let (option, maker) = (order.option(), self.maker());
            return Err(Error::Option { option, maker, why: "its dates can be read in one way only" });
        }
        match (self.maker, chat.parts.as_slice()) {
            (Maker::WhatsApp, [part, ..]) => Ok(Arc::new(whatsapp::survey(&self.store, part, choice, tick)?)),
            (Maker::Discord, _) => Ok(Arc::new(Discord::new(chat))),
            (Maker::Slack, _) => Ok(Arc::new(Slack::new(&self.store, chat))),
            (Maker::TelegramHtml, _) => Ok(Arc::new(TelegramHtml::new(&self.store, chat)?)),
            (_, []) => Err(Error::Empty { path: self.store.name() }),
        }
    }
}

/// The chat with this id or name; without a choice the only one.
fn choose<'c>(store: &Store, chats: &'c [Chat], wanted: Option<&str>) -> Result<&'c Chat, Error> {
    let list = || {
        let line = |chat: &Chat| match &chat.name {
            Some(name) => format!("  {}  {name}", chat.id),
            None => format!("  {}", chat.id),
        };
        chats.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let Some(wanted) = wanted else {
        return match chats {
            [only] => Ok(only),
            _ => Err(Error::ChooseChat { path: store.name(), count: chats.len(), list: list() }),
        };
    };
    let by = |is_it: &dyn Fn(&Chat) -> bool| {
        let mut found = chats.iter().filter(|chat| is_it(chat));
        found.next().filter(|_| found.next().is_none())
    };
    let found = by(&|chat| chat.id == wanted).or_else(|| by(&|chat| chat.name.as_deref() == Some(wanted)));
    found.ok_or_else(|| Error::NoSuchChat { path: store.name(), wanted: wanted.to_owned(), list: list() })
}

/// An export that was read whole without a fault.
#[derive(Debug, Clone)]
pub struct Export {
    store: Arc<Store>,
    maker: Maker,
    plan: Arc<dyn Plan>,
    /// Of the bytes that were read, in hex.
    pub sha256: String,
    /// How many they are, without compression.
    pub bytes: u64,
    /// What beside the bytes decides what is read.
    pub identity: String,
}

impl Export {
    /// Whose export it is, and what was decided about it, for people.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("an export of {}", self.maker.name())];
        notes.extend(self.plan.notes());
        notes
    }

    /// The files, as messages for people name them.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(self.store.name())
    }

    /// Begins to read its messages; `zone` is that of local times.
    pub fn open(&self, zone: &TimeZone) -> Result<Stream, Error> {
        let tally = Tally::default();
        let reader = self.plan.open(&self.store, zone, &tally)?;
        Ok(Stream { reader, tally })
    }
}

/// The messages of an export.
pub struct Stream {
    reader: Box<dyn Reader>,
    tally: Tally,
}

impl Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

impl Stream {
    /// The next element; `None` after the last.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        self.reader.next()
    }

    /// Bytes read, without compression.
    pub fn bytes(&self) -> u64 {
        self.tally.bytes()
    }
}
