//! E-mail addresses, outside URLs and in their queries.

use super::{
    Kind, Span,
    url::{self, Url},
};

/// Every address; in a URL only those of its query.
pub(super) fn find(text: &str, urls: &[Url]) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let url = url::at(urls, at);
        let floor = match url {
            Some(url) if at < url.query => continue,
            Some(url) => url.query,
            None => found.last().map_or(0, |last| last.end),
        };
        if let Some(span) = address(text, floor, at, url.map_or(text.len(), |url| url.end)) {
            found.push(span);
        }
    }
    found
}

fn address(text: &str, floor: usize, at: usize, ceiling: usize) -> Option<Span> {
    let local =
        text[floor..at].rfind(|c: char| !is_local(c)).map_or(floor, |index| next(text, floor + index));
    let local = local + text[local..at].find(|c: char| c.is_alphanumeric() || c == '_')?;
    let domain = &text[at + 1..ceiling];
    let domain = &domain[..domain.find(|c: char| !is_domain(c)).unwrap_or(domain.len())];
    let domain = domain.trim_end_matches(['.', '-']);
    let (name, top) = domain.rsplit_once('.')?;
    let is_top = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    // `git@host:path` names a repository, not a person.
    let is_repository = &text[local..at] == "git";
    let is_name = !name.is_empty() && !name.starts_with(['.', '-']) && !name.contains("..");
    (is_top && is_name && !is_repository).then(|| Span {
        start: local,
        end: at + 1 + domain.len(),
        kind: Kind::Email,
    })
}

fn next(text: &str, index: usize) -> usize {
    index + text[index..].chars().next().map_or(0, char::len_utf8)
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-')
}

fn is_domain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-')
}
