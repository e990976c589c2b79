//! One window of a group: its bounds, the newest state of its messages, and the lanes in which it is open.
//!
//! Invariant: a window lives forever. At rest it is packed into the bytes that its snapshot part has.

use crate::{
    codec::{Reader, Writer},
    entries::Entries,
};
use std::ops::RangeInclusive;

/// A window is open in a lane until that lane's clock reaches `due_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Number of the lane in the group.
    pub(crate) lane: u32,
    /// When that lane closes it; the end of the lane is `i64::MAX`.
    pub(crate) due_ms: i64,
}

/// A window at work.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// End in ms, exclusive.
    pub(crate) end_ms: i64,
    /// Number of the settings under which it opened.
    pub(crate) epoch: u32,
    /// Newest revision emitted, 0 for none.
    pub(crate) revision: u32,
    /// The live lane has emitted a revision.
    pub(crate) live: bool,
    /// Hash of the messages in the newest revision emitted.
    pub(crate) digest: u128,
    /// Offset of the newest record with a message in this window.
    pub(crate) last_offset: i64,
    /// Lanes in which it is open.
    pub(crate) openings: Vec<Opening>,
    /// Its messages.
    pub(crate) entries: Entries,
    /// It differs from the snapshot.
    pub(crate) changed: bool,
}

impl Window {
    /// Opening in `lane`, if it is open there.
    pub(crate) fn is_open_in(&self, lane: u32) -> bool {
        self.openings.iter().any(|opening| opening.lane == lane)
    }

    /// True when its messages are not those of its newest revision.
    pub(crate) fn has_untold(&self) -> bool {
        let summary = self.entries.summary();
        if self.revision == 0 { summary.messages > 0 } else { summary.digest != self.digest }
    }

    /// The bytes at rest, for a window that starts at `start_ms`.
    pub(crate) fn pack(&self, start_ms: i64) -> Packed {
        let mut writer = Writer::default();
        writer.put(self.end_ms.wrapping_sub(start_ms) as u64);
        writer.put(u64::from(self.epoch));
        put_range(&mut writer, self.entries.answered_now());
        writer.put(u64::from(self.revision) << 1 | u64::from(self.live));
        if self.revision > 0 {
            writer.put_bytes(self.digest.to_le_bytes());
        }
        writer.put_signed(self.last_offset);
        writer.put(self.openings.len() as u64);
        for opening in &self.openings {
            writer.put(u64::from(opening.lane));
            writer.put_signed(opening.due_ms.wrapping_sub(self.end_ms));
        }
        self.entries.encode(&mut writer, start_ms);
        Packed(writer.finish().into_boxed_slice())
    }
}

/// A window at rest: bytes that are known to unpack.
#[derive(Debug)]
pub(crate) struct Packed(Box<[u8]>);

impl Packed {
    /// Takes over bytes, and tells the openings in them; `None` when they are not a window.
    pub(crate) fn checked(start_ms: i64, bytes: &[u8]) -> Option<(Self, Vec<Opening>)> {
        let window = unpack(start_ms, bytes)?;
        Some((Self(bytes.into()), window.openings))
    }

    /// The window.
    pub(crate) fn unpack(&self, start_ms: i64) -> Window {
        unpack(start_ms, &self.0).unwrap_or_default()
    }

    /// End and settings, without unpacking.
    pub(crate) fn end_and_epoch(&self, start_ms: i64) -> (i64, u32) {
        let mut reader = Reader(&self.0);
        let length = reader.take().unwrap_or_default();
        (start_ms.wrapping_add(length as i64), reader.take_u32().unwrap_or_default())
    }

    /// At least from the least to the greatest message that one without a topic answers, without unpacking.
    pub(crate) fn answered(&self) -> Option<RangeInclusive<i64>> {
        let mut reader = Reader(&self.0);
        reader.take()?;
        reader.take()?;
        take_range(&mut reader).filter(|range| !range.is_empty())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn put_range(writer: &mut Writer, range: Option<RangeInclusive<i64>>) {
    let Some(range) = range else { return writer.put(0) };
    writer.put_wide(1 + u128::from(range.end().wrapping_sub(*range.start()) as u64));
    writer.put_signed(*range.start());
}

/// An empty range where there is none.
fn take_range(reader: &mut Reader<'_>) -> Option<RangeInclusive<i64>> {
    let Some(length) = reader.take_wide()?.checked_sub(1) else { return Some(RangeInclusive::new(1, 0)) };
    let start = reader.take_signed()?;
    Some(start..=start.wrapping_add(u64::try_from(length).ok()? as i64))
}

fn unpack(start_ms: i64, bytes: &[u8]) -> Option<Window> {
    let mut reader = Reader(bytes);
    let end_ms = start_ms.wrapping_add(reader.take()? as i64);
    let epoch = reader.take_u32()?;
    take_range(&mut reader)?;
    let revision_and_live = reader.take()?;
    let revision = u32::try_from(revision_and_live >> 1).ok()?;
    let digest = if revision > 0 { u128::from_le_bytes(reader.take_bytes()?) } else { 0 };
    let last_offset = reader.take_signed()?;
    let mut openings = Vec::new();
    for _ in 0..reader.take()? {
        let lane = reader.take_u32()?;
        openings.push(Opening { lane, due_ms: end_ms.wrapping_add(reader.take_signed()?) });
    }
    let entries = Entries::decode(&mut reader, start_ms)?;
    let live = revision_and_live & 1 == 1;
    let whole = reader.is_empty() && end_ms > start_ms;
    whole.then_some(Window {
        end_ms,
        epoch,
        revision,
        live,
        digest,
        last_offset,
        openings,
        entries,
        changed: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entries::Entry, topics::Topics};
    use proptest::prelude::*;
    use schemas::Known;

    #[test]
    fn window_comes_back_as_it_was_packed() {
        let mut window = Window {
            end_ms: 2_000,
            epoch: 3,
            revision: 7,
            live: true,
            digest: u128::MAX - 5,
            last_offset: 42,
            openings: vec![
                Opening { lane: 0, due_ms: 2_500 },
                Opening { lane: 9, due_ms: schemas::END_OF_LANE },
            ],
            ..Window::default()
        };
        let entry = Entry {
            id: 5,
            revision: 1_500,
            author: 2,
            deleted: false,
            known: Known::REPLY,
            is_by_name: false,
            answers: 3,
        };
        window.entries.apply(entry, &Topics::default());
        window.entries.apply(Entry { id: 6, answers: i64::MIN, ..entry }, &Topics::default());
        let packed = window.pack(1_000);
        assert_eq!(packed.answered(), Some(i64::MIN..=3));
        assert_eq!(packed.end_and_epoch(1_000), (2_000, 3));
        let (again, openings) = Packed::checked(1_000, packed.bytes()).expect("own bytes");
        assert_eq!(openings, window.openings);
        let unpacked = again.unpack(1_000);
        assert_eq!(unpacked.entries.answered(), Some(i64::MIN..=3));
        assert_eq!((unpacked.revision, unpacked.live, unpacked.digest), (7, true, u128::MAX - 5));
        assert_eq!((unpacked.last_offset, unpacked.entries.ordered().len()), (42, 2));
        assert_eq!(unpacked.pack(1_000).bytes(), packed.bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_window_or_not_but_never_a_panic(start: i64, bytes: Vec<u8>) {
            if let Some((packed, _)) = Packed::checked(start, &bytes) {
                let _ = packed.unpack(start);
            }
        }
    }
}
