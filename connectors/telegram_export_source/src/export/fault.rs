//! Why JSON could not be read, in a person's words.

use crate::repair::Repairs;
use struson::reader::{JsonReaderPosition, JsonSyntaxError, ReaderError, SyntaxErrorKind};

/// Why JSON could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Bytes before it.
    pub(crate) at: u64,
    /// From 1.
    pub(crate) line: u64,
    /// Id of the message that it is in.
    pub(crate) message: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// It ends too early.
    Truncated,
    /// It is no JSON.
    Malformed(&'static str),
    /// The input failed, or is not UTF-8.
    Input,
}

impl FaultKind {
    /// What is wrong.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Truncated => "the file ends in the middle of it",
            Self::Malformed(words) => words,
            Self::Input => "its text is not UTF-8",
        }
    }
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, at: u64, line: u64) -> Self {
        Self { kind, at, line, message: None }
    }

    fn placed(kind: FaultKind, place: &JsonReaderPosition) -> Self {
        let line = place.line_pos.as_ref().map_or(0, |position| position.line) + 1;
        Self::new(kind, place.data_pos.unwrap_or_default(), line)
    }

    /// The same, known to be in a message.
    pub(crate) fn in_message(self, id: Option<i64>) -> Self {
        Self { message: self.message.or(id), ..self }
    }

    /// The same, with its place in what was read instead of what was made of it.
    pub(crate) fn before_repairs(self, repairs: &Repairs) -> Self {
        let (at, lines) = repairs.place(self.at);
        Self { at, line: self.line + lines, ..self }
    }
}

impl From<JsonSyntaxError> for Fault {
    fn from(error: JsonSyntaxError) -> Self {
        Self::placed(kind(error.kind), &error.location)
    }
}

impl From<ReaderError> for Fault {
    fn from(error: ReaderError) -> Self {
        let malformed = FaultKind::Malformed;
        let (kind, location) = match error {
            ReaderError::SyntaxError(error) => return error.into(),
            ReaderError::IoError { location, .. } => (FaultKind::Input, location),
            ReaderError::MaxNestingDepthExceeded { location, .. } => {
                (malformed("nested too deeply"), location)
            }
            ReaderError::UnsupportedNumberValue { location, .. } => {
                (malformed("a number of unusual size"), location)
            }
            ReaderError::UnexpectedValueType { location, .. } => {
                (malformed("a value of another type"), location)
            }
            ReaderError::UnexpectedStructure { location, .. } => (malformed("another structure"), location),
            _ => return Self::new(FaultKind::Input, 0, 1),
        };
        Self::placed(kind, &location)
    }
}

/// The parser's kinds of faults, told by what causes them in exports.
fn kind(kind: SyntaxErrorKind) -> FaultKind {
    use SyntaxErrorKind as Kind;
    FaultKind::Malformed(match kind {
        Kind::IncompleteDocument | Kind::BlockCommentNotClosed => return FaultKind::Truncated,
        Kind::MalformedJson | Kind::MissingComma | Kind::ExpectingMemberNameOrObjectEnd => {
            "a quotation mark inside a text is not escaped, or a comma is missing"
        }
        Kind::MissingColon | Kind::UnexpectedColon => {
            "a quotation mark inside a text is not escaped, or a colon is out of place"
        }
        Kind::InvalidLiteral | Kind::TrailingDataAfterLiteral => {
            "a value is no text and has no quotation marks"
        }
        Kind::MalformedNumber | Kind::TrailingDataAfterNumber => "a number is malformed",
        Kind::UnexpectedClosingBracket => "a bracket closes what was not opened",
        Kind::UnexpectedComma | Kind::TrailingCommaNotEnabled => "a comma is out of place",
        Kind::NotEscapedControlCharacter => "a control character is not escaped",
        Kind::UnknownEscapeSequence | Kind::MalformedEscapeSequence => "an escape that JSON does not know",
        Kind::UnpairedSurrogatePairEscapeSequence => "half of a character",
        Kind::TrailingData => "something follows the end of the export",
        Kind::CommentsNotEnabled | Kind::IncompleteComment => "a slash outside of a text",
        _ => "it is no JSON",
    })
}
