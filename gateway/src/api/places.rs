//! Where a listener is, as the id of an event.
//!
//! Invariant: an id names every partition that there is, and nothing else.

use crate::events::TOPICS;
use operate::Places;
use std::fmt::Write;

/// Places as an id: the letter of the topic, partition and next offset.
pub(super) fn written(places: &Places) -> String {
    let mut id = String::new();
    for ((topic, partition), next) in places {
        let Some((letter, ..)) = TOPICS.iter().find(|(_, name, _)| name == topic) else { continue };
        let comma = if id.is_empty() { "" } else { "," };
        // Writing to a String cannot fail.
        write!(id, "{comma}{letter}:{partition}:{next}").unwrap_or_default();
    }
    id
}

/// The places of an id: those of every partition that there is.
pub(super) fn read(id: &str, now: &Places) -> Option<Places> {
    let mut places = Places::new();
    for part in id.split(',') {
        let mut words = part.trim().split(':');
        let letter = words.next()?;
        let (_, topic, _) = TOPICS.iter().find(|(of, ..)| letter.len() == 1 && letter.starts_with(*of))?;
        let (partition, next): (i32, i64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let key = ((*topic).to_owned(), partition);
        if next < 0 || !now.contains_key(&key) || words.next().is_some() {
            return None;
        }
        places.insert(key, next);
    }
    (places.len() == now.len()).then_some(places)
}

/// Whether none of the places lies beyond its partition's end.
pub(super) fn are_reached(places: &Places, now: &Places) -> bool {
    places.iter().all(|(key, next)| now.get(key).is_some_and(|end| next <= end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(next: [i64; 3]) -> Places {
        let keys = [("group.window.ready.v1", 0), ("group.window.ready.v1", 1), ("digest.blocked.v1", 0)];
        keys.into_iter()
            .zip(next)
            .map(|((topic, partition), next)| ((topic.to_owned(), partition), next))
            .collect()
    }

    #[test]
    fn an_id_is_read_back_where_it_names_every_partition_and_nothing_else() {
        let now = places([9, 5, 7]);
        let id = written(&places([3, 5, 0]));
        assert_eq!(id, "b:0:0,w:0:3,w:1:5");
        assert_eq!(read(&id, &now), Some(places([3, 5, 0])));
        for wrong in [
            "",
            "w:0:3",
            "b:0:-1,w:0:3,w:1:5",
            "x:0:0,w:0:3,w:1:5",
            "b:0:0:0,w:0:3,w:1:5",
            "b:7:0,w:0:3,w:1:5",
        ] {
            assert_eq!(read(wrong, &now), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_of_a_process_that_is_ahead_is_read_and_not_reached_yet() {
        let now = places([9, 5, 7]);
        let ahead = read("b:0:7,w:0:10,w:1:5", &now).unwrap();
        assert!(!are_reached(&ahead, &now) && are_reached(&ahead, &places([10, 5, 7])));
        assert!(are_reached(&now, &now));
    }
}
