//! A JSON array of messages, one at a time.
//!
//! Invariant: no more than one element is in memory, and what follows the end of the document is a fault.

use crate::{
    error::Error,
    guard::Tally,
    store::{BYTE_ORDER_MARK, Part, Store},
};
use serde::de::DeserializeOwned;
use std::io::{BufReader, Cursor, ErrorKind, Read};
use struson::{
    reader::{
        JsonReader, JsonReaderPosition, JsonStreamReader, JsonSyntaxError, ReaderError, ReaderSettings,
        SyntaxErrorKind, TransferError, ValueType,
    },
    writer::{JsonStreamWriter, JsonWriter},
};

/// An element of an array.
pub(crate) enum Element<T> {
    Read(T),
    /// One of another shape.
    Other,
}

/// A document that is being read.
pub(crate) struct Json {
    /// `None` once it was read to its end.
    reader: Option<JsonStreamReader<Box<dyn Read + Send>>>,
    store: Store,
    part: Part,
    tally: Tally,
    /// The array of elements is a field of an object.
    is_field: bool,
}

impl Json {
    /// At the start of the elements: of the array at the top, or of that in the field `field` of the object at the
    /// top; `None` when there is none.
    pub(crate) fn open(
        store: &Store,
        part: &Part,
        tally: &Tally,
        field: Option<&str>,
    ) -> Result<Option<Self>, Error> {
        let mut input = BufReader::new(store.open(part, tally)?);
        let mut head = Vec::new();
        let read = input.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut head);
        read.map_err(|source| store.fault(part, source))?;
        if head == BYTE_ORDER_MARK {
            head.clear();
        }
        let input: Box<dyn Read + Send> = Box::new(Cursor::new(head).chain(input));
        let mut reader = JsonStreamReader::new_custom(input, settings());
        let (store, part) = (store.with(Vec::new()), part.clone());
        let json = |reader| Self { reader, store, part, tally: tally.clone(), is_field: field.is_some() };
        match seek(&mut reader, field) {
            Ok(true) => Ok(Some(json(Some(reader)))),
            Ok(false) => Ok(None),
            Err(error) => Err(json(None).fault(error)),
        }
    }

    /// The next element. After the last, `None`, and the document was read to its end.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<Element<T>>, Error> {
        self.tally.element();
        let Some(reader) = &mut self.reader else { return Ok(None) };
        match element(reader) {
            Ok(Some(bytes)) => Ok(Some(serde_json::from_slice(&bytes).map_or(Element::Other, Element::Read))),
            Ok(None) => self.finish().map(|()| None).map_err(|error| self.fault(error)),
            Err(error) => Err(self.fault(error)),
        }
    }

    /// Reads what follows the last element.
    fn finish(&mut self) -> Result<(), ReaderError> {
        let Some(mut reader) = self.reader.take() else { return Ok(()) };
        reader.end_array()?;
        if self.is_field {
            while reader.has_next()? {
                reader.next_name()?;
                reader.skip_value()?;
            }
            reader.end_object()?;
        }
        reader.consume_trailing_whitespace()
    }

    fn fault(&self, error: ReaderError) -> Error {
        let path = self.store.part_name(&self.part);
        match error {
            ReaderError::SyntaxError(JsonSyntaxError { kind, location }) => match kind {
                SyntaxErrorKind::IncompleteDocument => {
                    Error::Partial { path, what: "it ends in the middle of its JSON".to_owned() }
                }
                SyntaxErrorKind::TrailingData => Error::Glued {
                    path,
                    what: format!("something follows the end of its JSON, at {}", place(&location)),
                },
                kind => {
                    Error::Damaged { path, place: place(&location), what: format!("it is no JSON ({kind})") }
                }
            },
            ReaderError::IoError { error, location } if error.kind() == ErrorKind::InvalidData => {
                Error::Damaged { path, place: place(&location), what: error.to_string() }
            }
            ReaderError::IoError { error, .. } => self.store.fault(&self.part, error),
            other => Error::Damaged { path, place: "its JSON".to_owned(), what: other.to_string() },
        }
    }
}

/// The elements of documents that follow one another.
pub(crate) struct Documents {
    store: Store,
    tally: Tally,
    /// Where in a document they are: see [`Json::open`].
    field: Option<&'static str>,
    /// The document that comes next, and that which is being read.
    next: usize,
    json: Option<Json>,
}

impl Documents {
    /// Those of all parts of a store, in their order.
    pub(crate) fn of(store: Store, tally: &Tally, field: Option<&'static str>) -> Self {
        Self { store, tally: tally.clone(), field, next: 0, json: None }
    }

    /// The next element; `None` after the last of the last document. `lacks` says what is wrong with a document, by its
    /// name, that has no elements where they should be.
    pub(crate) fn next<T: DeserializeOwned>(
        &mut self,
        lacks: impl Fn(String) -> Error,
    ) -> Result<Option<Element<T>>, Error> {
        loop {
            let Some(json) = &mut self.json else {
                let Some(part) = self.store.parts.get(self.next) else { return Ok(None) };
                self.next += 1;
                let opened = Json::open(&self.store, part, &self.tally, self.field)?;
                self.json = Some(opened.ok_or_else(|| lacks(self.store.part_name(part)))?);
                continue;
            };
            match json.next()? {
                Some(element) => return Ok(Some(element)),
                None => self.json = None,
            }
        }
    }
}

fn settings() -> ReaderSettings {
    ReaderSettings { track_path: false, ..ReaderSettings::default() }
}

/// Goes to the start of the array of elements; false when there is none.
fn seek<R: Read>(reader: &mut JsonStreamReader<R>, field: Option<&str>) -> Result<bool, ReaderError> {
    if let Some(field) = field
        && !seek_field(reader, field)?
    {
        return Ok(false);
    }
    if reader.peek()? != ValueType::Array {
        return Ok(false);
    }
    reader.begin_array()?;
    Ok(true)
}

/// Goes to the value of a field of the object at the top; false when there is none.
fn seek_field<R: Read>(reader: &mut JsonStreamReader<R>, field: &str) -> Result<bool, ReaderError> {
    if reader.peek()? != ValueType::Object {
        return Ok(false);
    }
    reader.begin_object()?;
    while reader.has_next()? {
        if reader.next_name()? == field {
            return Ok(true);
        }
        reader.skip_value()?;
    }
    Ok(false)
}

/// The bytes of the next element, `None` after the last.
fn element<R: Read>(reader: &mut JsonStreamReader<R>) -> Result<Option<Vec<u8>>, ReaderError> {
    if reader.has_next()? { value(reader).map(Some) } else { Ok(None) }
}

/// The bytes of the value that comes next.
fn value<R: Read>(reader: &mut JsonStreamReader<R>) -> Result<Vec<u8>, ReaderError> {
    let mut bytes = Vec::new();
    let mut writer = JsonStreamWriter::new(&mut bytes);
    let written = reader.transfer_to(&mut writer).and_then(|()| Ok(writer.finish_document()?));
    written.map_err(|error| match error {
        TransferError::ReaderError(error) => error,
        TransferError::WriterError(error) => {
            ReaderError::IoError { error, location: reader.current_position(false) }
        }
    })?;
    Ok(bytes)
}

/// The value of a field of the object at the top, if it stands among the first bytes.
pub(crate) fn field<T: DeserializeOwned>(head: &[u8], field: &str) -> Option<T> {
    let mut reader = JsonStreamReader::new_custom(head, settings());
    if !seek_field(&mut reader, field).ok()? {
        return None;
    }
    serde_json::from_slice(&value(&mut reader).ok()?).ok()
}

/// The first element of the array at the top, if it stands among the first bytes.
pub(crate) fn first<T: DeserializeOwned>(head: &[u8]) -> Option<T> {
    let mut reader = JsonStreamReader::new_custom(head, settings());
    if !seek(&mut reader, None).ok()? {
        return None;
    }
    serde_json::from_slice(&element(&mut reader).ok()??).ok()
}

fn place(location: &JsonReaderPosition) -> String {
    let line = location.line_pos.as_ref().map(|position| format!("line {}", position.line + 1));
    line.unwrap_or_else(|| "its JSON".to_owned())
}
