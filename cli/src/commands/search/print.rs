//! A hit for a terminal, and what JSON says beside it.

use console::Style;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use state::{DigestHit, MessageHit};

use super::Hit;
use crate::printing::{fitted, printable, wrapped};

/// Digits of a digest's id that a terminal shows; commands take the beginning of an id.
const ID_SHOWN: usize = 8;
/// Columns of text where the terminal is wider.
const TEXT_COLUMNS: usize = 100;

/// A hit with its time as the reader's clock shows it.
#[derive(Debug, Serialize)]
pub(super) struct WithTime<'a> {
    #[serde(flatten)]
    hit: &'a Hit,
    /// When it was sent, or when its window began.
    local_time: String,
}

impl<'a> WithTime<'a> {
    pub(super) fn of(hit: &'a Hit, zone: &TimeZone) -> Self {
        let ms = match hit {
            Hit::Message(message) => message.sent_at,
            Hit::Digest(digest) => digest.window_start,
        };
        Self { hit, local_time: local(ms, zone, "%Y-%m-%dT%H:%M:%S%:z") }
    }
}

fn local(ms: i64, zone: &TimeZone, format: &str) -> String {
    Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| time.to_zoned(zone.clone()).strftime(format).to_string())
}

/// The lines of a hit: what and when, where it lies in the log, what it says, and what cites it.
pub(super) fn page(hit: &Hit, zone: &TimeZone, columns: Option<usize>, colour: bool) -> String {
    let lines = match hit {
        Hit::Message(message) => of_message(message, zone),
        Hit::Digest(digest) => of_digest(digest, zone),
    };
    let mut page = String::new();
    for line in lines.head {
        page.push_str(&fitted(&line, columns));
        page.push('\n');
    }
    let text = lines.snippet.split_whitespace().collect::<Vec<_>>().join(" ");
    let body = wrapped(&printable(&text), 2, columns.map(|all| all.min(TEXT_COLUMNS)));
    page.push_str("  ");
    page.push_str(&if colour { marked(&body, lines.matches) } else { body });
    page.push('\n');
    for line in lines.tail {
        page.push_str(&fitted(&line, columns));
        page.push('\n');
    }
    page
}

struct Lines<'a> {
    head: Vec<String>,
    snippet: &'a str,
    matches: &'a [String],
    tail: Vec<String>,
}

fn of_message<'a>(hit: &'a MessageHit, zone: &TimeZone) -> Lines<'a> {
    let author = hit.author_name.as_deref().filter(|name| !name.is_empty()).or(hit.author_id.as_deref());
    let (group, author) = (printable(&hit.group_id), printable(author.unwrap_or("(nobody)")));
    let time = local(hit.sent_at, zone, "%Y-%m-%d %H:%M");
    let place = format!("{time}  offset {}/{}", hit.source_partition, hit.source_offset);
    let cited = |id: &str, headline: &str| format!("  cited by {}  {}", short(id), printable(headline));
    Lines {
        head: vec![format!("message {}  {group}  {author}", hit.message_id), format!("  {place}")],
        snippet: &hit.snippet,
        matches: &hit.matches,
        tail: hit.digests.iter().map(|one| cited(&one.digest_id, &one.headline)).collect(),
    }
}

fn of_digest<'a>(hit: &'a DigestHit, zone: &TimeZone) -> Lines<'a> {
    let group = printable(&hit.group_id);
    let start = local(hit.window_start, zone, "%Y-%m-%d %H:%M");
    let hours = (hit.window_end - hit.window_start) / 3_600_000;
    Lines {
        head: vec![
            format!("digest {}  {group}  v{}", short(&hit.digest_id), hit.version),
            format!("  {start}  {hours} h  offset {}/{}", hit.source_partition, hit.source_offset),
            format!("  {}", printable(&hit.headline)),
        ],
        snippet: &hit.snippet,
        matches: &hit.matches,
        tail: Vec::new(),
    }
}

fn short(id: &str) -> String {
    id.chars().take(ID_SHOWN).collect()
}

/// The text with these words in bold, wherever one stands as a whole word.
fn marked(text: &str, words: &[String]) -> String {
    let bold = Style::new().bold().force_styling(true);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = rest.starts_with(char::is_alphanumeric);
        let end = rest.find(|c: char| c.is_alphanumeric() != is_word).unwrap_or(rest.len());
        let at_word =
            words.iter().filter(|word| is_word && begins_with_word(rest, word)).map(String::len).max();
        let (part, after) = rest.split_at(at_word.unwrap_or(end));
        match at_word {
            Some(_) => shown.push_str(&bold.apply_to(part).to_string()),
            None => shown.push_str(part),
        }
        rest = after;
    }
    shown
}

fn begins_with_word(text: &str, word: &str) -> bool {
    !word.is_empty() && text.strip_prefix(word).is_some_and(|after| !after.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use state::Citation;

    pub(in super::super) fn message(id: i64) -> MessageHit {
        MessageHit {
            group_id: "team".to_owned(),
            message_id: id,
            author_id: Some("user7".to_owned()),
            author_name: Some("Ann".to_owned()),
            sent_at: 1_000_000_000_000,
            source_partition: 2,
            source_offset: 41,
            score: 1.5,
            snippet: "the retries\nmade a storm: stormy weather after every storm".to_owned(),
            matches: vec!["storm".to_owned()],
            digests: vec![Citation {
                digest_id: "1d52c0a9-1275-5b78-81ae-000000000000".to_owned(),
                version: "1.0".to_owned(),
                headline: "Retries back off now, says everybody".to_owned(),
            }],
        }
    }

    pub(in super::super) fn digest() -> DigestHit {
        DigestHit {
            group_id: "team".to_owned(),
            digest_id: "1d52c0a9-1275-5b78-81ae-000000000000".to_owned(),
            version: "2.0".to_owned(),
            window_start: 1_000_000_000_000,
            window_end: 1_000_086_400_000,
            source_partition: 2,
            source_offset: 41,
            headline: "Retries back off now".to_owned(),
            score: 1.5,
            snippet: "Retries back off".to_owned(),
            matches: vec!["Retries".to_owned()],
        }
    }

    #[test]
    fn a_hit_says_what_when_where_and_who_cites_it_in_forty_columns() {
        let zone = TimeZone::fixed(jiff::tz::offset(3));
        let shown = page(&Hit::Message(message(4_711)), &zone, Some(40), false);
        let expected = "message 4711  team  Ann\n  2001-09-09 04:46  offset 2/41\n  the retries made a storm: stormy\n  \
                        weather after every storm\n  cited by 1d52c0a9  Retries back off n…\n";
        assert_eq!(shown, expected);
        let shown = page(&Hit::Digest(digest()), &zone, Some(40), false);
        let expected = "digest 1d52c0a9  team  v2.0\n  2001-09-09 04:46  24 h  offset 2/41\n  Retries back off \
                        now\n  Retries back off\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn words_are_marked_where_they_stand_whole() {
        let words = ["storm".to_owned(), "load-test".to_owned()];
        assert_eq!(
            marked("a storm, stormy: load-test", &words),
            "a \u{1b}[1mstorm\u{1b}[0m, stormy: \u{1b}[1mload-test\u{1b}[0m"
        );
    }

    #[test]
    fn a_hit_does_not_steer_the_terminal_and_json_has_the_local_time() {
        let hostile = MessageHit { snippet: "\u{1b}[2J".to_owned(), ..message(1) };
        let shown = page(&Hit::Message(hostile), &TimeZone::UTC, None, false);
        assert!(shown.contains("\\u{1b}[2J") && !shown.contains('\u{1b}'), "{shown:?}");
        let json = serde_json::to_value(WithTime::of(&Hit::Message(message(1)), &TimeZone::UTC)).unwrap();
        assert_eq!(json["kind"], "message");
        assert_eq!(json["local_time"], "2001-09-09T01:46:40+00:00");
        assert_eq!(json["digests"][0]["version"], "1.0");
    }
}
