//! An answer out of events.
//!
//! Invariant: only the provider's terminal event makes an answer of it. A stream that just stops is a failure.

use super::{Dialect, anthropic, openai, sse};
use crate::{ChatRequest, Completion, Failure, Finish, Usage};
use serde_json::Value;

/// Bounds of the text that is taken, in bytes.
const TEXT_BYTES: (usize, usize) = (16 << 10, 4 << 20);
/// No language has longer tokens on the whole: a text beyond that has left its limit of tokens behind, and is paid for.
const TOKEN_BYTES_MAX: usize = 32;

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
    text_bytes_max: usize,
    signs: u64,
}

impl Stream {
    pub(super) fn new(dialect: Dialect, request: &ChatRequest) -> Self {
        let tokens = usize::try_from(request.max_output_tokens).unwrap_or(usize::MAX);
        Self {
            text_bytes_max: tokens.saturating_mul(TOKEN_BYTES_MAX).clamp(TEXT_BYTES.0, TEXT_BYTES.1),
            signs: 0,
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
    /// An event says so, or is none; the text is longer than its limit of tokens allows.
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
            if self.text.len() > self.text_bytes_max {
                return Err(Failure::TooLarge);
            }
        }
        Ok(self.is_over)
    }

    /// How many events have brought something of the answer: words, thoughts, or how it ended. Comments, pings and empty beginnings,
    /// which providers send to keep a connection, are none.
    pub fn signs(&self) -> u64 {
        self.signs
    }

    /// What it took, where the provider has told, also of an answer that fails.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
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
        let usage = openai::usage(&event);
        self.usage = usage.or(self.usage);
        let mut is_sign = usage.is_some();
        if let Some(choice) = event.pointer("/choices/0") {
            let part = |pointer: &str| choice.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let (content, refusal) = (part("/delta/content"), part("/delta/refusal"));
            self.text.push_str(content);
            self.text.push_str(refusal);
            let finish = openai::finish(choice.get("finish_reason").and_then(Value::as_str));
            // Thoughts have no name that all servers agree on.
            let thoughts = [part("/delta/reasoning_content"), part("/delta/reasoning")];
            is_sign |=
                finish.is_some() || [content, refusal].iter().chain(&thoughts).any(|it| !it.is_empty());
            let finish = if refusal.is_empty() { finish } else { Some(Finish::Refused) };
            self.finish = self.finish.or(finish);
        }
        self.signs += u64::from(is_sign);
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
                let said = [part("/delta/text"), part("/delta/partial_json")];
                self.text.extend(said);
                let is_sign = !part("/delta/thinking").is_empty() || said.iter().any(|said| !said.is_empty());
                self.signs += u64::from(is_sign);
            }
            "message_delta" => {
                self.finish = anthropic::finish(event.pointer("/delta/stop_reason").and_then(Value::as_str));
                self.counted = self.counted.and(anthropic::counted(&event["usage"]));
                self.usage = self.counted.complete();
                self.signs += 1;
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
