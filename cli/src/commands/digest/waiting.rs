//! That a command waits, on standard error: a moving line in a terminal, a line every few seconds elsewhere.

use std::{
    io::{Write, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Somebody waits; dropped, it leaves no line behind.
pub(super) struct Waiting {
    text: String,
    began: Instant,
    said: Instant,
    bar: ProgressBar,
}

impl Waiting {
    pub(super) fn start(text: String) -> Self {
        let now = Instant::now();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(text.clone());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { text, began: now, said: now, bar }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// It goes on.
    pub(super) fn goes_on(&mut self) {
        if self.bar.is_hidden() && self.said.elapsed() >= SIGN_OF_LIFE {
            self.said = Instant::now();
            // Progress that cannot be shown is no reason to stop.
            drop(writeln!(stderr(), "{} ({:.0} s)", self.text, self.elapsed().as_secs_f64()));
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
