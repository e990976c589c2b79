//! The collection of one model: found or made, checked, and written. Invariant: nothing is written to a collection that is
//! not known to be ours and of this model.

use crate::{
    Change, Error,
    change::{before, operations},
};
use qdrant_client::{
    Qdrant, QdrantError,
    qdrant::{
        CountPointsBuilder, CreateAliasBuilder, CreateCollection, CreateCollectionBuilder,
        CreateFieldIndexCollectionBuilder, DeletePointsBuilder, Distance, FieldType,
        UpdateBatchPointsBuilder, VectorParamsBuilder,
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, time::Duration};

/// In a collection's metadata: the model that fills it.
pub(crate) const MODEL_KEY: &str = "gistmill_model";
/// Fields by which points are found. Of one that is not indexed the payload of every point is read and parsed.
const FIELDS: [(&str, FieldType); 8] = [
    ("tenant_id", FieldType::Keyword),
    ("group_id", FieldType::Keyword),
    ("kind", FieldType::Keyword),
    ("window_id", FieldType::Keyword),
    ("author_id", FieldType::Keyword),
    ("sent_at", FieldType::Integer),
    ("source_partition", FieldType::Integer),
    ("source_offset", FieldType::Integer),
];

/// An embedding model as a collection knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name; another one is another collection.
    pub id: String,
    /// Numbers in its vectors.
    pub dimension: usize,
}

/// How to reach an index.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of Qdrant's gRPC interface.
    pub url: String,
    /// Key, where the server wants one.
    pub api_key: Option<SecretString>,
    /// Whether a development front will do.
    pub allows_front: bool,
    /// Name of the alias; collections are called after it.
    pub alias: String,
    /// The model.
    pub model: Model,
    /// Longest call.
    pub timeout: Duration,
}

/// The collection of a model. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Index {
    pub(crate) client: Qdrant,
    pub(crate) options: Options,
    pub(crate) collection: String,
}

impl fmt::Debug for Index {
    /// Without the client, which holds the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("url", &self.options.url)
            .field("collection", &self.collection)
            .finish_non_exhaustive()
    }
}

impl Index {
    /// The index that the options name. Connects when first used.
    ///
    /// # Errors
    /// [`Error::Url`].
    pub fn open(options: Options) -> Result<Self, Error> {
        let mut builder = Qdrant::from_url(&options.url)
            .timeout(options.timeout)
            .connect_timeout(options.timeout)
            .skip_compatibility_check();
        builder.api_key = options.api_key.as_ref().map(|key| key.expose_secret().to_owned());
        let client = builder.build().map_err(|_| Error::Url { url: options.url.clone() })?;
        let collection = format!("{}-{}", options.alias, options.model.id);
        Ok(Self { client, options, collection })
    }

    /// The collection's name.
    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// Qdrant's address.
    pub fn url(&self) -> &str {
        &self.options.url
    }

    /// The model that fills it.
    pub fn model(&self) -> &Model {
        &self.options.model
    }

    pub(crate) fn failed(&self, what: &'static str) -> impl Fn(QdrantError) -> Error {
        move |error| Error::of_call(what, (&self.options.url, &self.collection), &error)
    }

    /// Makes the collection, if nobody else just did, and puts the alias on it if that is on none.
    pub async fn create(&self) -> Result<(), Error> {
        let vectors = VectorParamsBuilder::new(self.options.model.dimension as u64, Distance::Cosine);
        let mut request: CreateCollection =
            CreateCollectionBuilder::new(&self.collection).vectors_config(vectors).build();
        request.metadata.insert(MODEL_KEY.to_owned(), self.options.model.id.as_str().into());
        match self.client.create_collection(request).await {
            Err(error) if !Error::already_exists(&error) => {
                return Err(self.failed("make a collection")(error));
            }
            Ok(_) | Err(_) => {}
        }
        self.index_fields().await?;
        if self.aliased().await?.is_none() {
            self.take_alias().await?;
        }
        Ok(())
    }

    /// Indexes the fields by which points are found, those of a collection that was made with fewer too.
    pub async fn index_fields(&self) -> Result<(), Error> {
        for (name, kind) in FIELDS {
            let index = CreateFieldIndexCollectionBuilder::new(&self.collection, name, kind).wait(true);
            self.client.create_field_index(index).await.map_err(self.failed("make an index of a field"))?;
        }
        Ok(())
    }

    /// The collection that the alias is on.
    pub async fn aliased(&self) -> Result<Option<String>, Error> {
        let listed = self.client.list_aliases().await.map_err(self.failed("list aliases"))?;
        let mut aliases = listed.aliases.into_iter();
        let found = aliases.find(|alias| alias.alias_name == self.options.alias);
        Ok(found.map(|alias| alias.collection_name))
    }

    /// Puts the alias on this collection, taking it off another one in the same step.
    pub async fn take_alias(&self) -> Result<(), Error> {
        let alias = CreateAliasBuilder::new(&self.collection, &self.options.alias);
        self.client.create_alias(alias).await.map_err(self.failed("move an alias")).map(drop)
    }

    /// Makes the changes, in order; they are kept when this returns. Half of them may be when it fails: made again, they
    /// come to the same.
    pub async fn apply(&self, changes: &[Change]) -> Result<(), Error> {
        let operations = operations(changes);
        if operations.is_empty() {
            return Ok(());
        }
        let request = UpdateBatchPointsBuilder::new(&self.collection, operations).wait(true);
        self.client.update_points_batch(request).await.map_err(self.failed("write points")).map(drop)
    }

    /// Deletes a tenant's points that are of a time before another, in ms.
    pub async fn delete_before(&self, tenant_id: &str, before_ms: i64) -> Result<(), Error> {
        let request =
            DeletePointsBuilder::new(&self.collection).points(before(tenant_id, before_ms)).wait(true);
        self.client.delete_points(request).await.map_err(self.failed("delete points")).map(drop)
    }

    /// How many points of a tenant are of a time before another, in ms.
    pub async fn count_before(&self, tenant_id: &str, before_ms: i64) -> Result<u64, Error> {
        let request =
            CountPointsBuilder::new(&self.collection).filter(before(tenant_id, before_ms)).exact(true);
        let counted = self.client.count(request).await.map_err(self.failed("count points"))?;
        Ok(counted.result.map_or(0, |result| result.count))
    }

    /// How many points there are.
    pub async fn count(&self) -> Result<u64, Error> {
        let request = CountPointsBuilder::new(&self.collection).exact(true);
        let counted = self.client.count(request).await.map_err(self.failed("count points"))?;
        Ok(counted.result.map_or(0, |result| result.count))
    }
}
