//! Which sources publish what sinks wrote, and where such a source stands.

use state::OutboxPlace;
use std::collections::BTreeSet;
use topology::Map;

/// Sources that publish what sinks wrote.
pub fn outbox_sources(map: &Map) -> BTreeSet<&str> {
    map.connectors().filter_map(|sink| sink.outbox.as_deref()).collect()
}

/// The place in an outbox source's position; none in one of another version, before which everything lies.
pub fn outbox_place(position: &str) -> Option<OutboxPlace> {
    let position: serde_json::Value = serde_json::from_str(position).ok()?;
    Some(OutboxPlace { xid: position.get("xid")?.as_u64()?, seq: position.get("seq")?.as_i64()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_position_names_a_place() {
        let position = r#"{"system_identifier":"77","xid":9,"seq":4}"#;
        assert_eq!(outbox_place(position), Some(OutboxPlace { xid: 9, seq: 4 }));
        let newer = r#"{"system_identifier":"77","timeline":2,"xid":9,"seq":4,"written_at_us":5}"#;
        assert_eq!(outbox_place(newer), outbox_place(position));
        assert_eq!(outbox_place("{}"), None);
        assert_eq!(outbox_place("not json"), None);
    }
}
