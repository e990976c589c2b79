//! The HTTP door: who may call what, and what comes of it.

use serde_json::Value;
use tests::{Chat, Door, Pipeline, Relay, TENANT, eventually, settle};

const ALL_SCOPES: [&str; 4] = ["DIGEST_READ", "DIGEST_ADMIN", "MESSAGES_WRITE", "OPERATOR"];
/// A day on which people have written.
const FIRST_DAY: &str = "{\"since\": \"2026-01-05T00:00:00Z\", \"until\": \"2026-01-06T00:00:00Z\"}";
const LINE: &str = "{\"id\": 900001, \"sent_at\": \"2026-01-07T10:00:00Z\", \"text\": \"sent over HTTP\"}\n";

/// An operation of the document, with a path that can be called.
struct Operation {
    line: String,
    /// Nothing where everybody may call it.
    scope: Option<String>,
    /// It names something of the tenant.
    names: bool,
    body: &'static str,
}

impl Operation {
    /// What a call of it has to bring.
    fn headers(&self) -> Vec<(&'static str, &'static str)> {
        match self.line.split_once(' ') {
            Some(("POST", path)) if path.ends_with("/messages") => {
                vec![("Content-Type", "application/x-ndjson"), ("Idempotency-Key", "table")]
            }
            Some(("POST" | "PATCH", _)) => vec![("Content-Type", "application/json")],
            _ => vec![],
        }
    }

    fn is_stream(&self) -> bool {
        self.line.ends_with("/events")
    }
}

/// Every operation that the document has: one that is new is in the table by itself.
fn operations(document: &Value, digest_id: &str) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let method = method.to_uppercase();
            let scope = operation["security"][0]["key"][0].as_str().map(str::to_owned);
            let concrete = path
                .replace("{group_id}", "alpha")
                .replace("{id}", digest_id)
                .replace("{number}", "1")
                .replace("{place}", "0:0");
            assert!(!concrete.contains('{'), "{path}: the test does not know what to call");
            let query = if path.ends_with("/search") { "?q=release" } else { "" };
            let body = match (method.as_str(), path.rsplit('/').next()) {
                ("POST", Some("messages")) => LINE,
                ("POST", Some("digest")) => FIRST_DAY,
                ("POST" | "PATCH", _) => "{}",
                _ => "",
            };
            all.push(Operation {
                line: format!("{method} {concrete}{query}"),
                scope,
                names: path.contains("{group_id}") || path.contains("{id}"),
                body,
            });
        }
    }
    assert!(all.len() >= 20, "{} operations", all.len());
    all
}

/// A key of every scope but one.
fn key_without(pipeline: &Pipeline, scope: &str) -> anyhow::Result<String> {
    let others: Vec<&str> = ALL_SCOPES.into_iter().filter(|other| *other != scope).collect();
    Door::key(pipeline, TENANT, &["--scopes", &others.join(",")])
}

#[test]
fn every_operation_is_for_keys_of_its_scope_and_shows_nothing_of_another_tenant() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_table")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&Chat::new("alpha", 2, 40).write(pipeline.directory())?, "alpha")?;
    settle(&pipeline)?;
    let door = Door::open(&pipeline, &[])?;
    let owner = Door::key(&pipeline, TENANT, &["--role", "owner"])?;
    let stranger = Door::key(&pipeline, "beta", &["--role", "owner"])?;
    let revoked = Door::key(&pipeline, TENANT, &["--role", "owner"])?;
    pipeline.gistmill(&["gateway", "key", "revoke", "--tenant", TENANT, &revoked[3..19]])?;
    let forged = format!("{}{}", &owner[..20], &stranger[20..]);

    let digests = door.get(&owner, "/api/v1/digests")?;
    let digest_id = digests["items"][0]["digest_id"].as_str().expect("a digest").to_owned();
    let document = door.call("GET /api/v1/openapi.json", &[], "")?.json();
    for operation in operations(&document, &digest_id) {
        let call = |key: &str| door.call_as(key, &operation.line, &operation.headers(), operation.body);
        let line = &operation.line;
        let nobody = door.call(line, &operation.headers(), operation.body)?;
        let Some(scope) = &operation.scope else {
            assert_eq!(nobody.status, 200, "{line}");
            continue;
        };
        assert_eq!((nobody.status, nobody.code().as_str()), (401, "unauthorized"), "{line}");
        for wrong in [&revoked, &forged, "gm_", "x"] {
            let refused = call(wrong)?;
            assert_eq!(
                (refused.status, &refused.json()["detail"]),
                (401, &nobody.json()["detail"]),
                "{line} {wrong}"
            );
        }
        let lacking = call(&key_without(&pipeline, scope)?)?;
        assert_eq!((lacking.status, lacking.code().as_str()), (403, "missing_scope"), "{line}");
        if operation.is_stream() {
            continue;
        }
        let alone = call(&Door::key(&pipeline, TENANT, &["--scopes", scope])?)?;
        let is_served = alone.status < 300 || line.contains("/dead-letters/0:0") && alone.status == 404;
        assert!(is_served, "{line}: {alone:?}");
        if line.starts_with("GET") {
            let other = call(&stranger)?;
            let is_empty = other.json()["items"].as_array().is_some_and(Vec::is_empty);
            let shows_nothing = if operation.names {
                other.status == 404
            } else {
                is_empty || other.status == 404 || !other.body.contains(TENANT)
            };
            assert!(shows_nothing, "{line}: {other:?}");
        }
    }
    door.close()?;
    up.stop(tests::PATIENCE)?;
    pipeline.finish()
}

#[test]
fn whatever_is_wrong_is_told_as_a_problem_with_the_requests_id() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_problems")? else { return Ok(()) };
    let door = Door::open(&pipeline, &[("GISTMILL_GATEWAY__BODY_BYTES_MAX", "2048")])?;
    let key = Door::key(&pipeline, TENANT, &["--role", "owner"])?;
    let (json, lines) = (("Content-Type", "application/json"), ("Content-Type", "application/x-ndjson"));
    let named = ("Idempotency-Key", "k");
    let large = "x".repeat(4096);
    for (line, headers, body, expected) in [
        ("GET /nothing", vec![], "", (404, "not_found")),
        ("DELETE /api/v1/groups", vec![], "", (405, "method_not_allowed")),
        ("GET /api/v1/groups?limit=0", vec![], "", (400, "bad_request")),
        ("GET /api/v1/groups?limt=1", vec![], "", (400, "bad_request")),
        ("GET /api/v1/groups?cursor=abc", vec![], "", (400, "bad_cursor")),
        ("GET /api/v1/groups/none", vec![], "", (404, "not_found")),
        ("GET /api/v1/digests/none", vec![], "", (404, "not_found")),
        ("GET /api/v1/search?q=..", vec![], "", (422, "no_words")),
        ("GET /api/v1/cost?since=soon", vec![], "", (400, "bad_request")),
        ("PATCH /api/v1/groups/a/settings", vec![json], "{", (400, "bad_request")),
        ("PATCH /api/v1/groups/a/settings", vec![json], "{\"language\": \"de\"}", (422, "bad_settings")),
        ("PATCH /api/v1/groups/a/settings", vec![], "{}", (415, "unsupported_media_type")),
        ("POST /api/v1/groups/a/messages", vec![named], LINE, (415, "unsupported_media_type")),
        ("POST /api/v1/groups/a/messages", vec![lines], LINE, (400, "no_idempotency_key")),
        ("POST /api/v1/groups/a/messages", vec![lines, named], "{", (422, "bad_lines")),
        ("POST /api/v1/groups/a/messages", vec![lines, named], &large, (413, "too_large")),
        ("POST /api/v1/groups/a/digest", vec![json], "{}", (422, "no_messages")),
    ] {
        let answer = door.call_as(&key, line, &headers, body)?;
        assert_eq!((answer.status, answer.code().as_str()), expected, "{line}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{line}");
        assert_eq!(answer.json()["trace_id"], answer.header("x-request-id"), "{line}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{line}");
    }
    let parent = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let answer = door.call("GET /nothing", &[parent], "")?;
    assert_eq!(answer.header("x-request-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
    let metrics = tests::metrics(door.port())?;
    assert!(
        metrics.contains("http_requests_total{method=\"GET\",path=\"unmatched\",status=\"404\"} 2"),
        "{metrics}"
    );
    assert!(metrics.contains("path=\"/api/v1/groups/{group_id}\",status=\"404\"} 1"), "{metrics}");
    assert!(metrics.contains("path=\"/readyz\",status=\"200\"}"), "{metrics}");
    assert!(!metrics.contains("/nothing"), "no path of a request is a label");
    door.close()?;
    pipeline.finish()
}

#[test]
fn what_has_not_changed_is_not_sent_again_and_pages_follow_one_another() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_pages")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    let chat = Chat::new("alpha", 2, 40);
    pipeline.import(&chat.write(pipeline.directory())?, "alpha")?;
    settle(&pipeline)?;
    let door = Door::open(&pipeline, &[("GISTMILL_GATEWAY__CORS_ORIGINS", "https://a.example")])?;
    let key = Door::key(&pipeline, TENANT, &["--role", "viewer"])?;

    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = door.get(&key, &format!("/api/v1/groups/alpha/messages?limit=7{cursor}"))?;
        let items = page["items"].as_array().expect("items");
        ids.extend(items.iter().filter_map(|item| item["id"].as_i64()));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(items.len(), 7);
        cursor = format!("&cursor={next}");
    }
    let mut expected: Vec<i64> = chat.days.values().flat_map(|day| day.ids.iter().copied()).collect();
    expected.sort_unstable();
    let mut found = ids.clone();
    found.sort_unstable();
    assert_eq!(found, expected, "each message that is not deleted, once");

    let digests = door.get(&key, "/api/v1/digests?limit=1")?;
    let digest = &digests["items"][0];
    let (id, window_id) =
        (digest["digest_id"].as_str().expect("id"), digest["window_id"].as_str().expect("window"));
    let shown = door.call_as(&key, &format!("GET /api/v1/digests/{id}"), &[], "")?;
    assert_eq!(shown.json()["versions"][0]["digest_id"], id);
    let tag = [("If-None-Match", shown.header("etag"))];
    let again = door.call_as(&key, &format!("GET /api/v1/digests/{window_id}"), &tag, "")?;
    assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", shown.header("etag")));
    for (accept, begins) in [("text/markdown", "# "), ("text/html", "<!doctype html>")] {
        let form = door.call_as(&key, &format!("GET /api/v1/digests/{id}"), &[("Accept", accept)], "")?;
        assert!(form.status == 200 && form.body.starts_with(begins), "{form:?}");
        assert!(form.header("content-type").starts_with(accept), "{form:?}");
    }
    let claim = door.get(&key, &format!("/api/v1/digests/{window_id}/claims/1"))?;
    let cited: Vec<_> = claim["messages"].as_array().expect("messages").iter().map(|it| &it["id"]).collect();
    assert_eq!(Value::from(cited.into_iter().cloned().collect::<Vec<_>>()), claim["message_ids"]);
    let of_window =
        door.get(&key, &format!("/api/v1/groups/alpha/messages?limit=200&window_id={window_id}"))?;
    assert_eq!(
        of_window["items"].as_array().map(Vec::len),
        digest["message_count"].as_u64().map(|n| n as usize)
    );
    for (origin, allowed) in [("https://a.example", "https://a.example"), ("https://a.example.evil", "")] {
        let from = ("Origin", origin);
        let before = [from, ("Access-Control-Request-Method", "GET")];
        let asked = door.call("OPTIONS /api/v1/groups", &before, "")?;
        assert_eq!(asked.header("access-control-allow-origin"), allowed, "{asked:?}");
        let called = door.call_as(&key, "GET /api/v1/groups", &[from], "")?;
        assert_eq!((called.status, called.header("access-control-allow-origin")), (200, allowed));
    }
    let hits = door.get(&key, "/api/v1/search?q=release&limit=3")?;
    assert!(hits["items"].as_array().is_some_and(|items| !items.is_empty()), "{hits}");
    door.close()?;
    up.stop(tests::PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_database_that_falls_silent_is_told_as_503_and_served_from_again_once_it_speaks() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("gateway_away")? else { return Ok(()) };
    let url = pipeline.stack.variables().find(|(name, _)| *name == "GISTMILL_POSTGRES__URL");
    let url = url.expect("an address").1.to_owned();
    let (login, peer) = url.rsplit_once('@').expect("a log-in");
    let (peer, database) = peer.split_once('/').expect("a database");
    let relay = Relay::to(peer)?;
    let url = format!("{login}@{}/{database}", relay.address());
    let away = [("GISTMILL_POSTGRES__URL", url.as_str()), ("GISTMILL_GATEWAY__REQUEST_TIMEOUT_S", "3")];
    let door = Door::open(&pipeline, &away)?;
    let key = Door::key(&pipeline, TENANT, &["--role", "viewer"])?;
    assert_eq!(door.get(&key, "/api/v1/groups")?["items"], serde_json::json!([]));
    relay.fall_silent(true);
    let answer = door.call_as(&key, "GET /api/v1/groups", &[], "")?;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok(), "{answer:?}");
    assert!(!answer.body.contains("127.0.0.1"), "no address is told: {answer:?}");
    relay.fall_silent(false);
    eventually("the gateway serves again", tests::PATIENCE, || {
        Ok((door.call_as(&key, "GET /api/v1/groups", &[], "")?.status == 200).then_some(()))
    })?;
    door.close()?;
    pipeline.finish()
}
