//! Digests posted to receivers: new, edited, withdrawn; a dead one holds up nobody; and what a kill leaves.

use schemas::{
    Author, DigestDelivered, DigestReadyForDelivery, GroupMessageIngested, Message, digest_id, window_id,
};
use stack::secure::{Authority, Validity};
use std::{fs, net::TcpListener, time::Duration};
use tests::{
    Answering, DoorKills, DoorMoment, Foreign, Greeting, MASTER_KEY, PATIENCE, Pipeline, Posted, Receiver,
    TALK, TENANT, TO_THIS_MACHINE, TlsFront, day_is_over, decode_all, eventually, partition_of, set_webhook,
    settle,
};

const READY: &str = "digest.ready_for_delivery.v1";
/// A digest to make others of.
const SAMPLE: &str =
    include_str!("../../../schemas/examples/digest.ready_for_delivery.v1/day_of_an_import.json");
/// 2026-03-02T12:00:00Z, of the day that [`day_is_over`] closes.
const NOON: i64 = 1_772_452_800_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn message(id: i64, text: &str) -> Message {
    let name = if id % 2 == 0 { "Ann" } else { "Bo" };
    let author = Author { id: format!("u_{name}"), name: name.to_owned(), is_bot: false };
    Message { author: Some(author), ..Message::plain(id, NOON + id * 60_000, text) }
}

fn changed(id: i64, kind: &str, text: &str) -> Message {
    Message { kind: kind.to_owned(), revision: NOON + 2 * HOUR, ..message(id, text) }
}

/// Tells states of messages so many ms after the day's end, and waits until everything was decided about it.
fn tell(pipeline: &Pipeline, messages: Vec<Message>, after: i64) -> anyhow::Result<()> {
    let key = format!("{TENANT}/team");
    let partitions = pipeline.map.topic("group.message.ingested.v1")?.partitions;
    let over = day_is_over("team");
    let now = over.observed_at + after;
    let told = GroupMessageIngested { messages, observed_at: now, complete_until: Some(now), ..over };
    let feed: Foreign<GroupMessageIngested> = Foreign::to(pipeline)?;
    feed.send(&told, Some(&key), partition_of(key.as_bytes(), partitions))?;
    feed.flush()?;
    settle(pipeline).map(drop)
}

/// Waits until so many requests have come to a path.
fn posted(receiver: &Receiver, path: &str, count: usize) -> anyhow::Result<Vec<Posted>> {
    eventually("a request", PATIENCE, || {
        let posted = receiver.posted_to(path);
        Ok((posted.len() >= count).then_some(posted))
    })
}

#[test]
fn a_digest_is_posted_edited_with_its_chat_and_taken_back() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("webhook_sink")? else { return Ok(()) };
    let receiver = Receiver::start()?;
    let group = ["group", "set", "--tenant", TENANT, "--group", "team", "--channels", "file,webhook"];
    pipeline.gistmill(&group)?;
    let secret = set_webhook(&pipeline, "team", &receiver.url("/team"))?;
    receiver.know("/team", &secret);
    let of_team = ["--tenant", TENANT, "--group", "team"];
    let tried = pipeline.output(&[&["webhook", "test"][..], &of_team].concat(), &TO_THIS_MACHINE)?;
    assert!(tried.status.success(), "{tried:?}");
    let up = pipeline.spawn("up", &["up"], &TO_THIS_MACHINE)?;

    tell(&pipeline, TALK.iter().zip(1..).map(|(text, id)| message(id, text)).collect(), 0)?;
    posted(&receiver, "/team", 2)?;
    let edited = vec![changed(2, "edited", "We decided: the Zanzibar release goes out on Monday.")];
    tell(&pipeline, edited, 3 * HOUR)?;
    posted(&receiver, "/team", 3)?;
    let later = |message: Message| Message { revision: message.revision + HOUR, ..message };
    tell(&pipeline, (1..=3).map(|id| later(changed(id, "deleted", ""))).collect(), 6 * HOUR)?;
    let all = posted(&receiver, "/team", 4)?;

    let kinds: Vec<_> = all.iter().map(|it| it.body["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(kinds, ["webhook.test", "digest.new", "digest.edited", "digest.withdrawn"]);
    assert!(all.iter().all(|it| it.verified == Some(Ok(()))), "{all:?}");
    let text = |at: usize| all[at].body["data"]["text"].as_str().unwrap_or_default().to_owned();
    assert!(text(1).contains("goes out on Thursday"), "{}", text(1));
    assert!(text(2).contains("goes out on Monday") && !text(2).contains("Thursday"), "{}", text(2));
    assert!(!all[3].text.contains("Zanzibar"), "{}", all[3].text);

    let expected = [
        ("1.0", "success", None),
        ("2.0", "success", None),
        ("1.0", "withdrawn", Some("3.0")),
        ("2.0", "withdrawn", Some("3.0")),
    ];
    eventually("everything is said", PATIENCE, || {
        let seen = settle(&pipeline)?.into_seen();
        let delivered: Vec<DigestDelivered> = decode_all(&pipeline, &seen, "digest.delivered.v1")?;
        let of_webhooks = delivered.iter().filter(|it| it.channel == "webhook");
        let told: Vec<_> =
            of_webhooks.map(|it| (&*it.version, &*it.status, it.withdrawn_by.as_deref())).collect();
        Ok((told == expected).then_some(()))
    })?;
    let (log, key) = (up.log()?, secret.trim_start_matches("whsec_"));
    assert!(!log.contains(key) && !log.contains(MASTER_KEY), "a secret is in the log");
    let listed = pipeline.gistmill(&["webhook", "ls", "--tenant", TENANT])?;
    assert!(listed.contains(&receiver.url("/team")) && !listed.contains(key), "{listed}");
    let audit = pipeline.gistmill(&["audit", "ls", "--tenant", TENANT])?;
    assert!(audit.contains("webhook set") && !audit.contains(key), "{audit}");
    assert!(!audit.contains(&receiver.url("/team")), "an address may be a token: {audit}");
    up.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_receiver_is_spoken_to_by_tls_where_an_authority_vouches_for_it() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("webhook_tls")? else { return Ok(()) };
    let (receiver, authority) = (Receiver::start()?, Authority::new("authority of tests")?);
    let directory = tempfile::tempdir()?;
    let (trusted, nothing) = (directory.path().join("ca.pem"), directory.path().join("nothing.pem"));
    fs::write(&trusted, authority.pem()?)?;
    fs::write(&nothing, "no certificate")?;
    let (trusted, nothing) = (trusted.to_string_lossy(), nothing.to_string_lossy());
    let certified = |group: &str, host: &str, validity: Validity| -> anyhow::Result<TlsFront> {
        let issued = authority.issue(host, validity)?;
        let front = TlsFront::start(&issued, Greeting::None, receiver.address().parse()?)?;
        let secret = set_webhook(&pipeline, group, &format!("https://{}/{group}", front.address()))?;
        receiver.know(&format!("/{group}"), &secret);
        Ok(front)
    };
    let _fronts = [
        certified("valid", "127.0.0.1", Validity::Long)?,
        certified("over", "127.0.0.1", Validity::Over)?,
        certified("elsewhere", "hooks.example.org", Validity::Long)?,
    ];
    // Neither `http` nor a certificate is let through here.
    let settings = [("GISTMILL_KEYS__MASTER", MASTER_KEY), ("GISTMILL_WEBHOOK__ALLOW_PRIVATE", "true")];
    let tried = |group: &str, ca: Option<&str>| -> anyhow::Result<(bool, String)> {
        let ca = ca.map(|path| ("GISTMILL_WEBHOOK__CA_LOCATION", path));
        let variables: Vec<(&str, &str)> = settings.into_iter().chain(ca).collect();
        let test = ["webhook", "test", "--tenant", TENANT, "--group", group];
        let output = pipeline.output(&test, &variables)?;
        Ok((output.status.success(), String::from_utf8(output.stderr)?))
    };
    for (group, ca, why) in [
        ("valid", None, "certificate"),
        ("valid", Some(&*nothing), "webhook.ca_location"),
        ("over", Some(&*trusted), "certificate"),
        ("elsewhere", Some(&*trusted), "certificate"),
    ] {
        let (is_taken, said) = tried(group, ca)?;
        assert!(!is_taken && said.contains(why), "{group}: {said}");
    }
    assert_eq!(receiver.posted(), [], "nothing is said to somebody who is not known");
    let (is_taken, said) = tried("valid", Some(&*trusted))?;
    assert!(is_taken, "{said}");
    let posted = receiver.posted_to("/valid");
    assert!(posted.len() == 1 && posted[0].verified == Some(Ok(())), "{posted:?}");
    pipeline.finish()
}

/// Puts digests of a group, one a day, where sinks read them.
fn feed(pipeline: &Pipeline, group: &str, days: i64) -> anyhow::Result<()> {
    let key = format!("{TENANT}/{group}");
    let partition = partition_of(key.as_bytes(), pipeline.map.topic(READY)?.partitions);
    let feed: Foreign<DigestReadyForDelivery> = Foreign::to(pipeline)?;
    for day in 0..days {
        let mut ready: DigestReadyForDelivery = serde_json::from_str(SAMPLE)?;
        TENANT.clone_into(&mut ready.tenant_id);
        group.clone_into(&mut ready.group_id);
        "1.0".clone_into(&mut ready.version);
        ready.window_id = window_id(TENANT, group, 24, day * DAY);
        ready.digest_id = digest_id(&ready.window_id, "1.0");
        ready.channels = vec!["webhook".to_owned()];
        (ready.window.window_start, ready.window.window_end) = (day * DAY, (day + 1) * DAY);
        ready.window.settings.channels.clone_from(&ready.channels);
        feed.send(&ready, Some(&key), partition)?;
    }
    feed.flush()
}

#[test]
fn a_receiver_that_is_dead_holds_up_nobody() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("webhook_dead")? else { return Ok(()) };
    let receiver = Receiver::start()?;
    // Nobody answers where somebody listens, and nobody listens at the other.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    set_webhook(&pipeline, "silent", &format!("http://{}/", silent.local_addr()?))?;
    set_webhook(&pipeline, "nobody", &format!("http://{nobody}/"))?;
    set_webhook(&pipeline, "refusing", &receiver.url("/refusing"))?;
    set_webhook(&pipeline, "well", &receiver.url("/well"))?;
    receiver.answer_always("/refusing", Some(Answering::Status(500, "no")));
    for group in ["silent", "nobody", "refusing", "well"] {
        feed(&pipeline, group, 30)?;
    }
    let sink = pipeline.unit("webhook_sink", &TO_THIS_MACHINE)?;
    assert_eq!(posted(&receiver, "/well", 30)?.len(), 30);
    let passed = pipeline.rows.sink_offsets()?;
    let ready = passed.iter().filter(|((name, topic, _), _)| name == "webhook_sink" && topic == READY);
    assert_eq!(ready.map(|(_, offset)| offset).sum::<i64>(), 120, "no offset waits for a receiver");
    let listed = pipeline.gistmill(&["delivery", "ls", "--tenant", TENANT, "--json"])?;
    let listed: serde_json::Value = serde_json::from_str(&listed)?;
    let waiting = listed["waiting"].as_array().map_or(0, Vec::len);
    assert_eq!(waiting, 90, "{listed}");

    // Back again, it gets what it has missed.
    receiver.answer_always("/refusing", None);
    eventually("what was missed", PATIENCE, || {
        pipeline.rows.query("UPDATE delivery_queue SET next_at = now() WHERE worker IS NULL", &[])?;
        let of_refusing = "SELECT count(*) FROM delivery_queue WHERE chat = 'group/refusing'";
        Ok((pipeline.rows.number(of_refusing)? == 0).then_some(()))
    })?;
    sink.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn nothing_is_posted_to_what_is_not_public() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("webhook_inside")? else { return Ok(()) };
    let keys = [("GISTMILL_KEYS__MASTER", MASTER_KEY)];
    let set =
        |url: &str| pipeline.output(&["webhook", "set", url, "--tenant", TENANT, "--group", "inside"], &keys);
    for url in [
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "http://hooks.example.org/",
    ] {
        let refused = set(url)?;
        assert_eq!(refused.status.code(), Some(1), "{url}: {refused:?}");
    }
    // A name may be set: what it resolves to is seen when it is posted to.
    let inside = TcpListener::bind("127.0.0.1:0")?;
    inside.set_nonblocking(true)?;
    assert!(set(&format!("https://localhost:{}/", inside.local_addr()?.port()))?.status.success());
    feed(&pipeline, "inside", 1)?;
    let sink = pipeline.unit("webhook_sink", &keys)?;
    let why = eventually("the delivery has failed", PATIENCE, || {
        let failed = pipeline.rows.query("SELECT error FROM deliveries WHERE status = 'failed'", &[])?;
        failed.first().map(|row| sqlx::Row::try_get::<String, _>(row, 0)).transpose().map_err(Into::into)
    })?;
    assert!(why.contains("is not an address of the public internet"), "{why}");
    assert!(inside.accept().is_err(), "nobody has connected");
    sink.stop(PATIENCE)?;
    pipeline.finish()
}

#[test]
fn a_sink_killed_at_each_step_repeats_itself_word_for_word() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("webhook_kills")? else { return Ok(()) };
    let mut kills = DoorKills::of(&pipeline, Receiver::start()?)?;
    let after = |ms| DoorMoment::After(Duration::from_millis(ms));
    for moment in [DoorMoment::Delivered, DoorMoment::Writing, after(0), DoorMoment::Delivered, after(40)] {
        kills.feed(6)?;
        assert!(kills.kill(moment)?, "{moment:?} did not come");
    }
    let told = kills.settle()?;
    eprintln!("{told:?}");
    assert_eq!((told.windows, told.unknown), (30, 0));
    assert!(told.repeated >= 2, "those that were answered when the sink was gone");
    pipeline.finish()
}
