//! A part of the stack killed, away for a while, and started again.

use crate::{
    look::Expected,
    round::{Round, imported, show},
};
use std::{
    thread::park_timeout,
    time::{Duration, Instant},
};
use tests::OwnStack;

/// A part, and what has to be said while it is away and once it is back.
pub(crate) struct Part {
    pub(crate) step: &'static str,
    name: &'static str,
    away: Expected<'static>,
    back: Expected<'static>,
}

/// Nobody has anything to say of these.
const KAFKA_IS_WELL: &str = "could not reach kafka";
const REGISTRY_IS_WELL: &str = "could not reach the schema registry";
const POSTGRES_IS_WELL: &str = "could not reach postgres";

/// Every part, in the order of the round.
pub(crate) const PARTS: [Part; 3] = [
    Part {
        step: "postgres",
        name: "Postgres",
        away: Expected {
            log: &["could not reach postgres at", "refused", "gistmill stack up"],
            readyz: &["could not reach postgres at", "refused", "gistmill stack up"],
            lag: &["? is in postgres: could not reach postgres at"],
            doctor: &["could not reach postgres at", "gistmill stack up"],
            unwell: &["postgres"],
            // The local stack's registry keeps its schemas there.
            perhaps_unwell: &["schema registry"],
            nowhere: &[KAFKA_IS_WELL],
        },
        back: Expected { log: &["postgres is back after"], ..HEALED },
    },
    Part {
        step: "registry",
        name: "the schema registry",
        away: Expected {
            log: &["could not reach the schema registry at", "gistmill stack up"],
            readyz: &["could not reach the schema registry at", "gistmill stack up"],
            lag: &["could not reach the schema registry at"],
            doctor: &["could not reach the schema registry at", "gistmill stack up"],
            unwell: &["schema registry"],
            perhaps_unwell: &[],
            nowhere: &[KAFKA_IS_WELL, POSTGRES_IS_WELL],
        },
        back: Expected { log: &["the schema registry is back after"], ..HEALED },
    },
    Part {
        step: "kafka",
        name: "Kafka",
        away: Expected {
            log: &["could not reach kafka at", "gistmill stack up"],
            readyz: &["could not reach kafka at", "gistmill stack up"],
            lag: &["could not reach kafka at", "gistmill stack up"],
            doctor: &["kafka at", "gistmill stack up"],
            unwell: &["kafka"],
            perhaps_unwell: &[],
            nowhere: &[REGISTRY_IS_WELL, POSTGRES_IS_WELL, "another process reads"],
        },
        back: Expected { log: &["is back"], ..HEALED },
    },
];

const HEALED: Expected<'static> =
    Expected { log: &[], readyz: &[], lag: &[], doctor: &[], unwell: &[], perhaps_unwell: &[], nowhere: &[] };

pub(crate) fn step(
    round: &mut Round<'_>,
    own: &OwnStack,
    part: &Part,
    outage: Duration,
) -> anyhow::Result<()> {
    let Part { step, name, away, back } = part;
    round.heading(&format!("{name} is away, and nothing comes in"))?;
    let began = Instant::now();
    OwnStack::kill(own.pid(step)?)?;
    round.say(&format!("so it is: {step} was killed; the rest of the stack runs"))?;
    round.told(away)?;

    round.heading(&format!("{name} is still away, and a chat is imported"))?;
    let import = round.import()?;
    while began.elapsed() < outage {
        park_timeout(outage.saturating_sub(began.elapsed()));
    }
    round.judge_now(&Expected { log: &[], ..*away })?;

    round.heading(&format!("{name} is back"))?;
    own.restart()?;
    round.say(&format!(
        "so it is: {step} was started again, {:.0} s after it was killed",
        began.elapsed().as_secs_f64()
    ))?;
    round.healed(back)?;
    let said = imported(import)?;
    show(&format!("--- what the import said meanwhile\n{said}"))
}
