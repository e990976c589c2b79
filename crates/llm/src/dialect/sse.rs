//! Server-sent events out of bytes.
//!
//! Invariant: how the bytes were cut on the way changes nothing; a line or event beyond its bound is an error.

/// Largest event that is taken, in bytes.
const EVENT_BYTES_MAX: usize = 1 << 20;
/// U+FEFF, with which a stream may begin.
const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Cuts bytes into events.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_return: bool,
    /// Whether the first line has ended.
    begun: bool,
}

/// An event is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Decoder {
    /// The data of the events that these bytes complete. Names, ids and comments are left out: providers repeat in the data
    /// what they put there.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, TooLarge> {
        let mut events = Vec::new();
        for byte in bytes {
            let ends_return = std::mem::take(&mut self.after_return) && *byte == b'\n';
            match byte {
                _ if ends_return => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    self.end_line(&mut events);
                }
                _ if self.line.len() + self.data.len() >= EVENT_BYTES_MAX => return Err(TooLarge),
                _ => self.line.push(*byte),
            }
        }
        Ok(events)
    }

    fn end_line(&mut self, events: &mut Vec<String>) {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                let data = std::mem::take(&mut self.data);
                events.push(String::from_utf8_lossy(&data).into_owned());
            }
        } else if let Some(value) = data(&line) {
            if std::mem::replace(&mut self.has_data, true) {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(value);
        }
    }
}

/// The value of a line of the field `data`, less one space before it. A line without a colon is a name alone.
fn data(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [] => Some(&[]),
        [b':', value @ ..] => Some(value.strip_prefix(b" ").unwrap_or(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str =
        ": hello\n\nevent: x\ndata: {\"a\":1}\n\ndata:two\r\ndata: lines\r\n\r\ndata: \u{43f}\r\rdata: cut";

    #[test]
    fn events_are_told_when_they_are_complete() {
        let mut decoder = Decoder::default();
        let events = decoder.push(STREAM.as_bytes());
        assert_eq!(events, Ok(vec!["{\"a\":1}".to_owned(), "two\nlines".to_owned(), "\u{43f}".to_owned()]));
        assert_eq!(decoder.push(b"\n\n"), Ok(vec!["cut".to_owned()]));
    }

    /// The grammar of the living standard, section 9.2.6.
    #[test]
    fn lines_are_read_as_the_standard_has_them() {
        for (stream, events) in [
            ("data: a\n\ndata: b\n\n", &["a", "b"][..]),
            ("\u{feff}data: a\n\n", &["a"]),
            ("data: a\n\n\u{feff}data: b\n\n", &["a"]),
            ("data\n\ndata\ndata\n\n", &["", "\n"]),
            ("data:  a\n\n", &[" a"]),
            ("database: a\n\n: data: a\n\nid: 1\nretry: 5\n\n", &[]),
            ("event: x\n\ndata: a\n\n", &["a"]),
        ] {
            let events: Vec<String> = events.iter().map(|&event| event.to_owned()).collect();
            assert_eq!(Decoder::default().push(stream.as_bytes()), Ok(events), "{stream:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(&vec![b'x'; EVENT_BYTES_MAX + 1]), Err(TooLarge));
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push("data: xxxxxxxxx\n".repeat(200_000).as_bytes()), Err(TooLarge));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_changes_nothing(cuts in prop::collection::vec(0..STREAM.len(), 0..9)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let mut decoder = Decoder::default();
            let mut events = Vec::new();
            for pair in cuts.windows(2) {
                events.extend(decoder.push(&STREAM.as_bytes()[pair[0]..pair[1]]).unwrap());
            }
            prop_assert_eq!(events, Decoder::default().push(STREAM.as_bytes()).unwrap());
        }
    }
}
