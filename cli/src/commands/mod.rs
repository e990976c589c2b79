//! One file for each subcommand: `Arguments`, which clap fills, and `run`, which acts on them.

pub(crate) mod completions;
pub(crate) mod cost;
pub(crate) mod delivery;
pub(crate) mod demo;
pub(crate) mod digest;
pub(crate) mod dlq;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod group;
pub(crate) mod import;
pub(crate) mod keys;
mod known;
pub(crate) mod lag;
pub(crate) mod metrics;
pub(crate) mod migrate;
pub(crate) mod prompts;
pub(crate) mod reset;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod stack;
pub(crate) mod tap;
pub(crate) mod topology;
pub(crate) mod trace;
pub(crate) mod txn;
pub(crate) mod up;
