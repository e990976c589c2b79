//! Lines that machines write or read: program text, markup, logs, stack traces.

use super::Noise;
use crate::token::{TokenKind, scan};

/// Share of a text's characters that dumped lines make before the whole is a dump.
const DUMP_SHARE: f64 = 0.6;
/// Symbols of a line, and their share among what is not space, that make it code.
const SYMBOLS_MIN: usize = 4;
const SYMBOLS_SHARE: f64 = 0.22;
/// Share that is enough where the line also has a mark of code.
const MARKED_SHARE: f64 = 0.06;
/// Share of Cyrillic among the letters above which a line is prose.
const CYRILLIC_SHARE: f64 = 0.3;
/// Lines with a `#` at their start that are a dump and no heading or tag.
const COMMENTED_MIN: usize = 3;

const SYMBOLS: &str = "{}()[]<>=;$\\|\"_&*#+";
const MARKS: [&str; 13] = ["();", "){", ") {", "=>", "</", "/>", "${", "\":", "==", "!=", "&&", "||", "::"];
const LEVELS: [&str; 8] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE", "FATAL", "WARNING", "SEVERE"];
const LOG_STARTS: [&str; 7] =
    ["Caused by:", "Traceback (", "Exception in thread", "npm ERR!", "... ", "File \"", "panic:"];

/// What a text mostly dumps, if it does.
pub(super) fn dump(text: &str) -> Option<Noise> {
    let (mut code, mut log, mut all) = (0, 0, 0);
    let commented = text.lines().filter(|line| line.trim_start().starts_with('#')).count() >= COMMENTED_MIN;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let length = line.chars().count();
        all += length;
        if is_log(line) || (commented && line.starts_with('#')) {
            log += length;
        } else if is_code(line) {
            code += length;
        }
    }
    if all == 0 || ((code + log) as f64) < DUMP_SHARE * all as f64 {
        return None;
    }
    Some(if log >= code { Noise::Log } else { Noise::Code })
}

/// A line with a time and a level, a frame of a stack trace, or a named exception with its class path.
fn is_log(line: &str) -> bool {
    let framed = line.starts_with("at ") && line.contains('(') && line.ends_with(')') && line.contains('.');
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let thrown = first.trim_end_matches(':');
    let class =
        thrown.matches('.').count() >= 2 && (thrown.ends_with("Exception") || thrown.ends_with("Error"));
    let level = |word: &str| LEVELS.contains(&word.trim_matches(|c: char| !c.is_alphanumeric()));
    let stamped = first.starts_with(|c: char| c.is_ascii_digit() || c == '[')
        && first.chars().filter(char::is_ascii_digit).count() >= 4;
    let levelled = level(first) && first != first.trim_matches(|c: char| c == '[' || c == ']' || c == ':');
    framed
        || class
        || LOG_STARTS.iter().any(|start| line.starts_with(start))
        || (stamped && words.take(4).any(level))
        || levelled
}

fn is_code(line: &str) -> bool {
    let mut bare = String::with_capacity(line.len());
    let mut at = 0;
    // An address has a mark: without one the words need no reading.
    let addressed = if line.contains(['/', '@', '.']) { line } else { "" };
    for token in scan(addressed).filter(|token| token.kind == TokenKind::Address) {
        bare.push_str(&line[at..token.range.start]);
        at = token.range.end;
    }
    bare.push_str(&line[at..]);
    // Brackets at the end are mostly smiles.
    let smiled = bare.ends_with("))") || bare.ends_with("((");
    let body = if smiled { bare.trim_end_matches([')', '(']) } else { bare.as_str() };
    let letters = body.chars().filter(|c| crate::token::is_letter(*c)).count();
    let cyrillic = body.chars().filter(|c| crate::is_cyrillic(*c)).count();
    if letters == 0 || cyrillic as f64 > CYRILLIC_SHARE * letters as f64 {
        return false;
    }
    let dense = body.chars().filter(|c| !c.is_whitespace()).count();
    let symbols = body.chars().filter(|c| SYMBOLS.contains(*c)).count();
    let share = symbols as f64 / dense.max(1) as f64;
    let marked = body.ends_with(['{', '}', ';'])
        || body.starts_with("</")
        || body.starts_with("#include")
        || MARKS.iter().any(|mark| body.contains(mark));
    (symbols >= SYMBOLS_MIN && share >= SYMBOLS_SHARE) || (marked && share >= MARKED_SHARE && symbols >= 2)
}
