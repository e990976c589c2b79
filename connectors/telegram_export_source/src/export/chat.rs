//! A chat of an export, before it is read.

use crate::meter::Summary;

/// A chat of an export.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chat {
    /// Which `messages` of the file.
    pub(crate) ordinal: usize,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<String>,
    /// What its elements are.
    pub(crate) summary: Summary,
}
