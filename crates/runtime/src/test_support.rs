//! What several tests of this crate need: what was logged, and examples of the contract.

use engine::{cloud_events, log::OwnedRecord};
use processor::AnyRecord;
use schemas::Record;
use std::{
    fs,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tracing_subscriber::fmt::MakeWriter;

/// What was logged; clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).expect("text")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The first example of a record.
pub(crate) fn example<R: Record>() -> R {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/examples").join(R::TYPE);
    let mut files: Vec<_> = fs::read_dir(folder).expect("examples").flatten().map(|it| it.path()).collect();
    files.sort();
    let text = fs::read_to_string(files.first().expect("an example")).expect("text");
    serde_json::from_str(&text).expect("a record")
}

/// A record on a topic, as a unit has written it.
pub(crate) fn on_topic(unit: &str, record: &dyn AnyRecord) -> OwnedRecord {
    let headers = cloud_events::headers(unit, record);
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect();
    OwnedRecord { partition: 0, offset: 7, timestamp_ms: 0, key: None, value: None, headers }
}
