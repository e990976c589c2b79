//! How a line of a WhatsApp export begins: a date and a time, as the phone's language writes them.
//!
//! Invariant: what the three numbers of a date mean is not decided here.

use super::{
    marks::{is_blank, is_mark},
    words,
};

/// How the date and time are set off from what follows; one export has one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `[31.12.2023, 21:41:05] `, of iPhones.
    Bracket,
    /// `31.12.23, 21:41 - `, of Android.
    Dash,
    /// `31.12.23 21:41:05: `, of old iPhones.
    Colon,
}

impl Form {
    /// As messages for people name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bracket => "an iPhone",
            Self::Dash => "Android",
            Self::Colon => "an old iPhone",
        }
    }
}

/// A date as written, and a time of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) numbers: [u16; 3],
    /// The first number has four digits, or the last one has.
    pub(super) year_at: Option<usize>,
    pub(super) separator: char,
    pub(super) hour: i8,
    pub(super) minute: i8,
    pub(super) second: i8,
}

/// The beginning of a line, and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head<'l> {
    pub(super) form: Form,
    pub(super) stamp: Stamp,
    pub(super) rest: &'l str,
}

/// Longest text between a date and the end of the head, in characters.
const TIME_CHARS_MAX: usize = 40;

/// The head of a line; `None` for a line that goes on with the message before it.
pub(super) fn parse(line: &str) -> Option<Head<'_>> {
    let line = line.trim_start_matches(is_mark);
    let (is_bracket, text) =
        line.strip_prefix('[').map_or((false, line), |text| (true, text.trim_start_matches(is_mark)));
    let (numbers, year_at, separator, text) = date(text)?;
    let time_chars = text.char_indices().take(TIME_CHARS_MAX).last().map_or(0, |(at, c)| at + c.len_utf8());
    let start = text[..time_chars].find(|c| digit(c).is_some())?;
    let before = &text[..start];
    let (hour, text) = number(&text[start..], 2)?;
    let text = text.strip_prefix([':', '.', 'h'])?;
    let (minute, text) = number(text, 2)?;
    let (second, text) = match text.strip_prefix([':', '.']).and_then(|text| number(text, 2)) {
        Some((second, rest)) => (Some(second), rest),
        None => (None, text),
    };
    let (form, after, rest) = end(text, is_bracket, second.is_some())?;
    let half = words::half(before).ok()?.or(words::half(after).ok()?);
    let (hour, minute, second) = (hour as i8, minute as i8, second.unwrap_or(0) as i8);
    if hour > 24 || minute > 59 || second > 59 {
        return None;
    }
    let stamp = Stamp { numbers, year_at, separator, hour: in_day(hour, half), minute, second };
    Some(Head { form, stamp, rest })
}

/// The hour of the day: 12 at night is 0; `24:05` is what some phones write for it.
fn in_day(hour: i8, half: Option<words::Half>) -> i8 {
    match (half, hour) {
        (Some(words::Half::Morning), 12) | (None, 24) => 0,
        (Some(words::Half::Afternoon), 0..12) => hour + 12,
        _ => hour.min(23),
    }
}

type Date<'l> = ([u16; 3], Option<usize>, char, &'l str);

/// Three numbers with one separator, each time the same.
fn date(text: &str) -> Option<Date<'_>> {
    let (first, rest) = number(text, 4)?;
    let first_digits = text.chars().take_while(|c| digit(*c).is_some()).count();
    let separator = rest.chars().next().filter(|c| matches!(c, '/' | '.' | '-'))?;
    let (second, rest) = number(rest[1..].trim_start_matches(is_blank), 2)?;
    let rest = rest.strip_prefix(separator)?.trim_start_matches(is_blank);
    let last_digits = rest.chars().take_while(|c| digit(*c).is_some()).count();
    let (third, rest) = number(rest, 4)?;
    let year_at = match (first_digits, last_digits) {
        (4, 1 | 2) => Some(0),
        (1 | 2, 4) => Some(2),
        (1 | 2, 1 | 2) => None,
        _ => return None,
    };
    Some(([first, second, third], year_at, separator, rest))
}

/// The form, what stands between the time and the end of the head, and what follows.
fn end(text: &str, is_bracket: bool, has_seconds: bool) -> Option<(Form, &str, &str)> {
    let near = text.char_indices().nth(TIME_CHARS_MAX / 2).map_or(text, |(at, _)| &text[..at]);
    if is_bracket {
        let at = near.find(']')?;
        return Some((Form::Bracket, &text[..at], text[at + 1..].trim_start_matches(is_blank)));
    }
    let colon = near.find(": ").filter(|_| has_seconds).map(|at| (at, Form::Colon, 2));
    let dashes = [" - ", " – ", "\u{a0}- ", "\u{202f}- "];
    let dashes = dashes.iter().filter_map(|dash| Some((near.find(dash)?, Form::Dash, dash.len())));
    let (at, form, length) = dashes.chain(colon).min_by_key(|(at, ..)| *at)?;
    Some((form, &text[..at], &text[at + length..]))
}

/// A number of at most so many digits, and the rest.
fn number(text: &str, digits_max: usize) -> Option<(u16, &str)> {
    let mut value = 0;
    let mut end = 0;
    for (count, (at, c)) in text.char_indices().enumerate() {
        let Some(digit) = digit(c) else { break };
        if count == digits_max {
            return None;
        }
        value = value * 10 + digit;
        end = at + c.len_utf8();
    }
    (end > 0).then(|| (value, &text[end..]))
}

/// A digit of the scripts that phones write dates in.
fn digit(c: char) -> Option<u16> {
    let zeros = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}'];
    let code = u32::from(c);
    zeros
        .iter()
        .map(|zero| u32::from(*zero))
        .find(|zero| (*zero..*zero + 10).contains(&code))
        .map(|zero| (code - zero) as u16)
}
