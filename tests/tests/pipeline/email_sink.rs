//! Digests as letters at a real mail server: sent once to each recipient, in threads, and never twice, whenever the sink is killed.

use schemas::{Author, DigestDelivered, GroupMessageIngested, Message};
use std::time::Duration;
use tests::{
    DoorKills, DoorMoment, Foreign, Letter, MailOptions, MailServer, PATIENCE, Pipeline, Process, TALK,
    TENANT, day_is_over, decode_all, eventually, partition_of, settle,
};

/// 2026-03-02T12:00:00Z, of the day that [`day_is_over`] closes.
const NOON: i64 = 1_772_452_800_000;
const HOUR: i64 = 3_600_000;
/// A group that would like to be a header.
const GROUP: &str = "team";

fn message(id: i64, text: &str) -> Message {
    let name = if id % 2 == 0 { "Ann\r\nBcc: eve@example.org" } else { "Bo" };
    let author = Author { id: format!("u_{}", id % 2), name: name.to_owned(), is_bot: false };
    Message { author: Some(author), ..Message::plain(id, NOON + id * 60_000, text) }
}

fn changed(id: i64, kind: &str, text: &str, hours: i64) -> Message {
    Message { kind: kind.to_owned(), revision: NOON + hours * HOUR, ..message(id, text) }
}

fn tell(pipeline: &Pipeline, messages: Vec<Message>, after: i64) -> anyhow::Result<()> {
    let key = format!("{TENANT}/{GROUP}");
    let partitions = pipeline.map.topic("group.message.ingested.v1")?.partitions;
    let over = day_is_over(GROUP);
    let now = over.observed_at + after;
    let told = GroupMessageIngested { messages, observed_at: now, complete_until: Some(now), ..over };
    let feed: Foreign<GroupMessageIngested> = Foreign::to(pipeline)?;
    feed.send(&told, Some(&key), partition_of(key.as_bytes(), partitions))?;
    feed.flush()?;
    settle(pipeline).map(drop)
}

fn up(pipeline: &Pipeline, server: &MailServer) -> anyhow::Result<Process> {
    let settings = server.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (&**name, &**value)).collect();
    pipeline.spawn("up", &["up"], &settings)
}

fn add(pipeline: &Pipeline, addresses: &[&str]) -> anyhow::Result<()> {
    for address in addresses {
        let add = ["email", "add", address, "--tenant", TENANT, "--group", GROUP, "--confirmed"];
        pipeline.gistmill(&add)?;
    }
    Ok(())
}

fn letters(server: &MailServer, count: usize) -> anyhow::Result<Vec<Letter>> {
    eventually("letters", PATIENCE, || {
        let letters = server.letters()?;
        Ok((letters.len() >= count).then_some(letters))
    })
}

#[test]
fn a_digest_is_sent_to_each_recipient_and_its_versions_are_a_thread() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("email_sink")? else { return Ok(()) };
    let options = MailOptions { login: Some("gistmill:open-sesame"), ..MailOptions::default() };
    let Some(server) = MailServer::start(options)? else { return pipeline.finish() };
    let group = ["group", "set", "--tenant", TENANT, "--group", GROUP, "--channels", "file,email"];
    pipeline.gistmill(&group)?;
    add(&pipeline, &["ann@example.org", "bo@example.org"])?;
    let up = up(&pipeline, &server)?;
    tell(&pipeline, TALK.iter().zip(1..).map(|(text, id)| message(id, text)).collect(), 0)?;
    letters(&server, 2)?;
    let edited = changed(2, "edited", "We decided: the Zanzibar release goes out on <b>Monday</b>.", 2);
    tell(&pipeline, vec![edited], 3 * HOUR)?;
    letters(&server, 4)?;
    tell(&pipeline, (1..=3).map(|id| changed(id, "deleted", "", 4)).collect(), 6 * HOUR)?;
    let all = letters(&server, 6)?;
    assert_eq!(all.len(), 6);

    for address in ["ann@example.org", "bo@example.org"] {
        let own: Vec<&Letter> = all.iter().filter(|letter| letter.to == [address]).collect();
        let [first, second, third] = own[..] else { panic!("{own:?}") };
        assert!(own.iter().all(|letter| letter.tls && letter.user.as_deref() == Some("gistmill")));
        assert!(own.iter().all(|letter| letter.header("Auto-Submitted") == "auto-generated"));
        assert!(own.iter().all(|letter| letter.header("To") == address && letter.header("Bcc").is_empty()));
        assert_eq!(first.header("Subject"), "team: digest of 2026-03-02 (UTC)");
        assert!(own.iter().all(|letter| letter.header("Subject") == first.header("Subject")));
        let (id, unsubscribe) = (first.header("Message-ID"), first.header("List-Unsubscribe"));
        assert!(
            unsubscribe.starts_with("<mailto:digests@example.org?subject=unsubscribe%20acme"),
            "{unsubscribe}"
        );
        assert_eq!(
            (first.header("In-Reply-To"), second.header("In-Reply-To"), third.header("References")),
            ("", id, id)
        );
        assert!(first.text.contains("goes out on Thursday") && first.html.contains("goes out on Thursday"));
        assert!(second.text.contains("on <b>Monday</b>"), "{}", second.text);
        assert!(second.html.contains("on &lt;b&gt;Monday&lt;/b&gt;"), "{}", second.html);
        assert!(second.text.starts_with("A newer version") && second.html.contains("A newer version"));
        assert!(!third.text.contains("Zanzibar") && third.text.contains("withdrawn"), "{}", third.text);
    }
    let expected = [
        ("1.0", "success", None),
        ("2.0", "success", None),
        ("1.0", "withdrawn", Some("3.0")),
        ("2.0", "withdrawn", Some("3.0")),
    ];
    eventually("everything is said once, not for each recipient", PATIENCE, || {
        let seen = settle(&pipeline)?.into_seen();
        let delivered: Vec<DigestDelivered> = decode_all(&pipeline, &seen, "digest.delivered.v1")?;
        let of_mail = delivered.iter().filter(|it| it.channel == "email");
        let told: Vec<_> =
            of_mail.map(|it| (&*it.version, &*it.status, it.withdrawn_by.as_deref())).collect();
        Ok((told == expected).then_some(()))
    })?;
    let log = up.log()?;
    assert!(!log.contains("open-sesame") && !log.contains("ann@"), "a secret or a person is in the log");
    let audit = pipeline.gistmill(&["audit", "ls", "--tenant", TENANT])?;
    assert!(audit.contains("email add") && !audit.contains("ann@"), "{audit}");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn each_recipient_has_an_outcome_of_its_own() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("email_outcomes")? else { return Ok(()) };
    let implicit = MailOptions { is_implicit: true, ..MailOptions::default() };
    let Some(server) = MailServer::start(implicit)? else { return pipeline.finish() };
    let group = ["group", "set", "--tenant", TENANT, "--group", GROUP, "--channels", "email"];
    pipeline.gistmill(&group)?;
    let names =
        ["full", "full.later", "lost", "nobody", "refused", "well"].map(|name| format!("{name}@example.org"));
    add(&pipeline, &names.each_ref().map(String::as_str))?;
    let up = up(&pipeline, &server)?;
    tell(&pipeline, TALK.iter().zip(1..).map(|(text, id)| message(id, text)).collect(), 0)?;
    let outcomes =
        "SELECT chat, status, coalesce(error, '') FROM deliveries WHERE channel = 'email' ORDER BY chat";
    let found = eventually("every recipient has an outcome", PATIENCE, || {
        let rows = pipeline.rows.query(outcomes, &[])?;
        let read = |row: &sqlx::postgres::PgRow| -> (String, String, String) {
            (sqlx::Row::get(row, 0), sqlx::Row::get(row, 1), sqlx::Row::get(row, 2))
        };
        let found: Vec<_> = rows.iter().map(read).collect();
        let is_over = found.len() == 6
            && found.iter().all(|(_, status, error)| {
                *status != "sending" && (*status != "planned" || !error.is_empty())
            });
        Ok(is_over.then_some(found))
    })?;
    let statuses: Vec<_> = found.iter().map(|(chat, status, _)| (&**chat, &**status)).collect();
    let expected = [
        ("full.later@example.org", "planned"),
        ("full@example.org", "planned"),
        ("lost@example.org", "unknown"),
        ("nobody@example.org", "failed"),
        ("refused@example.org", "failed"),
        ("well@example.org", "sent"),
    ];
    assert_eq!(statuses, expected);
    assert!(
        found[0].2.contains("no room for the letter") && found[3].2.contains("no such user here"),
        "{found:?}"
    );

    // Nobody tries again what may be there; an operator says what became of it.
    let listed = pipeline.gistmill(&["delivery", "ls", "--tenant", TENANT])?;
    let unknown = listed.lines().find(|line| line.starts_with("unknown")).expect("one is unknown");
    assert!(unknown.contains("email lost@example.org"), "{listed}");
    let digest = unknown.split_whitespace().nth(1).expect("its digest").to_owned();
    let found = ["--channel", "email", "--target", "lost@example.org", "--delivered"];
    pipeline.gistmill(&[&["delivery", "resolve", &digest, "--tenant", TENANT][..], &found].concat())?;
    let lost = server.letters()?.into_iter().filter(|letter| letter.to == ["lost@example.org"]).count();
    assert_eq!(lost, 1);
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn nothing_is_sent_to_a_server_that_is_not_who_it_should_be() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("email_trust")? else { return Ok(()) };
    let Some(plain) = MailServer::start(MailOptions { is_plain: true, ..MailOptions::default() })? else {
        return pipeline.finish();
    };
    let Some(stranger) = MailServer::start(MailOptions::default())? else { return pipeline.finish() };
    let group = ["group", "set", "--tenant", TENANT, "--group", GROUP, "--channels", "email"];
    pipeline.gistmill(&group)?;
    add(&pipeline, &["ann@example.org"])?;
    let (plain_port, strange_port) = (plain.port().to_string(), stranger.port().to_string());
    let from = ("GISTMILL_EMAIL__FROM", "digests@example.org");
    let host = ("GISTMILL_EMAIL__HOST", "localhost");
    let said = |port: &str| -> anyhow::Result<String> {
        let sink = pipeline.unit("email_sink", &[host, from, ("GISTMILL_EMAIL__PORT", port)])?;
        let reason = eventually("a reason", PATIENCE, || {
            pipeline.rows.query("UPDATE delivery_queue SET next_at = now() WHERE worker IS NULL", &[])?;
            let said = pipeline.rows.query("SELECT said FROM delivery_queue WHERE said IS NOT NULL", &[])?;
            said.first().map(|row| sqlx::Row::try_get::<String, _>(row, 0)).transpose().map_err(Into::into)
        })?;
        sink.stop(PATIENCE)?;
        pipeline.rows.query("UPDATE delivery_queue SET said = NULL", &[])?;
        Ok(reason)
    };
    let up = pipeline.up_without(&["email_sink"])?;
    tell(&pipeline, TALK.iter().zip(1..).map(|(text, id)| message(id, text)).collect(), 0)?;
    let without = said(&plain_port)?;
    assert!(without.contains("does not offer STARTTLS"), "{without}");
    let untrusted = said(&strange_port)?;
    assert!(untrusted.to_lowercase().contains("certificate"), "{untrusted}");
    assert_eq!((plain.letters()?.len(), stranger.letters()?.len()), (0, 0));
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_sink_killed_at_each_step_sends_nothing_twice_and_owns_up_to_what_it_does_not_know() -> anyhow::Result<()>
{
    let Some(pipeline) = Pipeline::start("email_kills")? else { return Ok(()) };
    let Some(server) = MailServer::start(MailOptions::default())? else { return pipeline.finish() };
    let mut kills = DoorKills::of(&pipeline, server)?;
    let after = |ms| DoorMoment::After(Duration::from_millis(ms));
    for moment in [DoorMoment::Delivered, DoorMoment::Writing, after(0), DoorMoment::Delivered, after(40)] {
        kills.feed(6)?;
        assert!(kills.kill(moment)?, "{moment:?} did not come");
    }
    let told = kills.settle()?;
    eprintln!("{told:?}");
    assert_eq!((told.windows, told.repeated), (30, 0));
    assert!(told.unknown_and_got >= 2, "those that were answered when the sink was gone");
    pipeline.finish()
}
