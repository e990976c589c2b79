//! What a connection tells → the session that reads by it.
//!
//! Invariant: the connection is never held up, since what it cannot hand on it drops unsaid. Here it is said.

use crate::peer::Push;
use tokio::sync::mpsc::{self, error::TrySendError};

/// Hands on what is told while the session has room for it. What is above that is dropped, and the session hears so as soon as it has
/// room: it asks for what it has missed. Ends with either of both.
pub(super) async fn hand_on<T>(
    mut told: mpsc::Receiver<T>,
    pushes_of: fn(T) -> Vec<Push>,
    session: mpsc::Sender<Push>,
) {
    let mut is_missed = false;
    loop {
        tokio::select! {
            biased;
            room = session.reserve(), if is_missed => {
                let Ok(room) = room else { return };
                room.send(Push::Interrupted("more came than could wait".to_owned()));
                is_missed = false;
            }
            next = told.recv() => {
                let Some(next) = next else { return };
                for push in pushes_of(next) {
                    match session.try_send(push) {
                        Ok(()) => {}
                        Err(TrySendError::Full(_)) => {
                            is_missed = true;
                            break;
                        }
                        Err(TrySendError::Closed(_)) => return,
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Event;

    fn numbered(pts: i32) -> Vec<Push> {
        vec![Push::Event { channel: None, pts, count: 1, event: Event::Other }]
    }

    fn seen(push: Option<Push>) -> i32 {
        match push {
            Some(Push::Event { pts, .. }) => pts,
            Some(Push::Interrupted(_)) => 0,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_session_has_no_room_for_is_said_to_be_missed_even_if_nothing_follows() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (connection, told) = mpsc::channel(16);
            let (session, mut pushes) = mpsc::channel(2);
            for pts in 1..=5 {
                connection.try_send(pts).expect("room");
            }
            let handing = tokio::spawn(hand_on(told, numbered, session));
            while connection.capacity() < connection.max_capacity() {
                tokio::task::yield_now().await;
            }
            assert_eq!((seen(pushes.recv().await), seen(pushes.recv().await)), (1, 2));
            assert_eq!(seen(pushes.recv().await), 0, "three were dropped");
            connection.send(6).await.expect("it is listened to");
            assert_eq!(seen(pushes.recv().await), 6);
            drop(connection);
            handing.await.expect("an end");
            assert!(pushes.recv().await.is_none(), "the session hears of the end");
        });
    }
}
