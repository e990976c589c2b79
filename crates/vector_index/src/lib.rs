//! The index of vectors in Qdrant: points of messages, threads and digests, put, deleted and searched.
//!
//! Invariant: a point's id follows from what it is of, a put never replaces a greater revision, and nothing is read or
//! deleted but within one tenant and group. A payload holds no words.

mod change;
mod collection;
mod error;
mod index;
mod point;
mod search;

pub use change::Change;
pub use error::Error;
pub use index::{Index, Model, Options};
pub use point::{Kind, Point, WindowPart, of_version};
pub use search::{Hit, Query};
