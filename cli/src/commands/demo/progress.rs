//! What the demo is doing, on standard error: a line for each step, and signs of life while one lasts.

use std::{
    io::{Write, stderr},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a step that lasts says that it goes on, where no bar moves.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// The steps of the demo; dropped, it leaves no bar behind.
pub(super) struct Steps {
    began: Instant,
    said: Instant,
    bar: ProgressBar,
}

impl Steps {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("demo: {msg} {spinner} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { began: now, said: now, bar }
    }

    /// The next step begins.
    pub(super) fn say(&mut self, text: &str) {
        self.said = Instant::now();
        if self.bar.is_hidden() {
            // Progress that cannot be shown is no reason to stop.
            drop(writeln!(stderr(), "demo: {text} ({:.0} s)", self.began.elapsed().as_secs_f64()));
        } else {
            self.bar.set_message(text.to_owned());
        }
    }

    /// The step goes on, and this far it is.
    pub(super) fn goes_on(&mut self, text: &str) {
        if !self.bar.is_hidden() || self.said.elapsed() >= SIGN_OF_LIFE {
            self.say(text);
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
