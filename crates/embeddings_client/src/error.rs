//! What can go wrong with an endpoint. Invariant: no text, no address and no key is told.

/// Why there are no vectors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not answer, or is not able to now.
    #[error("could not get embeddings: {detail}")]
    Away {
        /// What was met.
        detail: String,
    },
    /// It wants another key.
    #[error("could not get embeddings: the endpoint answered {status}; see embedding.api_key")]
    Denied {
        /// Status of the answer.
        status: u16,
    },
    /// There is no such endpoint or model there; a redirect is not followed, since it would carry the key elsewhere.
    #[error(
        "could not get embeddings: the endpoint answered {status}; see embedding.url and embedding.model"
    )]
    NotThere {
        /// Status of the answer.
        status: u16,
    },
    /// It will not take these texts.
    #[error("could not get embeddings: the endpoint answered {status}, it refuses the texts")]
    Refused {
        /// Status of the answer.
        status: u16,
    },
    /// Its answer is none.
    #[error("could not read the answer of the endpoint of embeddings: {detail}")]
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// As many vectors as texts are wanted.
    #[error("the endpoint of embeddings gave {given} vectors for {asked} texts")]
    Count {
        /// Texts.
        asked: usize,
        /// Vectors.
        given: usize,
    },
    /// The vectors do not fit the collection.
    #[error(
        "the endpoint of embeddings gave a vector of {given} numbers where embedding.dimension is {wanted}: another \
         model, or another embedding.dimension, which is another collection"
    )]
    Dimension {
        /// As the settings say.
        wanted: usize,
        /// As they came.
        given: usize,
    },
    /// A vector that is near nothing and breaks whatever compares it.
    #[error("the endpoint of embeddings gave a number that is not finite, in vector {at}")]
    NotFinite {
        /// Which one of the request.
        at: usize,
    },
}

impl Error {
    /// True when it may get better by itself within seconds.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}
