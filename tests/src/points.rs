//! The points that a pipeline has in Qdrant, seen by Qdrant's own client, and those that its topics ask for.
//!
//! Invariant: what is expected is computed from Kafka's records alone, in another way than the sink goes.

use crate::{
    patience::{PATIENCE, eventually},
    pipeline::Pipeline,
    process::Process,
    seen::{Seen, decode},
};
use anyhow::Context;
use qdrant_client::{
    Qdrant,
    qdrant::{
        CountPointsBuilder, CreateCollectionBuilder, Distance, PointId, ScrollPointsBuilder,
        VectorParamsBuilder, point_id::PointIdOptions, vectors_output::VectorsOptions,
    },
};
use schemas::{DigestBlocked, DigestReadyForDelivery, DigestStageCompleted, GroupMessageIngested, Version};
use std::collections::BTreeMap;

/// Where Qdrant is, as the tests are told.
const VARIABLE: &str = "TEST_GISTMILL_QDRANT";
const SINK: &str = "qdrant_sink";
const PAGE: u32 = 500;
/// Partitions of its inputs.
const CLAIMS: usize = 16;

/// A point: its payload as text by field, and the bits of its vector.
pub type StoredPoint = (BTreeMap<String, String>, Vec<u32>);

/// What an item is, to revision and offset: (group, kind, item).
pub type Expected = BTreeMap<(String, String, String), (i64, i64)>;

/// The index of a pipeline.
#[derive(Debug)]
pub struct Points<'a> {
    pipeline: &'a Pipeline,
    url: String,
    /// The pipeline's alias.
    alias: String,
}

impl<'a> Points<'a> {
    /// The index of `pipeline`; `None`, said on standard error, without a Qdrant.
    pub fn of(pipeline: &'a Pipeline) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests are pointed at a stack through the environment")]
        let url = std::env::var(VARIABLE).ok();
        if url.is_none() {
            eprintln!("skipped: {VARIABLE} is not set");
        }
        Some(Self { pipeline, url: url?, alias: pipeline.topic("gistmill") })
    }

    /// The pipeline's alias.
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// How many points a collection has, whether it is searched or not.
    ///
    /// # Errors
    /// It is not there.
    pub fn count_of(&self, collection: &str) -> anyhow::Result<usize> {
        self.pipeline.rows.block_on(async {
            let request = CountPointsBuilder::new(collection).exact(true);
            let counted = self.client()?.count(request).await?;
            Ok(counted.result.context("no count")?.count as usize)
        })
    }

    /// Where Qdrant is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts the sink in a process of its own.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn sink(&self) -> anyhow::Result<Process> {
        self.pipeline.unit(SINK, &self.variables())
    }

    /// Waits until the sink has claimed every partition: from then on rest counts it.
    ///
    /// # Errors
    /// It does not come in time.
    pub fn wait_for_claims(&self) -> anyhow::Result<()> {
        eventually("the sink has claimed its partitions", PATIENCE, || {
            let offsets = self.pipeline.rows.sink_offsets()?;
            Ok((offsets.keys().filter(|(sink, ..)| sink == SINK).count() == CLAIMS).then_some(()))
        })
    }

    /// What tells a process where the index is.
    pub fn variables(&self) -> [(&str, &str); 2] {
        [("GISTMILL_QDRANT__URL", &self.url), ("GISTMILL_QDRANT__DEVELOPMENT_FRONT", "true")]
    }

    fn client(&self) -> anyhow::Result<Qdrant> {
        Ok(Qdrant::from_url(&self.url).skip_compatibility_check().build()?)
    }

    /// All points, by id.
    ///
    /// # Errors
    /// Qdrant refuses.
    pub fn read(&self) -> anyhow::Result<BTreeMap<String, StoredPoint>> {
        self.pipeline.rows.block_on(async {
            let (client, mut from) = (self.client()?, None::<PointId>);
            let mut all = BTreeMap::new();
            loop {
                let mut page =
                    ScrollPointsBuilder::new(&self.alias).limit(PAGE).with_payload(true).with_vectors(true);
                if let Some(from) = from {
                    page = page.offset(from);
                }
                let found = client.scroll(page).await?;
                for point in found.result {
                    let Some(PointIdOptions::Uuid(id)) = point.id.and_then(|id| id.point_id_options) else {
                        anyhow::bail!("a point has no UUID");
                    };
                    let payload = point.payload.iter().map(|(name, value)| (name.clone(), value.to_string()));
                    let vector = match point.vectors.and_then(|vectors| vectors.vectors_options) {
                        Some(VectorsOptions::Vector(vector)) => vector.into_vector(),
                        _ => anyhow::bail!("a point has no vector"),
                    };
                    let qdrant_client::qdrant::vector_output::Vector::Dense(dense) = vector else {
                        anyhow::bail!("a vector is not dense");
                    };
                    let bits = dense.data.iter().map(|value| value.to_bits()).collect();
                    all.insert(id, (payload.collect(), bits));
                }
                from = found.next_page_offset;
                if from.is_none() {
                    return Ok(all);
                }
            }
        })
    }

    /// How many points there are; none while there is no collection.
    pub fn count(&self) -> usize {
        self.read().map_or(0, |points| points.len())
    }

    /// Makes a collection by hand, as somebody might who does not know whose it is.
    ///
    /// # Errors
    /// Qdrant refuses.
    pub fn make_by_hand(&self, collection: &str, dimension: u64) -> anyhow::Result<()> {
        self.pipeline.rows.block_on(async {
            let vectors = VectorParamsBuilder::new(dimension, Distance::Cosine);
            let made = CreateCollectionBuilder::new(collection).vectors_config(vectors);
            self.client()?.create_collection(made).await?;
            Ok(())
        })
    }

    /// Deletes a collection.
    ///
    /// # Errors
    /// Qdrant refuses.
    pub fn delete(&self, collection: &str) -> anyhow::Result<()> {
        self.pipeline.rows.block_on(async {
            self.client()?.delete_collection(collection).await?;
            Ok(())
        })
    }

    /// Deletes the collection that the alias is on.
    ///
    /// # Errors
    /// Qdrant refuses, or there is none.
    pub fn delete_collection(&self) -> anyhow::Result<()> {
        self.pipeline.rows.block_on(async {
            let client = self.client()?;
            let aliases = client.list_aliases().await?.aliases;
            let alias = aliases.into_iter().find(|alias| alias.alias_name == self.alias);
            let collection = alias.context("there is no alias")?.collection_name;
            client.delete_collection(collection).await?;
            Ok(())
        })
    }
}

/// What the points are of, by what their payloads say.
///
/// # Errors
/// A payload lacks a field.
pub fn items(points: &BTreeMap<String, StoredPoint>) -> anyhow::Result<Expected> {
    points
        .values()
        .map(|(payload, _)| {
            let field = |name: &str| {
                let text = payload.get(name).with_context(|| format!("a payload has no {name}"))?;
                anyhow::Ok(text.trim_matches('"').to_owned())
            };
            let numbers = (field("revision")?.parse()?, field("source_offset")?.parse()?);
            Ok(((field("group_id")?, field("kind")?, field("item")?), numbers))
        })
        .collect()
}

fn of<'s>(seen: &'s [Seen], topic: &'s str) -> impl Iterator<Item = &'s Seen> {
    seen.iter().filter(move |seen| seen.topic == topic)
}

fn revision(version: &str) -> anyhow::Result<i64> {
    let Version { revision, attempt } = version.parse()?;
    Ok((i64::from(revision) << 20) + i64::from(attempt))
}

/// The points that a pipeline's topics ask for.
///
/// # Errors
/// A record cannot be read.
pub fn expected(pipeline: &Pipeline, seen: &[Seen]) -> anyhow::Result<Expected> {
    let mut all = Expected::new();
    let mut deleted = Vec::new();
    for seen in of(seen, "group.message.ingested.v1") {
        let record: GroupMessageIngested = decode(pipeline, seen)?;
        for message in record.messages {
            let key = (record.group_id.clone(), "message".to_owned(), message.id.to_string());
            if message.kind == "deleted" {
                deleted.push(key);
                continue;
            }
            let known = all.entry(key).or_insert((message.revision, seen.offset));
            if message.revision >= known.0 {
                *known = (message.revision, seen.offset);
            }
        }
    }
    for key in deleted {
        all.remove(&key);
    }
    let mut newest = BTreeMap::<String, i64>::new();
    for seen in of(seen, "digest.blocked.v1") {
        let record: DigestBlocked = decode(pipeline, seen)?;
        let blocked = newest.entry(record.window_id).or_default();
        *blocked = revision(&record.version)?.max(*blocked);
    }
    let blocked = newest.clone();
    for seen in of(seen, "digest.stage.thread_builder.completed.v1") {
        let record: DigestStageCompleted = decode(pipeline, seen)?;
        let known = newest.entry(record.window_id).or_default();
        *known = revision(&record.version)?.max(*known);
    }
    for seen in of(seen, "digest.stage.thread_builder.completed.v1") {
        let record: DigestStageCompleted = decode(pipeline, seen)?;
        let of = revision(&record.version)?;
        if newest.get(&record.window_id) == Some(&of) {
            let found = record.state.threads.into_iter().flat_map(|found| found.threads);
            for thread in found.filter(|thread| thread.message_ids.len() >= 2) {
                let item = format!("{}/{}", record.window_id, thread.thread_id);
                all.insert((record.group_id.clone(), "thread".to_owned(), item), (of, seen.offset));
            }
        }
    }
    for seen in of(seen, "digest.ready_for_delivery.v1") {
        let record: DigestReadyForDelivery = decode(pipeline, seen)?;
        let of = revision(&record.version)?;
        let key = (record.group_id, "digest".to_owned(), record.window_id.clone());
        let is_newer = all.get(&key).is_none_or(|known| of >= known.0);
        if is_newer && blocked.get(&record.window_id).is_none_or(|blocked| of >= *blocked) {
            all.insert(key, (of, seen.offset));
        }
    }
    Ok(all)
}
