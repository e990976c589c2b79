//! A digest for those who have subscribed: a message each, edited with the group's own, taken back with it.

use crate::support::{CHAT, World, blocked, digest, event};
use state::{Subscription, SubscriptionEnd};
use tests::bot_api::{Chat, Fault, Kind};

const ANN: i64 = 7;
const BO: i64 = 8;

async fn world(test: &str) -> Option<World> {
    let world = World::new(test).await?;
    for person in [ANN, BO] {
        world.bot.add_chat(Chat::new(person, Kind::Private, "Ann"));
        let group_id = digest(0, "1.0").group_id;
        let of = Subscription { tenant_id: "t", group_id: &group_id, person_id: person };
        assert!(world.database.store.subscribe(&of, (CHAT, 0)).await.unwrap());
    }
    Some(world)
}

fn text(world: &World, person: i64) -> String {
    let posts = world.bot.posts(person);
    assert_eq!(posts.len(), 1, "{posts:?}");
    posts[0]["text"].as_str().unwrap().to_owned()
}

async fn ended(world: &World) -> Vec<(i64, Option<String>)> {
    let group_id = digest(0, "1.0").group_id;
    let all = world.database.store.subscribers("t", &group_id).await.unwrap();
    all.into_iter().map(|it| (it.person_id, it.ended_why)).collect()
}

#[tokio::test]
async fn a_copy_is_posted_once_edited_and_withdrawn_with_the_groups_own() {
    let Some(world) = world("telegram_copies").await else { return };
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.deliver(&[digest(0, "1.0"), digest(0, "2.0")]).await.unwrap();
    for person in [ANN, BO] {
        assert!(text(&world, person).starts_with("day 0 version 2.0\n"));
        let button = &world.bot.posts(person)[0]["reply_markup"]["inline_keyboard"][0][0];
        assert_eq!(button["text"], "Unsubscribe", "an edit keeps it");
    }
    assert_eq!(world.bot.calls_of("sendMessage").len(), 3);
    assert_eq!(world.bot.calls_of("editMessageText").len(), 3);
    world.block(blocked("3.0", 0)).await.unwrap();
    assert_eq!(text(&world, ANN), world.texts()[0], "withdrawn everywhere");
    let said: Vec<_> = world.said().await.into_iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(said.iter().filter(|it| it.1 == "success").count(), 2, "once for each version: {said:?}");
    world.database.drop().await;
}

#[tokio::test]
async fn who_has_unsubscribed_gets_no_more_and_what_is_there_is_still_corrected() {
    let Some(world) = world("telegram_copies_former").await else { return };
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    let group_id = digest(0, "1.0").group_id;
    let of = Subscription { tenant_id: "t", group_id: &group_id, person_id: ANN };
    let end = SubscriptionEnd { at_ms: i64::MAX, why: "the person asked for it" };
    world.database.store.unsubscribe(&of, &end).await.unwrap();
    world.deliver(&[digest(0, "1.0"), digest(0, "2.0"), digest(1, "1.0")]).await.unwrap();
    assert!(text(&world, ANN).starts_with("day 0 version 2.0\n"), "one post, corrected");
    assert!(world.bot.posts(ANN)[0]["reply_markup"].is_null(), "without a button that ends what has ended");
    assert_eq!(world.bot.posts(BO).len(), 2);
    world.deliver(&[digest(0, "2.0"), digest(1, "1.0")]).await.unwrap();
    assert_eq!(world.bot.calls_of("editMessageText").len(), 3, "once each");
    world.database.drop().await;
}

#[tokio::test]
async fn who_blocks_the_bot_or_leaves_the_chat_is_unsubscribed_by_name_and_nobody_else_waits() {
    let Some(world) = world("telegram_copies_ended").await else { return };
    world.bot.add_chat(Chat::new(ANN, Kind::Private, "Ann").blocked());
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert!(text(&world, BO).starts_with("day 0"));
    let forbidden = Some("Forbidden: bot was blocked by the user".to_owned());
    assert_eq!(ended(&world).await, [(ANN, forbidden.clone()), (BO, None)]);
    assert_eq!(world.said().await, [event("1.0", "success", None)], "of the group's own");
    world.bot.leave(CHAT, BO);
    world.deliver(&[digest(1, "1.0")]).await.unwrap();
    assert_eq!(world.bot.posts(BO).len(), 1);
    let gone = Some("the person has left the group's chat".to_owned());
    assert_eq!(ended(&world).await, [(ANN, forbidden), (BO, gone)]);
    assert_eq!(world.texts().len(), 2);
    // What Bo has is withdrawn all the same; where that is refused nothing is left that stands in the way of another /subscribe.
    world.bot.add_chat(Chat::new(BO, Kind::Private, "Bo").blocked());
    world.block(blocked("3.0", 0)).await.unwrap();
    assert_eq!(world.database.store.disabled_targets("t").await.unwrap(), []);
    world.database.drop().await;
}

#[tokio::test]
async fn a_copy_that_may_have_been_posted_is_unknown_and_never_posted_again() {
    let Some(world) = world("telegram_copies_unknown").await else { return };
    world.bot.fault("sendMessage", Some(ANN), Fault::CloseAfter);
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    world.deliver(&[digest(0, "1.0")]).await.unwrap();
    assert_eq!(world.bot.calls_of("sendMessage").len(), 3);
    let unknown = world.database.store.unknown_deliveries("t").await.unwrap();
    assert_eq!(unknown.iter().map(|it| &*it.chat).collect::<Vec<_>>(), ["7"]);
    world.database.drop().await;
}
