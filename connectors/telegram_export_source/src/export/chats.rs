//! Which chats an export holds, and the way to one of them.
//!
//! Invariant: a chat is named by the ordinal of its `messages` in the file, whatever the order of the fields around
//! them.

use super::{
    chat::Chat,
    context::Context,
    fault::Fault,
    item,
    json::{self, Json},
    salvage::{Found, Salvage},
};
use crate::{
    draft::Item,
    meter::Summary,
    repair::{RepairReader, Repairs},
};
use jiff::tz::TimeZone;
use std::io::Read;
use struson::reader::{JsonReader, ValueType};

/// Elements between two ticks.
const TICK_ELEMENTS: u64 = 1000;

/// What a whole document turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// A single chat at the top, not a list of chats.
    pub(crate) is_single: bool,
    pub(crate) chats: Vec<Chat>,
}

/// Reads a whole document, checking every byte of it. `tick` is called now and then.
pub(crate) fn survey(input: Box<dyn Read + Send>, tick: &mut dyn FnMut()) -> Result<Option<Document>, Fault> {
    let (json, repairs) = json::open(RepairReader::stream(input));
    read(json, &repairs, tick).map_err(|fault| fault.before_repairs(&repairs))
}

/// Reads a damaged document as far as it can be read.
pub(crate) fn survey_damaged(
    input: Box<dyn Read + Send>,
    tick: &mut dyn FnMut(),
) -> Result<Option<Document>, Fault> {
    let mut salvage = Salvage::new(input, TimeZone::UTC);
    let mut document = Document::default();
    let mut elements = 0_u64;
    while let Some(found) = salvage.next()? {
        match found {
            Found::Chat(chat, is_single) => {
                document.chats.push(*chat);
                document.is_single |= is_single;
            }
            Found::Item(..) => {
                elements += 1;
                if elements.is_multiple_of(TICK_ELEMENTS) {
                    tick();
                }
            }
            Found::Messages(_) | Found::MessagesEnd | Found::Trailing(_) => {}
        }
    }
    Ok(Some(document))
}

fn read(mut json: Json, repairs: &Repairs, tick: &mut dyn FnMut()) -> Result<Option<Document>, Fault> {
    if json.peek()? != ValueType::Object {
        json.skip_value()?;
        json.consume_trailing_whitespace()?;
        return Ok(None);
    }
    let mut surveyor = Surveyor { document: Document::default(), ordinals: 0, repairs, tick };
    let top = surveyor.chat(&mut json, true)?;
    if let Some(top) = top {
        surveyor.document.is_single = true;
        surveyor.document.chats.push(top);
    }
    json.consume_trailing_whitespace()?;
    Ok(Some(surveyor.document))
}

struct Surveyor<'t> {
    document: Document,
    ordinals: usize,
    repairs: &'t Repairs,
    tick: &'t mut dyn FnMut(),
}

impl Surveyor<'_> {
    /// An object that may be a chat; at the top it may hold lists of chats instead.
    fn chat(&mut self, json: &mut Json, is_top: bool) -> Result<Option<Chat>, Fault> {
        let mut chat = Chat::default();
        let mut has_messages = false;
        json::object(json, |json, name| {
            match (name, json.peek()?) {
                ("id", _) => chat.id = json::short(json)?,
                ("name", _) => chat.name = json::short(json)?,
                ("type", _) => chat.kind = json::short(json)?,
                ("messages", ValueType::Array) => {
                    chat.ordinal = self.ordinals;
                    self.ordinals += 1;
                    chat.summary = self.messages(json)?;
                    has_messages = true;
                }
                ("chats" | "left_chats", ValueType::Object) if is_top => self.list(json)?,
                _ => json.skip_value()?,
            }
            Ok(())
        })?;
        Ok(has_messages.then_some(chat))
    }

    fn list(&mut self, json: &mut Json) -> Result<(), Fault> {
        json::object(json, |json, name| match name {
            "list" => json::array(json, |json| {
                let chat = self.chat(json, false)?;
                self.document.chats.extend(chat);
                Ok(())
            }),
            _ => Ok(json.skip_value()?),
        })
    }

    fn messages(&mut self, json: &mut Json) -> Result<Summary, Fault> {
        // Which zone local times are in changes nothing of what is counted here.
        let (mut summary, mut context) = (Summary::default(), Context::new(TimeZone::UTC));
        let mut elements = 0_u64;
        self.repairs.take(json::position(json));
        json::array(json, |json| {
            let item: Item = item::read(json, &mut context)?;
            summary.count(&item);
            summary.repair(&self.repairs.take(json::position(json)));
            elements += 1;
            if elements.is_multiple_of(TICK_ELEMENTS) {
                (self.tick)();
            }
            Ok(())
        })?;
        Ok(summary)
    }
}

/// The document at the start of the messages of the chat with this ordinal; `None` when there is none.
pub(super) fn open_chat(
    input: Box<dyn Read + Send>,
    ordinal: usize,
) -> Result<Option<(Json<'static>, Repairs)>, Fault> {
    let (mut json, repairs) = json::open(RepairReader::stream(input));
    Ok(seek_chat(&mut json, ordinal)?.then_some((json, repairs)))
}

fn seek_chat(json: &mut Json, ordinal: usize) -> Result<bool, Fault> {
    let mut left = ordinal;
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        match (name.as_str(), json.peek()?) {
            ("messages", ValueType::Array) => {
                if enter_messages(json, &mut left)? {
                    return Ok(true);
                }
            }
            ("chats" | "left_chats", ValueType::Object) => {
                if enter_list(json, &mut left)? {
                    return Ok(true);
                }
            }
            _ => json.skip_value()?,
        }
    }
    Ok(false)
}

fn enter_messages(json: &mut Json, left: &mut usize) -> Result<bool, Fault> {
    if *left == 0 {
        json.begin_array()?;
        return Ok(true);
    }
    *left -= 1;
    json.skip_value()?;
    Ok(false)
}

/// Reads to the messages of the wanted chat, or past the lists of chats.
fn enter_list(json: &mut Json, left: &mut usize) -> Result<bool, Fault> {
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        if name != "list" || json.peek()? != ValueType::Array {
            json.skip_value()?;
            continue;
        }
        json.begin_array()?;
        while json.has_next()? {
            if json.peek()? != ValueType::Object {
                json.skip_value()?;
            } else if enter_chat(json, left)? {
                return Ok(true);
            }
        }
        json.end_array()?;
    }
    json.end_object()?;
    Ok(false)
}

fn enter_chat(json: &mut Json, left: &mut usize) -> Result<bool, Fault> {
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        if name != "messages" || json.peek()? != ValueType::Array {
            json.skip_value()?;
        } else if enter_messages(json, left)? {
            return Ok(true);
        }
    }
    json.end_object()?;
    Ok(false)
}
