//! Digests as requests: posted once, again when a newer version comes, and taken back.

use crate::support::{World, blocked, digest, pairs};
use std::collections::BTreeSet;
use tests::Answering;

#[tokio::test]
async fn a_digest_is_posted_once_and_signed_as_public_verifiers_take_it() {
    let Some(world) = World::new("webhook_once").await else { return };
    let mut ready = digest(0, "1.0");
    ready.delivery_payload.headline = "*Release* on <b>\"Friday\"</b>".to_owned();
    world.deliver(&[ready.clone()]).await;
    // Read again, as after a reset: it is known.
    world.deliver(&[ready.clone()]).await;
    let posted = world.receiver.posted();
    let [request] = &posted[..] else { panic!("{posted:?}") };
    assert_eq!(request.verified, Some(Ok(())));
    assert_eq!(request.id, format!("{}_1_0", ready.digest_id));
    assert_eq!((&request.body["type"], &request.body["form"]), (&"digest.new".into(), &1.into()));
    assert_eq!(request.body["timestamp"], "1970-01-01T00:00:00.007Z");
    let data = &request.body["data"];
    assert_eq!(
        (&data["tenant"], &data["group"], &data["digest_id"], &data["version"]),
        (&"t".into(), &ready.group_id.clone().into(), &ready.digest_id.clone().into(), &"1.0".into())
    );
    assert_eq!(data["window"]["start"], "2024-03-01T00:00:00.000Z");
    assert_eq!(data["headline"], "*Release* on <b>\"Friday\"</b>");
    assert!(data["text"].as_str().unwrap().starts_with("*Release* on <b>\"Friday\"</b>\n"), "{data}");
    assert!(data["markdown"].as_str().unwrap().starts_with("# \\*Release\\*"), "{data}");
    let stated = serde_json::json!({ "section": "summary", "text": "said", "message_ids": [1, 2] });
    assert_eq!(data["claims"][0], stated);
    assert_eq!(world.states().await, pairs(&[("1.0", "sent")]));
    assert_eq!(world.said().await, [("1.0".to_owned(), "success".to_owned(), None)]);
    assert_eq!(world.waiting().await, 0);
    world.database.drop().await;
}

#[tokio::test]
async fn a_newer_version_edits_and_an_older_one_never_comes_after_it() {
    let Some(world) = World::new("webhook_edited").await else { return };
    for version in ["1.0", "3.0", "2.0"] {
        world.deliver(&[digest(0, version)]).await;
    }
    assert_eq!(world.told(), pairs(&[("digest.new", "1.0"), ("digest.edited", "3.0")]));
    assert_eq!(world.states().await, pairs(&[("1.0", "sent"), ("2.0", "superseded"), ("3.0", "sent")]));
    let ids: BTreeSet<String> = world.receiver.posted().into_iter().map(|it| it.id).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    world.database.drop().await;
}

#[tokio::test]
async fn a_digest_is_withdrawn_and_may_come_back() {
    let Some(world) = World::new("webhook_withdrawn").await else { return };
    world.deliver(&[digest(0, "1.0")]).await;
    world.block(blocked("2.0")).await;
    // Read again.
    world.block(blocked("2.0")).await;
    world.deliver(&[digest(0, "1.0")]).await;
    assert_eq!(world.told(), pairs(&[("digest.new", "1.0"), ("digest.withdrawn", "2.0")]));
    let notice = world.receiver.posted().remove(1);
    assert_eq!(notice.verified, Some(Ok(())));
    assert!(notice.id.ends_with("_2_0_withdrawn"), "{}", notice.id);
    assert!(notice.body["data"]["text"].as_str().unwrap().contains("withdrawn"), "{}", notice.text);
    let rows = [("1.0", "withdrawn"), ("2.0", "blocked"), ("2.0", "withdrawn")];
    assert_eq!(world.states().await, pairs(&rows));
    let said: Vec<_> = world.said().await.into_iter().map(|(version, status, _)| (version, status)).collect();
    assert_eq!(said, pairs(&[("1.0", "success"), ("1.0", "withdrawn")]));

    world.deliver(&[digest(0, "3.0")]).await;
    assert_eq!(world.told().pop().unwrap(), ("digest.new".to_owned(), "3.0".to_owned()));
    world.database.drop().await;
}

#[tokio::test]
async fn what_was_never_posted_is_withdrawn_without_a_word() {
    let Some(world) = World::new("webhook_unposted").await else { return };
    world.plan(&[digest(0, "1.0")]).await.unwrap();
    world.block(blocked("2.0")).await;
    world.deliver(&[digest(0, "1.0")]).await;
    assert_eq!((world.told().len(), world.waiting().await), (0, 0));
    assert_eq!(world.states().await, pairs(&[("1.0", "withdrawn"), ("2.0", "blocked")]));
    world.database.drop().await;
}

#[tokio::test]
async fn only_the_newest_version_waits_for_a_receiver_that_is_away() {
    let Some(world) = World::new("webhook_newest").await else { return };
    world.plan(&[digest(0, "1.0"), digest(0, "2.0"), digest(1, "1.0"), digest(0, "3.0")]).await.unwrap();
    assert_eq!(world.waiting().await, 2);
    let sink = world.sink();
    while sink.try_what_is_due().await.unwrap() > 0 {}
    let mut told = world.told();
    told.sort();
    assert_eq!(told, pairs(&[("digest.new", "1.0"), ("digest.new", "3.0")]));
    world.database.drop().await;
}

#[tokio::test]
async fn a_target_that_much_waits_for_hides_no_other() {
    let Some(world) = World::new("webhook_fair").await else { return };
    let digests: Vec<_> = (0..70).map(|day| digest(day, "1.0")).collect();
    world.plan(&digests).await.unwrap();
    let secret = world.set(&digests[0].group_id, &world.receiver.url("/own")).await;
    world.receiver.know("/own", &secret);
    world.plan(&[digest(70, "1.0")]).await.unwrap();
    assert_eq!(world.sink().try_what_is_due().await.unwrap(), 2);
    assert_eq!((world.receiver.posted_to("/a").len(), world.receiver.posted_to("/own").len()), (1, 1));
    world.database.drop().await;
}

#[tokio::test]
async fn a_group_has_a_webhook_of_its_own_or_that_of_its_tenant() {
    let Some(world) = World::new("webhook_groups").await else { return };
    let group = digest(0, "1.0").group_id;
    world.deliver(&[digest(0, "1.0")]).await;
    let secret = world.set(&group, &world.receiver.url("/own")).await;
    world.receiver.know("/own", &secret);
    world.deliver(&[digest(1, "1.0")]).await;
    assert_eq!(world.receiver.posted_to("/a").len(), 1);
    let own = world.receiver.posted_to("/own");
    assert_eq!((own.len(), own[0].verified.clone()), (1, Some(Ok(()))));
    // Taken back where it went.
    world.block(blocked("2.0")).await;
    assert_eq!(world.receiver.posted_to("/a").len(), 2);
    world.database.drop().await;
}

#[tokio::test]
async fn while_secrets_rotate_both_verify_and_then_the_new_one_alone() {
    let Some(world) = World::new("webhook_rotation").await else { return };
    let new = world.rotate().await;
    world.deliver(&[digest(0, "1.0")]).await;
    world.receiver.know("/a", &new);
    world.deliver(&[digest(1, "1.0")]).await;
    let posted = world.receiver.posted();
    assert!(posted.iter().all(|it| it.verified == Some(Ok(())) && it.signatures.len() == 2), "{posted:?}");
    let ended = "UPDATE webhook_secrets SET ends_at = now() - interval '1 s' WHERE ends_at IS NOT NULL";
    let mut connection = world.database.app().await;
    crate::database::run(&mut connection, "SELECT set_config('app.current_tenant', 't', false)")
        .await
        .unwrap();
    assert_eq!(crate::database::run(&mut connection, ended).await.unwrap(), 1);
    world.deliver(&[digest(2, "1.0")]).await;
    let last = world.receiver.posted().pop().unwrap();
    assert_eq!((last.verified, last.signatures.len()), (Some(Ok(())), 1));
    world.database.drop().await;
}

#[tokio::test]
async fn what_was_erased_while_it_waited_is_not_posted() {
    let Some(world) = World::new("webhook_erased").await else { return };
    world.plan(&[digest(0, "1.0")]).await.unwrap();
    world.change("UPDATE delivery_queue SET payload = NULL").await;
    world.hurry().await;
    assert_eq!((world.told().len(), world.waiting().await), (0, 0));
    assert_eq!(world.states().await, pairs(&[("1.0", "withdrawn")]));
    world.database.drop().await;
}

#[tokio::test]
async fn a_digest_for_another_channel_is_none_of_ours() {
    let Some(world) = World::new("webhook_other").await else { return };
    let mut ready = digest(0, "1.0");
    ready.channels = vec!["file".to_owned()];
    world.deliver(&[ready]).await;
    assert_eq!((world.told().len(), world.ledger().await.len()), (0, 0));
    world.database.drop().await;
}

#[tokio::test]
async fn whatever_a_receiver_says_beside_200_it_has_the_digest() {
    let Some(world) = World::new("webhook_nonsense").await else { return };
    world.receiver.answer_first("/a", vec![Answering::Nonsense(1 << 20), Answering::Status(299, "?")]);
    world.deliver(&[digest(0, "1.0")]).await;
    world.deliver(&[digest(1, "1.0")]).await;
    assert_eq!(world.states().await, pairs(&[("1.0", "sent"), ("1.0", "sent")]));
    world.database.drop().await;
}
