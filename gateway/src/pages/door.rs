//! In and out: files, the log-in form, sessions, and how pages are shown.

use super::{
    entry::{Guest, LANGUAGE, SESSION, SESSION_S, THEME, see, set_cookie},
    form::Form,
    frame::{page, page_with},
};
use crate::{
    app::App,
    extract::{Path, Query},
    guard::holder,
    key::Key,
    problem::Problem,
    server::Peer,
};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use console_pages::{
    Login, LoginProblem, Theme,
    assets::Asset,
    locale::Language,
    routes::{self, local},
};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr};
use tracing::info;

/// Seconds for which language and colours are remembered: a year.
const PREFERRED_S: u32 = 365 * 24 * 60 * 60;

/// A file under the name that its content gives it.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response<Body>, Problem> {
    let asset = Asset::find(&name).ok_or_else(|| Problem::not_found("there is no such file"))?;
    let head = [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, Asset::CACHE_CONTROL)];
    Ok((head, asset.bytes).into_response())
}

/// What no page has.
pub(super) async fn nothing() -> Problem {
    Problem::not_found("there is no such page")
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
    #[serde(default)]
    ended: String,
}

/// The form to log in.
pub(super) async fn form(
    Guest(frame): Guest,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, Problem> {
    let problem = (!wanted.ended.is_empty()).then_some(LoginProblem::Ended);
    page(&frame, &Login { problem, next: local(&wanted.next).to_owned() })
}

#[derive(Deserialize)]
pub(super) struct Presented {
    #[serde(default)]
    key: String,
    #[serde(default)]
    next: String,
}

/// Opens a session with a key.
pub(super) async fn log_in(
    State(app): State<App>,
    Guest(frame): Guest,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(presented): Form<Presented>,
) -> Result<Response<Body>, Problem> {
    let next = local(&presented.next).to_owned();
    let address = peer.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |Extension(Peer(address))| address);
    let address = before_proxy(address, &headers);
    if let Err(seconds) = app.0.console.log_ins.take(address) {
        let view = Login { problem: Some(LoginProblem::TooMany), next };
        let mut response = page_with(StatusCode::TOO_MANY_REQUESTS, &frame, &view)?;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(response);
    }
    let key = Key::read(presented.key.trim());
    let caller = match &key {
        Some(key) => holder(&app, key).await?,
        None => None,
    };
    let Some(caller) = caller else {
        info!(%address, "could not log in: there is no key that holds");
        let view = Login { problem: Some(LoginProblem::WrongKey), next };
        return page_with(StatusCode::FORBIDDEN, &frame, &view);
    };
    info!(%address, tenant = &*caller.tenant_id, key = &*caller.prefix, "logged in");
    let mut response = see(&next);
    let session = (SESSION, presented.key.trim(), Some(SESSION_S));
    set_cookie(&app, response.headers_mut(), session);
    Ok(response)
}

/// Whom a proxy on this machine speaks for: the last that it names, since those before are as the client has them.
fn before_proxy(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let told = headers.get_all("x-forwarded-for").into_iter().next_back().and_then(|line| line.to_str().ok());
    let last = told.and_then(|line| line.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
    last.filter(|_| peer.is_loopback()).unwrap_or(peer)
}

#[derive(Debug, Deserialize)]
pub(super) struct Leaving {}

/// Ends the session.
pub(super) async fn log_out(State(app): State<App>, Form(Leaving {}): Form<Leaving>) -> Response<Body> {
    let mut response = see(routes::LOG_IN);
    set_cookie(&app, response.headers_mut(), (SESSION, "", Some(0)));
    response
}

#[derive(Debug, Deserialize)]
pub(super) struct Preferred {
    #[serde(default)]
    language: String,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    to: String,
}

/// Remembers language or colours, and shows the page again.
pub(super) async fn prefer(State(app): State<App>, Form(preferred): Form<Preferred>) -> Response<Body> {
    let mut response = see(local(&preferred.to));
    let headers = response.headers_mut();
    if let Some(language) = Language::from_code(&preferred.language) {
        set_cookie(&app, headers, (LANGUAGE, language.code(), Some(PREFERRED_S)));
    }
    if !preferred.theme.is_empty() {
        let theme = Theme::from_code(&preferred.theme);
        set_cookie(&app, headers, (THEME, theme.code(), Some(PREFERRED_S)));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_on_this_machine_alone_and_for_what_it_added_itself() {
        let of = |peer: &str, told: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in told {
                headers.append("x-forwarded-for", HeaderValue::from_static(line));
            }
            before_proxy(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(of("127.0.0.1", &["198.51.100.9, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(of("::1", &["198.51.100.9", "2001:db8::7"]), "2001:db8::7");
        assert_eq!(of("203.0.113.5", &["192.0.2.7"]), "203.0.113.5");
        for none in [&[][..], &["unknown"], &[""]] {
            assert_eq!(of("127.0.0.1", none), "127.0.0.1");
        }
    }
}
