//! Bytes, headers and times of records, and time spans, as lines and as JSON; lines that fit a terminal; and a bar for
//! long reads.

use std::{borrow::Cow, collections::BTreeMap};

use console::{Term, measure_text_width, truncate_str};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use operate::{TextOrHex, hex};
use serde::Serialize;

/// A bar on standard error where that is a terminal, else nothing.
pub(crate) fn reading_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("reading {bar:32} {human_pos}/{human_len} offsets {eta}")
    {
        bar.set_style(style);
    }
    bar
}

/// Moves the bar.
pub(crate) fn show_progress(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done);
}

/// Columns of the terminal that standard output is. None where it goes elsewhere: lines are whole there.
pub(crate) fn columns() -> Option<usize> {
    Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}

/// A line as wide as there is room for; an ellipsis stands for what was left out.
pub(crate) fn fitted(line: &str, columns: Option<usize>) -> Cow<'_, str> {
    columns.map_or(Cow::Borrowed(line), |columns| truncate_str(line, columns, "…"))
}

/// A text on as many lines as it takes in a terminal of so many columns, with `indent` cells before all but the first;
/// a word that is wider is left whole. One line where output goes elsewhere.
pub(crate) fn wrapped(text: &str, indent: usize, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let (mut lines, mut used) = (String::new(), indent);
    for word in text.split(' ') {
        let cells = measure_text_width(word);
        if used > indent && used + 1 + cells > columns {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        } else if used > indent {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += cells;
    }
    lines
}

/// A header's value; all of them where its name comes more than once.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Header<'a> {
    One(Option<TextOrHex<'a>>),
    Many(Vec<Option<TextOrHex<'a>>>),
}

/// Headers by name; a repeated one keeps all its values, in order.
pub(crate) fn headers_json(headers: &[(String, Option<Vec<u8>>)]) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::to_value(by_name(headers))?)
}

pub(crate) fn by_name(headers: &[(String, Option<Vec<u8>>)]) -> BTreeMap<&str, Header<'_>> {
    let mut values: BTreeMap<&str, Vec<Option<TextOrHex<'_>>>> = BTreeMap::new();
    for (name, value) in headers {
        values.entry(name).or_default().push(value.as_deref().map(TextOrHex));
    }
    let one = |values: Vec<Option<_>>| match <[_; 1]>::try_from(values) {
        Ok([value]) => Header::One(value),
        Err(values) => Header::Many(values),
    };
    values.into_iter().map(|(name, values)| (name, one(values))).collect()
}

/// Bytes for a line of text.
pub(crate) fn bytes_text(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "(none)".to_owned(),
        Some(bytes) => operate::text(bytes).map_or_else(|| format!("hex {}", hex(bytes)), printable),
    }
}

/// Text without characters that would steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A time in ms, as people and programs read it.
pub(crate) fn when(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// A time span in the unit that says most.
pub(crate) fn age(seconds: f64) -> String {
    match seconds {
        ..10.0 if seconds > 0.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        _ => format!("{:.0} d", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_does_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jя\n"), "a\\u{1b}[2Jя\\n");
        assert_eq!(bytes_text(Some(&[255, 1])), "hex ff01");
    }

    #[test]
    fn a_line_fits_the_terminal_and_is_whole_elsewhere() {
        assert_eq!(fitted("Решили: суббота", Some(9)), "Решили: …");
        assert_eq!(fitted("Решили", Some(6)), "Решили");
        assert_eq!(fitted("Решили: суббота", None), "Решили: суббота");
    }

    #[test]
    fn a_text_is_broken_between_words_and_a_pipe_gets_it_whole() {
        let text = "Решили: суббота в десять";
        assert_eq!(wrapped(text, 2, Some(12)), "Решили:\n  суббота в\n  десять");
        assert_eq!(wrapped("a-word-that-is-wider", 2, Some(9)), "a-word-that-is-wider");
        assert_eq!(wrapped(text, 2, None), text);
    }

    #[test]
    fn ages_are_in_the_unit_that_says_most() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.04, "0.0 s"),
            (9.96, "10.0 s"),
            (119.0, "119 s"),
            (150.0, "2 min"),
            (7_200.0, "2 h"),
            (2e5, "2 d"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }
}
