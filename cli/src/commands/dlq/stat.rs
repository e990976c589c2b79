//! `gistmill dlq stat`: dead letters by kind.

use std::io::{self, Write};

use operate::{LetterFilter, LetterKind};

use crate::{
    exit::Exit,
    printing::{columns, fitted, printable, reading_bar, show_progress, when},
    settings::Settings,
};

pub(super) fn stat(
    filter: &LetterFilter,
    json: bool,
    settings: &Settings,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let bar = reading_bar();
    let kinds = operate::letter_kinds(&settings.config()?, filter, &mut |done, total| {
        show_progress(&bar, done, total);
    });
    bar.finish_and_clear();
    let (kinds, unsettled) = kinds?;
    super::tell_unsettled(unsettled.as_deref());
    let room = columns();
    for kind in &kinds {
        if json {
            writeln!(out, "{}", serde_json::to_string(kind)?)?;
        } else {
            writeln!(out, "{}", fitted(&line(kind, room), room))?;
        }
    }
    if kinds.is_empty() && !json {
        let wanted = if filter.selection.is_all() { "" } else { " of these" };
        writeln!(out, "no dead letters{wanted}")?;
    } else if !json && room.is_some() {
        drop(writeln!(io::stderr(), "`gistmill dlq ls --fingerprint FINGERPRINT` lists those of one kind"));
    }
    Ok(Exit::Done)
}

/// A kind as a line. A terminal gets first what says most; a pipe gets everything.
fn line(kind: &LetterKind, columns: Option<usize>) -> String {
    let LetterKind { fingerprint, unit, topic, inputs, letters, example, .. } = kind;
    let (reason, error) = (printable(&kind.reason), printable(&kind.error));
    if columns.is_some() {
        let last = when(kind.last_ms);
        let minute = last.get(..16).unwrap_or(&last).replace('T', " ");
        return format!("{fingerprint} {inputs:>7}  {minute}  {unit} {reason}: {error}");
    }
    let (first, last) = (when(kind.first_ms), when(kind.last_ms));
    format!(
        "{fingerprint}  {inputs} inputs  {letters} letters  {first}  {last}  {unit:<16} {reason:<16} {}  {example}: {error}",
        printable(topic)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_a_line_and_an_object() {
        let kind = LetterKind {
            fingerprint: "00000000000000ff".to_owned(),
            unit: "topic".to_owned(),
            topic: "t.v1".to_owned(),
            reason: "wrong_magic".to_owned(),
            inputs: 10_000,
            letters: 10_001,
            first_ms: 0,
            last_ms: 60_000,
            example: "2:17".parse().unwrap(),
            error: "first byte is \u{1b}".to_owned(),
        };
        assert_eq!(
            line(&kind, Some(80)),
            "00000000000000ff   10000  1970-01-01 00:01  topic wrong_magic: first byte is \\u{1b}"
        );
        assert_eq!(
            line(&kind, None),
            "00000000000000ff  10000 inputs  10001 letters  1970-01-01T00:00:00.000Z  1970-01-01T00:01:00.000Z  \
             topic            wrong_magic      t.v1  2:17: first byte is \\u{1b}"
        );
        let object = serde_json::to_value(&kind).unwrap();
        assert_eq!((&object["inputs"], &object["example"]), (&10_000.into(), &"2:17".into()));
    }
}
