//! API tokens with known prefixes, JSON Web Tokens, Telegram bot tokens and private keys.

use super::{Kind, Span};
use std::ops::Range;

/// Shorter runs of token characters are no secret.
pub(super) const TOKEN_BYTES_MIN: usize = 16;

/// How a token begins and how many bytes follow at least, as their issuers document them.
const PREFIXES: [(&str, usize); 23] = [
    ("sk-", 20),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xapp-", 20),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 35),
    ("hf_", 30),
    ("npm_", 36),
    ("pypi-", 40),
    ("y0_", 30),
    ("AQVN", 30),
];
const BOT_TOKEN_BYTES: usize = 35;
const KEY_BEGIN: &str = "-----BEGIN ";
const KEY_NAME: &str = "PRIVATE KEY-----";
const KEY_END: &str = "-----END ";

/// A byte of a token.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Every secret.
pub(super) fn find(text: &str) -> Vec<Span> {
    let mut found = private_keys(text);
    let runs = runs(text.as_bytes());
    for (index, run) in runs.iter().enumerate() {
        if let Some(range) = token(text, &runs, index, run) {
            found.push(Span { start: range.start, end: range.end, kind: Kind::Secret });
        }
    }
    found
}

fn token(text: &str, runs: &[Range<usize>], index: usize, run: &Range<usize>) -> Option<Range<usize>> {
    let token = &text[run.clone()];
    let after = |offset: usize, sign: u8| {
        let next = runs.get(index + offset)?;
        (text.as_bytes().get(next.start.checked_sub(1)?) == Some(&sign)
            && next.start - 1 == runs.get(index + offset - 1)?.end)
            .then_some(next)
    };
    if token.starts_with("eyJ") && token.len() >= TOKEN_BYTES_MIN {
        let signature = after(1, b'.').and_then(|_| after(2, b'.'))?;
        return Some(run.start..signature.end);
    }
    if matches!(token.len(), 8..=10) && token.bytes().all(|byte| byte.is_ascii_digit()) {
        let secret = after(1, b':').filter(|secret| secret.len() >= BOT_TOKEN_BYTES)?;
        return Some(run.start..secret.end);
    }
    is_known(token).then(|| run.clone())
}

/// A token of an issuer: its prefix, enough bytes, and letters mixed with digits (`sk-learn-...` is prose).
fn is_known(token: &str) -> bool {
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    digits >= 2
        && PREFIXES
            .iter()
            .any(|(prefix, rest)| token.strip_prefix(prefix).is_some_and(|secret| secret.len() >= *rest))
}

fn runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for index in 0..=bytes.len() {
        let inside = bytes.get(index).is_some_and(|byte| is_token_byte(*byte));
        match (start, inside) {
            (None, true) => start = Some(index),
            (Some(from), false) => {
                runs.push(from..index);
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// PEM blocks; one that is cut off reaches to the end of the text.
fn private_keys(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(begin) = text[from..].find(KEY_BEGIN).map(|index| from + index) {
        from = begin + KEY_BEGIN.len();
        let line = &text[from..];
        let line = &line[..line.find('\n').unwrap_or(line.len())];
        let Some(name) = line.find(KEY_NAME) else { continue };
        let body = from + name + KEY_NAME.len();
        let end = text[body..].find(KEY_END).map_or(text.len(), |index| {
            let tail = body + index + KEY_END.len();
            text[tail..].find(KEY_NAME).map_or(text.len(), |name| tail + name + KEY_NAME.len())
        });
        found.push(Span { start: begin, end, kind: Kind::Secret });
        from = end;
    }
    found
}
