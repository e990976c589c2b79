//! What a command is doing, told to its caller while it works.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// One line of progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// A part's name, `software` or `stack`.
    pub subject: &'static str,
    /// What is being done, or was.
    pub message: String,
    /// Time since the command began.
    pub elapsed: Duration,
}

/// Hands lines of progress from the worker threads to the caller's.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    sender: mpsc::Sender<Progress>,
    started: Instant,
}

impl Reporter {
    pub(crate) fn say(&self, subject: &'static str, message: impl Into<String>) {
        let progress = Progress { subject, message: message.into(), elapsed: self.started.elapsed() };
        // A caller that no longer listens is no reason to stop the work.
        drop(self.sender.send(progress));
    }
}

/// Runs `work` on a thread of its own while the caller's thread is told of its progress.
pub(crate) fn reporting<T: Send>(
    progress: &mut dyn FnMut(Progress),
    work: impl FnOnce(&Reporter) -> T + Send,
) -> T {
    let (sender, receiver) = mpsc::channel();
    let reporter = Reporter { sender, started: Instant::now() };
    thread::scope(|scope| {
        let worker = scope.spawn(move || work(&reporter));
        receiver.into_iter().for_each(progress);
        join(worker)
    })
}

/// The result of a scoped thread; its panic, if any, goes on in this one.
pub(crate) fn join<T>(worker: thread::ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
