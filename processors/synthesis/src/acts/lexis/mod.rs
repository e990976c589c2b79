//! Phrases of the speech acts, folded and between spaces: [`super::phrases`] finds them.

pub(super) mod action;
pub(super) mod decision;
pub(super) mod manner;
pub(super) mod question;
