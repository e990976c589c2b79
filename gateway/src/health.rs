//! Whether the process lives, and whether it can serve.

use crate::{app::App, observe::Seen, problem::AsItIs};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    middleware::map_request_with_state,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};

/// Prometheus' text format, which scrapers of today ask to be named.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is asked of a process, by everybody who reaches it.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/livez", at("/livez", get(livez)))
        .route("/readyz", at("/readyz", get(readyz)))
        .route("/health", at("/health", get(health)))
        .route("/metrics", at("/metrics", get(metrics)))
}

/// A route that is counted under its path.
fn at(path: &'static str, methods: MethodRouter<App>) -> MethodRouter<App> {
    methods.layer(map_request_with_state(path, note))
}

async fn note(State(path): State<&'static str>, request: Request) -> Request {
    if let Some(seen) = request.extensions().get::<Seen>() {
        seen.is_at(path);
    }
    request
}

async fn livez() -> &'static str {
    "ok\n"
}

/// One line for each peer, as the other programs of the pipeline have it.
async fn readyz(State(app): State<App>) -> Response {
    let looked = Looked::at(&app).await;
    let line = |(name, is_well): (&str, bool)| format!("{name} {}\n", if is_well { "ok" } else { "away" });
    let text: String = looked.peers().into_iter().map(line).collect();
    looked.answer(text, "text/plain; charset=utf-8")
}

async fn health(State(app): State<App>) -> Response {
    let looked = Looked::at(&app).await;
    let peers: serde_json::Map<String, serde_json::Value> =
        looked.peers().into_iter().map(|(name, is_well)| (name.to_owned(), is_well.into())).collect();
    let body = serde_json::json!({ "ok": looked.is_well(), "peers": peers });
    looked.answer(body.to_string(), "application/json")
}

async fn metrics(State(app): State<App>) -> ([(HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, EXPOSITION)], app.0.metrics.text())
}

struct Looked {
    postgres: bool,
    kafka: bool,
    is_stopping: bool,
}

impl Looked {
    async fn at(app: &App) -> Self {
        let postgres = match app.0.store.ready().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = error.describe(), "the database cannot serve");
                false
            }
        };
        Self { postgres, kafka: app.broker_answers(), is_stopping: app.is_stopping() }
    }

    fn peers(&self) -> [(&'static str, bool); 2] {
        [("postgres", self.postgres), ("kafka", self.kafka)]
    }

    fn is_well(&self) -> bool {
        self.postgres && self.kafka && !self.is_stopping
    }

    /// The text whatever the status is: who looks wants to see which peer it is.
    fn answer(&self, text: String, media_type: &'static str) -> Response {
        let status = if self.is_well() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut response = (status, [(CONTENT_TYPE, media_type)], text).into_response();
        response.extensions_mut().insert(AsItIs);
        response
    }
}
