//! Receivers that are away, refuse, or send us elsewhere.

use crate::support::{World, blocked, digest, pairs};
use sqlx::Row;
use tests::Answering;

#[tokio::test]
async fn a_request_is_repeated_with_the_same_id_and_the_same_body() {
    let Some(world) = World::new("webhook_repeated").await else { return };
    world.receiver.answer_first("/a", vec![Answering::Status(500, "oops"), Answering::Status(502, "")]);
    world.deliver(&[digest(0, "1.0")]).await;
    assert_eq!(world.states().await, pairs(&[("1.0", "sending")]), "it may be there");
    let waiting = world.database.store.waiting_deliveries("t").await.unwrap();
    let said = waiting[0].said.as_deref();
    assert_eq!((waiting[0].tries, said), (1, Some("it answers 500 Internal Server Error: oops")));
    // Not before its time.
    world.sink().try_what_is_due().await.unwrap();
    assert_eq!(world.told().len(), 1);
    world.hurry().await;
    world.hurry().await;
    let posted = world.receiver.posted();
    assert_eq!(posted.len(), 3);
    assert!(posted.iter().all(|it| it.id == posted[0].id && it.text == posted[0].text), "{posted:?}");
    assert_eq!(world.states().await, pairs(&[("1.0", "sent")]));
    assert_eq!(world.said().await, [("1.0".to_owned(), "success".to_owned(), None)]);
    world.database.drop().await;
}

#[tokio::test]
async fn a_newer_version_follows_one_that_may_be_there_as_an_edit() {
    let Some(world) = World::new("webhook_follows").await else { return };
    world.receiver.answer_first("/a", vec![Answering::Status(500, "")]);
    world.deliver(&[digest(0, "1.0")]).await;
    world.plan(&[digest(0, "2.0")]).await.unwrap();
    world.hurry().await;
    assert_eq!(world.told(), pairs(&[("digest.new", "1.0"), ("digest.edited", "2.0")]));
    assert_eq!(world.states().await, pairs(&[("1.0", "superseded"), ("2.0", "sent")]));
    world.database.drop().await;
}

#[tokio::test]
async fn a_version_that_may_be_there_is_over_when_the_newer_one_is_refused() {
    let Some(world) = World::new("webhook_overtaken").await else { return };
    world.receiver.answer_first("/a", vec![Answering::Status(500, ""), Answering::Status(404, "no hook")]);
    world.deliver(&[digest(0, "1.0")]).await;
    world.plan(&[digest(0, "2.0")]).await.unwrap();
    world.hurry().await;
    assert_eq!(world.states().await, pairs(&[("1.0", "failed"), ("2.0", "failed")]));
    assert_eq!(world.waiting().await, 0);
    let said: Vec<_> = world.said().await.into_iter().map(|(version, status, _)| (version, status)).collect();
    assert_eq!(said, pairs(&[("2.0", "failed"), ("1.0", "failed")]));
    // It may have been there all the same.
    world.deliver(&[digest(0, "3.0")]).await;
    assert_eq!(world.told().pop().unwrap(), ("digest.edited".to_owned(), "3.0".to_owned()));
    world.database.drop().await;
}

#[tokio::test]
async fn what_may_be_there_is_withdrawn_with_a_word() {
    let Some(world) = World::new("webhook_doubt").await else { return };
    world.receiver.answer_first("/a", vec![Answering::Status(500, "")]);
    world.deliver(&[digest(0, "1.0")]).await;
    world.block(blocked("2.0")).await;
    world.hurry().await;
    assert_eq!(world.told(), pairs(&[("digest.new", "1.0"), ("digest.withdrawn", "2.0")]));
    assert_eq!(world.waiting().await, 0);
    world.database.drop().await;
}

#[tokio::test]
async fn a_receiver_says_when_to_come_again() {
    let Some(world) = World::new("webhook_wait").await else { return };
    world.receiver.answer_first("/a", vec![Answering::Wait(429, 1_200), Answering::Wait(503, 999_999)]);
    world.deliver(&[digest(0, "1.0")]).await;
    assert_eq!(world.states().await, pairs(&[("1.0", "planned")]), "it is not there");
    let wait = "SELECT (extract(epoch FROM next_at - now()) / 60)::integer FROM delivery_queue";
    let minutes = async || world.database.rows("t", wait).await[0].get::<i32, _>(0);
    assert!((19..=20).contains(&minutes().await));
    world.hurry().await;
    assert!((59..=60).contains(&minutes().await), "an hour at most");
    world.hurry().await;
    assert_eq!(world.states().await, pairs(&[("1.0", "sent")]));
    world.database.drop().await;
}

#[tokio::test]
async fn who_is_gone_is_not_asked_again_until_an_operator_says_so() {
    let Some(world) = World::new("webhook_gone").await else { return };
    world.receiver.answer_first("/a", vec![Answering::Status(410, "moved out")]);
    world.deliver(&[digest(0, "1.0")]).await;
    world.deliver(&[digest(1, "1.0")]).await;
    assert_eq!(world.told().len(), 1);
    let disabled = world.database.store.disabled_targets("t").await.unwrap();
    let found: Vec<_> = disabled.iter().map(|it| (&*it.channel, &*it.chat, &*it.reason)).collect();
    assert_eq!(found, [("webhook", "tenant", "it answers 410 Gone: moved out")]);
    let errors = world.errors().await;
    let expected =
        ["it answers 410 Gone: moved out", "the target is disabled: it answers 410 Gone: moved out"];
    assert_eq!(errors, expected);
    assert_eq!(world.said().await.len(), 2);
    assert!(world.database.store.enable_target("t", "webhook", "tenant").await.unwrap());
    world.deliver(&[digest(2, "1.0")]).await;
    assert_eq!(world.told().len(), 2);
    world.database.drop().await;
}

#[tokio::test]
async fn what_is_refused_failed_with_the_receivers_words() {
    let Some(world) = World::new("webhook_refused").await else { return };
    let elsewhere = Answering::Redirect("http://169.254.169.254/latest/meta-data/".to_owned());
    world.receiver.answer_first("/a", vec![Answering::Status(404, "no such hook"), elsewhere]);
    world.deliver(&[digest(0, "1.0")]).await;
    world.deliver(&[digest(1, "1.0")]).await;
    let errors = world.errors().await;
    let expected = [
        "it answers 302 Found; redirects are not followed: set the address itself",
        "it answers 404 Not Found: no such hook",
    ];
    assert_eq!(errors, expected);
    let said = world.said().await;
    assert!(said.iter().all(|(_, status, _)| status == "failed"), "{said:?}");
    // The next version is no edit of what was refused.
    world.deliver(&[digest(0, "2.0")]).await;
    assert_eq!(world.told().pop().unwrap(), ("digest.new".to_owned(), "2.0".to_owned()));
    world.database.drop().await;
}

#[tokio::test]
async fn a_delivery_is_given_up_after_three_days() {
    let Some(world) = World::new("webhook_given_up").await else { return };
    world.receiver.answer_always("/a", Some(Answering::Status(503, "")));
    world.deliver(&[digest(0, "1.0")]).await;
    world.change("UPDATE delivery_queue SET planned_at = now() - interval '71 hours'").await;
    world.hurry().await;
    assert_eq!(world.waiting().await, 1);
    world.change("UPDATE delivery_queue SET planned_at = now() - interval '73 hours'").await;
    world.hurry().await;
    assert_eq!(world.waiting().await, 0);
    let why = "given up after 72 hours: it answers 503 Service Unavailable".to_owned();
    assert_eq!(world.said().await, [("1.0".to_owned(), "failed".to_owned(), Some(why))]);
    // It may have been there all the same.
    world.receiver.answer_always("/a", None);
    world.deliver(&[digest(0, "2.0")]).await;
    assert_eq!(world.told().pop().unwrap(), ("digest.edited".to_owned(), "2.0".to_owned()));
    world.database.drop().await;
}

#[tokio::test]
async fn a_group_without_a_webhook_fails_by_name() {
    let Some(world) = World::new("webhook_none").await else { return };
    world.plan(&[digest(0, "1.0")]).await.unwrap();
    assert!(world.database.store.remove_webhook("t", "").await.unwrap());
    world.hurry().await;
    world.deliver(&[digest(1, "1.0")]).await;
    // Read again.
    world.deliver(&[digest(1, "1.0")]).await;
    let errors: Vec<_> = world.said().await.into_iter().filter_map(|(_, _, error)| error).collect();
    let expected =
        ["the webhook was removed", "no webhook is set for the group or its tenant: gistmill webhook set"];
    assert_eq!(errors, expected);
    world.database.drop().await;
}

#[tokio::test]
async fn a_sink_that_was_killed_takes_up_what_it_was_trying() {
    let Some(world) = World::new("webhook_killed").await else { return };
    world.plan(&[digest(0, "1.0")]).await.unwrap();
    let began = "UPDATE delivery_queue SET worker = 'w', kind = 'new', tries = 1, next_at = now() + interval '1 hour'";
    world.change(began).await;
    let mut connection = world.database.app().await;
    crate::database::run(&mut connection, "SELECT set_config('app.current_tenant', 't', false)")
        .await
        .unwrap();
    let sending = "UPDATE deliveries SET status = 'sending', reference = 'x', sending_at = now()";
    crate::database::run(&mut connection, sending).await.unwrap();
    world.sink().try_what_is_due().await.unwrap();
    assert_eq!(world.told().len(), 0, "another may be trying it");
    assert_eq!(world.database.store.free_deliveries("webhook", "other").await.unwrap(), 0);
    assert_eq!(world.database.store.free_deliveries("webhook", "w").await.unwrap(), 1);
    world.sink().try_what_is_due().await.unwrap();
    assert_eq!(world.states().await, pairs(&[("1.0", "sent")]));
    world.database.drop().await;
}
