//! What a collection is, looked at before it is used. Invariant: one that gistmill did not make is never taken for an index.

use crate::{Error, Index, Model, index::MODEL_KEY};
use qdrant_client::qdrant::{Distance, value::Kind as ValueKind, vectors_config::Config};

/// What the development front calls itself.
const FRONT: &str = "development front";

impl Index {
    /// Whether the collection is there; that it is the model's is checked.
    ///
    /// # Errors
    /// [`Error::DevelopmentFront`], [`Error::OtherCollection`], and those of the connection.
    pub async fn is_there(&self) -> Result<bool, Error> {
        self.is_meant().await?;
        let Some(found) = self.described().await? else { return Ok(false) };
        let wanted = &self.options.model;
        if found.id != wanted.id {
            return Err(self.other(format!("it is of model {}", found.id)));
        }
        if found.dimension != wanted.dimension {
            let (found, wanted) = (found.dimension, wanted.dimension);
            return Err(self.other(format!("its vectors have {found} numbers, the model makes {wanted}")));
        }
        Ok(true)
    }

    /// The index that is searched: the collection that the alias is on and its model, which need not be this one's. `None`
    /// where the alias is on none.
    ///
    /// # Errors
    /// As [`Index::is_there`].
    pub async fn searched(&self) -> Result<Option<Self>, Error> {
        self.is_meant().await?;
        let Some(collection) = self.aliased().await? else { return Ok(None) };
        let mut index = Self { collection, ..self.clone() };
        let Some(model) = index.described().await? else { return Ok(None) };
        index.options.model = model;
        Ok(Some(index))
    }

    /// What Qdrant calls itself and its version; that it is no development front, unless one will do, is checked.
    ///
    /// # Errors
    /// [`Error::DevelopmentFront`], and those of the connection.
    pub async fn is_meant(&self) -> Result<String, Error> {
        let said = self.client.health_check().await.map_err(self.failed("ask Qdrant what it is"))?;
        if said.title.contains(FRONT) && !self.options.allows_front {
            return Err(Error::DevelopmentFront { url: self.options.url.clone(), title: said.title });
        }
        Ok(format!("{} {}", said.title, said.version))
    }

    fn other(&self, detail: String) -> Error {
        Error::OtherCollection { collection: self.collection.clone(), detail }
    }

    /// The model that the collection is of by what it says of itself; `None` where it is not there.
    async fn described(&self) -> Result<Option<Model>, Error> {
        let info = match self.client.collection_info(&self.collection).await {
            Ok(info) => info,
            Err(error) => {
                return match self.failed("look at a collection")(error) {
                    Error::Gone { .. } => Ok(None),
                    error => Err(error),
                };
            }
        };
        let config = info.result.and_then(|info| info.config).unwrap_or_default();
        let made_by = config.metadata.get(MODEL_KEY).and_then(|value| value.kind.as_ref());
        let Some(ValueKind::StringValue(id)) = made_by else {
            return Err(self.other("gistmill did not make it".to_owned()));
        };
        let vectors = config.params.and_then(|params| params.vectors_config).and_then(|it| it.config);
        let Some(Config::Params(vectors)) = vectors else {
            return Err(self.other("its points have several vectors or none".to_owned()));
        };
        if vectors.distance() != Distance::Cosine {
            return Err(self.other(format!("it measures {} distance", vectors.distance().as_str_name())));
        }
        Ok(Some(Model { id: id.clone(), dimension: vectors.size as usize }))
    }
}
