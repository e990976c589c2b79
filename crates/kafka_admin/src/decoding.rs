//! Reads the broker's own records, in the classic and the flexible encoding of Kafka's messages.
//!
//! Invariant: any bytes give a value or nothing, never a panic.

/// Bytes not yet read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    rest: &'a [u8],
    /// Compact lengths and tagged fields.
    is_flexible: bool,
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest, is_flexible: false }
    }

    /// From here on the flexible encoding.
    pub(crate) fn flexible(self) -> Self {
        Self { is_flexible: true, ..self }
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn i8(&mut self) -> Option<i8> {
        self.array().map(i8::from_be_bytes)
    }

    pub(crate) fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// An unsigned number in groups of seven bits, the lowest first.
    pub(crate) fn varint(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let length = if self.is_flexible { self.compact()? } else { usize::try_from(self.i16()?).ok()? };
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// How many elements follow; a list that is null has none.
    pub(crate) fn count(&mut self) -> Option<usize> {
        if self.is_flexible {
            return Some(self.varint()?.saturating_sub(1) as usize);
        }
        Some(usize::try_from(self.i32()?).unwrap_or(0))
    }

    /// Passes over the tagged fields at the end of a structure.
    pub(crate) fn tags(&mut self) -> Option<()> {
        if self.is_flexible {
            for _ in 0..self.varint()? {
                self.varint()?;
                let length = self.varint()? as usize;
                self.take(length)?;
            }
        }
        Some(())
    }

    fn compact(&mut self) -> Option<usize> {
        Some(self.varint()?.checked_sub(1)? as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_read() {
        let mut classic = Bytes::new(b"\0\x02ab\0\0\0\x03\xff\xff\xff\xff");
        assert_eq!(classic.string(), Some("ab"));
        assert_eq!((classic.count(), classic.count(), classic.count()), (Some(3), Some(0), None));
        let mut flexible = Bytes::new(b"\x03ab\x04\0\x01\x07\x02xy\x05").flexible();
        assert_eq!((flexible.string(), flexible.count(), flexible.count()), (Some("ab"), Some(3), Some(0)));
        assert_eq!((flexible.tags(), flexible.i8()), (Some(()), Some(5)));
        assert_eq!(Bytes::new(b"\xac\x02").varint(), Some(300));
    }

    #[test]
    fn what_is_cut_off_is_nothing() {
        assert_eq!(Bytes::new(b"\0\x05ab").string(), None);
        assert_eq!(Bytes::new(b"\xff\xff").string(), None);
        assert_eq!(Bytes::new(b"\0").flexible().string(), None);
        assert_eq!(Bytes::new(b"\xff\xff\xff\xff\xff\x01").varint(), None);
        assert_eq!(Bytes::new(&[0; 7]).i64(), None);
    }
}
