//! Phrases of the speech acts, folded and between spaces: [`super::has`] finds them in padded sentences.

pub(super) mod action;
pub(super) mod decision;
pub(super) mod manner;
pub(super) mod question;
