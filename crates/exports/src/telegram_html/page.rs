//! A page, token by token.
//!
//! Invariant: a page that does not end with its own end tag, or that is followed by anything, is refused.

use super::{
    element::{Role, Tag},
    media::RawMedia,
    message::{Raw, RawReaction},
};
use crate::{
    error::Error,
    guard::Tally,
    store::{Part, Store},
};
use html5gum::{IoReader, Token, Tokenizer};
use std::io::Read;

/// Elements inside each other; a page has about a dozen.
const DEPTH_MAX: usize = 100;
/// Characters of a name or a title that are kept.
const SHORT_BYTES_MAX: usize = 4096;

/// What [`Page`] gives.
pub(super) enum Found {
    Message(Box<Raw>),
    /// Other pages that this one leads to.
    Links(Vec<String>),
}

/// An element that is not closed yet.
struct Open {
    name: Vec<u8>,
    role: Role,
}

/// A page that is being read.
pub(super) struct Page {
    tokens: Tokenizer<IoReader<Box<dyn Read + Send>>>,
    store: Store,
    part: Part,
    open: Vec<Open>,
    message: Option<Box<Raw>>,
    links: Vec<String>,
    /// The end tag of the page was there.
    is_ended: bool,
}

/// Whose name the first page shows, if its beginning tells.
pub(super) fn title(head: &[u8]) -> Option<String> {
    let mut title = None;
    for token in Tokenizer::new(head) {
        match (token.ok()?, &mut title) {
            (Token::StartTag(start), None) => {
                let tag = Tag::new(start);
                title = (tag.has("text") && tag.has("bold")).then(String::new);
            }
            (Token::String(text), Some(title)) => title.push_str(&String::from_utf8_lossy(&text)),
            (Token::EndTag(_), Some(title)) => {
                let title = text::pii::mask(title.trim()).into_owned();
                return (!title.is_empty()).then_some(title);
            }
            _ => {}
        }
    }
    None
}

impl Page {
    pub(super) fn open(store: &Store, part: &Part, tally: &Tally) -> Result<Self, Error> {
        let tokens = Tokenizer::new(IoReader::new(store.open(part, tally)?));
        let (store, part) = (store.with(Vec::new()), part.clone());
        Ok(Self { tokens, store, part, open: Vec::new(), message: None, links: Vec::new(), is_ended: false })
    }

    pub(super) fn next(&mut self) -> Result<Option<Found>, Error> {
        while let Some(token) = self.tokens.next() {
            let token = token.map_err(|source| self.store.fault(&self.part, source))?;
            let is_blank = matches!(&token, Token::String(text) if text.trim_ascii().is_empty());
            if self.is_ended && !is_blank && !matches!(token, Token::Error(_)) {
                let what = "something follows the end of the page".to_owned();
                return Err(Error::Glued { path: self.store.part_name(&self.part), what });
            }
            match token {
                Token::StartTag(start) => self.start(Tag::new(start))?,
                Token::EndTag(end) => {
                    if let Some(message) = self.end(&end.name) {
                        return Ok(Some(Found::Message(message)));
                    }
                    if self.is_ended && !self.links.is_empty() {
                        return Ok(Some(Found::Links(std::mem::take(&mut self.links))));
                    }
                }
                Token::String(text) => self.string(&String::from_utf8_lossy(&text)),
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        if self.is_ended {
            return Ok(None);
        }
        let what = "it ends in the middle of the page".to_owned();
        Err(Error::Partial { path: self.store.part_name(&self.part), what })
    }

    fn role(&self) -> Role {
        self.open.last().map_or(Role::Other, |open| open.role)
    }

    fn is_in(&self, role: Role) -> bool {
        self.open.iter().any(|open| open.role == role)
    }

    fn start(&mut self, tag: Tag) -> Result<(), Error> {
        let role = tag.role(self.role(), |role| self.is_in(role));
        if role == Role::Message {
            self.message = Some(Box::new(begun(&tag)));
        } else if role == Role::PageLink {
            self.links.extend(tag.attribute("href"));
        } else {
            self.inside(role, &tag);
        }
        if tag.is_void() {
            return Ok(());
        }
        if self.open.len() >= DEPTH_MAX {
            let what = format!("more than {DEPTH_MAX} elements inside each other");
            let path = self.store.part_name(&self.part);
            return Err(Error::Damaged { path, place: "a message".to_owned(), what });
        }
        self.open.push(Open { name: tag.name, role });
        Ok(())
    }

    /// An element inside a message begins.
    fn inside(&mut self, role: Role, tag: &Tag) {
        let (is_reply, is_text, is_from) =
            (self.is_in(Role::ReplyTo), self.is_in(Role::Text), self.is_in(Role::FromName));
        let is_reaction = self.is_in(Role::ReactionEmoji);
        let Some(message) = &mut self.message else { return };
        match role {
            Role::Date if is_from => message.forwarded_date = tag.attribute("title"),
            Role::Date => message.date = message.date.take().or_else(|| tag.attribute("title")),
            Role::Forwarded => message.is_forwarded = true,
            Role::Mark if tag.name == b"br" => message.text.line_break(),
            Role::Mark => message.text.begin(tag),
            Role::Media => message.media = Some(RawMedia::new(tag)),
            Role::Answer => message.media.iter_mut().for_each(|media| media.answers.push(<_>::default())),
            Role::Reaction => {
                message.reactions.push(RawReaction { is_paid: tag.has("paid"), ..RawReaction::default() });
            }
            Role::ReactionUsers => {
                if let Some(reaction) = message.reactions.last_mut() {
                    reaction.users += 1;
                }
            }
            _ if is_reply => message.reply_to = message.reply_to.or_else(|| answered(tag)),
            _ if is_text && tag.name == b"br" => message.text.line_break(),
            _ if is_reaction && tag.name == b"a" => {
                message.reactions.iter_mut().last().into_iter().for_each(|it| it.is_custom = true);
            }
            _ => {}
        }
    }

    /// An element ends, and with it those inside that were not closed; the message, if it is one.
    fn end(&mut self, name: &[u8]) -> Option<Box<Raw>> {
        self.is_ended |= name == b"html";
        let at = self.open.iter().rposition(|open| open.name == name)?;
        let mut ended = None;
        for open in self.open.drain(at..) {
            match (open.role, &mut self.message) {
                (Role::Message, message) => ended = message.take(),
                (Role::Mark, Some(message)) => message.text.end(),
                _ => {}
            }
        }
        ended
    }

    fn string(&mut self, text: &str) {
        let (role, is_text, is_forwarded) =
            (self.role(), self.is_in(Role::Text), self.is_in(Role::Forwarded));
        let is_emoji = self.is_in(Role::ReactionEmoji);
        let Some(message) = &mut self.message else { return };
        let reaction = message.reactions.last_mut();
        let media = message.media.as_mut();
        let place = match (role, media, reaction) {
            _ if is_text => return message.text.string(text),
            (Role::FromName, ..) if is_forwarded => message.forwarded_from.get_or_insert_default(),
            (Role::FromName, ..) => message.from.get_or_insert_default(),
            (Role::ServiceBody, ..) => &mut message.service,
            (_, _, Some(reaction)) if is_emoji => &mut reaction.emoji,
            (Role::ReactionCount, _, Some(reaction)) => &mut reaction.count,
            (Role::MediaTitle, Some(media), _) => &mut media.title,
            (Role::Question, Some(media), _) => &mut media.question,
            (Role::PollState, Some(media), _) => &mut media.state,
            (Role::Voters, Some(media), _) => &mut media.voters,
            (Role::Answer, Some(RawMedia { answers, .. }), _) => match answers.last_mut() {
                Some((answer, _)) => answer,
                None => return,
            },
            (Role::Votes, Some(RawMedia { answers, .. }), _) => match answers.last_mut() {
                Some((_, votes)) => votes,
                None => return,
            },
            _ => return,
        };
        if place.len() + text.len() <= SHORT_BYTES_MAX {
            place.push_str(text);
        }
    }
}

/// The message that a tag begins.
fn begun(tag: &Tag) -> Raw {
    let id = tag.attribute("id");
    let id = id.and_then(|id| id.strip_prefix("message")?.parse().ok());
    Raw { id, is_service: tag.has("service"), is_joined: tag.has("joined"), ..Raw::default() }
}

/// The message that a link leads to.
fn answered(tag: &Tag) -> Option<i64> {
    let href = tag.attribute("href")?;
    let (_, id) = href.rsplit_once("go_to_message")?;
    id.parse().ok()
}
