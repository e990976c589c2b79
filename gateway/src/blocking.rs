//! Questions to the broker, which block, on threads of their own.
//!
//! Invariant: as many at once as a process can bear; whoever comes too many is told so instead of waiting.

use crate::{app::App, problem::Problem};
use axum::http::StatusCode;
use runtime::Config;
use std::sync::Arc;
use tokio::sync::oneshot;
use topology::Map;

/// Asks `question` of the broker.
///
/// # Errors
/// A peer that is away, or too many questions at once.
pub(crate) async fn look<T: Send + 'static>(
    app: &App,
    question: impl FnOnce(&Config, &Map) -> Result<T, operate::Error> + Send + 'static,
) -> Result<T, Problem> {
    let busy = || {
        let detail = "too many such questions are being answered at the moment; try again";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(1)
    };
    let permit = Arc::clone(&app.0.looks).try_acquire_owned().map_err(|_| busy())?;
    let (app, (told, answer)) = (app.clone(), oneshot::channel());
    let asking = move || {
        let _permit = permit;
        // Whoever asked may have gone.
        drop(told.send(question(&app.0.config, &app.0.map)));
    };
    std::thread::Builder::new()
        .name("look".to_owned())
        .spawn(asking)
        .map_err(|error| Problem::internal(&error))?;
    match answer.await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Problem::internal(&"the thread of a question ended")),
    }
}
