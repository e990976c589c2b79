//! A small window per role, and the property that all authors are covered.

use super::*;
use proptest::prelude::*;
use schemas::{ReplyLink, Thread};

fn post(id: i64, author: &str, text: &str) -> ContextMessage {
    ContextMessage { is_bot: author == "bot", ..fixtures::message(id, id * 1000, author, text) }
}

fn link(id: i64, parent: i64) -> ReplyLink {
    ReplyLink { id, parent, score: 1.0 }
}

fn window() -> (Vec<ContextMessage>, Threads) {
    let messages = vec![
        post(1, "anna", "как поднять стенд?"),
        post(2, "boris", "docker compose up"),
        post(3, "anna", "а логи где?"),
        post(4, "boris", "в соседней папке"),
        post(5, "vera", "Решили: стенд переносим на четверг"),
        post(6, "bot", "build 12 passed"),
        post(7, "gleb", "ура"),
    ];
    let links = vec![link(2, 1), link(3, 2), link(4, 3), link(5, 4)];
    let threads = vec![
        Thread { thread_id: 1, message_ids: vec![1, 2, 3, 4, 5] },
        Thread { thread_id: 6, message_ids: vec![6] },
        Thread { thread_id: 7, message_ids: vec![7] },
    ];
    (messages, Threads { links, threads })
}

fn person(roles: &Roles, author: &str) -> ParticipantRole {
    roles.participants.iter().find(|person| person.author_id == author).unwrap().clone()
}

#[test]
fn each_role_is_seen_and_cited() {
    let (messages, threads) = window();
    let roles = find(&messages, &threads);
    let found: Vec<_> = ["anna", "boris", "vera", "bot", "gleb"]
        .map(|author| person(&roles, author))
        .map(|person| (person.role, person.message_ids))
        .to_vec();
    let expected = [
        ("asker", vec![1, 3]),
        ("helper", vec![2, 4]),
        ("decider", vec![5]),
        ("bot", vec![6]),
        ("observer", vec![7]),
    ];
    assert_eq!(found, expected.map(|(role, ids)| (role.to_owned(), ids)));
    assert_eq!(person(&roles, "boris").replies_received, 2);
}

#[test]
fn without_threads_the_input_is_rejected() {
    let mut state = fixtures::state(Vec::new());
    assert_eq!(RoleFinder.run(&mut state).unwrap_err().reason, "missing_artifact");
    state.threads = Some(Threads::default());
    assert!(RoleFinder.run(&mut state).is_ok());
    assert_eq!(state.roles, Some(Roles::default()));
}

proptest! {
    #[test]
    fn every_author_is_a_participant(
        posts in proptest::collection::vec((0_i64..20, "[a-d]?", "\\PC{0,20}"), 0..25),
        links in proptest::collection::vec((0_i64..25, 0_i64..25), 0..25),
    ) {
        let messages: Vec<_> = posts.iter().map(|(id, author, text)| post(*id, author, text)).collect();
        let links = links.into_iter().map(|(id, parent)| link(id, parent)).collect();
        let roles = find(&messages, &Threads { links, threads: Vec::new() });
        for person in &roles.participants {
            for id in &person.message_ids {
                prop_assert!(messages.iter().any(|message| message.id == *id));
            }
        }
        let ranks: f64 = roles.participants.iter().map(|person| person.centrality).sum();
        prop_assert!(roles.participants.is_empty() || (ranks - 1.0).abs() < 1e-6);
    }
}
