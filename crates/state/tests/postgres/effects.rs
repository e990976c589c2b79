//! The ledger of effects: where each part is, and what is known of its target.

use crate::{
    database::{CLUSTER, Database, partition},
    samples::ready,
};
use schemas::DigestReadyForDelivery;
use state::{
    Batch, BatchBounds, Delivery, DeliveryStatus, EffectState, LedgerVersion, Opened, Store, TargetState,
};

/// The next batch of a sink that delivers messages, open.
pub(crate) async fn open(store: &Store) -> Box<Batch> {
    let partition = partition("telegram_sink", "ready");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: claim.next_offset + 1 };
    match store.open_batch(&bounds).await.unwrap() {
        Opened::Batch(batch) => batch,
        Opened::Written => panic!("written"),
    }
}

pub(crate) fn part<'a>(ready: &'a DigestReadyForDelivery, chat: &'a str, part: i32) -> Delivery<'a> {
    Delivery {
        tenant_id: &ready.tenant_id,
        group_id: &ready.group_id,
        window_id: &ready.window_id,
        digest_id: &ready.digest_id,
        version: ready.version.parse().unwrap(),
        channel: "telegram",
        chat,
        part,
    }
}

pub(crate) fn state(status: DeliveryStatus, reference: Option<&'static str>) -> EffectState<'static> {
    EffectState { status, reference, error: None }
}

/// Version, part, state and place of every effect of a delivery.
async fn effects(batch: &mut Batch, of: &Delivery<'_>) -> Vec<(String, i32, DeliveryStatus, Option<String>)> {
    let effects = batch.effects(of).await.unwrap();
    effects.into_iter().map(|it| (it.version.to_string(), it.part, it.status, it.reference)).collect()
}

#[tokio::test]
async fn an_effect_is_found_where_it_was_put_by_version_and_part() {
    use DeliveryStatus::{Sending, Sent};
    let Some(database) = Database::new("effects_put").await else { return };
    let (first, second) = (ready("t", 0, "2.0"), ready("t", 0, "10.0"));
    let mut batch = open(&database.store).await;
    for (of, number) in [(&second, 1), (&first, 2), (&first, 1)] {
        batch.put_effect(&part(of, "-5", number), &state(Sending, None)).await.unwrap();
    }
    batch.put_effect(&part(&first, "-5", 1), &state(Sent, Some("7"))).await.unwrap();
    batch.put_effect(&part(&first, "-6/2", 1), &state(Sent, Some("9"))).await.unwrap();
    let expected = [
        ("2.0".to_owned(), 1, Sent, Some("7".to_owned())),
        ("2.0".to_owned(), 2, Sending, None),
        ("10.0".to_owned(), 1, Sending, None),
    ];
    assert_eq!(effects(&mut batch, &part(&first, "-5", 1)).await, expected);
    assert_eq!(batch.chats(&part(&first, "", 1)).await.unwrap(), ["-5", "-6/2"]);
    batch.commit().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn old_versions_are_forgotten_and_what_is_unknown_never() {
    use DeliveryStatus::{Sent, Unknown};
    let Some(database) = Database::new("effects_forget").await else { return };
    let versions = ["1.0", "2.0", "3.0"].map(|version| ready("t", 0, version));
    let mut batch = open(&database.store).await;
    for (of, status) in versions.iter().zip([Unknown, Sent, Sent]) {
        batch.put_effect(&part(of, "-5", 1), &state(status, None)).await.unwrap();
    }
    let newest = LedgerVersion { version: "2.0".parse().unwrap(), digest_id: String::new(), status: Sent };
    let of = part(&versions[0], "-5", 1);
    batch.forget_effects(&of, &newest).await.unwrap();
    let left: Vec<String> = effects(&mut batch, &of).await.into_iter().map(|it| it.0).collect();
    assert_eq!(left, ["1.0", "3.0"]);
    batch.commit().await.unwrap();
    database.drop().await;
}

#[tokio::test]
async fn a_target_that_moved_and_was_disabled_is_known_by_its_first_name() {
    let Some(database) = Database::new("effects_targets").await else { return };
    let ready = ready("t", 0, "1.0");
    let (of, other) = (part(&ready, "-5", 1), part(&ready, "-6", 1));
    let mut batch = open(&database.store).await;
    assert_eq!(batch.target(&of).await.unwrap(), TargetState::default());
    batch.move_target(&of, "-1009").await.unwrap();
    batch.disable_target(&of, "Forbidden: bot was kicked").await.unwrap();
    let known = TargetState {
        moved_to: Some("-1009".to_owned()),
        disabled: Some("Forbidden: bot was kicked".to_owned()),
    };
    assert_eq!(batch.target(&of).await.unwrap(), known);
    assert_eq!(batch.target(&other).await.unwrap(), TargetState::default());
    batch.commit().await.unwrap();
    database.drop().await;
}
