//! Values that a type cannot judge: addresses, properties, the filter of log lines.
//!
//! Invariant: no message shows more of an address than may be printed: it may hold a password.
#![expect(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "garde passes its arguments so")]

use super::Properties;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// `HOST:PORT`, several parted by commas.
pub(super) fn brokers(value: &str, _: &()) -> garde::Result {
    let is_one = |entry: &str| {
        let address = entry.trim().rsplit_once("://").map_or(entry.trim(), |(_, address)| address);
        let port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        address.rsplit_once(':').is_some_and(|(host, number)| !host.is_empty() && port(number))
    };
    match value.split(',').find(|entry| !is_one(entry)) {
        Some(entry) => Err(garde::Error::new(format!(
            "{entry:?} is no address of a broker: expected HOST:PORT, several parted by commas"
        ))),
        None => Ok(()),
    }
}

/// Names and values that librdkafka takes.
pub(super) fn properties(value: &Properties, _: &()) -> garde::Result {
    value.check().map_err(|error| garde::Error::new(error.to_string()))
}

/// The address of a database.
pub(super) fn postgres_url(value: &SecretString, _: &()) -> garde::Result {
    let expected = "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE";
    begins(value, &["postgres://", "postgresql://"], expected)
}

/// [`postgres_url`], where there is one.
pub(super) fn postgres_urls(value: &Option<SecretString>, context: &()) -> garde::Result {
    value.as_ref().map_or(Ok(()), |value| postgres_url(value, context))
}

/// The address of a registry.
pub(super) fn registry_url(value: &SecretString, _: &()) -> garde::Result {
    begins(value, &["http://", "https://"], "expected http://HOST:PORT/PATH or https://HOST:PORT/PATH")
}

/// The address of a collector.
pub(super) fn otlp_endpoint(value: &Option<String>, _: &()) -> garde::Result {
    let is_address = |value: &String| {
        value.parse::<axum::http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        })
    };
    match value {
        Some(value) if !is_address(value) => Err(garde::Error::new(
            "is no address: expected http://HOST:4318 (OTLP over HTTP), here or in OTEL_EXPORTER_OTLP_ENDPOINT",
        )),
        _ => Ok(()),
    }
}

/// The address of the Bot API.
pub(super) fn bot_api(value: &str, _: &()) -> garde::Result {
    begins(&value.into(), &["http://", "https://"], "expected https://HOST")
}

/// The address of Qdrant's gRPC interface.
pub(super) fn qdrant(value: &str, _: &()) -> garde::Result {
    begins(&value.into(), &["http://", "https://"], "expected http://HOST:PORT")
}

/// Where somebody asks for no more mail: it is put into a header, so that it is one word.
pub(super) fn unsubscribe_url(value: &str, _: &()) -> garde::Result {
    if !value.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b',')) {
        return Err(garde::Error::new("is no address: expected https://HOST/PATH, without < > and commas"));
    }
    begins(&value.into(), &["https://"], "expected https://HOST/PATH")
}

/// The address of an endpoint of embeddings.
pub(super) fn endpoint(value: &str, _: &()) -> garde::Result {
    begins(&value.into(), &["http://", "https://"], "expected https://HOST/v1")
}

/// Language models: addresses, bounds, and names in chains.
pub(super) fn models(value: &llm_client::Settings, _: &()) -> garde::Result {
    value.check().map_err(|error| garde::Error::new(error.to_string()))
}

fn begins(value: &SecretString, schemes: &[&str], expected: &str) -> garde::Result {
    let value = value.expose_secret();
    if schemes.iter().any(|scheme| value.len() > scheme.len() && value.starts_with(scheme)) {
        return Ok(());
    }
    let scheme = value.split_once(':').map_or("no scheme", |(scheme, _)| scheme);
    Err(garde::Error::new(format!("{expected}, found {scheme:?} before the first colon")))
}

/// `LEVEL` or `TARGET=LEVEL`, several parted by commas. Without this, a mistyped level is taken for a target, and
/// everything else falls silent.
pub(super) fn log_filter(value: &str, _: &()) -> garde::Result {
    let is_level = |word: &str| LEVELS.contains(&word.to_lowercase().as_str());
    for directive in value.split(',').map(str::trim) {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        if !is_level(level) {
            let levels = LEVELS.join(", ");
            let error =
                format!("{level:?} is no level: expected LEVEL or TARGET=LEVEL, with one of {levels}");
            return Err(garde::Error::new(error));
        }
    }
    EnvFilter::try_new(value).map(drop).map_err(|error| garde::Error::new(error.to_string()))
}
