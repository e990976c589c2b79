//! The server's HTTP: `/bot<token>/<method>`, a JSON body, an answer or what a fault makes of it.

use super::{
    Answer, Call, Deed, Fault, Shared, TOKEN,
    connection::{Cuttable, Cutter},
    methods::Done,
};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// Longest time that a poll waits.
const POLL_MAX: Duration = Duration::from_secs(50);
/// Most updates in one answer, and how many are given where a call does not say.
const UPDATES_MAX: i64 = 100;
/// How often a poll that waits looks at the clock.
const LOOK: Duration = Duration::from_millis(100);
const HTML: &str = "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>nginx</body>\r\n</html>\r\n";

pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new().fallback(call).with_state(shared);
    // It ends with the runtime that it runs on.
    axum::serve(Cuttable(listener), router.into_make_service_with_connect_info::<Cutter>()).await.ok();
}

async fn call(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let (token, method) = parts(uri.path());
    let body = match body.as_ref() {
        [] => json!({}),
        text => serde_json::from_slice(text).unwrap_or(Value::Null),
    };
    if let Some(refused) = refused(&shared, token, &body) {
        log(&shared, method, &body, (refused.clone(), Deed::Nothing), true);
        return answered(&refused);
    }
    let fault = shared.world().faults.take(method, &body);
    if let Some(Fault::Slow(time)) = fault {
        tokio::time::sleep(time).await;
    }
    let done = match &fault {
        Some(fault) if !fault.acts() => (told(fault), Deed::Nothing),
        _ if method.eq_ignore_ascii_case("getUpdates") => get_updates(&shared, &body).await,
        _ => shared.world().carry_out(method, &body),
    };
    let answer = done.0.clone();
    log(&shared, method, &body, done, is_told(fault.as_ref()));
    shared.wake();
    end(fault, &answer, &cutter).await
}

/// Token and method of a path.
fn parts(path: &str) -> (&str, &str) {
    path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')).unwrap_or(("", ""))
}

fn refused(shared: &Shared, token: &str, body: &Value) -> Option<Answer> {
    // What is no token at all is no address either.
    if token.split_once(':').is_none_or(|(id, _)| id.parse::<u64>().is_err()) {
        return Some(Answer::refused(404, "Not Found"));
    }
    if token != TOKEN || shared.world().is_revoked {
        return Some(Answer::refused(401, "Unauthorized"));
    }
    (!body.is_object()).then(|| Answer::bad_request("can't parse JSON object"))
}

fn log(shared: &Shared, method: &str, body: &Value, (answer, deed): Done, is_told: bool) {
    let call = Call {
        method: method.to_owned(),
        body: body.clone(),
        chat: body["chat_id"].as_i64(),
        deed,
        answer: is_told.then_some(answer),
    };
    shared.world().calls.push(call);
}

/// What a fault says that lets nothing be done.
fn told(fault: &Fault) -> Answer {
    match fault {
        Fault::Refuse(code, description) => Answer::refused(*code, description),
        Fault::TooMany(seconds) => Answer::too_many(*seconds),
        _ => Answer::refused(502, "Bad Gateway"),
    }
}

fn is_told(fault: Option<&Fault>) -> bool {
    matches!(fault, None | Some(Fault::Refuse(..) | Fault::TooMany(_) | Fault::Slow(_) | Fault::SlowAfter(_)))
}

async fn end(fault: Option<Fault>, answer: &Answer, cutter: &Cutter) -> Response {
    match fault {
        Some(Fault::Html(status) | Fault::HtmlAfter(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return (status, [(header::CONTENT_TYPE, "text/html")], HTML).into_response();
        }
        Some(Fault::GarbageAfter(text)) => return text.into_response(),
        Some(Fault::Close | Fault::CloseAfter) => cutter.cut(),
        Some(Fault::SlowAfter(time)) => tokio::time::sleep(time).await,
        Some(Fault::Refuse(..) | Fault::TooMany(_) | Fault::Slow(_)) | None => {}
    }
    answered(answer)
}

fn answered(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/json")], answer.body().to_string()).into_response();
    if let Some(seconds) = answer.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// `getUpdates`: gives at once what is there, else waits. A later poll ends an earlier one.
async fn get_updates(shared: &Shared, body: &Value) -> Done {
    let number = |name: &str, default: i64| body[name].as_i64().unwrap_or(default);
    let seconds = u64::try_from(number("timeout", 0)).unwrap_or_default();
    let wait = Duration::from_secs(seconds).min(POLL_MAX);
    let mut news = shared.news();
    let (poll, until) = {
        let mut world = shared.world();
        world.poll += 1;
        world.updates.allow(&body["allowed_updates"]);
        (world.poll, world.clock.now() + wait)
    };
    shared.wake();
    let limit = usize::try_from(number("limit", UPDATES_MAX).clamp(1, UPDATES_MAX)).unwrap_or(1);
    loop {
        let looked = look(shared, (poll, until), number("offset", 0), limit);
        if let Some(done) = looked {
            return done;
        }
        wait_for_news(&mut news).await;
    }
}

async fn wait_for_news(news: &mut watch::Receiver<u64>) {
    // The clock moves without news.
    tokio::time::timeout(LOOK, news.changed()).await.ok();
}

fn look(shared: &Shared, (poll, until): (u64, Duration), offset: i64, limit: usize) -> Option<Done> {
    let mut world = shared.world();
    let conflict = |what: &str| Some((Answer::refused(409, format!("Conflict: {what}")), Deed::Nothing));
    if world.is_revoked {
        return Some((Answer::refused(401, "Unauthorized"), Deed::Nothing));
    }
    if !world.webhook.is_empty() {
        return conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        );
    }
    if world.poll != poll {
        return conflict(
            "terminated by other getUpdates request; make sure that only one bot instance is running",
        );
    }
    let now = world.clock.now();
    let given = world.updates.get(offset, limit, now);
    if given.is_empty() && now < until {
        return None;
    }
    let ids = given.iter().filter_map(|update| update["update_id"].as_i64()).collect();
    Some((Answer::Ok(given.into()), Deed::Gave(ids)))
}

#[cfg(test)]
mod tests;
