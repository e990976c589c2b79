//! What sources of `group.message.ingested` share.
//!
//! Invariant: pure. A message that two sources read is the same bytes from both, up to what one of them does not know.

mod author;
mod batch;
pub mod date;
mod draft;
mod group;
mod marks;
mod media_text;
mod rich_text;
pub mod telegram;
mod topics;

pub use author::{author, forward};
pub use batch::{Batch, Origin};
pub use draft::{Draft, TEXT_BYTES_MAX};
pub use group::{BadName, Group, check_name};
pub use marks::{Heard, heard, take_due, until_due};
pub use media_text::append;
pub use rich_text::RichText;
pub use topics::Topics;
