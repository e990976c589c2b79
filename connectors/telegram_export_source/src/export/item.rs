//! One element of `messages`, from JSON to what it is for this pipeline.

use super::{context::Context, convert, fault::Fault, json::Json, raw};
use crate::draft::Item;
use struson::reader::{JsonReader, ValueType};

/// One element of an array of messages.
pub(super) fn read(json: &mut Json, context: &mut Context) -> Result<Item, Fault> {
    if json.peek()? != ValueType::Object {
        json.skip_value()?;
        return Ok(Item::Skipped("not_an_object"));
    }
    Ok(convert::item(raw::read(json)?, context))
}
