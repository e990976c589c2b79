//! Who comes to a page, and whether they may.
//!
//! Invariants: a session is the key that it was opened with, in a cookie that no script and no other site gets at; it is looked
//! for at every request, so that a key that is revoked opens nothing more; what other sites send is refused before it is read.

use super::frame::told;
use crate::{
    app::App,
    guard::{Caller, holder},
    key::Key,
    observe::{RequestId, Seen},
    problem::Problem,
    scope::Scope,
    times,
};
use aws_lc_rs::rand;
use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts},
    middleware::Next,
    response::IntoResponse,
};
use console_pages::{Frame, Theme, locale::Language, routes};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

pub(super) const SESSION: &str = "gistmill_session";
/// What forms carry of who has no session yet.
const VISIT: &str = "gistmill_visit";
pub(super) const LANGUAGE: &str = "gistmill_language";
pub(super) const THEME: &str = "gistmill_theme";
/// Seconds until one has to log in again.
pub(super) const SESSION_S: u32 = 12 * 60 * 60;
/// What a token of a form is made for.
const FORM: &str = "gistmill console form";
const VISIT_BYTES: usize = 16;
/// Groups that a page offers.
const GROUPS_MAX: u32 = 100;
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What a proxy says of the connection before it.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const SECURE: &str = "; Secure";

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Everybody may come.
    Nothing,
    /// Who has a key with this scope.
    Scope(Scope),
}

/// A page, as it is entered.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) app: App,
    pub(super) path: &'static str,
    pub(super) asks: Asks,
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) caller: Caller,
    pub(super) frame: Frame,
}

impl Visit {
    pub(super) fn tenant(&self) -> &str {
        &self.caller.tenant_id
    }
}

/// Somebody who need not have one.
#[derive(Debug, Clone)]
pub(super) struct Guest(pub(super) Frame);

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| Problem::internal(&"a page without a session asks who looks"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let guest = parts.extensions.get::<Self>().cloned();
        guest.ok_or_else(|| Problem::internal(&"a page asks who looks before anybody came"))
    }
}

/// Lets somebody into a page, and sees to the form of what they get.
pub(super) async fn enter(State(room): State<Arc<Room>>, request: Request, next: Next) -> Response<Body> {
    if let Some(seen) = request.extensions().get::<Seen>() {
        seen.is_at(room.path);
    }
    let id = request.extensions().get::<RequestId>().map_or_else(|| "".into(), |id| Arc::clone(&id.0));
    let (mut frame, is_new) = frame_of(&request);
    let is_behind_tls = is_behind_tls(request.headers());
    let token = frame.form_token.clone();
    let response = match admitted(&room, &mut frame, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    };
    let mut response = told(response, &frame, &id);
    if is_new && frame.tenant.is_none() && room.path != routes::ASSET {
        set_cookie(&room.app, response.headers_mut(), (VISIT, &token, None));
    }
    if is_behind_tls {
        secure(response.headers_mut());
    }
    response
}

/// Whether a proxy has this request over TLS; anybody may say so, and gets cookies that go over TLS alone.
fn is_behind_tls(headers: &HeaderMap) -> bool {
    headers.get(FORWARDED_PROTO).is_some_and(|told| told.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// Lets no cookie of an answer go without TLS.
fn secure(headers: &mut HeaderMap) {
    let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).into_iter().cloned().collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        let text = cookie.to_str().unwrap_or_default();
        let secured = HeaderValue::from_str(&format!("{}{SECURE}", text.trim_end_matches(SECURE)));
        headers.append(header::SET_COOKIE, secured.unwrap_or(cookie));
    }
}

async fn admitted(
    room: &Room,
    frame: &mut Frame,
    mut request: Request,
    next: Next,
) -> Result<Response<Body>, Problem> {
    is_of_this_site(&request)?;
    let session = cookie(request.headers(), SESSION);
    let Asks::Scope(scope) = room.asks else {
        // Who has a session keeps its token, on pages too that ask for none.
        if let Some(key) = session.and_then(Key::read) {
            frame.form_token = key.token(FORM);
        }
        request.extensions_mut().insert(Guest(frame.clone()));
        return Ok(next.run(request).await);
    };
    let key = session.and_then(Key::read);
    let caller = match &key {
        Some(key) => holder(&room.app, key).await?,
        None => None,
    };
    let (Some(key), Some(caller)) = (key, caller) else {
        return Ok(to_log_in(&request, session.is_some()));
    };
    room.app.0.limits.take(&caller.prefix).map_err(|left| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "").retry_after(left.reset_s)
    })?;
    furnish(&room.app, frame, (&key, &caller)).await?;
    if !caller.may(scope) {
        return Err(Problem::forbidden("missing_scope", scope.as_str()));
    }
    request.extensions_mut().insert(Visit { caller, frame: frame.clone() });
    Ok(next.run(request).await)
}

/// What another site sends is no wish of who looks here.
fn is_of_this_site(request: &Request) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    let site = request.headers().get(SITE).map(HeaderValue::as_bytes);
    let is_ours = site.is_none_or(|site| matches!(site, b"same-origin" | b"none"));
    if is_ours { Ok(()) } else { Err(stale_form(Language::default())) }
}

/// A form that is not of this session.
pub(super) fn stale_form(language: Language) -> Problem {
    Problem::forbidden("stale_form", language.words().form_stale)
}

/// The frame of a page as the request alone tells it; whether its token was made just now.
fn frame_of(request: &Request) -> (Frame, bool) {
    let headers = request.headers();
    let (language, theme) = preferences(headers);
    let known = cookie(headers, VISIT).filter(|it| is_token(it)).map(str::to_owned);
    let is_new = known.is_none();
    let path = request.uri().path_and_query().map_or(routes::HOME, |path| path.as_str());
    let frame = Frame {
        language,
        theme,
        now_ms: times::now_ms(),
        time_zone: "UTC".to_owned(),
        path: routes::local(path).to_owned(),
        form_token: known.unwrap_or_else(new_token),
        ..Frame::default()
    };
    (frame, is_new)
}

/// What stands around the pages of a session.
async fn furnish(app: &App, frame: &mut Frame, (key, caller): (&Key, &Caller)) -> Result<(), Problem> {
    frame.form_token = key.token(FORM);
    frame.tenant = Some(caller.tenant_id.to_string());
    frame.reader = caller.actor();
    frame.may_operate = caller.may(Scope::Operator);
    frame.may_administer = caller.may(Scope::DigestAdmin);
    if caller.may(Scope::DigestRead) {
        let groups = app.0.store.group_page(&caller.tenant_id, None, GROUPS_MAX).await?;
        frame.groups = groups.into_iter().map(|group| group.group_id).collect();
    }
    Ok(())
}

/// The log-in form, and after it the page that was asked for.
fn to_log_in(request: &Request, had_one: bool) -> Response<Body> {
    let path = request.uri().path_and_query().map_or(routes::HOME, |path| path.as_str());
    let next = if request.method() == Method::GET { routes::local(path) } else { routes::HOME };
    let next = utf8_percent_encode(next, NON_ALPHANUMERIC);
    let ended = if had_one { "&ended=1" } else { "" };
    see(&format!("{}?next={next}{ended}", routes::LOG_IN))
}

/// An answer that leads to another page.
pub(super) fn see(path: &str) -> Response<Body> {
    let Ok(path) = HeaderValue::from_str(path) else { return see(routes::HOME) };
    (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response()
}

/// Language and colours as cookies have them; at first the language that the browser accepts.
pub(super) fn preferences(headers: &HeaderMap) -> (Language, Theme) {
    let accepted = || {
        let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Language::accepted(header.unwrap_or_default())
    };
    let language = cookie(headers, LANGUAGE).and_then(Language::from_code).unwrap_or_else(accepted);
    (language, Theme::from_code(cookie(headers, THEME).unwrap_or_default()))
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(of, _)| *of == name).map(|(_, value)| value)
}

/// Sets a cookie of the console for so many seconds: 0 takes it back, none lets it end with the browser.
pub(super) fn set_cookie(
    app: &App,
    headers: &mut HeaderMap,
    (name, value, for_s): (&str, &str, Option<u32>),
) {
    // Without TLS only this machine is served, or a proxy on it, which says so; a browser would not send it back there.
    let secure = if app.0.config.gateway.listen.ip().is_loopback() { "" } else { SECURE };
    let age = for_s.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let cookie = format!("{name}={value}; Path={}; HttpOnly; SameSite=Strict{age}{secure}", routes::HOME);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

fn is_token(text: &str) -> bool {
    text.len() == 2 * VISIT_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A token that nobody guesses. Where the system has no random numbers it is one that no form is taken with.
fn new_token() -> String {
    let mut bytes = [0; VISIT_BYTES];
    rand::fill(&mut bytes).map_or_else(|_| String::new(), |()| operate::hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = headers(&[(header::COOKIE, "a=1; gistmill_session=gm_x; xgistmill_session=2")]);
        assert_eq!(cookie(&headers, SESSION), Some("gm_x"));
        assert_eq!(cookie(&headers, "session"), None);
    }

    #[test]
    fn the_browsers_language_holds_until_one_is_chosen() {
        let russian = (header::ACCEPT_LANGUAGE, "ru-RU,ru;q=0.9,en;q=0.8");
        assert_eq!(preferences(&headers(std::slice::from_ref(&russian))).0, Language::Russian);
        let chosen = (header::COOKIE, "gistmill_language=en; gistmill_theme=dark");
        assert_eq!(preferences(&headers(&[russian, chosen])), (Language::English, Theme::Dark));
    }

    #[test]
    fn behind_a_proxy_with_tls_every_cookie_is_for_tls() {
        let told = |proto: &'static str| is_behind_tls(&headers(&[(FORWARDED_PROTO, proto)]));
        assert!(
            told("https") && told("HTTPS") && !told("http") && !told("") && !is_behind_tls(&HeaderMap::new())
        );
        let mut headers = HeaderMap::new();
        for cookie in ["a=1; Path=/console", "b=2; Path=/console; Secure"] {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        secure(&mut headers);
        let all: Vec<_> = headers.get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(all, ["a=1; Path=/console; Secure", "b=2; Path=/console; Secure"]);
    }

    #[test]
    fn what_another_site_sends_is_refused() {
        let sent = |method: &str, site: Option<&str>| {
            let mut request = Request::builder().method(method).uri("/console/logout");
            if let Some(site) = site {
                request = request.header(SITE, site);
            }
            is_of_this_site(&request.body(Body::empty()).unwrap()).is_ok()
        };
        assert!(sent("POST", None) && sent("POST", Some("same-origin")) && sent("POST", Some("none")));
        assert!(
            !sent("POST", Some("cross-site")) && !sent("POST", Some("same-site")) && !sent("PUT", Some("x"))
        );
        assert!(sent("GET", Some("cross-site")));
    }
}
