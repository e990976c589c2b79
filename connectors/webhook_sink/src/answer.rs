//! What an answer of a receiver means.
//!
//! Invariant: what may have been received is never taken for something that was not.

use courier::Answer;
use jiff::fmt::rfc2822;
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use std::time::Duration;

/// Characters of what a receiver says that are kept.
const SAID_MAX: usize = 300;

/// What an answer means, at `now_ms`.
pub(crate) fn answer((status, headers): (StatusCode, &HeaderMap), body: &[u8], now_ms: i64) -> Answer {
    let why = said(status, body);
    let after = || headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now_ms));
    match status.as_u16() {
        200..=299 => Answer::Delivered,
        410 => Answer::Gone(why),
        429 => Answer::NotYet { why, after: after() },
        408 | 425 => Answer::Lost { why, after: None },
        300..=399 => Answer::Refused(format!("{why}; redirects are not followed: set the address itself")),
        500.. => Answer::Lost { why, after: after() },
        _ => Answer::Refused(why),
    }
}

/// The status, and what the receiver says on one line.
fn said(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect();
    if words.is_empty() { format!("it answers {status}") } else { format!("it answers {status}: {words}") }
}

/// Seconds, or a date.
fn retry_after(value: &str, now_ms: i64) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::parse(value.trim()).ok()?.timestamp().as_millisecond();
    Some(Duration::from_millis((date - now_ms).max(0).unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, after: Option<&str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert(RETRY_AFTER, after.parse().unwrap());
        }
        answer((StatusCode::from_u16(status).unwrap(), &headers), body.as_bytes(), 784_111_700_000)
    }

    #[test]
    fn every_answer_has_one_meaning() {
        for status in [200, 202, 204, 299] {
            assert_eq!(answered(status, None, "<html>"), Answer::Delivered);
        }
        let gone = answered(410, None, "no more\n  here\u{1b}[2J");
        assert_eq!(gone, Answer::Gone("it answers 410 Gone: no more here[2J".to_owned()));
        for status in [301, 302, 307, 308, 400, 401, 403, 404, 413, 422, 451] {
            assert!(matches!(answered(status, Some("5"), ""), Answer::Refused(_)), "{status}");
        }
        for status in [408, 425, 500, 502, 503, 504, 599] {
            assert!(matches!(answered(status, None, ""), Answer::Lost { after: None, .. }), "{status}");
        }
    }

    #[test]
    fn a_receiver_says_when_to_come_again_in_seconds_or_as_a_date() {
        let after = |status, value| match answered(status, Some(value), "") {
            Answer::NotYet { after, .. } | Answer::Lost { after, .. } => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(after(429, "120"), Some(Duration::from_mins(2)));
        assert_eq!(after(503, "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(77)));
        assert_eq!(after(503, "Sun, 06 Nov 1994 07:00:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["", "soon", "-1", "1.5"] {
            assert_eq!(after(429, nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_a_receiver_says_is_cut() {
        let Answer::Refused(why) = answered(400, None, &"ж".repeat(5_000)) else { panic!("refused") };
        assert_eq!(why.chars().filter(|c| *c == 'ж').count(), SAID_MAX);
    }
}
