//! Where URLs are, and the credentials in them.

use super::{Kind, Span};

/// A URL in a text, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Url {
    pub(super) start: usize,
    /// First byte of the host or of the credentials before it.
    pub(super) authority: usize,
    /// First byte of the query or fragment; `end` when there is none.
    pub(super) query: usize,
    pub(super) end: usize,
}

/// Every `scheme://...`, in order.
pub(super) fn find(text: &str) -> Vec<Url> {
    let mut found: Vec<Url> = Vec::new();
    for (colon, _) in text.match_indices("://") {
        let floor = found.last().map_or(0, |url| url.end);
        if colon < floor {
            continue;
        }
        let scheme = text.as_bytes()[floor..colon].iter().rev().take_while(|byte| is_scheme(**byte)).count();
        let authority = colon + "://".len();
        let rest = &text[authority..];
        let rest = &rest[..rest.find(ends_url).unwrap_or(rest.len())];
        let rest = rest.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
        if scheme > 0 && !rest.is_empty() {
            let query = rest.find(['?', '#']).unwrap_or(rest.len());
            let end = authority + rest.len();
            found.push(Url { start: colon - scheme, authority, query: authority + query, end });
        }
    }
    found
}

/// True when the span and a URL share a byte. `urls` are in order.
pub(super) fn touches(urls: &[Url], span: &Span) -> bool {
    let index = urls.partition_point(|url| url.end <= span.start);
    urls.get(index).is_some_and(|url| url.start < span.end)
}

/// The URL at a byte. `urls` are in order.
pub(super) fn at(urls: &[Url], byte: usize) -> Option<&Url> {
    urls.get(urls.partition_point(|url| url.end <= byte)).filter(|url| url.start <= byte)
}

/// `user:password` before a host. A user alone (`ssh://git@host`) is no secret.
pub(super) fn credentials(text: &str, urls: &[Url]) -> Vec<Span> {
    let mut found = Vec::new();
    for url in urls {
        let rest = &text[url.authority..url.query];
        let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
        let Some(at) = authority.rfind('@') else { continue };
        if authority[..at].contains(':') {
            found.push(Span { start: url.authority, end: url.authority + at, kind: Kind::Secret });
        }
    }
    found
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '`' | '«' | '»')
}
