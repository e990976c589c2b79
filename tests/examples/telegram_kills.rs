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
use tests::{MessageKills, Moment, Pipeline, end_children_on_signals};

/// Digests that are added before each kill: more than are posted until then.
const DIGESTS: i64 = 3;
/// Longest life of a sink after its first call.
const LIFE_MS: u64 = 400;

/// Numbers from a seed, by Marsaglia's xorshift ("Xorshift RNGs", 2003).
struct Die(u64);

impl Die {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn moment(&mut self) -> Moment {
        match self.roll(5) {
            0 => Moment::Posted,
            1 => Moment::Edited,
            2 => Moment::Writing,
            _ => Moment::After(Duration::from_millis(self.roll(LIFE_MS))),
        }
    }
}

fn main() -> anyhow::Result<()> {
    end_children_on_signals()?;
    let mut arguments = std::env::args().skip(1);
    let mut number = |name: &'static str, default: u64| {
        arguments.next().map_or(Ok(default), |text| text.parse()).context(name)
    };
    let kills = number("KILLS is a number", 200)?;
    let seed = number("SEED is a number above 0", 1)?.max(1);
    let began = Instant::now();
    let say = |text: &str| writeln!(stdout(), "{:7.1} s  {text}", began.elapsed().as_secs_f64());
    let pipeline = Pipeline::start("telegram_kills")?.context("there is no stack")?;
    let (mut killed, mut die, mut hits) = (MessageKills::of(&pipeline)?, Die(seed), BTreeMap::new());
    say(&format!("seed {seed}, {kills} kills"))?;
    for count in 1..=kills {
        killed.feed(DIGESTS)?;
        let moment = die.moment();
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
