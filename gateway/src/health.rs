//! Whether the process lives, and whether it can serve.

use crate::{app::App, problem::AsItIs};
use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

/// Prometheus' text format, which scrapers of today ask to be named.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is asked of a process, by everybody who reaches it.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
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
