//! Faults on order: the next call of a method to a chat ends badly.

use serde_json::Value;
use std::time::Duration;

/// How a call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Not done; answered with this status and description, as JSON.
    Refuse(u16, String),
    /// Not done; answered 429 with `retry_after` in seconds.
    TooMany(u64),
    /// Not done; answered with this status and a page of HTML, as a proxy does.
    Html(u16),
    /// Not done; the connection is closed without an answer.
    Close,
    /// Done; the connection is closed without an answer.
    CloseAfter,
    /// Done; answered with this status and a page of HTML, as a proxy does that waited too long.
    HtmlAfter(u16),
    /// Done; answered 200 with this text instead of JSON.
    GarbageAfter(String),
    /// Done at once; the answer comes after this long.
    SlowAfter(Duration),
    /// Nothing is done for this long, then all of it.
    Slow(Duration),
}

impl Fault {
    /// The call is carried out.
    pub(crate) fn acts(&self) -> bool {
        !matches!(self, Self::Refuse(..) | Self::TooMany(_) | Self::Html(_) | Self::Close)
    }
}

#[derive(Debug)]
struct Rule {
    method: String,
    chat: Option<i64>,
    fault: Fault,
}

/// Faults that no call has met yet, in the order of their rules.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Rule>);

impl Faults {
    pub(crate) fn add(&mut self, method: &str, chat: Option<i64>, fault: Fault) {
        self.0.push(Rule { method: method.to_owned(), chat, fault });
    }

    pub(crate) fn take(&mut self, method: &str, body: &Value) -> Option<Fault> {
        let chat = body["chat_id"].as_i64();
        let meets = |rule: &Rule| {
            rule.method.eq_ignore_ascii_case(method) && (rule.chat.is_none() || rule.chat == chat)
        };
        let index = self.0.iter().position(meets)?;
        Some(self.0.remove(index).fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_meets_one_call_of_its_method_to_its_chat() {
        let mut faults = Faults::default();
        faults.add("sendMessage", Some(-5), Fault::Close);
        faults.add("sendMessage", None, Fault::Html(502));
        assert_eq!(faults.take("getMe", &json!({})), None);
        assert_eq!(faults.take("sendmessage", &json!({"chat_id": -6})), Some(Fault::Html(502)));
        assert_eq!(faults.take("sendMessage", &json!({"chat_id": -6})), None);
        assert_eq!(faults.take("sendMessage", &json!({"chat_id": -5})), Some(Fault::Close));
        assert_eq!(faults.take("sendMessage", &json!({"chat_id": -5})), None);
    }
}
