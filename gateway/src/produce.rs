//! Writes to the pipeline, each by a Source with an identity of its own: a transaction with its position.
//!
//! Invariant: a write that nobody heard the end of can be made again: its position tells that it was made.

use crate::{app::App, problem::Problem};
use axum::http::StatusCode;
use runtime::{Host, HostError, Source, SourceEnd, Stop};
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Writes at once: each has a consumer, a producer and threads of its own.
const WRITERS_MAX: usize = 8;

/// How many more writes may be made at once.
#[derive(Debug)]
pub(crate) struct Writers(Arc<Semaphore>);

impl Default for Writers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(WRITERS_MAX)))
    }
}

/// Stops a write that nobody waits for any more.
struct Waiting(Option<Stop>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.ask();
        }
    }
}

/// Drives a source to its end, and gives it back.
///
/// # Errors
/// A broker that is away, or too many writes at once.
pub(crate) async fn drive<S: Source>(app: &App, source: S) -> Result<S, Problem> {
    if !app.broker_answers() {
        return Err(Problem::away("the broker", &"it did not answer when it was asked last"));
    }
    let busy = || {
        let detail = "too many writes are being made at the moment; try again";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(1)
    };
    let permit = Arc::clone(&app.0.writers.0).try_acquire_owned().map_err(|_| busy())?;
    let (begin, begun) = oneshot::channel();
    let (tell, told) = oneshot::channel();
    let (app, mut source) = (app.clone(), source);
    let write = move || {
        let _permit = permit;
        let ended = driven(&app, &mut source, begin);
        // Whoever asked may have gone.
        drop(tell.send((source, ended)));
    };
    std::thread::Builder::new()
        .name("write".to_owned())
        .spawn(write)
        .map_err(|error| Problem::internal(&error))?;
    let mut waiting = Waiting(begun.await.ok());
    let (source, ended) = told.await.map_err(|_| Problem::internal(&"the thread of a write ended"))?;
    waiting.0 = None;
    match ended {
        Ok(SourceEnd::Finished) => Ok(source),
        Ok(SourceEnd::Stopped) => Err(Problem::away("the broker", &"a write was stopped before it was made")),
        Err(error) => Err(Problem::internal(&error)),
    }
}

fn driven<S: Source>(
    app: &App,
    source: &mut S,
    begin: oneshot::Sender<Stop>,
) -> Result<SourceEnd, HostError> {
    let mut host = Host::new(app.0.config.clone(), 1)?;
    // Whoever asked may have gone: then it is stopped at once.
    if let Err(stop) = begin.send(host.stop()) {
        stop.ask();
    }
    host.drive(source, &mut |_| {})
}
