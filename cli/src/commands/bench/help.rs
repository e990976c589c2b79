//! Examples, and what has to be known before a benchmark is run.

pub(super) const AFTER_HELP: &str = "\
Examples:
  gistmill bench window                                     window_builder and Kafka Streams on 1 million messages
  gistmill bench window --records 1000000,4000000 --write   both jobs, and what the longer adds; into bench/RESULTS.md
  gistmill bench chain --runs 1                             a chat of four years to its last digest
  gistmill bench all --write                                everything, and which promise is kept

Use a release build on a machine that does nothing else: `cargo run --release -p cli -- bench window`. Figures are processor
time, so that other work distorts them less than it does the clock; they are told with the load all the same. Latencies are the
clock's. bench/README.md says what is measured and what a figure does not mean.";

pub(super) const WINDOW_HELP: &str = "\
Examples:
  gistmill bench window
  gistmill bench window --records 100000 --runs 1           a look, within two minutes
  gistmill bench window --records 1000000,4000000 --write
  gistmill bench window --without-peers --json

The rows of each engine are compared with those that a single thread finds in the same records; where they differ, that is
told instead of a figure. Kafka Streams is built by Maven from bench/peers, Quix Streams is put into a virtualenv below
~/.cache/gistmill; one that cannot be built is missing, not slower.";

pub(super) const LADDER_HELP: &str = "\
Examples:
  gistmill bench ladder
  gistmill bench ladder --records 200000 --runs 3 --json";

pub(super) const CODEC_HELP: &str = "\
Examples:
  gistmill bench codec --records 200000
  gistmill bench codec --json";

pub(super) const HOP_HELP: &str = "\
Examples:
  gistmill bench hop                                        400,000 records, which are 20 s of closing windows
  gistmill bench hop --records 40000 --runs 1               a look

digest_trigger passes windows on: as fast as it can, beside a copy by hand; then at half of that rate, with the time of each
record. window_builder gets the common job at 20,000 records a second.";

pub(super) const CHAIN_HELP: &str = "\
Examples:
  gistmill bench chain                                      80,000 messages, `gistmill up` and a process for each unit
  gistmill bench chain --records 2000 --runs 1              a look

Every day of the chat has to have its digest, or a reason why not, and each run the same as the first.";

pub(super) const IMPORT_HELP: &str = "\
Examples:
  gistmill bench import                                     100 MB
  gistmill bench import --bytes 1GB --runs 3";

pub(super) const SINK_HELP: &str = "\
Examples:
  gistmill bench sink
  gistmill bench sink --records 20000 --runs 1              a look

By hand, the rows that the sink has stored are written once more, without reading Kafka or decoding: the least that storing
them costs. In the end both have the same rows.";

pub(super) const SEARCH_HELP: &str = "\
Examples:
  gistmill bench search
  gistmill bench search --records 20000 --runs 1            a look";

pub(super) const MEMORY_HELP: &str = "\
Examples:
  gistmill bench memory
  gistmill bench memory --idle 10 --runs 1                  a look";

pub(super) const ALL_HELP: &str = "\
Examples:
  gistmill bench all --write                                some hours; every section of RESULTS.md anew
  gistmill bench all --records 2000 --bytes 2MB --idle 5 --runs 1 --without-peers     a look at whether all of them work

Without --records and --runs each takes its own. One that fails is told, and the others go on.";
