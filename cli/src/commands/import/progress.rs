//! How far an import is, on standard error while it runs.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use telegram_export_source::{Meter, Phase, Snapshot};

use super::summary::counted;

/// Draws what the meter shows on a thread of its own: a bar in a terminal, a line every few seconds elsewhere.
pub(super) struct Reporter {
    done: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Reporter {
    pub(super) fn start(meter: Meter) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            if stderr().is_terminal() { draw_bar(&meter, &seen) } else { write_lines(&meter, &seen) }
        });
        Self { done, thread }
    }

    pub(super) fn finish(self) {
        self.done.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // A reporter that failed leaves the summary, which says the same.
        drop(self.thread.join());
    }
}

fn verb(snapshot: &Snapshot) -> &'static str {
    match snapshot.phase {
        // What it waits for, a log line has said.
        Phase::Checking if snapshot.bytes_done == 0 => "waiting",
        Phase::Checking => "checking",
        Phase::Reading => "importing",
        Phase::Done => "imported",
    }
}

fn draw_bar(meter: &Meter, done: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(
        "{msg:>24} {bar:32} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}",
    ) {
        bar.set_style(style);
    }
    let began = Instant::now();
    while !done.load(Ordering::Relaxed) {
        let snapshot = meter.snapshot();
        let rate = snapshot.summary.read as f64 / began.elapsed().as_secs_f64().max(0.001);
        bar.set_length(snapshot.bytes_total.unwrap_or(snapshot.bytes_done));
        bar.set_position(snapshot.bytes_done);
        bar.set_message(format!("{} {rate:.0} msg/s", verb(&snapshot)));
        std::thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn write_lines(meter: &Meter, done: &AtomicBool) {
    let began = Instant::now();
    while !done.load(Ordering::Relaxed) {
        std::thread::park_timeout(Duration::from_secs(5));
        let snapshot = meter.snapshot();
        let seconds = began.elapsed().as_secs_f64();
        // Progress that cannot be shown is no reason to stop.
        drop(writeln!(stderr(), "{}", line(&snapshot, seconds)));
    }
}

fn line(snapshot: &Snapshot, seconds: f64) -> String {
    let (verb, bytes) = (verb(snapshot), snapshot.bytes_done);
    if verb == "waiting" {
        return format!("waiting: nothing of the file is read yet, {seconds:.0} s");
    }
    let total = snapshot.bytes_total.map(|total| format!(" of {total}")).unwrap_or_default();
    let rate = snapshot.summary.read as f64 / seconds.max(0.001);
    let read = counted(snapshot.summary.read, "message", "messages");
    format!("{verb}: {bytes}{total} bytes, {read}, {rate:.0} messages/s, {seconds:.0} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_that_waits_is_not_checking() {
        let mut snapshot = Snapshot { bytes_total: Some(182_203), ..Snapshot::default() };
        assert_eq!(line(&snapshot, 5.0), "waiting: nothing of the file is read yet, 5 s");
        snapshot.bytes_done = 9_000;
        assert_eq!(line(&snapshot, 5.0), "checking: 9000 of 182203 bytes, 0 messages, 0 messages/s, 5 s");
    }
}
