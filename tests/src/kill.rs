//! SIGKILL at a moment that counts: with a transaction open, and the proof that it was.
//!
//! Invariant: what is returned as a hit was seen open after the process was gone, or has been aborted by the server;
//! a kill that hit nothing is never returned as one.

use crate::{
    patience::eventually,
    pipeline::Pipeline,
    process::Process,
    transactions::{OpenTransactions, Stretch},
};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// A kill that hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hit {
    /// Records of an open transaction, left behind by the process.
    Kafka(Stretch),
    /// A write to Postgres with this transaction id, which the server has aborted.
    Postgres(String),
}

/// Time that a stopped process is let run between two looks.
const STEP: Duration = Duration::from_millis(4);
/// Looks at a process that is gone: a commit that was on its way would have arrived.
const LOOKS_AFTER: usize = 3;

/// Kills a process while a transaction of its is open on one of the topics looked at, once it has committed
/// `commits` records there. `None`: there was none within `deadline`, or it was committed after all; the process is
/// gone in any case.
///
/// # Errors
/// The broker or the system refuses.
pub fn kill_in_transaction(
    process: Process,
    transactions: &OpenTransactions,
    commits: i64,
    deadline: Duration,
) -> anyhow::Result<Option<Hit>> {
    let mut begun = None;
    // Looked at in steps from its beginning: whatever a look takes, the process gets no further meanwhile.
    let ready = catch(&process, deadline, || {
        // What a predecessor left open ends when this one takes its transactional id over.
        if begun.is_none() && transactions.find()?.is_none() {
            begun = Some(transactions.stable()?);
        }
        Ok(begun.is_some_and(|begun| transactions.stable().is_ok_and(|now| now >= begun + commits)))
    })?;
    if ready {
        process.signal(Signal::CONT)?;
    }
    if !ready || !catch(&process, deadline, || Ok(transactions.find()?.is_some()))? {
        process.kill()?;
        return Ok(None);
    }
    process.kill()?;
    let mut left = None;
    for _ in 0..LOOKS_AFTER {
        std::thread::park_timeout(STEP);
        left = transactions.find()?;
        if left.is_none() {
            break;
        }
    }
    Ok(left.map(Hit::Kafka))
}

/// Kills a sink while it has written to `tables` in a transaction that is not over; see [`kill_in_transaction`].
///
/// # Errors
/// The database or the system refuses.
pub fn kill_in_write(
    process: Process,
    pipeline: &Pipeline,
    tables: &str,
    deadline: Duration,
) -> anyhow::Result<Option<Hit>> {
    let mut open = None;
    let caught = catch(&process, deadline, || {
        open = pipeline.rows.open_writes(tables)?.pop();
        Ok(open.is_some())
    })?;
    process.kill()?;
    let Some(id) = open.filter(|_| caught) else { return Ok(None) };
    let status = eventually("the server ends a dead client's transaction", deadline, || {
        let status = pipeline.rows.transaction_status(&id)?;
        Ok((status != "in progress").then_some(status))
    })?;
    Ok((status == "aborted").then_some(Hit::Postgres(id)))
}

/// Stops and continues a process until it is stopped at a moment for which `is_it` holds; `false`: there was no such
/// moment within `deadline`, and the process goes on.
///
/// # Errors
/// The system refuses, or `is_it` fails.
pub fn catch(
    process: &Process,
    deadline: Duration,
    mut is_it: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<bool> {
    let until = Instant::now() + deadline;
    while Instant::now() < until {
        process.signal(Signal::STOP)?;
        if is_it()? {
            return Ok(true);
        }
        process.signal(Signal::CONT)?;
        std::thread::park_timeout(STEP);
    }
    Ok(false)
}
