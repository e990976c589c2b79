//! The routes, each with what it asks for.
//!
//! Invariant: an operation that the document does not describe is not served, and one that it describes is: else the program
//! does not start.

use crate::{
    api,
    app::{App, StartError, set},
    cors::cors,
    guard::{Guard, guard},
    health,
    observe::observe,
    openapi::Operations,
    pages,
    tagged::tagged,
};
use axum::{Router, extract::DefaultBodyLimit, middleware, routing::MethodRouter};
use std::{collections::BTreeSet, sync::Arc};

/// The routes of the document, as they are added.
pub(crate) struct Routes<'a> {
    app: &'a App,
    operations: Operations,
    router: Router<App>,
    missing: BTreeSet<String>,
    unknown: Option<&'static str>,
}

impl Routes<'_> {
    /// Adds the operations of a path.
    pub(crate) fn add(&mut self, path: &'static str, methods: MethodRouter<App>) {
        let Some(operations) = self.operations.of(path) else {
            self.unknown = Some(path);
            return;
        };
        self.missing.remove(path);
        let state = Arc::new(Guard { app: self.app.clone(), path, operations });
        let router = std::mem::take(&mut self.router);
        self.router = router.route(path, methods.layer(middleware::from_fn_with_state(state, guard)));
    }

    fn finish(self) -> Result<Router<App>, StartError> {
        match (self.unknown, self.missing.first()) {
            (None, None) => Ok(self.router),
            (Some(path), _) => Err(set("serve a route")(format!("{path} is not in the document"))),
            (None, Some(path)) => Err(set("serve a route")(format!("{path} of the document has no route"))),
        }
    }
}

/// Everything that is served.
///
/// # Errors
/// Routes and document differ.
pub fn router(app: &App) -> Result<Router, StartError> {
    let operations = Operations::of_document()?;
    let missing = operations.paths();
    let mut routes = Routes { app, operations, router: Router::new(), missing, unknown: None };
    api::routes(&mut routes);
    let api = routes.finish()?.layer(middleware::from_fn(tagged));
    let all = Router::new().merge(api).merge(health::routes()).merge(pages::routes(app));
    Ok(all
        .layer(DefaultBodyLimit::max(app.0.config.gateway.body_bytes_max))
        .layer(middleware::from_fn_with_state(app.clone(), cors))
        .layer(middleware::from_fn_with_state(app.clone(), observe))
        .with_state(app.clone()))
}
