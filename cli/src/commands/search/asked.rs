//! The command line as a query. Invariant: what is wrong with a query is said before anybody is asked.

use jiff::{Timestamp, tz::TimeZone};
use state::{SearchQuery, Store};

use super::{Arguments, Kind, since};

/// More is no query; Postgres takes no word of more than 2,046 bytes.
const QUERY_CHARS_MAX: usize = 500;

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

/// What is asked, but for the tenant.
pub(super) fn query(arguments: &Arguments, now: Timestamp, zone: &TimeZone) -> Result<SearchQuery, BadQuery> {
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

pub(super) async fn tenant(store: &Store, arguments: &Arguments) -> anyhow::Result<String> {
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
}
