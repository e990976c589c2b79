//! The newest messages of a chat: a deletion tells an id alone, and has to be told with the time of its message.
//!
//! Invariant: bounded; what is older is looked up in the database, which lags behind by less than this.

use ingest::Draft;
use serde::{Deserialize, Serialize};

/// Messages that are remembered.
const RECENT_MAX: usize = 50;

/// A message that was told: its id, when it was sent in seconds, its revision in seconds, and a hash of what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Entry(i64, i64, i64, u32);

/// When a message was sent, and its newest revision, both in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) sent_at: i64,
    pub(crate) revision: i64,
}

/// The newest messages of a chat, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Recent(Vec<Entry>);

impl Recent {
    /// Remembers a message, or what an edit has changed of it; false where the same was told before, as an answer does that has a
    /// message both as it is now and as an edit.
    pub(crate) fn add(&mut self, draft: &Draft) -> bool {
        let message = &draft.message;
        let entry = Entry(message.id, message.sent_at / 1000, message.revision / 1000, hash(draft));
        match self.0.iter_mut().find(|known| known.0 == entry.0) {
            // An edit that shows nothing, as of a reaction, tells no time and says the same.
            Some(known) if known.2 >= entry.2 && known.3 == entry.3 => return false,
            Some(known) => (known.2, known.3) = (known.2.max(entry.2), entry.3),
            None => {
                self.0.push(entry);
                self.0.drain(..self.0.len().saturating_sub(RECENT_MAX));
            }
        }
        true
    }

    /// True for a message that is remembered.
    pub(crate) fn has(&self, id: i64) -> bool {
        self.0.iter().any(|entry| entry.0 == id)
    }

    /// Forgets a message, and tells it.
    pub(crate) fn take(&mut self, id: i64) -> Option<Known> {
        let index = self.0.iter().position(|entry| entry.0 == id)?;
        let Entry(id, sent_at, revision, _) = self.0.remove(index);
        Some(Known { id, sent_at: sent_at * 1000, revision: revision * 1000 })
    }
}

/// FNV-1a of what can be edited.
fn hash(draft: &Draft) -> u32 {
    let said = format!("{:?}{:?}", draft.text, draft.message.media);
    said.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::RichText;
    use schemas::Message;

    fn draft(id: i64, revision: i64, text: &str) -> Draft {
        let message = Message { revision, ..Message::plain(id, id * 1000, "") };
        Draft { message, text: RichText::from_entities(text.to_owned(), Vec::new()) }
    }

    #[test]
    fn the_newest_are_remembered_with_their_newest_revision() {
        let mut recent = Recent::default();
        for id in 1..=150 {
            assert!(recent.add(&draft(id, 0, "")));
        }
        assert!(recent.add(&draft(150, 900_000, "more")));
        assert!(!recent.add(&draft(150, 900_000, "more")), "told before");
        assert!(recent.add(&draft(150, 900_000, "other")), "edited twice in a second");
        assert!(!recent.add(&draft(150, 0, "other")), "a reaction to it");
        assert!(recent.add(&draft(150, 800_000, "")));
        assert_eq!(recent.take(100), None);
        assert_eq!(recent.take(101), Some(Known { id: 101, sent_at: 101_000, revision: 0 }));
        assert_eq!(recent.take(101), None);
        assert_eq!(recent.take(150), Some(Known { id: 150, sent_at: 150_000, revision: 900_000 }));
    }
}
