//! Pages for people. The place of their routes: none is served yet.

use crate::app::App;
use axum::Router;

/// The pages' routes; what they show is read as programs read it.
pub(crate) fn routes() -> Router<App> {
    Router::new()
}
