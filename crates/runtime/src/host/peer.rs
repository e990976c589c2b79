//! Which peer a unit waits for, as the reason that it gives tells.
//!
//! Invariant: a reason that names no peer is `other`; nothing is guessed from the unit.

/// Every peer, by what its mention looks like in a reason. A sink that is waited for comes before the database that its
/// name has in it, and the broker last: reasons of others name topics and offsets too.
const PEERS: [(&str, &[&str]); 9] = [
    ("postgres_sink", &["postgres_sink has not stored"]),
    ("qdrant_sink", &["qdrant_sink has not"]),
    ("registry", &["schema registry", "of schema", "the registry"]),
    ("embedding", &["embedding"]),
    ("qdrant", &["qdrant"]),
    ("postgres", &["postgres"]),
    ("telegram", &["telegram", "bot api"]),
    ("mail", &["mail server"]),
    ("kafka", &["kafka", "broker", "topic", "transaction", "group", "partition", "producer", "commit"]),
];

/// The peer that a reason names.
pub(super) fn named(reason: &str) -> &'static str {
    let reason = reason.to_lowercase();
    let is_named = |(_, mentions): &&(&str, &[&str])| mentions.iter().any(|mention| reason.contains(mention));
    PEERS.iter().find(is_named).map_or("other", |(peer, _)| peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_their_peers() {
        for (reason, peer) in [
            (
                "no answer yet for offset 7 of partition 2: postgres_sink has not stored offset 9 of partition 2 of \
                 group.message.ingested.v1",
                "postgres_sink",
            ),
            (
                "no answer yet for offset 7 of partition 2: could not reach postgres at 127.0.0.1:5: refused",
                "postgres",
            ),
            ("could not reach the schema registry at http://127.0.0.1:1: refused", "registry"),
            ("could not write a batch: could not reach qdrant at http://127.0.0.1:1", "qdrant"),
            ("could not reach kafka at 127.0.0.1:1: timed out; is it up?", "kafka"),
            ("topic t.v1 is not on the broker at 127.0.0.1:1: run `gistmill topology apply`", "kafka"),
            ("open transactions of other sources; `gistmill txn ls` shows one that hangs", "kafka"),
            ("could not write digests: No space left on device", "other"),
        ] {
            assert_eq!(named(reason), peer, "{reason}");
        }
    }
}
