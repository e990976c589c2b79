//! Arguments of one command read from a line, for tests of that command.

use clap::{Args, Parser};

#[derive(Debug, Parser)]
pub(crate) struct Line<A: Args> {
    #[command(flatten)]
    pub(crate) arguments: A,
}
