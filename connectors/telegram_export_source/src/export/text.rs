//! `text`: a string, or an array of strings and marked pieces.

use super::{
    fault::Fault,
    json::{self, Json},
};
use ingest::RichText;
use struson::reader::{JsonReader, ValueType};

/// The text, and whether it is whole: not above `bytes_max` with its link targets.
pub(super) fn read(json: &mut Json, bytes_max: usize) -> Result<(RichText, bool), Fault> {
    let mut reading = Reading { text: RichText::default(), bytes_max, is_whole: true };
    match json.peek()? {
        ValueType::String => reading.plain(json)?,
        _ => json::array(json, |json| match json.peek()? {
            ValueType::String => reading.plain(json),
            _ => reading.piece(json),
        })?,
    }
    Ok((reading.text, reading.is_whole))
}

struct Reading {
    text: RichText,
    bytes_max: usize,
    is_whole: bool,
}

impl Reading {
    fn string(&mut self, json: &mut Json) -> Result<Option<String>, Fault> {
        if json.peek()? != ValueType::String {
            return json::short(json);
        }
        let (text, is_whole) = json::string(json, self.bytes_max.saturating_sub(self.text.bytes()))?;
        self.is_whole &= is_whole;
        Ok(Some(text))
    }

    fn plain(&mut self, json: &mut Json) -> Result<(), Fault> {
        if let Some(text) = self.string(json)? {
            self.text.push(&text, None, None);
        }
        Ok(())
    }

    /// `{"type": "text_link", "text": "here", "href": "https://..."}`
    fn piece(&mut self, json: &mut Json) -> Result<(), Fault> {
        let (mut text, mut kind, mut url) = (None, None, None);
        json::object(json, |json, name| {
            match name {
                "text" => text = self.string(json)?,
                "type" => kind = json::short(json)?,
                "href" => url = self.string(json)?,
                "user_id" => url = json::short(json)?.map(|id| format!("tg://user?id={id}")),
                _ => json.skip_value()?,
            }
            Ok(())
        })?;
        if let Some(text) = text {
            let kind = kind.filter(|kind| !matches!(kind.as_str(), "plain" | "unknown" | ""));
            self.text.push(&text, kind.as_deref(), url);
            self.is_whole &= self.text.bytes() <= self.bytes_max;
        }
        Ok(())
    }
}
