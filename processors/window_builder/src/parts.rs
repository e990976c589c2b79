//! The parts of a group's snapshot: `g` (lanes, sizes), `s/<n>` (settings), `a/<n>` (authors), `t` (topics), `p/<n>`
//! (messages in topics), and one for each window, `w/<size>/<start>`.
//!
//! Invariant: restoring every part in any order gives a state with equal further outputs.

use crate::{
    GroupState,
    codec::{Reader, Writer},
    lanes::{Due, Lane},
    settings::Epoch,
    shelf::Shelf,
    window::Packed,
};
use processor::{FoldState, StateError};

impl FoldState for GroupState {
    fn drain_changes(&mut self, write: &mut dyn FnMut(&str, Option<Vec<u8>>)) {
        for (part, bytes) in self.authors.drain_parts() {
            write(&format!("a/{part}"), Some(bytes));
        }
        if let Some(bytes) = self.topics.drain_created() {
            write("t", Some(bytes));
        }
        for (part, bytes) in self.topics.drain_placed() {
            write(&format!("p/{part}"), Some(bytes));
        }
        let changed = std::mem::take(&mut self.changed);
        if changed.header {
            write("g", Some(self.encode_header()));
        }
        for number in changed.epochs {
            if let Some(epoch) = self.epochs.get(number as usize) {
                write(&format!("s/{number}"), Some(epoch.encode()));
            }
        }
        for (size_hours, start_ms) in changed.windows {
            let shelf = self.shelves.iter_mut().find(|shelf| shelf.size_hours == size_hours);
            if let Some(bytes) = shelf.and_then(|shelf| shelf.snapshot(start_ms)) {
                write(&format!("w/{size_hours}/{start_ms}"), Some(bytes));
            }
        }
    }

    fn restore(&mut self, part: &str, value: &[u8]) -> Result<(), StateError> {
        self.restore_part(part, value).ok_or_else(|| StateError(format!("part {part:?} is not readable")))
    }
}

impl GroupState {
    fn restore_part(&mut self, part: &str, value: &[u8]) -> Option<()> {
        let mut path = part.split('/');
        match (path.next()?, path.next(), path.next(), path.next()) {
            ("g", None, None, None) => self.restore_header(value),
            ("t", None, None, None) => self.topics.restore_created(value),
            ("p", Some(number), None, None) => self.topics.restore_placed(number.parse().ok()?, value),
            ("a", Some(number), None, None) => self.authors.restore_part(number.parse().ok()?, value),
            ("s", Some(number), None, None) => {
                self.restore_epoch(number.parse().ok()?, Epoch::decode(value)?)
            }
            ("w", Some(size), Some(start), None) => {
                self.restore_window(size.parse().ok()?, start.parse().ok()?, value)
            }
            _ => None,
        }
    }

    fn encode_header(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.put(self.shelves.len() as u64);
        for shelf in &self.shelves {
            writer.put_signed(i64::from(shelf.size_hours));
            writer.put(shelf.since.map_or(0, |since| u64::from(since) + 1));
        }
        let (lanes, numbered) = self.lanes.all();
        writer.put(u64::from(numbered));
        writer.put(lanes.len() as u64);
        for (name, lane) in lanes {
            writer.put_text(name);
            writer.put(u64::from(lane.number));
            writer.put_signed(lane.newest_ms);
            writer.put_signed(lane.promised_ms);
        }
        writer.finish()
    }

    fn restore_header(&mut self, value: &[u8]) -> Option<()> {
        let mut reader = Reader(value);
        self.shelves.iter_mut().for_each(|shelf| shelf.since = None);
        for _ in 0..reader.take()? {
            let size_hours = i32::try_from(reader.take_signed()?).ok()?;
            let since = reader.take_u32()?.checked_sub(1);
            self.shelf(size_hours).since = since;
        }
        let numbered = reader.take_u32()?;
        let mut lanes = Vec::new();
        for _ in 0..reader.take()? {
            let name = reader.take_text()?.to_owned();
            let number = reader.take_u32()?;
            let (newest_ms, promised_ms) = (reader.take_signed()?, reader.take_signed()?);
            lanes.push((name, Lane { number, newest_ms, promised_ms }));
        }
        self.lanes.restore(lanes, numbered);
        reader.is_empty().then_some(())
    }

    fn restore_epoch(&mut self, number: usize, epoch: Epoch) -> Option<()> {
        const EPOCHS_MAX: usize = 1 << 20;
        if number >= EPOCHS_MAX {
            return None;
        }
        if self.epochs.len() <= number {
            self.epochs.resize(number + 1, epoch.clone());
        }
        self.epochs[number] = epoch;
        Some(())
    }

    fn restore_window(&mut self, size_hours: i32, start_ms: i64, value: &[u8]) -> Option<()> {
        let (packed, openings) = Packed::checked(start_ms, value)?;
        for opening in openings {
            self.lanes.open(opening.lane, Due { at_ms: opening.due_ms, start_ms, size_hours });
        }
        self.shelf(size_hours).insert_packed(start_ms, packed);
        Some(())
    }

    /// The shelf for a size, added if there is none.
    fn shelf(&mut self, size_hours: i32) -> &mut Shelf {
        let index = match self.shelves.binary_search_by_key(&size_hours, |shelf| shelf.size_hours) {
            Ok(index) => index,
            Err(index) => {
                self.shelves.insert(index, Shelf::new(size_hours, None));
                index
            }
        };
        &mut self.shelves[index]
    }
}
