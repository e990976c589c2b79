//! The file source through its public face: traps, bad input, resume, and a real export.

mod attachments;
mod bad_input;
mod damage;
mod dates;
mod html;
mod html_pages;
mod lines;
mod real_export;
mod resume;
mod support;
mod traps;
