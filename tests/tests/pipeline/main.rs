//! The whole pipeline on the real stack: real processes, a prefix of its own for each test, values asserted.
//!
//! Skipped, and said so, where `GISTMILL_KAFKA__BROKERS` and its neighbours are not set; `tests/run` sets them.
#![cfg(test)]

mod audit;
mod bot_source;
mod commands;
mod consume;
mod day_start;
mod demo;
mod embeddings;
mod erase;
mod foreign_database;
mod forgotten;
mod happy;
mod history;
mod imports;
mod index;
mod instances;
mod kills;
mod lag;
mod leaving;
mod maintain;
mod metrics;
mod models;
mod models_claims;
mod models_judged;
mod models_users;
mod now;
mod partitions;
mod placement;
mod poison;
mod produce;
mod programs;
mod ranges;
mod reading;
mod rebalance;
mod registry;
mod requests;
mod resets;
mod samples;
mod search;
mod second_signal;
mod secured;
mod set_back;
mod sinks;
mod sources;
mod stack_parts;
mod start;
mod telegram;
mod terminal;
mod trace;
mod undisturbed;
mod units;
mod webhook;
mod withdrawal;
