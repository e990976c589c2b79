//! The console, looked at as a browser looks at it: who gets in, what they see, and what they may not.

use serde_json::json;
use std::{fs, path::PathBuf};
use tests::{Door, Pipeline, TENANT, Visitor, eventually, settle};

const GROUP: &str = "engineering";
const OPERATORS: [&str; 9] =
    ["map", "windows", "letters", "deliveries", "transactions", "positions", "schemas", "cost", "audit"];
const HOSTILE: &str = "<script>alert('x')</script>\"'&";
/// A kind that no letter is of.
const NO_KIND: &str = "0011223344556677";

fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples/engineering_en.json")
}

/// Parts of a text between two marks.
fn between<'a>(text: &'a str, (from, to): (&str, &str)) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
}

/// The longest part of a text that stands in a page as it is.
fn plain(text: &str) -> &str {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != ' ');
    parts.max_by_key(|part| part.len()).unwrap_or_default()
}

/// What a browser shows of a text.
fn unescaped(text: &str) -> String {
    let marks = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    marks.iter().fold(text.to_owned(), |text, (code, mark)| text.replace(code, mark))
}

#[test]
fn a_reader_finds_a_digest_and_what_each_claim_rests_on() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("console_reader")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&sample(), GROUP)?;
    settle(&pipeline)?;
    let door = Door::open(&pipeline, &[])?;
    let viewer = Door::key(&pipeline, TENANT, &["--role", "viewer"])?;
    let reader = Visitor::with_key(&door, &viewer)?;
    let digests = door.get(&viewer, &format!("/api/v1/digests?group_id={GROUP}"))?;
    let digest = &digests["items"][0];
    let (id, headline) = (digest["digest_id"].as_str().expect("an id"), &digest["headline"]);
    let headline = headline.as_str().expect("a headline");

    let home = reader.page("/console")?;
    assert!(home.contains(&format!("/console/groups/{GROUP}")) && home.contains(id), "{home}");
    let calendar = reader.page(&format!("/console/groups/{GROUP}"))?;
    for item in digests["items"].as_array().expect("digests") {
        assert!(calendar.contains(item["digest_id"].as_str().expect("an id")), "{calendar}");
    }
    let page = reader.page(&format!("/console/digests/{id}"))?;
    let told: Vec<String> =
        between(&page, ("<h1 dir=\"auto\">", "</h1>")).into_iter().map(unescaped).collect();
    assert_eq!(told, [headline]);
    let claim = door.get(&viewer, &format!("/api/v1/digests/{id}/claims/1"))?;
    let message = &claim["messages"][0];
    let text = message["text"].as_str().expect("a text");
    let words = plain(text);
    assert!(words.len() > 3 && page.contains(words), "{words}: {page}");
    let cited = message["id"].as_i64().expect("a number");
    let led = reader.get(&format!("/console/groups/{GROUP}/messages/{cited}"))?;
    assert_eq!(led.status, 303, "{led:?}");
    let led = reader.page(led.header("location"))?;
    assert!(led.contains(words), "{led}");

    let found = reader.page("/console/search?q=release")?;
    assert!(found.contains("<mark>"), "{found}");
    let leads = reader.get(&format!("/console/search?q={id}"))?;
    assert_eq!((leads.status, leads.header("location")), (303, &*format!("/console/digests/{id}")));
    for path in [
        format!("/console/digests/{id}/versions"),
        format!("/console/groups/{GROUP}/mood"),
        format!("/console/groups/{GROUP}/away"),
        format!("/console/groups/{GROUP}/away?since=2020-01-01T00%3A00"),
        format!("/console/groups/{GROUP}?month=2020-01"),
    ] {
        reader.page(&path)?;
    }
    let away = reader.page(&format!("/console/groups/{GROUP}/away?since=2020-01-01T00%3A00"))?;
    assert!(away.contains(id), "{away}");

    let stranger = Visitor::with_key(&door, &Door::key(&pipeline, "beta", &["--role", "owner"])?)?;
    for path in [
        format!("/console/digests/{id}"),
        format!("/console/digests/{id}/versions"),
        format!("/console/groups/{GROUP}"),
        format!("/console/groups/{GROUP}/mood"),
        format!("/console/groups/{GROUP}/away"),
        format!("/console/groups/{GROUP}/messages/{cited}"),
        format!("/console/operator/trace/{id}"),
    ] {
        let answer = stranger.get(&path)?;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(!answer.body.contains(words), "{path}: {answer:?}");
    }
    let nothing = stranger.page("/console/search?q=release")?;
    assert!(!nothing.contains("<mark>") && !nothing.contains(id), "{nothing}");
    door.close()?;
    up.stop(tests::PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_session_is_what_its_key_is_and_no_form_is_taken_from_elsewhere() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("console_session")? else { return Ok(()) };
    let door = Door::open(&pipeline, &[])?;
    let visitor = Visitor::new(&door);
    let first = visitor.get("/console/operator/map?x=1")?;
    assert_eq!(first.status, 303, "{first:?}");
    assert_eq!(first.header("location"), "/console/login?next=%2Fconsole%2Foperator%2Fmap%3Fx%3D1");
    let form = visitor.get("/console/login")?;
    assert_eq!(form.header("cache-control"), "no-store");
    assert!(form.header("content-security-policy").contains("script-src 'self'"), "{form:?}");
    for path in between(&form.body, ("/console/assets/", "\"")) {
        let asset = visitor.get(&format!("/console/assets/{path}"))?;
        assert!(asset.status == 200 && asset.header("cache-control").contains("immutable"), "{asset:?}");
    }
    let owner = Door::key(&pipeline, TENANT, &["--role", "owner"])?;
    let without = visitor.send("/console/login", &[("key", &owner), ("next", "/console")])?;
    assert_eq!((without.status, visitor.cookie("gistmill_session")), (403, String::new()), "{without:?}");
    for wrong in ["", "gm_", &format!("{}{}", &owner[..20], &"A".repeat(43))] {
        assert_eq!(visitor.log_in(wrong, "/console")?.status, 403, "{wrong}");
    }
    let entered = visitor.log_in(&owner, "//evil.example")?;
    assert_eq!((entered.status, entered.header("location")), (303, "/console"), "{entered:?}");
    let cookie = entered.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "it listens on this machine alone: {cookie}");
    visitor.page("/console")?;

    for path in ["/console/logout", "/console/operator/deliveries/enable", "/console/groups/x/away"] {
        let refused = visitor.send(path, &[("channel", "telegram"), ("chat", "-1"), ("since", "")])?;
        assert_eq!(refused.status, 403, "{path}: {refused:?}");
        let forged = visitor.send(path, &[("form_token", &"0".repeat(64))])?;
        assert_eq!(forged.status, 403, "{path}: {forged:?}");
    }
    let dark = visitor.post("/console/preferences", &[("theme", "dark"), ("to", "https://evil.example")])?;
    assert_eq!((dark.status, dark.header("location")), (303, "/console"));
    visitor.post("/console/preferences", &[("language", "ru"), ("to", "/console")])?;
    let shown = visitor.page("/console")?;
    assert!(shown.contains("lang=\"ru\" data-theme=\"dark\""), "{shown}");
    let nowhere = visitor.get("/console/nowhere")?;
    assert_eq!((nowhere.status, nowhere.header("content-type")), (404, "text/html; charset=utf-8"));

    pipeline.gistmill(&["gateway", "key", "revoke", "--tenant", TENANT, &owner[3..19]])?;
    let ended = visitor.get("/console")?;
    assert!(ended.status == 303 && ended.header("location").ends_with("&ended=1"), "{ended:?}");
    let metrics = door.call("GET /metrics", &[], "")?.body;
    assert!(metrics.contains("path=\"/console/operator/map\"") && !metrics.contains("x=1"), "{metrics}");
    door.close()?;
    pipeline.finish()
}

#[test]
fn operators_see_the_pipeline_and_a_viewer_is_sent_away() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("console_operator")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    pipeline.import(&sample(), GROUP)?;
    settle(&pipeline)?;
    let door = Door::open(&pipeline, &[])?;
    let viewer = Visitor::with_key(&door, &Door::key(&pipeline, TENANT, &["--role", "viewer"])?)?;
    let admin = Visitor::with_key(&door, &Door::key(&pipeline, TENANT, &["--role", "admin"])?)?;
    let owner_key = Door::key(&pipeline, TENANT, &["--role", "owner"])?;
    let owner = Visitor::with_key(&door, &owner_key)?;
    let digests = door.get(&owner_key, "/api/v1/digests")?;
    let id = digests["items"][0]["digest_id"].as_str().expect("an id");
    for page in OPERATORS {
        let path = format!("/console/operator/{page}");
        let is_admins = ["cost", "audit"].contains(&page);
        let scope = if is_admins { "DIGEST_ADMIN" } else { "OPERATOR" };
        let refused = viewer.get(&path)?;
        assert!(refused.status == 403 && refused.body.contains(scope), "{path}: {refused:?}");
        assert_eq!(admin.get(&path)?.status, if is_admins { 200 } else { 403 }, "{path}");
        owner.page(&path)?;
    }
    let audit = admin.page("/console/operator/audit")?;
    assert!(audit.contains("/console/operator/cost") && !audit.contains("/console/operator/map"), "{audit}");
    let map = owner.page("/console/operator/map")?;
    for unit in pipeline.map.processors().map(|it| &it.name) {
        assert!(map.contains(unit.as_str()), "{unit}: {map}");
    }
    let trace = owner.page(&format!("/console/operator/trace/{id}"))?;
    assert!(trace.contains("synthesis") && trace.contains(id), "{trace}");
    assert!(owner.page("/console/operator/schemas")?.contains("FULL_TRANSITIVE"));
    assert!(owner.page("/console/operator/audit")?.contains("gateway key create"));
    for path in ["/console/operator/letters/places/0:0", "/console/operator/letters/places/x"] {
        assert_eq!(owner.get(path)?.status, 404, "{path}");
    }
    let none = owner.get(&format!("/console/operator/letters/kinds/{NO_KIND}"))?;
    assert_eq!(none.status, 404, "{none:?}");
    let not_asked =
        viewer.post(&format!("/console/groups/{GROUP}/away"), &[("since", "2020-01-01T00:00")])?;
    assert_eq!(not_asked.status, 403, "{not_asked:?}");
    let settled = owner.post(
        "/console/operator/deliveries/resolve",
        &[
            ("digest_id", id),
            ("channel", "telegram"),
            ("chat", "-1001"),
            ("part", "1"),
            ("found", "nothing"),
            ("message_id", ""),
        ],
    )?;
    assert_eq!(settled.status, 409, "nothing is unknown: {settled:?}");
    door.close()?;
    up.stop(tests::PATIENCE)?;
    pipeline.finish()
}

#[test]
fn whatever_people_are_called_stays_text() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("console_hostile")? else { return Ok(()) };
    let up = pipeline.up_without(&[])?;
    let line = |id: i64| {
        let author = json!({ "id": format!("u{id}"), "name": HOSTILE });
        let at = 1_767_780_000_000_i64 + id * 60_000;
        json!({ "id": id, "sent_at": at, "author": author, "text": format!("zanzibar {HOSTILE} {id}") })
    };
    let lines: Vec<String> = (1..=8).map(|id| line(id).to_string()).collect();
    let path = pipeline.directory().join("hostile.jsonl");
    fs::write(&path, lines.join("\n"))?;
    pipeline.import(&path, "hostile")?;
    settle(&pipeline)?;
    let door = Door::open(&pipeline, &[])?;
    let owner = Visitor::with_key(&door, &Door::key(&pipeline, TENANT, &["--role", "owner"])?)?;
    let found = || Ok(Some(owner.page("/console/search?q=zanzibar")?).filter(|page| page.contains("<mark>")));
    let found = eventually("the messages are found", tests::PATIENCE, found)?;
    assert!(found.contains("alert"), "{found}");
    let mut pages = vec![found];
    let calendar = owner.page("/console/groups/hostile")?;
    for id in between(&calendar, ("/console/digests/", "\"")) {
        pages.push(owner.page(&format!("/console/digests/{id}"))?);
    }
    pages.push(owner.page("/console/groups/hostile/mood")?);
    pages.push(calendar);
    for page in &pages {
        assert!(!page.contains("<script>") && !page.contains("alert('x')"), "{page}");
    }
    assert!(pages.len() > 3, "a digest is looked at: {pages:?}");
    door.close()?;
    up.stop(tests::PATIENCE)?;
    pipeline.finish()
}
