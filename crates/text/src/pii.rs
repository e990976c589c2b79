//! Masks personal data in chat text: e-mail, phones, cards, bank and identity numbers, secrets.
//!
//! Invariant: `mask(mask(x)) == mask(x)`, and a URL stays a URL: only its credentials and the e-mail
//! addresses of its query are replaced.
//!
//! Numbers are told from ids, versions, dates and amounts by their shape, their checksum or a word before them,
//! never by length alone: in a chat about software a lost build number costs more than it protects.

mod candidate;
mod checksum;
mod context;
mod digits;
mod email;
mod iban;
mod number;
mod phone;
mod secret;
mod url;

use std::{borrow::Cow, ops::Range};

/// Prose needs two rounds at most; the bound keeps a text made to chain patterns from costing quadratic time.
const ROUNDS_MAX: usize = 32;

/// What was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Payment card number.
    Card,
    /// International bank account number.
    Iban,
    /// Russian passport number.
    Passport,
    /// Russian insurance number (СНИЛС).
    Snils,
    /// Russian taxpayer number (ИНН).
    Inn,
    /// Password in a URL, API token or private key.
    Secret,
}

impl Kind {
    /// What the text shows in its place.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Phone => "[phone]",
            Self::Card => "[card]",
            Self::Iban => "[iban]",
            Self::Passport => "[passport]",
            Self::Snils => "[snils]",
            Self::Inn => "[inn]",
            Self::Secret => "[secret]",
        }
    }

    /// How much the recogniser knows: a prefix or a checksum outranks a shape.
    fn rank(self) -> u8 {
        match self {
            Self::Secret => 4,
            Self::Email => 3,
            Self::Iban => 2,
            Self::Card | Self::Passport | Self::Snils | Self::Inn => 1,
            Self::Phone => 0,
        }
    }
}

/// A place in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What is there.
    pub kind: Kind,
}

/// The text with personal data replaced; borrowed when there is none.
pub fn mask(text: &str) -> Cow<'_, str> {
    mask_marked(text, &[], &mut [])
}

/// As [`mask`], with places that are `known` to be personal (in order, not overlapping), and with `marks` (byte
/// ranges of the text) moved along; the edge of a mark that falls inside a replaced place moves to the edge of its
/// placeholder.
pub fn mask_marked<'t>(text: &'t str, known: &[Span], marks: &mut [Range<usize>]) -> Cow<'t, str> {
    let mut masked = Cow::Borrowed(text);
    if !known.is_empty() {
        masked = Cow::Owned(replace(text, known, marks));
    }
    // A placeholder is a new neighbour, so a replacement can complete a pattern beside it.
    for _ in 0..ROUNDS_MAX {
        let spans = find(&masked);
        if spans.is_empty() {
            break;
        }
        masked = Cow::Owned(replace(&masked, &spans, marks));
    }
    masked
}

/// Personal data in a text as it stands, in order, not overlapping.
pub fn find(text: &str) -> Vec<Span> {
    let hints = Hints::of(text.as_bytes());
    if !hints.any() {
        return Vec::new();
    }
    let urls = url::find(text);
    let mut found = Vec::new();
    if hints.long_token {
        found.append(&mut secret::find(text));
    }
    if hints.digits {
        found.append(&mut iban::find(text));
        found.append(&mut number::find(text));
    }
    found.retain(|span| !url::touches(&urls, span));
    if hints.at {
        found.append(&mut url::credentials(text, &urls));
        found.append(&mut email::find(text, &urls));
    }
    disjoint(found)
}

/// In order; of two that overlap the one that tells more stays.
fn disjoint(mut found: Vec<Span>) -> Vec<Span> {
    found.sort_by_key(|span| (span.start, std::cmp::Reverse(span.kind.rank())));
    let mut kept: Vec<Span> = Vec::with_capacity(found.len());
    for span in found {
        match kept.last_mut() {
            Some(last) if span.start < last.end => {
                if span.kind.rank() > last.kind.rank() {
                    *last = span;
                }
            }
            _ => kept.push(span),
        }
    }
    kept
}

/// What one pass over the bytes rules out, so that most messages cost nothing more.
#[derive(Default)]
struct Hints {
    at: bool,
    digits: bool,
    long_token: bool,
}

impl Hints {
    fn of(bytes: &[u8]) -> Self {
        let (mut hints, mut digits, mut run) = (Self::default(), 0_usize, 0_usize);
        for &byte in bytes {
            digits += usize::from(byte.is_ascii_digit());
            run = if secret::is_token_byte(byte) { run + 1 } else { 0 };
            hints.long_token |= run >= secret::TOKEN_BYTES_MIN;
            hints.at |= byte == b'@';
        }
        hints.digits = digits >= number::DIGITS_MIN;
        hints
    }

    fn any(&self) -> bool {
        self.at || self.digits || self.long_token
    }
}

fn replace(text: &str, spans: &[Span], marks: &mut [Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut edits = Vec::with_capacity(spans.len());
    let mut from = 0;
    for span in spans {
        out.push_str(&text[from..span.start]);
        let start = out.len();
        out.push_str(span.kind.placeholder());
        edits.push((*span, start..out.len()));
        from = span.end;
    }
    out.push_str(&text[from..]);
    for mark in marks {
        *mark = moved(mark.start, &edits, |new| new.start)..moved(mark.end, &edits, |new| new.end);
    }
    out
}

/// Where the byte offset `at` lies after `edits`; `inside` picks the edge of a placeholder that swallowed it.
fn moved(at: usize, edits: &[(Span, Range<usize>)], inside: impl Fn(&Range<usize>) -> usize) -> usize {
    let before = edits.partition_point(|(old, _)| old.end <= at);
    if let Some((old, new)) = edits.get(before)
        && old.start < at
    {
        return inside(new);
    }
    match before.checked_sub(1).and_then(|last| edits.get(last)) {
        Some((old, new)) => new.end + (at - old.end),
        None => at,
    }
}

#[cfg(test)]
mod tests;
