//! Fuzzes what is believed of a model's answer: the JSON guard, and the digest that is made of what it reads.
//!
//! Invariant: a case is a function of its number, so that one that fails is run again by it.

mod chance;
mod chats;
mod check;
mod draft;
mod mutation;

use anyhow::{Context, bail};
use check::{Bench, Tally};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Time between two lines about how far it is.
const TOLD_EVERY: Duration = Duration::from_mins(1);
/// A case that takes longer hangs.
const CASE_MAX: Duration = Duration::from_secs(20);

/// What is run: cases from one number on, for so long or so many.
struct Plan {
    first: u64,
    cases: u64,
    within: Duration,
}

impl Plan {
    fn of(words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut plan = Self { first: 0, cases: u64::MAX, within: Duration::from_mins(1) };
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let mut number = || -> anyhow::Result<u64> {
                let text = words.next().with_context(|| format!("{word} wants a number"))?;
                text.parse().with_context(|| format!("{word} wants a number, not {text:?}"))
            };
            match word.as_str() {
                "--minutes" => plan.within = Duration::from_mins(number()?),
                "--cases" => plan.cases = number()?,
                "--from" => plan.first = number()?,
                "--replay" => plan = Self { first: number()?, cases: 1, within: Duration::MAX },
                _ => bail!("{word}: expected --minutes M, --cases N, --from CASE or --replay CASE"),
            }
        }
        Ok(plan)
    }
}

fn main() -> anyhow::Result<()> {
    let plan = Plan::of(std::env::args().skip(1))?;
    let bench = Bench::new()?;
    let now = Arc::new(AtomicU64::new(plan.first));
    watch(Arc::clone(&now));
    let (begun, mut told, mut tally, mut done) = (Instant::now(), Instant::now(), Tally::new(), 0);
    while done < plan.cases && begun.elapsed() < plan.within {
        let case = plan.first.wrapping_add(done);
        now.store(case, Ordering::Relaxed);
        let ended = catch_unwind(AssertUnwindSafe(|| bench.case(case, &mut tally)));
        let why = match ended {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(format!("{why:#}")),
            Err(_) => Some("it panics".to_owned()),
        };
        if let Some(why) = why {
            bail!("case {case}: {why}\nrun it again: tests/guard_fuzz --replay {case}");
        }
        done += 1;
        if told.elapsed() > TOLD_EVERY {
            told = Instant::now();
            eprintln!("{done} cases in {} s, now at {case}", begun.elapsed().as_secs());
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("{done} cases in {seconds:.0} s, from {}: all hold; {tally:?}", plan.first);
    Ok(())
}

/// Ends the process where a case hangs, and says which.
fn watch(now: Arc<AtomicU64>) {
    thread::spawn(move || {
        let (mut last, mut since) = (u64::MAX, Instant::now());
        loop {
            thread::park_timeout(Duration::from_secs(1));
            let case = now.load(Ordering::Relaxed);
            if case != last {
                (last, since) = (case, Instant::now());
            } else if since.elapsed() > CASE_MAX {
                eprintln!("case {case}: it hangs\nrun it again: tests/guard_fuzz --replay {case}");
                process::exit(1);
            }
        }
    });
}
