//! Exports through the public face: what real phones and programs write, and what is no export.

mod any_input;
mod archives;
mod discord;
mod slack;
mod support;
mod whatsapp;
mod whatsapp_dates;
mod whatsapp_ids;
