//! Bytes of a state's parts: little-endian base-128 numbers, nothing else.
//!
//! Invariant: reading what was written gives it back; reading anything else gives `None`, never a panic.

/// Writes numbers and texts one after the other.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A number in as few bytes as it needs, seven bits each, lowest first.
    pub(crate) fn put(&mut self, value: u64) {
        self.put_wide(u128::from(value));
    }

    pub(crate) fn put_wide(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A signed number, small in bytes when it is close to zero.
    pub(crate) fn put_signed(&mut self, value: i64) {
        self.put(((value << 1) ^ (value >> 63)) as u64);
    }

    pub(crate) fn put_text(&mut self, text: &str) {
        self.put(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn put_bytes<const N: usize>(&mut self, bytes: [u8; N]) {
        self.0.extend_from_slice(&bytes);
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self) -> Option<u64> {
        u64::try_from(self.take_wide()?).ok()
    }

    pub(crate) fn take_u32(&mut self) -> Option<u32> {
        u32::try_from(self.take()?).ok()
    }

    pub(crate) fn take_wide(&mut self) -> Option<u128> {
        let mut value = 0;
        for shift in (0..126).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn take_signed(&mut self) -> Option<i64> {
        let value = self.take()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn take_text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.take()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    pub(crate) fn take_bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_texts_come_back(number: u64, signed: i64, wide in 0_u128..1 << 67, text: String) {
            let mut writer = Writer::default();
            writer.put(number);
            writer.put_signed(signed);
            writer.put_wide(wide);
            writer.put_text(&text);
            let bytes = writer.finish();
            let mut reader = Reader(&bytes);
            prop_assert_eq!(reader.take(), Some(number));
            prop_assert_eq!(reader.take_signed(), Some(signed));
            prop_assert_eq!(reader.take_wide(), Some(wide));
            prop_assert_eq!(reader.take_text(), Some(text.as_str()));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let mut reader = Reader(&bytes);
            while reader.take_signed().is_some() {}
            let _ = Reader(&bytes).take_text();
        }
    }
}
