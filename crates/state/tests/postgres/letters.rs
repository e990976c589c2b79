//! What became of dead letters.

use crate::database::Database;
use state::{LetterInput, LetterState, ReplayLock, Settling};

fn input(offset: i64) -> LetterInput {
    LetterInput { unit: "topic".to_owned(), topic: "t.v1".to_owned(), partition: 1, offset }
}

fn to(state: LetterState, reason: &str) -> Settling<'_> {
    Settling { state, reason, actor: "ops" }
}

#[tokio::test]
async fn what_was_settled_last_counts() {
    let Some(database) = Database::new("letters").await else { return };
    let store = &database.store;
    let settle = async |offsets: &[i64], settling| {
        let inputs: Vec<LetterInput> = offsets.iter().copied().map(input).collect();
        store.settle_letters(&inputs, settling).await
    };
    settle(&[], to(LetterState::Parked, "")).await.unwrap();
    settle(&[7, 3, 3, 5], to(LetterState::Parked, "later")).await.unwrap();
    settle(&[5], to(LetterState::Replayed, "")).await.unwrap();
    settle(&[7], to(LetterState::Discarded, "a test")).await.unwrap();
    settle(&[3], to(LetterState::Open, "")).await.unwrap();
    let settled = store.settled_letters().await.unwrap();
    let told: Vec<_> =
        settled.iter().map(|it| (it.input.offset, it.state.as_str(), it.reason.as_str())).collect();
    assert_eq!(told, [(3, "open", ""), (5, "replayed", ""), (7, "discarded", "a test")]);
    assert!(settled.iter().all(|it| it.actor == "ops" && it.at_ms > 1_700_000_000_000), "{settled:?}");
    let unexplained = settle(&[3], to(LetterState::Discarded, "")).await;
    assert!(unexplained.is_err(), "nothing is discarded without a reason");
    database.drop().await;
}

#[tokio::test]
async fn of_two_replays_at_once_the_second_is_refused() {
    let Some(database) = Database::new("letters_lock").await else { return };
    let take = async || ReplayLock::take(database.url(), &database.schema).await.unwrap();
    let first = take().await.expect("nobody replays");
    assert!(take().await.is_none(), "one runs");
    first.release().await.unwrap();
    assert!(take().await.is_some(), "it has ended");
    database.drop().await;
}
