//! Slips that versions of Telegram Desktop made in writing JSON, undone while the bytes pass.
//!
//! Invariant: JSON without such slips passes byte for byte; what comes out does not depend on how the input is cut.

mod reader;

pub(crate) use reader::{Counts, RepairReader, Repairs, repaired};

/// Bytes that follow a place and decide what becomes of it; a longer bare path is none.
pub(crate) const LOOKAHEAD: usize = 4096;

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slip {
    /// A path without quotation marks, where a value belongs.
    BarePath,
    /// `\x0c`, which JSON does not know.
    HexEscape,
    /// A control character in a text, not escaped.
    ControlCharacter,
    /// Half of a character above U+FFFF.
    HalfSurrogate,
    /// U+0000, which no store takes.
    Nul,
}

impl Slip {
    /// As summaries name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BarePath => "bare_path",
            Self::HexEscape => "hex_escape",
            Self::ControlCharacter => "control_character",
            Self::HalfSurrogate => "half_surrogate",
            Self::Nul => "nul",
        }
    }
}

/// A slip that was undone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Undone {
    pub(crate) slip: Slip,
    /// Bytes of the input up to its end.
    pub(crate) taken: u64,
    /// Bytes of the output up to the end of what stands for it.
    pub(crate) given: u64,
    /// It was a line feed, which the output has not.
    pub(crate) is_line: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Outside,
    AfterColon,
    InString,
}

/// Undoes slips, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Mender {
    state: State,
    taken: u64,
    given: u64,
}

/// What happens to the bytes at the front of the input.
enum Step {
    /// So many pass.
    Pass(usize),
    /// So many are replaced.
    Replace(usize, Slip, Vec<u8>),
}

impl Mender {
    /// Takes from the front of `input` until nothing is left, too little to decide (unless it `is_end`), or `out` has
    /// `room` bytes; returns how much was taken.
    pub(crate) fn run(
        &mut self,
        (input, is_end): (&[u8], bool),
        (out, room): (&mut Vec<u8>, usize),
        undone: &mut impl FnMut(Undone),
    ) -> usize {
        let mut at = 0;
        while at < input.len() && out.len() < room && (is_end || input.len() - at >= LOOKAHEAD) {
            let rest = &input[at..];
            match self.step(rest, room - out.len()) {
                Step::Pass(count) => {
                    out.extend_from_slice(&rest[..count]);
                    at += count;
                    self.taken += count as u64;
                    self.given += count as u64;
                }
                Step::Replace(count, slip, instead) => {
                    out.extend_from_slice(&instead);
                    at += count;
                    self.taken += count as u64;
                    self.given += instead.len() as u64;
                    let is_line = slip == Slip::ControlCharacter && rest[0] == b'\n';
                    undone(Undone { slip, taken: self.taken, given: self.given, is_line });
                }
            }
        }
        at
    }

    fn step(&mut self, rest: &[u8], room: usize) -> Step {
        match self.state {
            State::Outside => {
                let plain = span(rest, room, |byte| matches!(byte, b'"' | b':'));
                if plain > 0 {
                    return Step::Pass(plain);
                }
                self.state = if rest[0] == b'"' { State::InString } else { State::AfterColon };
                Step::Pass(1)
            }
            State::AfterColon => {
                let blank = span(rest, room, |byte| !byte.is_ascii_whitespace());
                if blank > 0 {
                    return Step::Pass(blank);
                }
                self.state = State::Outside;
                bare_path(rest).unwrap_or(Step::Pass(0))
            }
            State::InString => {
                let plain = span(rest, room, |byte| IN_STRING[usize::from(byte)]);
                if plain > 0 {
                    return Step::Pass(plain);
                }
                if rest[0] == b'"' {
                    self.state = State::Outside;
                    return Step::Pass(1);
                }
                in_string(rest)
            }
        }
    }
}

/// Bytes up to the first that `ends` them, at most `room`.
fn span(rest: &[u8], room: usize, ends: impl Fn(u8) -> bool) -> usize {
    let rest = &rest[..rest.len().min(room)];
    rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len())
}

/// Bytes inside a string that need a look: its end, escapes, control characters, the first byte of encoded surrogates.
static IN_STRING: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte < 0x20 || byte == b'"' as usize || byte == b'\\' as usize || byte == 0xed;
        byte += 1;
    }
    table
};

fn in_string(rest: &[u8]) -> Step {
    match rest {
        [b'\\', b'u', ..] => unicode_escape(rest),
        [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Step::Replace(4, Slip::HexEscape, character(hex(&rest[2..4])))
        }
        [b'\\', _, ..] => Step::Pass(2),
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => {
            Step::Replace(3, Slip::HalfSurrogate, "\u{fffd}".as_bytes().to_vec())
        }
        [0, ..] => Step::Replace(1, Slip::Nul, Vec::new()),
        [control @ 0x01..=0x1f, ..] => {
            Step::Replace(1, Slip::ControlCharacter, character(u32::from(*control)))
        }
        _ => Step::Pass(1),
    }
}

/// `\u` and its digits; one that is not whole passes, for the parser to tell.
fn unicode_escape(rest: &[u8]) -> Step {
    let Some(unit) = unit(rest) else { return Step::Pass(2) };
    let is_low = |unit| matches!(unit, Some(0xdc00..=0xdfff));
    match unit {
        0 => Step::Replace(6, Slip::Nul, Vec::new()),
        0xd800..=0xdbff if is_low(rest.get(6..).and_then(self::unit)) => Step::Pass(12),
        0xd800..=0xdfff => Step::Replace(6, Slip::HalfSurrogate, b"\\ufffd".to_vec()),
        _ => Step::Pass(6),
    }
}

/// The number that `\uXXXX` at the front stands for.
fn unit(rest: &[u8]) -> Option<u32> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().all(u8::is_ascii_hexdigit).then(|| hex(digits))
}

fn hex(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, digit| value * 16 + char::from(*digit).to_digit(16).unwrap_or_default())
}

/// A character below U+0100 as it may stand in a string. Of control characters only those that shape a text stay.
fn character(code: u32) -> Vec<u8> {
    match code {
        0x09 => b"\\t".to_vec(),
        0x0a => b"\\n".to_vec(),
        0x0d => b"\\r".to_vec(),
        0..0x20 | 0x7f => Vec::new(),
        _ => format!("\\u{code:04x}").into_bytes(),
    }
}

/// `"document_id": video_files/sticker (2).webm` → the same with quotation marks; `None` for anything else.
fn bare_path(rest: &[u8]) -> Option<Step> {
    if matches!(rest[0], b'"' | b'{' | b'[' | b'-' | b'0'..=b'9') {
        return None;
    }
    let value = bare_value(rest)?;
    let is_path = value[0] == b'(' || value.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'.'));
    if !is_path || value.iter().any(u8::is_ascii_control) || std::str::from_utf8(value).is_err() {
        return None;
    }
    let mut quoted = vec![b'"'];
    for byte in value {
        quoted.extend_from_slice(if *byte == b'\\' { b"\\\\" } else { std::slice::from_ref(byte) });
    }
    quoted.push(b'"');
    Some(Step::Replace(value.len(), Slip::BarePath, quoted))
}

/// What stands before the end of the line, the end of the object, or the comma before the next member. Paths have
/// commas too: `(File unavailable, please try again later)`.
fn bare_value(rest: &[u8]) -> Option<&[u8]> {
    let rest = &rest[..rest.len().min(LOOKAHEAD)];
    let ends = |at: usize| match rest[at] {
        b'\n' | b'\r' | b'"' | b'}' | b']' => true,
        b',' => matches!(rest[at + 1..].trim_ascii_start().first(), None | Some(b'"')),
        _ => false,
    };
    let end = (0..rest.len()).find(|at| ends(*at))?;
    Some(rest[..end].trim_ascii_end()).filter(|value| !value.is_empty() && rest[end] != b'"')
}

#[cfg(test)]
mod tests;
