//! Polls and checklists of an export.
//!
//! Invariant: their texts are masked and bounded here, for they leave as they are.

use super::{
    fault::Fault,
    json::{self, Json, SHORT_BYTES_MAX},
    text,
};
use schemas::{Checklist, ChecklistItem, Poll, PollOption};
use struson::reader::{JsonReader, ValueType};

/// Answers of a poll, or items of a checklist, that are kept.
const ENTRIES_MAX: usize = 64;

/// `{"question": .., "closed": false, "total_voters": 3, "answers": [{"text": .., "voters": 2, "chosen": false}]}`
pub(super) fn poll(json: &mut Json) -> Result<Option<Poll>, Fault> {
    let (mut question, mut answers, mut closed, mut voters) = (None, Vec::new(), false, None);
    json::object(json, |json, name| {
        match name {
            "question" => question = line(json)?,
            "closed" => closed = json::flag(json)?.unwrap_or_default(),
            "total_voters" => voters = json::count(json)?,
            "answers" => answers = entries(json)?,
            _ => json.skip_value()?,
        }
        Ok(())
    })?;
    let options = answers.into_iter().map(|(text, votes)| PollOption { text, votes }).collect();
    Ok(question.map(|question| Poll { question, options, closed, voters }))
}

/// `{"title": .., "others_can_append": true, "answers": [{"text": .., "id": 1}]}`
pub(super) fn checklist(json: &mut Json) -> Result<Option<Checklist>, Fault> {
    let (mut title, mut answers) = (None, Vec::new());
    json::object(json, |json, name| {
        match name {
            "title" => title = line(json)?,
            "answers" => answers = entries(json)?,
            _ => json.skip_value()?,
        }
        Ok(())
    })?;
    // What is done stands in service messages of its own.
    let items = answers.into_iter().map(|(text, _)| ChecklistItem { text, done: None }).collect();
    Ok(title.map(|title| Checklist { title, items }))
}

/// The text of each answer and its votes.
fn entries(json: &mut Json) -> Result<Vec<(String, Option<i32>)>, Fault> {
    let mut entries = Vec::new();
    json::array(json, |json| {
        let (mut text, mut votes) = (None, None);
        json::object(json, |json, name| {
            match name {
                "text" => text = line(json)?,
                "voters" => votes = json::count(json)?,
                _ => json.skip_value()?,
            }
            Ok(())
        })?;
        if let Some(text) = text.filter(|_| entries.len() < ENTRIES_MAX) {
            entries.push((text, votes));
        }
        Ok(())
    })?;
    Ok(entries)
}

/// A masked text, which newer versions mark like the text of a message.
fn line(json: &mut Json) -> Result<Option<String>, Fault> {
    match json.peek()? {
        ValueType::String | ValueType::Array => {
            let (text, _) = text::read(json, SHORT_BYTES_MAX)?;
            Ok(Some(text.finish().0))
        }
        _ => json.skip_value().map(|()| None).map_err(Fault::from),
    }
}
