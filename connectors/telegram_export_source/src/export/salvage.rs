//! A damaged document: whole elements are given, damaged ones are named and passed over.
//!
//! Invariant: what is given is a function of the bytes; damage outside of the lists of messages is a fault.

use super::{
    chat::Chat,
    context::Context,
    fault::{Fault, FaultKind},
    item,
    json::{self, Json},
    resync::{self, Next, PATTERN_BYTES},
    window::{FIRST_BYTES, Window},
};
use crate::{
    draft::Item,
    meter::{Damage, Summary},
    repair::Counts,
};
use jiff::tz::TimeZone;
use std::io::Read;
use struson::reader::JsonReader;

/// Bytes searched at once for the next element.
const SEARCH_BYTES: usize = 64 * 1024;

/// What comes next in a document.
pub(crate) enum Found {
    /// The messages of the chat with this ordinal begin.
    Messages(usize),
    /// One of them, and the slips in it.
    Item(Item, Counts),
    /// They end.
    MessagesEnd,
    /// A chat that has messages ends, and whether it is all of the document.
    Chat(Box<Chat>, bool),
    /// Something follows the document.
    Trailing(Damage),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Chats,
    List,
    Chat,
    Messages,
}

/// Walks through a damaged document.
pub(crate) struct Salvage {
    window: Window,
    places: Vec<Place>,
    /// Chats that are open, and whether their messages were met.
    chats: Vec<(Chat, bool)>,
    ordinals: usize,
    summary: Summary,
    context: Context,
    /// What the elements of the list begin their lines with.
    indent: Option<Vec<u8>>,
    /// The end of the file was told as damage.
    is_cut: bool,
    is_begun: bool,
}

impl Salvage {
    /// `zone` is that of local times.
    pub(crate) fn new(input: Box<dyn Read + Send>, zone: TimeZone) -> Self {
        Self {
            window: Window::new(input),
            places: Vec::new(),
            chats: Vec::new(),
            ordinals: 0,
            summary: Summary::default(),
            context: Context::new(zone),
            indent: None,
            is_cut: false,
            is_begun: false,
        }
    }

    /// Decompressed bytes read.
    pub(crate) fn bytes(&self) -> u64 {
        self.window.position()
    }

    /// Forum topics met in this list.
    pub(crate) fn topics(&self) -> u64 {
        self.context.topics.count()
    }

    /// What comes next; `None` after the end.
    pub(crate) fn next(&mut self) -> Result<Option<Found>, Fault> {
        loop {
            let mut indent = None;
            let next = self.window.significant(&mut indent)?;
            let Some(place) = self.places.last().copied() else {
                match next {
                    Some(b'{') if !self.is_begun => self.enter(Place::Top),
                    Some(_) if !self.is_begun => return Err(self.astray()),
                    Some(_) => return self.trailing().map(Some),
                    None => return Ok(None),
                }
                continue;
            };
            let found = match (place, next) {
                (Place::Messages, None) if !self.is_cut => Some(self.cut()),
                (_, None) => self.leave(),
                (Place::Messages | Place::List, Some(b']'))
                | (Place::Top | Place::Chats | Place::Chat, Some(b'}')) => {
                    self.window.pass(1);
                    self.leave()
                }
                (Place::Messages, Some(_)) => {
                    self.indent = self.indent.take().or(indent);
                    Some(self.element()?)
                }
                (Place::List, Some(b'{')) => {
                    self.enter(Place::Chat);
                    None
                }
                (Place::List, Some(_)) => self.window.value(|json| Ok(json.skip_value()?)).map(|_| None)?,
                (_, Some(b'"')) => self.member(place)?,
                _ => return Err(self.astray()),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn astray(&self) -> Fault {
        self.window.fault(FaultKind::Malformed("it is damaged outside of the messages"))
    }

    /// Passes the bracket that opens a place.
    fn enter(&mut self, place: Place) {
        self.window.pass(1);
        self.places.push(place);
        match place {
            Place::Top | Place::Chat => self.chats.push((Chat::default(), false)),
            Place::Messages => {
                (self.indent, self.summary) = (None, Summary::default());
                self.context = Context::new(self.context.zone.clone());
            }
            Place::Chats | Place::List => {}
        }
        self.is_begun = true;
    }

    fn leave(&mut self) -> Option<Found> {
        match self.places.pop()? {
            Place::Messages => {
                if let Some((chat, _)) = self.chats.last_mut() {
                    chat.summary = std::mem::take(&mut self.summary);
                }
                Some(Found::MessagesEnd)
            }
            place @ (Place::Top | Place::Chat) => {
                let ended = self.chats.pop().filter(|(_, has_messages)| *has_messages);
                ended.map(|(chat, _)| Found::Chat(Box::new(chat), place == Place::Top))
            }
            Place::Chats | Place::List => None,
        }
    }

    /// A name and its value, or the way into it.
    fn member(&mut self, place: Place) -> Result<Option<Found>, Fault> {
        let (name, _) = self.window.value(|json| Ok(json.next_string()?))?;
        if self.window.significant(&mut None)? != Some(b':') {
            return Err(self.astray());
        }
        self.window.pass(1);
        let next = self.window.significant(&mut None)?;
        match (place, name.as_str(), next) {
            (Place::Top | Place::Chat, "messages", Some(b'[')) => {
                let ordinal = self.ordinals;
                self.ordinals += 1;
                if let Some((chat, has_messages)) = self.chats.last_mut() {
                    chat.ordinal = ordinal;
                    *has_messages = true;
                }
                self.enter(Place::Messages);
                return Ok(Some(Found::Messages(ordinal)));
            }
            (Place::Top, "chats" | "left_chats", Some(b'{')) => self.enter(Place::Chats),
            (Place::Chats, "list", Some(b'[')) => self.enter(Place::List),
            (Place::Top | Place::Chat, "id" | "name" | "type", Some(_)) => {
                let (value, _) = self.window.value(json::short)?;
                if let Some((chat, _)) = self.chats.last_mut() {
                    match name.as_str() {
                        "id" => chat.id = value,
                        "name" => chat.name = value,
                        _ => chat.kind = value,
                    }
                }
            }
            _ => drop(self.window.value(|json| Ok(json.skip_value()?))?),
        }
        Ok(None)
    }

    fn element(&mut self) -> Result<Found, Fault> {
        let bound = self.bound()?;
        let context = &mut self.context;
        let mut read = |json: &mut Json| item::read(json, context);
        let read = match bound {
            Some(bound) => self.window.value_before(bound, &mut read),
            None => self.window.value(&mut read),
        };
        match read {
            Ok((item, slips)) => Ok(self.give(item, slips)),
            Err(fault) => {
                let begin =
                    self.window.fault(FaultKind::Malformed("a quotation mark or a bracket is missing"));
                let goes_on = self.resync()?;
                let is_cut = fault.kind == FaultKind::Truncated;
                self.is_cut |= is_cut && !goes_on;
                let fault = if is_cut && goes_on { begin.in_message(fault.message) } else { fault };
                Ok(self.give(Item::Damaged(Damage::of(&fault)), Counts::new()))
            }
        }
    }

    /// Where the next element begins, if lines tell: one that has lost a bracket would swallow it.
    fn bound(&mut self) -> Result<Option<usize>, Fault> {
        let Some(indent) = self.indent.as_deref().filter(|indent| !indent.is_empty()) else {
            return Ok(None);
        };
        let rest = self.window.look(FIRST_BYTES)?;
        Ok(match resync::find(&rest[1..], Some(indent)) {
            Some(Next::Element(at) | Next::End(at)) => Some(at + 1),
            Some(Next::OtherChat) | None => None,
        })
    }

    fn give(&mut self, item: Item, slips: Counts) -> Found {
        self.summary.count(&item);
        self.summary.repair(&slips);
        Found::Item(item, slips)
    }

    /// The file ends inside a list of messages.
    fn cut(&mut self) -> Found {
        self.is_cut = true;
        let fault = self.window.fault(FaultKind::Malformed("the file ends before its messages do"));
        self.give(Item::Damaged(Damage::of(&fault)), Counts::new())
    }

    /// Something after the end of the document.
    fn trailing(&mut self) -> Result<Found, Fault> {
        let fault = self.window.fault(FaultKind::Malformed("something follows the end of the export"));
        loop {
            let bytes = self.window.look(SEARCH_BYTES)?.len();
            self.window.pass(bytes);
            if bytes == 0 {
                return Ok(Found::Trailing(Damage::of(&fault)));
            }
        }
    }

    /// Passes the rest of a damaged element; false when nothing follows.
    fn resync(&mut self) -> Result<bool, Fault> {
        let overlap = PATTERN_BYTES + 2 * self.indent.as_ref().map_or(0, Vec::len);
        // The element's own beginning is no place to go on.
        let mut from = 1;
        loop {
            let rest = self.window.look(SEARCH_BYTES)?;
            match resync::find(&rest[from.min(rest.len())..], self.indent.as_deref()) {
                Some(Next::Element(at) | Next::End(at)) => {
                    self.window.pass(from + at);
                    return Ok(true);
                }
                Some(Next::OtherChat) => return Err(self.astray()),
                None => {}
            }
            let length = rest.len();
            let is_end = self.window.is_end();
            let passed = if is_end { length } else { length.saturating_sub(overlap).max(1) };
            self.window.pass(passed);
            if is_end {
                return Ok(false);
            }
            from = 0;
        }
    }
}
