//! What an answer of the Bot API means.
//!
//! Invariant: a call of which nobody knows whether it was done is never taken for one that was not.

use bot_api::Envelope;
use reqwest::StatusCode;
use serde::Deserialize;
use std::time::Duration;

/// Characters of what the server says that are kept.
const SAID_MAX: usize = 300;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was done: the message has this id.
    Done(i64),
    /// It was not done: the message looks like this already.
    NotModified,
    /// It was not done: not before this time has passed.
    TooMany(Duration),
    /// It was not done: another attempt may succeed.
    Later(String),
    /// It was not done: the text's entities are refused.
    Entities(String),
    /// It was not done: the message can be edited no more.
    Uneditable(String),
    /// It was not done: the chat has become another one.
    Moved(i64),
    /// It was not done: the bot may not write there.
    NoChat(String),
    /// It was not done: the bot's token is not one.
    BadToken(String),
    /// It was not done, for good.
    Refused(String),
    /// Nobody knows whether it was done.
    Lost(String),
}

#[derive(Deserialize)]
struct Posted {
    message_id: i64,
    /// Of a message that one person alone sees, which has no other.
    ephemeral_message_id: Option<i64>,
}

/// Of a gateway that waited in vain nobody knows whether what is behind it got the call.
pub(crate) fn is_not_done(status: StatusCode) -> bool {
    status.is_server_error() && status != StatusCode::GATEWAY_TIMEOUT
}

/// What an answer means.
pub(crate) fn answer(status: StatusCode, body: &[u8]) -> Answer {
    let Ok(envelope) = serde_json::from_slice::<Envelope<Posted>>(body) else {
        let what = format!("it answers {status} with something that is not the Bot API's");
        return if is_not_done(status) || status.is_client_error() || status.is_redirection() {
            Answer::Later(what)
        } else {
            Answer::Lost(what)
        };
    };
    if envelope.ok {
        let no_id = "it answers without the id of the message";
        return envelope.result.map_or_else(
            || Answer::Lost(no_id.to_owned()),
            |it| Answer::Done(it.ephemeral_message_id.unwrap_or(it.message_id)),
        );
    }
    let parameters = envelope.parameters.as_ref();
    let seconds = parameters.and_then(|it| it.retry_after);
    if let Some(moved_to) = parameters.and_then(|it| it.migrate_to_chat_id) {
        return Answer::Moved(moved_to);
    }
    refusal(status, seconds, &envelope.description)
}

fn refusal(status: StatusCode, retry_after: Option<u64>, description: &str) -> Answer {
    let description: String = description.chars().take(SAID_MAX).collect();
    let says = |words: &str| description.to_lowercase().contains(words);
    match status.as_u16() {
        429 => Answer::TooMany(Duration::from_secs(retry_after.unwrap_or(1))),
        401 | 404 => Answer::BadToken(description),
        403 => Answer::NoChat(description),
        504 => Answer::Lost(description),
        500.. => Answer::Later(description),
        _ if says("chat not found") => Answer::NoChat(description),
        _ if says("message is not modified") => Answer::NotModified,
        _ if says("message can't be edited") => Answer::Uneditable(description),
        // Of text that is parsed, and of entities that are given: ENTITY_BOUNDS_INVALID and its like.
        _ if says("entit") => Answer::Entities(description),
        _ => Answer::Refused(description),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Answer {
        answer(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
    }

    fn refused(status: u16, description: &str) -> Answer {
        answered(status, &format!(r#"{{"ok":false,"error_code":{status},"description":"{description}"}}"#))
    }

    #[test]
    fn every_answer_has_one_meaning() {
        assert_eq!(answered(200, r#"{"ok":true,"result":{"message_id":7,"date":1}}"#), Answer::Done(7));
        let ephemeral = r#"{"ok":true,"result":{"message_id":0,"ephemeral_message_id":9}}"#;
        assert_eq!(answered(200, ephemeral), Answer::Done(9));
        let wait = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}"#;
        assert_eq!(answered(429, wait), Answer::TooMany(Duration::from_secs(35)));
        let moved = r#"{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001}}"#;
        assert_eq!(answered(400, moved), Answer::Moved(-1001));
        for (status, description, is_it) in [
            (400, "Bad Request: chat not found", Answer::NoChat as fn(String) -> Answer),
            (403, "Forbidden: bot was kicked from the supergroup chat", Answer::NoChat),
            (400, "Bad Request: message can't be edited", Answer::Uneditable),
            (400, "Bad Request: ENTITY_BOUNDS_INVALID", Answer::Entities),
            (400, "Bad Request: can't parse entities: unsupported type", Answer::Entities),
            (400, "Bad Request: message thread not found", Answer::Refused),
            (400, "Bad Request: message to edit not found", Answer::Refused),
            (401, "Unauthorized", Answer::BadToken),
            (404, "Not Found", Answer::BadToken),
            (500, "Internal Server Error", Answer::Later),
            (504, "Gateway Timeout", Answer::Lost),
        ] {
            assert_eq!(refused(status, description), is_it(description.to_owned()));
        }
        let same = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same";
        assert_eq!(refused(400, same), Answer::NotModified);
    }

    #[test]
    fn an_answer_that_is_none_is_a_failure_only_where_the_call_cannot_have_been_done() {
        let html = "<html><body>Bad Gateway</body></html>";
        assert!(matches!(answered(502, html), Answer::Later(_)));
        assert!(matches!(answered(302, html), Answer::Later(_)));
        assert!(matches!(answered(504, html), Answer::Lost(_)));
        assert!(matches!(answered(200, html), Answer::Lost(_)));
        assert!(matches!(answered(200, r#"{"ok":true,"result":true}"#), Answer::Lost(_)));
    }
}
