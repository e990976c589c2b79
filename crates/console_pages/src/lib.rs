//! The pages that people look at: views of plain types in, HTML out.
//!
//! Invariant: pure and total. No page reads a clock, a file or a network; what comes from a chat is text wherever it stands;
//! every page works without its script.

pub mod assets;
mod context;
mod frame;
pub mod locale;
mod pages;
pub mod routes;

pub use askama::Error;
pub use frame::{Frame, Page, Section, Theme};
pub use pages::*;

/// The content security policy that every page is made for: no script and no style but the files of [`assets`].
pub const fn csp() -> &'static str {
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'"
}
