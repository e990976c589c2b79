//! Searches. Invariant: each is within one tenant, exact, and orders equal scores by what they are of.

use crate::{Error, Index, Kind, WindowPart};
use qdrant_client::qdrant::{
    Condition, Filter, QueryPointsBuilder, Range, ScoredPoint, SearchParamsBuilder, Value,
    value::Kind as ValueKind,
};
use std::collections::HashMap;

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The vector that is wanted near.
    pub vector: Vec<f32>,
    /// Tenant; always one.
    pub tenant_id: String,
    /// One group of it, or all.
    pub group_id: Option<String>,
    /// Kinds; all where there are none.
    pub kinds: Vec<Kind>,
    /// Ids of authors of messages; all where there are none.
    pub author_ids: Vec<String>,
    /// Event time in ms from which on, inclusive.
    pub since: Option<i64>,
    /// Event time in ms up to which, exclusive.
    pub until: Option<i64>,
    /// Most hits.
    pub limit: u64,
}

/// A point that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Cosine, 1 for the same words.
    pub score: f32,
    /// What it is of.
    pub kind: Kind,
    /// Group.
    pub group_id: String,
    /// See [`crate::Point::item`].
    pub item: String,
    /// See [`crate::Point::revision`].
    pub revision: i64,
    /// Event time in ms.
    pub sent_at: i64,
    /// Logical topic, partition and offset of the record that told it.
    pub source: (String, i32, i64),
    /// Window of a thread or digest.
    pub window: Option<WindowPart>,
}

impl Query {
    fn filter(&self) -> Filter {
        let text = |field: &str, value: &str| Condition::matches(field, value.to_owned());
        let mut must = vec![text("tenant_id", &self.tenant_id)];
        must.extend(self.group_id.iter().map(|group| text("group_id", group)));
        if !self.author_ids.is_empty() {
            must.push(Condition::matches("author_id", self.author_ids.clone()));
        }
        if !self.kinds.is_empty() {
            let names: Vec<String> = self.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
            must.push(Condition::matches("kind", names));
        }
        if self.since.is_some() || self.until.is_some() {
            let bound = |ms: i64| ms as f64;
            let range = Range { gte: self.since.map(bound), lt: self.until.map(bound), ..Range::default() };
            must.push(Condition::range("sent_at", range));
        }
        Filter::must(must)
    }
}

impl Index {
    /// The points that are nearest, best first; of equal score by kind and item. Those that share nothing (a score of 0 or
    /// less) are left out. Reads this model's collection.
    pub async fn search(&self, query: &Query) -> Result<Vec<Hit>, Error> {
        self.nearest(query, query.filter()).await
    }

    /// [`Index::search`] among the points told by records of a partition up to an offset. Where more may be found than the
    /// limit lets through, those of the last score are left out: which of them came through is chance.
    pub async fn search_as_of(&self, query: &Query, partition: i32, offset: i64) -> Result<Vec<Hit>, Error> {
        let mut filter = query.filter();
        filter.must.push(Condition::matches("source_partition", i64::from(partition)));
        let told = Range { lte: Some(offset as f64), ..Range::default() };
        filter.must.push(Condition::range("source_offset", told));
        let mut hits = self.nearest(query, filter).await?;
        if let Some(last) = hits.last().map(|hit| hit.score).filter(|_| hits.len() as u64 == query.limit) {
            hits.retain(|hit| hit.score > last);
        }
        Ok(hits)
    }

    async fn nearest(&self, query: &Query, filter: Filter) -> Result<Vec<Hit>, Error> {
        let request = QueryPointsBuilder::new(&self.collection)
            .query(query.vector.clone())
            .filter(filter)
            .limit(query.limit)
            .with_payload(true)
            .params(SearchParamsBuilder::default().exact(true));
        let found = self.client.query(request).await.map_err(self.failed("search points"))?;
        let mut hits: Vec<Hit> = found.result.iter().filter_map(hit).collect();
        hits.retain(|hit| hit.score > 0.0);
        hits.sort_by(|left, right| {
            right
                .score
                .total_cmp(&left.score)
                .then_with(|| (left.kind, &left.item).cmp(&(right.kind, &right.item)))
        });
        Ok(hits)
    }
}

/// None for a point that is not of our making.
fn hit(point: &ScoredPoint) -> Option<Hit> {
    let payload = &point.payload;
    let window = || {
        Some(WindowPart {
            window_id: text(payload, "window_id")?,
            version: text(payload, "version")?,
            offset: number(payload, "window_offset")?,
        })
    };
    Some(Hit {
        score: point.score,
        kind: Kind::parse(&text(payload, "kind")?)?,
        group_id: text(payload, "group_id")?,
        item: text(payload, "item")?,
        revision: number(payload, "revision")?,
        sent_at: number(payload, "sent_at")?,
        source: (
            text(payload, "source_topic")?,
            number(payload, "source_partition")? as i32,
            number(payload, "source_offset")?,
        ),
        window: window(),
    })
}

fn text(payload: &HashMap<String, Value>, field: &str) -> Option<String> {
    match payload.get(field)?.kind.as_ref()? {
        ValueKind::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn number(payload: &HashMap<String, Value>, field: &str) -> Option<i64> {
    match payload.get(field)?.kind.as_ref()? {
        ValueKind::IntegerValue(number) => Some(*number),
        _ => None,
    }
}
