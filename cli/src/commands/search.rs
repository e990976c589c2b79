//! `gistmill search`: messages and digests by their words.
//!
//! Invariant: a query is data; what is wrong with one is said before anybody is asked.

mod print;
mod since;

use std::io::{self, Write};

use anyhow::Context;
use clap::{Args, ValueEnum, builder::NonEmptyStringValueParser};
use jiff::{Timestamp, tz::TimeZone};
use runtime::Host;
use serde::Serialize;
use state::{DigestHit, MessageHit, Outcome, SearchQuery, Store};

use crate::{exit::Exit, printing::columns, settings::Settings};

/// More is no query; Postgres takes no word of more than 2,046 bytes.
const QUERY_CHARS_MAX: usize = 500;

/// Search messages and digests
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Words, in Russian or English: whatever their endings; "a phrase" in quotes and -without are kept to
    query: String,
    /// Tenant; may be left out where there is one only
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    tenant: Option<String>,
    /// Group; all of the tenant's when left out
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,
    /// Only messages of this author, by id or name
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    author: Option<String>,
    /// Only what was said since: `2026-03-01`, `2026-03-01T09:00`, `7d`, `12h`
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only messages, or only digests
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Most hits
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill search \"retry storm\" --tenant acme
  gistmill search '\"retry storm\" -staging' --tenant acme --group team --since 30d
  gistmill search шторм --author Ann --kind message
  gistmill search \"retry storm\" --tenant acme --json | jq -r .message_id

A hit need not have all words: rare ones count for more, and of texts that have the same ones the shorter is first.
Edited messages are found by their newest text, deleted ones and digests that were withdrawn not at all.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Message,
    Digest,
}

/// A query that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadQuery {
    #[error("a query of {0} characters is longer than {QUERY_CHARS_MAX}: search for the words that matter")]
    TooLong(usize),
    #[error(
        "the query has no word to look for: letters or digits are words, punctuation and operators are not"
    )]
    NoWords,
    #[error("could not read {0:?} as a time: write 2026-03-01, 2026-03-01T09:00, 7d or 12h")]
    Since(String),
    #[error("digests have no author: leave --author out, or --kind digest")]
    AuthorOfDigest,
    #[error("name the tenant with --tenant: {0}")]
    Tenant(String),
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Hit {
    Message(MessageHit),
    Digest(DigestHit),
}

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let zone = TimeZone::system();
    let query = query(arguments, Timestamp::now(), &zone)?;
    let host = Host::new(settings.config()?, 1)?;
    let store = host.store()?;
    let outcome = host.block_on(async {
        store.ready().await.context("could not search")?;
        let query = SearchQuery { tenant_id: tenant(&store, arguments).await?, ..query };
        search(&store, &query, arguments.kind).await
    })?;
    let hits = match outcome {
        Outcome::Hits(hits) => hits,
        Outcome::NoWords => {
            note(
                "every word of the query is as common as \"the\" or \"и\": add one that says what it is about",
            );
            Vec::new()
        }
    };
    if hits.is_empty() {
        note("nothing was found");
    }
    for hit in &hits {
        if arguments.json {
            writeln!(out, "{}", serde_json::to_string(&print::WithTime::of(hit, &zone))?)?;
        } else {
            write!(out, "{}", print::page(hit, &zone, columns(), console::colors_enabled()))?;
        }
    }
    Ok(Exit::Done)
}

/// What is asked, but for the tenant.
fn query(arguments: &Arguments, now: Timestamp, zone: &TimeZone) -> Result<SearchQuery, BadQuery> {
    let text = arguments.query.replace('\0', " ");
    let chars = text.chars().count();
    if chars > QUERY_CHARS_MAX {
        return Err(BadQuery::TooLong(chars));
    }
    if !text.chars().any(char::is_alphanumeric) {
        return Err(BadQuery::NoWords);
    }
    if arguments.author.is_some() && arguments.kind == Some(Kind::Digest) {
        return Err(BadQuery::AuthorOfDigest);
    }
    let since = |said: &String| {
        since::parse(said, now, zone).ok_or_else(|| BadQuery::Since(said.chars().take(40).collect()))
    };
    Ok(SearchQuery {
        tenant_id: String::new(),
        group_id: arguments.group.clone(),
        text,
        since_ms: arguments.since.as_ref().map(since).transpose()?,
        author: arguments.author.clone(),
        limit: arguments.limit,
    })
}

async fn tenant(store: &Store, arguments: &Arguments) -> anyhow::Result<String> {
    if let Some(tenant) = &arguments.tenant {
        return Ok(tenant.clone());
    }
    let mut tenants = store.tenants().await?;
    match (tenants.pop(), tenants.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(BadQuery::Tenant("nothing is stored of any yet".to_owned()).into()),
        (Some(last), others) => {
            Err(BadQuery::Tenant(format!("there are {}, {last}", others.join(", "))).into())
        }
    }
}

/// Messages and digests in one list: what is first of its kind comes first.
async fn search(store: &Store, query: &SearchQuery, kind: Option<Kind>) -> anyhow::Result<Outcome<Hit>> {
    let (mut digests, mut messages) = (Outcome::Hits(Vec::new()), Outcome::Hits(Vec::new()));
    // What an author said is asked for; digests say what all did.
    if kind != Some(Kind::Message) && query.author.is_none() {
        digests = store.search_digests(query).await?;
    }
    if kind != Some(Kind::Digest) {
        messages = store.search_messages(query).await?;
    }
    let (Outcome::Hits(digests), Outcome::Hits(messages)) = (digests, messages) else {
        return Ok(Outcome::NoWords);
    };
    Ok(Outcome::Hits(merged(messages, digests, query.limit)))
}

fn merged(messages: Vec<MessageHit>, digests: Vec<DigestHit>, limit: u32) -> Vec<Hit> {
    let mut lists = [
        digests.into_iter().map(Hit::Digest).collect::<Vec<_>>().into_iter(),
        messages.into_iter().map(Hit::Message).collect::<Vec<_>>().into_iter(),
    ];
    let mut hits = Vec::new();
    loop {
        let row: Vec<Hit> = lists.iter_mut().filter_map(Iterator::next).collect();
        if row.is_empty() {
            break;
        }
        hits.extend(row);
    }
    hits.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    hits
}

/// What is said of hits is none of them.
fn note(text: &str) {
    // Nothing is left to tell a failure of standard error to.
    drop(writeln!(io::stderr(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn asked(line: &[&str]) -> Result<SearchQuery, String> {
        let line = crate::line::Line::<Arguments>::try_parse_from(["search"].iter().chain(line))
            .map_err(|error| error.to_string())?;
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        query(&line.arguments, now, &TimeZone::UTC).map_err(|error| error.to_string())
    }

    #[test]
    fn a_query_that_cannot_be_asked_is_named_and_never_reaches_postgres() {
        let long = "a".repeat(100_000);
        let told = asked(&[&long]).unwrap_err();
        assert_eq!(told, "a query of 100000 characters is longer than 500: search for the words that matter");
        for empty in ["", " ", "& | ! () <->", "\"\"", "\u{0}\u{1b}", "💥"] {
            assert!(asked(&["--", empty]).unwrap_err().starts_with("the query has no word"), "{empty:?}");
        }
        assert_eq!(asked(&["a\0b"]).unwrap().text, "a b");
        assert!(
            asked(&["a", "--since", "never"]).unwrap_err().starts_with("could not read \"never\" as a time")
        );
        assert!(asked(&["a", "--author", "Ann", "--kind", "digest"]).unwrap_err().contains("no author"));
        assert_eq!(asked(&["a", "--since", "1d"]).unwrap().since_ms, Some(1_773_057_600_000));
    }

    #[test]
    fn kinds_take_turns_up_to_the_limit() {
        let messages = vec![print::tests::message(1), print::tests::message(2), print::tests::message(3)];
        let kinds: Vec<&str> = merged(messages, vec![print::tests::digest()], 3)
            .iter()
            .map(|hit| if matches!(hit, Hit::Digest(_)) { "digest" } else { "message" })
            .collect();
        assert_eq!(kinds, ["digest", "message", "message"]);
    }
}
