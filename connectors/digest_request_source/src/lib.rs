//! Somebody's wish → `digest.generate.requested`, once.
//!
//! Invariant: the identity of what is written is that of the request, so that the same request is written once, however
//! often it is made.

use processor::{Port, PortSpec};
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{DigestGenerateRequested, GroupSettings, WindowRef};
use state::Held;

/// Name in the map.
const NAME: &str = "digest_request_source";
const REQUESTED: Port<DigestGenerateRequested> = Port::new("requested");
const DONE: &str = "done";

/// Somebody's request for the digest of a span of a group's time (ms, the end exclusive) that holds this, under these
/// settings. A function of what it is given: the same is asked for once.
pub fn asking(
    (tenant, group): (&str, &str),
    (bounds, held): ((i64, i64), Held),
    requested_by: &str,
    settings: GroupSettings,
) -> DigestGenerateRequested {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let window = WindowRef {
        message_count: count(held.messages),
        participant_count: count(held.participants),
        source_partition: held.source_partition,
        source_offset: held.source_offset,
        ..WindowRef::asked(bounds, requested_by, settings)
    };
    DigestGenerateRequested::asked(tenant, group, window, requested_by)
}

/// One request.
#[derive(Debug)]
pub struct DigestRequestSource {
    request: DigestGenerateRequested,
}

impl DigestRequestSource {
    /// Writes `request`, and ends.
    pub fn new(request: DigestGenerateRequested) -> Self {
        Self { request }
    }
}

impl Source for DigestRequestSource {
    const NAME: &'static str = NAME;

    fn ports(&self) -> Vec<PortSpec> {
        vec![REQUESTED.spec()]
    }

    fn identity(&self) -> String {
        let DigestGenerateRequested { tenant_id, group_id, window_id, version, .. } = &self.request;
        format!("request/{tenant_id}/{group_id}/{window_id}/{version}")
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        if position.is_some() {
            return Ok(SourceBatch::End);
        }
        let emissions = vec![REQUESTED.emit(self.request.clone())];
        Ok(SourceBatch::Records { emissions, position: Position(DONE.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(offset: i64) -> DigestRequestSource {
        let asked = WindowRef::asked((5, 8), "ann", GroupSettings::default());
        let window = WindowRef { source_offset: offset, ..asked };
        DigestRequestSource::new(DigestGenerateRequested::asked("acme", "qa", window, "ann"))
    }

    #[test]
    fn a_request_is_written_once_whoever_makes_it_again() {
        let mut first = source(9);
        assert_eq!(first.identity(), source(9).identity());
        assert_ne!(first.identity(), source(10).identity(), "as of another place it is another request");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let Ok(SourceBatch::Records { emissions, position }) = runtime.block_on(first.next(None)) else {
            panic!("no record");
        };
        let record: &DigestGenerateRequested = emissions[0].downcast().expect("its type");
        assert_eq!((record.version.as_str(), record.requested_by.as_str()), ("1.1", "ann"));
        assert_eq!((record.delivery_channel.as_str(), record.window.lane.as_str()), ("file", "asked:ann"));
        assert_eq!(record.window_id, record.window.id("acme", "qa"));
        assert!(matches!(runtime.block_on(source(9).next(Some(&position))), Ok(SourceBatch::End)));
    }
}
