//! From the text of an answer to its value, and what is asked where it is none.

use crate::prompt::Prompt;
use llm::guard::{Limits, Why, read as json};
use processor::ModelQuestion;
use serde::de::DeserializeOwned;

/// The value of an answer to a prompt, or why it is none.
pub(crate) fn read<T: DeserializeOwned>(text: &str, prompt: &Prompt) -> Result<T, Why> {
    let schema = prompt.answer().map_err(|error| Why::Schema(vec![error.to_string()]))?;
    let value = json(text, schema, Limits::default())?;
    // Numbers that fit the schema and no 64 bits.
    serde_json::from_value(value).map_err(|error| Why::Schema(vec![error.to_string()]))
}

/// Puts the same question again, with what was answered and what is wrong with it.
pub(crate) fn again(question: &mut ModelQuestion, answer: &str, why: &Why) {
    question.turns.extend(why.ask_again(answer).map(|turn| turn.text));
}
