//! Which of the messages that an import gives the group had before: asked of the store, or not claimed.

use std::sync::{Arc, Mutex, PoisonError};

use operate::StoredGroup;
use processor::{Emission, PortSpec};
use runtime::{Config, Position, Source, SourceBatch, SourceError};
use schemas::GroupMessageIngested;
use telegram_export_source::Group;
use topology::Map;

/// Ids of the messages of the last batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids(Arc<Mutex<Vec<i64>>>);

impl Ids {
    fn set(&self, emissions: &[Emission]) {
        let records = emissions.iter().filter_map(Emission::downcast::<GroupMessageIngested>);
        let ids = records.flat_map(|record| &record.messages).map(|message| message.id).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ids;
    }

    fn take(&self) -> Vec<i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A source that tells the ids of what it gives.
pub(super) struct Telling<S> {
    pub(super) source: S,
    pub(super) ids: Ids,
}

impl<S: Source> Source for Telling<S> {
    const NAME: &'static str = S::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        self.source.ports()
    }

    fn identity(&self) -> String {
        self.source.identity()
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        let batch = self.source.next(position).await?;
        if let SourceBatch::Records { emissions, .. } = &batch {
            self.ids.set(emissions);
        }
        Ok(batch)
    }
}

/// How many of the messages given were known.
pub(super) struct Known {
    group: Result<StoredGroup, String>,
    count: u64,
}

impl Known {
    /// Looks what is stored of the group. Whatever is in the way is no reason not to import.
    pub(super) fn before(config: &Config, map: &Map, group: &Group) -> Self {
        let stored = operate::stored_group(config, map, (group.tenant_id(), group.group_id()));
        let group = match stored {
            Ok(Some(group)) => Ok(group),
            Ok(None) => Err("postgres_sink has not stored the group up to now".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        Self { group, count: 0 }
    }

    /// A batch was committed.
    pub(super) fn committed(&mut self, ids: &Ids) {
        let ids = ids.take();
        let Ok(group) = &self.group else { return };
        match group.count_known(&ids) {
            Ok(count) => self.count += count,
            Err(error) => self.group = Err(error.to_string()),
        }
    }

    /// How many of the messages given were known, or why that is not known.
    pub(super) fn count(&self) -> Result<u64, &str> {
        self.group.as_ref().map(|_| self.count).map_err(String::as_str)
    }
}
