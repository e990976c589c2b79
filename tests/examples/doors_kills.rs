//! Proves what is promised of deliveries to doors: `webhook_sink`, then `email_sink`, is killed again and again while it delivers, at moments
//! that are drawn from a seed; then what its peer got, the ledger and what was said of each delivery are compared.
//!
//! `doors_kills [KILLS [SEED]]`: 200 kills of each sink and seed 1, unless told otherwise, on the stack that the environment names;
//! `tests/doors_kills` runs it on one of its own.

use anyhow::Context;
use std::{
    collections::BTreeMap,
    io::{Write, stdout},
    time::Instant,
};
use tests::{
    Die, DoorKills, DoorMoment, MailOptions, MailServer, Peer, Pipeline, Receiver, end_children_on_signals,
    kills_and_seed,
};

/// Windows that are added before each kill.
const WINDOWS: i64 = 4;

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let (kills, seed, mut die) = kills_and_seed(200)?;
    writeln!(stdout(), "seed {seed}, {kills} kills of each sink")?;
    kill(Receiver::start()?, kills, &mut die)?;
    let server = MailServer::start(MailOptions::default())?.context("the tests' Python is not named")?;
    kill(server, kills, &mut die)
}

fn kill<P: Peer>(peer: P, kills: u64, die: &mut Die) -> anyhow::Result<()> {
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {}: {text}", began.elapsed().as_secs_f64(), P::SINK);
    let pipeline = Pipeline::start("doors_kills")?.context("there is no stack")?;
    let (mut killed, mut hits) = (DoorKills::of(&pipeline, peer)?, BTreeMap::new());
    for count in 1..=kills {
        killed.feed(WINDOWS)?;
        let moment = DoorMoment::roll(die);
        if killed.kill(moment)? {
            *hits.entry(moment.told()).or_insert(0) += 1;
        }
        if count % 20 == 0 {
            say(&format!("{count} kills"))?;
        }
    }
    let told = killed.settle()?;
    for (name, count) in hits {
        say(&format!("{count} kills {name}"))?;
    }
    say(&format!(
        "{} windows with two versions each: {} different deliveries came, {} of them more than once and with the same body; {} are \
         unknown, as many as were begun when the sink was killed, {} of them came",
        told.windows, told.got, told.repeated, told.unknown, told.unknown_and_got
    ))?;
    pipeline.finish()
}
