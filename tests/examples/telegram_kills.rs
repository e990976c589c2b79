//! Proves that a digest is never posted twice: `telegram_sink` is killed again and again while it delivers, at moments that
//! are drawn from a seed; then the log of the peer, the ledger and what was said of each delivery are compared.
//!
//! `telegram_kills [KILLS [SEED]]`: 200 kills and seed 1, unless told otherwise, on the stack that the environment names;
//! `tests/telegram_kills` runs it on one of its own.

use anyhow::Context;
use std::{
    collections::BTreeMap,
    io::{Write, stdout},
    time::{Duration, Instant},
};
use tests::{Die, MessageKills, Moment, Pipeline, end_children_on_signals, kills_and_seed};

/// Digests that are added before each kill: more than are posted until then.
const DIGESTS: i64 = 3;
/// Longest life of a sink after its first call.
const LIFE_MS: u64 = 400;

fn moment(die: &mut Die) -> Moment {
    match die.roll(5) {
        0 => Moment::Posted,
        1 => Moment::Edited,
        2 => Moment::Writing,
        _ => Moment::After(Duration::from_millis(die.roll(LIFE_MS))),
    }
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let (kills, seed, mut die) = kills_and_seed(200)?;
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {text}", began.elapsed().as_secs_f64());
    let pipeline = Pipeline::start("telegram_kills")?.context("there is no stack")?;
    let (mut killed, mut hits) = (MessageKills::of(&pipeline)?, BTreeMap::new());
    say(&format!("seed {seed}, {kills} kills"))?;
    for count in 1..=kills {
        killed.feed(DIGESTS)?;
        let moment = moment(&mut die);
        if killed.kill(moment)? {
            let name = match moment {
                Moment::Writing => "with a write to the ledger open",
                Moment::Posted => "between a message and its answer",
                Moment::Edited => "between an edit and its answer",
                Moment::After(_) => "somewhere after its first call",
            };
            *hits.entry(name).or_insert(0) += 1;
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
        "{} digests and a newer version of each: {} posted once, none twice; {} unknown, as many as were begun when the \
         sink was killed, {} of them in the chat; everything else was said to be delivered, once for each version",
        told.digests, told.posted, told.unknown, told.unknown_and_posted
    ))?;
    pipeline.finish()
}
