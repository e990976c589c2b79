//! Reads the Ubuntu IRC corpus with gold reply links (Kummerfeld et al., ACL 2019).
//!
//! Invariant: a line's number in the file is its message id, so links of the corpus need no translation.

use crate::{Error, data};
use schemas::ContextMessage;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

const ASCII: &str = ".ascii.txt";
const ANNOTATION: &str = ".annotation.txt";
const DAY_MINUTES: i64 = 24 * 60;

/// A channel's log with its gold links.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// Lines that people wrote; id = line number from 0.
    pub(crate) messages: Vec<ContextMessage>,
    /// Lines of the server (joins, renames): each is a thread of its own.
    pub(crate) system_lines: Vec<i64>,
    /// (later line, earlier line or itself).
    pub(crate) links: BTreeSet<(i64, i64)>,
    /// First annotated line.
    pub(crate) first: i64,
    /// Lines of the file.
    pub(crate) lines: i64,
}

/// All logs of a folder of the corpus, by file name.
pub(crate) fn load(folder: &Path) -> Result<Vec<Log>, Error> {
    let mut paths: Vec<PathBuf> = data::files(folder)?;
    paths.retain(|path| path.to_string_lossy().ends_with(ASCII));
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Log, Error> {
    let annotation = path.to_string_lossy().replace(ASCII, ANNOTATION);
    let links = parse_links(&data::text(Path::new(&annotation))?);
    let first = links.iter().map(|&(later, _)| later).min().unwrap_or(0);
    let body = data::text(path)?;
    let mut log = Log {
        messages: Vec::new(),
        system_lines: Vec::new(),
        links,
        first,
        lines: body.lines().count() as i64,
    };
    let mut clock = Clock::default();
    for (number, line) in body.lines().enumerate() {
        match parse_line(line) {
            Some((minute, author, text)) => {
                let sent_at = clock.tick(minute);
                log.messages.push(ContextMessage::plain(number as i64, sent_at, author, text));
            }
            None => log.system_lines.push(number as i64),
        }
    }
    Ok(log)
}

/// Links as (later, earlier), each at most once.
fn parse_links(body: &str) -> BTreeSet<(i64, i64)> {
    let number = |word: Option<&str>| word.and_then(|word| word.parse::<i64>().ok());
    let link = |line: &str| {
        let mut words = line.split_whitespace();
        let (a, b) = (number(words.next())?, number(words.next())?);
        Some((a.max(b), a.min(b)))
    };
    body.lines().filter_map(link).collect()
}

/// Turns hours and minutes into ms that never run back.
#[derive(Default)]
struct Clock {
    day: i64,
    last: i64,
}

impl Clock {
    fn tick(&mut self, minute: i64) -> i64 {
        // A log may be a minute out of order; a whole day back is midnight.
        if minute + DAY_MINUTES / 2 < self.last {
            self.day += 1;
        }
        self.last = minute;
        (self.day * DAY_MINUTES + minute) * 60_000
    }
}

/// Minute of the day, author and text of `[03:10] <nick> text` or `[03:10]  * nick text`.
fn parse_line(line: &str) -> Option<(i64, &str, &str)> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (hours, minutes) = stamp.split_once(':')?;
    let minute = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    let rest = rest.trim_start();
    let (author, text) = match rest.strip_prefix('<') {
        Some(said) => said.split_once('>')?,
        None => rest.strip_prefix("* ")?.split_once(' ').unwrap_or((rest, "")),
    };
    Some((minute, author, text.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_by_hand() {
        assert_eq!(parse_line("[03:10] <nick> a <b> c"), Some((190, "nick", "a <b> c")));
        assert_eq!(parse_line("[03:10]  * nick waves"), Some((190, "nick", "waves")));
        assert_eq!(parse_line("=== nick has joined #room"), None);
    }

    #[test]
    fn links_are_later_first() {
        assert_eq!(parse_links("3 5 -\n5 5 -\n"), BTreeSet::from([(5, 3), (5, 5)]));
    }

    #[test]
    fn midnight_is_a_new_day() {
        let mut clock = Clock::default();
        assert_eq!([clock.tick(1439), clock.tick(0), clock.tick(1)], [86_340_000, 86_400_000, 86_460_000]);
    }
}
