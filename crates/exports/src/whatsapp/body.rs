//! What a message of a WhatsApp export says, once its head is off.

use super::{
    head::Form,
    ids,
    marks::{is_blank, is_mark},
    words,
};
use crate::entry::media;
use ingest::RichText;
use schemas::{Author, Media, Poll, PollOption};
use sha2::{Digest, Sha256};

/// Longest name, in bytes: 25 characters of four bytes, and what a phone adds.
const NAME_BYTES_MAX: usize = 160;
/// What a name has not, and a line of WhatsApp's own may have around a title.
const QUOTES: [char; 6] = ['"', '“', '”', '„', '«', '»'];
/// Mark with which iPhones begin what a person did not write.
const MARK: char = '\u{200e}';

/// What stands after a head.
#[derive(Debug)]
pub(super) enum Body {
    /// Written by WhatsApp: somebody joined, a call was missed.
    System,
    /// In the place of a message that is gone.
    Deleted,
    /// A message.
    Said(Box<Said>),
}

#[derive(Debug)]
pub(super) struct Said {
    pub(super) author: Author,
    pub(super) text: RichText,
    pub(super) media: Option<Media>,
    /// What every export of the chat says of it.
    pub(super) key: String,
}

/// Reads what follows a head.
pub(super) fn read(form: Form, text: &str) -> Body {
    let Some((name, said)) = split(text) else { return Body::System };
    if words::is_notice(said) {
        return Body::System;
    }
    let said = without_edited(said);
    if words::is_deleted(said) {
        return Body::Deleted;
    }
    let (caption, media) = attachment(form, said);
    let is_own = form == Form::Bracket && said.starts_with(MARK);
    let media = media.or_else(|| poll(&caption));
    // What iPhones mark so and what is no attachment is their own, but for places.
    if is_own && media.is_none() && !caption.contains("https://") {
        return Body::System;
    }
    let (caption, kind) = match &media {
        Some(Media { poll: Some(poll), .. }) => (String::new(), format!("\u{1}{}", poll.question)),
        Some(_) => (caption, "\u{1}".to_owned()),
        None => (caption, String::new()),
    };
    let key = format!("{kind}{}", ids::key(&caption));
    let mut rich = RichText::default();
    rich.push(caption.chars().filter(|c| !is_mark(*c)).collect::<String>().trim_end(), None, None);
    rich.mark_links();
    Body::Said(Box::new(Said { author: author(name), text: rich, media, key }))
}

/// A name and what it says; `None` for a line of WhatsApp's own.
fn split(text: &str) -> Option<(&str, &str)> {
    let first = text.lines().next().unwrap_or_default();
    let (name, at) = match first.find(": ") {
        Some(at) => (&first[..at], at + 2),
        None => (first.strip_suffix(':')?, first.len()),
    };
    let name = name.trim_matches(|c| is_mark(c) || is_blank(c));
    let name = name.strip_prefix('~').map_or(name, |name| name.trim_start_matches(is_blank));
    let is_name = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(QUOTES);
    is_name.then_some((name, &text[at..]))
}

/// Who wrote it. A phone number is a name that nobody may see.
fn author(name: &str) -> Author {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let is_number = digits.len() >= 7
        && name.chars().all(|c| {
            c.is_ascii_digit()
                || is_blank(c)
                || is_mark(c)
                || matches!(c, '+' | '(' | ')' | '-' | '\u{2011}' | '.')
        });
    if is_number {
        let hash = crate::guard::hex(&Sha256::digest(digits.as_bytes())[..8]);
        let name = format!("phone …{}", &digits[digits.len() - 2..]);
        return Author { id: format!("phone:{hash}"), name, is_bot: false };
    }
    ingest::author(Some(name.to_owned()), None).unwrap_or_else(|| Author {
        id: format!("name:{name}"),
        name: name.to_owned(),
        is_bot: false,
    })
}

/// The text without the words that it was changed.
fn without_edited(text: &str) -> &str {
    let end = text.trim_end();
    let Some(at) = end.strip_suffix('>').and_then(|inner| inner.rfind('<')) else { return text };
    let is_edited = words::is_edited(&end[at + 1..end.len() - 1]);
    if is_edited { end[..at].trim_end_matches(|c| is_mark(c) || is_blank(c)) } else { text }
}

/// The caption, and what it is the caption of.
fn attachment(form: Form, text: &str) -> (String, Option<Media>) {
    let found = if form == Form::Dash { android(text) } else { None };
    found.or_else(|| named(text)).or_else(|| left_out(text)).map_or_else(
        || (text.to_owned(), None),
        |(caption, media)| {
            (caption.trim_matches(|c: char| is_mark(c) || c.is_whitespace()).to_owned(), Some(media))
        },
    )
}

/// `IMG-20231231-WA0001.jpg (file attached)` or `<Media omitted>`, and the caption on the lines below.
fn android(text: &str) -> Option<(String, Media)> {
    let (first, caption) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_matches(|c| is_mark(c) || is_blank(c));
    if let Some((name, words)) = first.strip_suffix(')').and_then(|first| first.rsplit_once(" ("))
        && has_extension(name)
        && (is_given_name(name) || words::is_attached(words))
    {
        return Some((caption.to_owned(), media(words::kind_of_file(name), Some(name.to_owned()))));
    }
    let inner = first.strip_prefix('<')?.strip_suffix('>')?;
    let is_plain = !inner.contains(['<', '>', '/', '=', '@', ':']);
    let kind = words::omitted(inner).filter(|_| is_plain)?;
    Some((caption.to_owned(), media(kind, None)))
}

/// `<attached: 00000012-PHOTO-2023-12-31-21-41-05.jpg>`, in whatever language.
fn named(text: &str) -> Option<(String, Media)> {
    let start = text.find("\u{200e}<")?;
    let inner = &text[start + "\u{200e}<".len()..];
    let (inner, after) = inner.split_once('>')?;
    let (_, name) = inner.split_once(": ").filter(|(_, name)| has_extension(name))?;
    let caption = format!("{}{after}", &text[..start]);
    Some((caption, media(words::kind_of_file(name), Some(name.to_owned()))))
}

/// `image omitted`, after a mark, and a document's name before it.
fn left_out(text: &str) -> Option<(String, Media)> {
    let start = text.rfind(MARK)?;
    let kind = words::omitted(&text[start..])?;
    let caption = &text[..start];
    match caption.split_once(" • ") {
        Some((name, _)) if kind == "file" && has_extension(name) => {
            Some((String::new(), media(kind, Some(name.trim_start_matches(is_mark).to_owned()))))
        }
        _ => Some((caption.to_owned(), media(kind, None))),
    }
}

fn has_extension(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let is_one =
        |text: &str| (2..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    extension.is_some_and(is_one) && !name.contains('\n')
}

/// `IMG-20231231-WA0001.jpg`
fn is_given_name(name: &str) -> bool {
    let mut parts = name.split('-');
    let kind = parts
        .next()
        .is_some_and(|kind| kind.len() == 3 && kind.bytes().all(|byte| byte.is_ascii_uppercase()));
    let day = parts.next().is_some_and(|day| day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()));
    kind && day && parts.next().is_some_and(|rest| rest.starts_with("WA"))
}

/// `POLL:`, the question, and `OPTION: Tuesday (3 votes)` for each answer; the words are those of the phone's language.
fn poll(text: &str) -> Option<Media> {
    let mut lines = text.lines().map(|line| line.trim_matches(|c| is_mark(c) || is_blank(c)));
    let is_label = |label: &str| {
        label.chars().count() >= 3 && label.chars().all(|c| c.is_alphabetic() && !c.is_lowercase())
    };
    lines.next()?.strip_suffix(':').filter(|label| is_label(label))?;
    let question = lines.next()?.to_owned();
    let mut options = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (_, option) = line.split_once(": ").filter(|(label, _)| is_label(label))?;
        let (text, votes) = option.strip_suffix(')')?.rsplit_once(" (")?;
        let votes = votes.split(|c: char| !c.is_ascii_digit()).find_map(|number| number.parse().ok());
        options.push(PollOption { text: text.trim_end_matches(is_mark).to_owned(), votes });
    }
    let poll = Poll { question, options, closed: false, voters: None };
    let poll = poll.map_texts(|text| text::pii::mask(text).into_owned());
    (!poll.options.is_empty()).then(|| Media { poll: Some(poll), ..media("poll", None) })
}
