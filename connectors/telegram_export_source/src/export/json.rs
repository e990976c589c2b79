//! JSON values as exports misuse them: a number where a string was, a string where a number was, null anywhere.
//!
//! Invariant: a value of another type than expected is skipped as a whole, never an error; only JSON that is not
//! JSON is one.

use super::fault::{Fault, FaultKind};
use crate::repair::{RepairReader, Repairs};
use std::io::{self, Read};
use struson::reader::{JsonReader, JsonStreamReader, JsonSyntaxError, ReaderSettings, ValueType};

/// A JSON document that is read as a stream, its slips undone.
pub(crate) type Json<'a> = JsonStreamReader<RepairReader<'a>>;

/// Names, file names and ids are cut here, in bytes.
pub(super) const SHORT_BYTES_MAX: usize = 4096;

/// Reads `input`, which must not begin with a byte-order mark.
pub(super) fn open(input: RepairReader<'_>) -> (Json<'_>, Repairs) {
    let repairs = input.repairs();
    let settings = ReaderSettings { track_path: false, ..ReaderSettings::default() };
    (JsonStreamReader::new_custom(input, settings), repairs)
}

/// Bytes read, as repaired.
pub(super) fn position(json: &Json) -> u64 {
    json.current_position(false).data_pos.unwrap_or_default()
}

fn input_fault(json: &Json) -> Fault {
    let place = json.current_position(false);
    let line = place.line_pos.map_or(0, |position| position.line) + 1;
    Fault::new(FaultKind::Input, place.data_pos.unwrap_or_default(), line)
}

/// The string that comes next, cut at `bytes_max` on a character boundary, and whether it is whole.
pub(super) fn string(json: &mut Json, bytes_max: usize) -> Result<(String, bool), Fault> {
    let (mut bytes, mut is_whole) = (Vec::new(), true);
    let reader = json.next_string_reader()?;
    let result = drain(reader, |chunk| {
        let room = bytes_max - bytes.len();
        is_whole &= chunk.len() <= room;
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    });
    if let Err(error) = result {
        return Err(match error.get_ref().and_then(|inner| inner.downcast_ref::<JsonSyntaxError>()) {
            Some(syntax) => syntax.clone().into(),
            None => input_fault(json),
        });
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        let end = error.utf8_error().valid_up_to();
        String::from_utf8_lossy(&error.as_bytes()[..end]).into_owned()
    });
    Ok((text, is_whole))
}

fn drain(mut reader: impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut chunk = [0_u8; 4096];
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(()),
            count => take(&chunk[..count]),
        }
    }
}

/// A string, or the digits of a number.
pub(super) fn short(json: &mut Json) -> Result<Option<String>, Fault> {
    match json.peek()? {
        ValueType::String => {
            let (mut text, _) = string(json, SHORT_BYTES_MAX)?;
            text.retain(|c| c != '\0');
            Ok(Some(text))
        }
        ValueType::Number => Ok(Some(json.next_number_as_string()?)),
        _ => {
            json.skip_value()?;
            Ok(None)
        }
    }
}

/// A whole number, or a string of one.
pub(super) fn integer(json: &mut Json) -> Result<Option<i64>, Fault> {
    Ok(short(json)?.and_then(|text| text.trim().parse().ok()))
}

/// A number of people or votes.
pub(super) fn count(json: &mut Json) -> Result<Option<i32>, Fault> {
    let count = integer(json)?.and_then(|count| i32::try_from(count).ok());
    Ok(count.filter(|count| *count >= 0))
}

/// True or false.
pub(super) fn flag(json: &mut Json) -> Result<Option<bool>, Fault> {
    if json.peek()? == ValueType::Boolean {
        return Ok(Some(json.next_bool()?));
    }
    json.skip_value()?;
    Ok(None)
}

/// Reads an object member by member; anything else is skipped. `member` must consume the value.
pub(super) fn object(
    json: &mut Json,
    mut member: impl FnMut(&mut Json, &str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if json.peek()? != ValueType::Object {
        return Ok(json.skip_value()?);
    }
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        member(json, &name)?;
    }
    Ok(json.end_object()?)
}

/// Reads an array element by element; anything else is skipped. `element` must consume the value.
pub(super) fn array(
    json: &mut Json,
    mut element: impl FnMut(&mut Json) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if json.peek()? != ValueType::Array {
        return Ok(json.skip_value()?);
    }
    json.begin_array()?;
    while json.has_next()? {
        element(json)?;
    }
    Ok(json.end_array()?)
}
