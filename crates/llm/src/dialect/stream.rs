//! An answer out of events.
//!
//! Invariant: only the provider's terminal event makes an answer of it. A stream that just stops is a failure.

use super::{Dialect, anthropic, openai, sse};
use crate::{Completion, Failure, Finish, Usage};
use serde_json::Value;

/// Largest text that is taken, in bytes.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// An answer that is on its way.
#[derive(Debug)]
pub struct Stream {
    dialect: Dialect,
    events: sse::Decoder,
    text: String,
    finish: Option<Finish>,
    usage: Option<Usage>,
    counted: anthropic::Counted,
    model: String,
    is_over: bool,
}

impl Stream {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            events: sse::Decoder::default(),
            text: String::new(),
            finish: None,
            usage: None,
            counted: anthropic::Counted::default(),
            model: String::new(),
            is_over: false,
        }
    }

    /// Takes what came. True once the terminal event has come: what follows is not read.
    ///
    /// # Errors
    /// An event says so, or is none.
    pub fn push(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let events = self.events.push(bytes).map_err(|sse::TooLarge| Failure::TooLarge)?;
        for event in events.iter().filter(|event| !event.trim().is_empty()) {
            if self.is_over {
                break;
            }
            match self.dialect {
                Dialect::OpenAi | Dialect::GigaChat => self.openai(event)?,
                Dialect::Anthropic => self.anthropic(event)?,
            }
            if self.text.len() > TEXT_BYTES_MAX {
                return Err(Failure::TooLarge);
            }
        }
        Ok(self.is_over)
    }

    /// The answer.
    ///
    /// # Errors
    /// The terminal event has not come, or no word of how the answer ended.
    pub fn end(self) -> Result<Completion, Failure> {
        let finish = self.finish.filter(|_| self.is_over).ok_or(Failure::Unfinished)?;
        Ok(Completion { text: self.text, finish, usage: self.usage, model: self.model })
    }

    fn openai(&mut self, event: &str) -> Result<(), Failure> {
        if event.trim() == "[DONE]" {
            self.is_over = true;
            return Ok(());
        }
        let event = json(event)?;
        self.named(&event);
        self.usage = openai::usage(&event).or(self.usage);
        if let Some(choice) = event.pointer("/choices/0") {
            let part = |pointer: &str| choice.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            self.text.push_str(part("/delta/content"));
            let refusal = part("/delta/refusal");
            self.text.push_str(refusal);
            let finish = openai::finish(choice.get("finish_reason").and_then(Value::as_str));
            let finish = if refusal.is_empty() { finish } else { Some(Finish::Refused) };
            self.finish = self.finish.or(finish);
        }
        Ok(())
    }

    fn anthropic(&mut self, event: &str) -> Result<(), Failure> {
        let event = json(event)?;
        let part = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match part("/type") {
            "message_start" => {
                let message = &event["message"];
                self.named(message);
                self.counted = self.counted.and(anthropic::counted(&message["usage"]));
            }
            "content_block_delta" => {
                self.text.push_str(part("/delta/text"));
                self.text.push_str(part("/delta/partial_json"));
            }
            "message_delta" => {
                self.finish = anthropic::finish(event.pointer("/delta/stop_reason").and_then(Value::as_str));
                self.counted = self.counted.and(anthropic::counted(&event["usage"]));
                self.usage = self.counted.complete();
            }
            "message_stop" => self.is_over = true,
            _ => {}
        }
        Ok(())
    }

    fn named(&mut self, event: &Value) {
        if self.model.is_empty() {
            self.model = openai::model(event);
        }
    }
}

/// An event's data. Errors come in the midst of a stream, under a status of 200, when something may have been generated already.
fn json(event: &str) -> Result<Value, Failure> {
    let event: Value = serde_json::from_str(event).map_err(|_| Failure::Malformed)?;
    if event.get("error").is_some_and(|error| !error.is_null()) {
        Err(Failure::ErrorInside)
    } else {
        Ok(event)
    }
}
