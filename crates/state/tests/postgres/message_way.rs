//! The way of a message: its states, the windows around it, and how these ended.

use crate::{
    database::{CLUSTER, Database, partition},
    messages::write_group,
    samples::{START, blocked, message, ready},
};
use state::{BatchBounds, Delivery, DeliveryStatus, Opened};

#[tokio::test]
async fn a_message_leads_to_its_windows_the_digests_that_cite_it_and_their_deliveries() {
    let Some(database) = Database::new("message_way").await else { return };
    let store = &database.store;
    let edited = message(7, 9, "edited", "more");
    write_group(store, "g", &[(1, message(7, 0, "new", "some")), (2, edited), (3, message(8, 0, "new", ""))])
        .await;
    let partition = partition("postgres_sink", "digest.ready_for_delivery.v1");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    let Opened::Batch(mut batch) = store.open_batch(&bounds).await.unwrap() else { panic!("written") };
    let cited = {
        let mut cited = ready("t", 0, "2.0");
        cited.delivery_payload.summary[0].message_ids = vec![7];
        cited
    };
    batch.put_digest(&ready("t", 0, "1.0")).await.unwrap();
    batch.put_digest(&cited).await.unwrap();
    // Another day, another size that was blocked, and one whose newer version was blocked.
    batch.put_digest(&ready("t", 1, "1.0")).await.unwrap();
    let mut small = blocked("t", 0, "1.0");
    small.window_id = "small".to_owned();
    small.window.size_hours = 4;
    batch.put_blocked(&small).await.unwrap();
    let delivery = Delivery {
        tenant_id: "t",
        group_id: "g",
        window_id: &cited.window_id,
        digest_id: &cited.digest_id,
        version: "2.0".parse().unwrap(),
        channel: "file",
        chat: "",
        part: 1,
    };
    batch.mark_delivery(&delivery, DeliveryStatus::Planned, None).await.unwrap();
    batch.commit().await.unwrap();

    let (states, windows) = store.message_way(("t", "g"), 7).await.unwrap().expect("it is there");
    let told: Vec<_> =
        states.iter().map(|state| (state.revision, &*state.kind, state.source_offset)).collect();
    assert_eq!(told, [(0, "new", 1), (9, "edited", 2)]);
    assert_eq!(states[1].sent_at, START + 7_000);
    let ended: Vec<_> =
        windows.iter().map(|it| (it.size_hours, &*it.version, it.reason.as_deref(), it.cites)).collect();
    assert_eq!(ended, [(4, "1.0", Some("too_small"), false), (24, "2.0", None, true)]);
    assert_eq!(windows[1].digest_id.as_deref(), Some(&*cited.digest_id));
    let lines: Vec<_> =
        windows[1].deliveries.iter().map(|line| (&*line.channel, &*line.version, &*line.status)).collect();
    assert_eq!(lines, [("file", "2.0", "planned")]);
    assert!(windows[0].deliveries.is_empty());
    let (_, of_another) = store.message_way(("t", "g"), 8).await.unwrap().expect("it is there");
    assert!(of_another.iter().all(|window| !window.cites), "{of_another:?}");
    assert_eq!(store.message_way(("t", "g"), 9).await.unwrap(), None);
    assert_eq!(store.message_way(("u", "g"), 7).await.unwrap(), None, "of another tenant");
    database.drop().await;
}
