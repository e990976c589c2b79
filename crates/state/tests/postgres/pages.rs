//! Listings page by page: every row once, in one order, whatever the size of the pages.

use crate::{
    database::{CLUSTER, Database, partition, run},
    messages::write_group,
    samples::{START, blocked, message, ready},
};
use state::{BatchBounds, DeliveryPage, DeliveryPlace, MessagePage, Opened, Store, WindowPage, WindowPlace};

async fn ids(store: &Store, limit: u32) -> Vec<(i64, String)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = MessagePage {
            tenant_id: "t".to_owned(),
            group_id: "g".to_owned(),
            since_ms: START + 2_000,
            until_ms: START + 8_000,
            after,
            limit,
        };
        let messages = store.message_page(&page).await.unwrap();
        all.extend(messages.iter().map(|message| (message.id, message.text.clone())));
        after = messages.last().map(|message| (message.sent_at, message.id));
        if messages.len() < limit as usize {
            return all;
        }
    }
}

#[tokio::test]
async fn a_message_is_on_one_page_in_its_newest_state_and_on_none_once_it_is_deleted() {
    let Some(database) = Database::new("pages_messages").await else { return };
    let store = &database.store;
    let mut states: Vec<_> = (1..=9).map(|id| (id, message(id, 0, "new", "said"))).collect();
    states.push((10, message(4, 1, "edited", "corrected")));
    states.push((11, message(5, 1, "deleted", "")));
    write_group(store, "g", &states).await;
    write_group(store, "other", &[(12, message(3, 0, "new", "elsewhere"))]).await;
    let text = |id| if id == 4 { "corrected" } else { "said" };
    let expected: Vec<(i64, String)> = [2, 3, 4, 6, 7].map(|id| (id, text(id).to_owned())).to_vec();
    for limit in [1, 2, 3, 100] {
        assert_eq!(ids(store, limit).await, expected, "{limit} a page");
    }
    let groups = |after: Option<&'static str>| async move {
        let known = store.group_page("t", after, 10).await.unwrap();
        known.into_iter().map(|group| (group.group_id, group.last_sent_at)).collect::<Vec<_>>()
    };
    let (g, other) = (("g".to_owned(), START + 9_000), ("other".to_owned(), START + 3_000));
    assert_eq!(groups(None).await, [g, other.clone()]);
    assert_eq!(groups(Some("g")).await, [other]);
    assert_eq!(store.group_page("u", None, 10).await.unwrap(), []);
    let cited = |offset| async move {
        let cited = store.cited_messages(("t", "g"), (0, offset), &[4, 5, 77]).await.unwrap();
        cited.into_iter().map(|message| (message.id, message.text)).collect::<Vec<_>>()
    };
    assert_eq!(cited(9).await, [(4, "said".to_owned())], "as it was, without the one that was deleted since");
    assert_eq!(cited(10).await, [(4, "corrected".to_owned())]);
    database.drop().await;
}

#[tokio::test]
async fn windows_are_listed_by_time_with_their_digest_or_why_there_is_none() {
    let Some(database) = Database::new("pages_windows").await else { return };
    let store = &database.store;
    let partition = partition("postgres_sink", "t");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: 1 };
    let Opened::Batch(mut batch) = store.open_batch(&bounds).await.unwrap() else { panic!("written") };
    for day in [0, 1, 3] {
        batch.put_digest(&ready("acme", day, "1.0")).await.unwrap();
    }
    batch.put_digest(&ready("beta", 7, "1.0")).await.unwrap();
    batch.put_blocked(&blocked("acme", 2, "1.0")).await.unwrap();
    batch.commit().await.unwrap();
    for limit in [1, 3, 10] {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = WindowPage { tenant_id: "acme".to_owned(), after, limit, ..WindowPage::default() };
            let seen = store.window_page(&page).await.unwrap();
            all.extend(
                seen.iter()
                    .map(|window| ((window.window_start - START) / 86_400_000, window.blocked.is_some())),
            );
            after = seen.last().map(|window| WindowPlace {
                start_ms: window.window_start,
                size_hours: window.size_hours,
                group_id: window.group_id.clone(),
                window_id: window.window_id.clone(),
            });
            if seen.len() < limit as usize {
                break;
            }
        }
        assert_eq!(all, [(3, false), (2, true), (1, false), (0, false)], "{limit} a page");
    }
    let digests = WindowPage { tenant_id: "acme".to_owned(), limit: 10, ..WindowPage::default() };
    let found = store.digest_page(&digests).await.unwrap();
    assert_eq!(found.len(), 3);
    let asked = WindowPage { asked: Some(true), ..digests };
    assert_eq!(store.digest_page(&asked).await.unwrap(), []);
    let versions = store.digest_versions("acme", &found[0].window_id).await.unwrap();
    assert_eq!(versions.iter().map(|of| &of.digest_id).collect::<Vec<_>>(), [&found[0].digest_id]);
    let bounds = store.window_bounds("acme", &found[0].window_id).await.unwrap().unwrap();
    assert_eq!(bounds.1, (found[0].window_start, found[0].window_end));
    assert_eq!(store.window_bounds("beta", &found[0].window_id).await.unwrap(), None);
    database.drop().await;
}

/// A window's place in time, its version, and why it was blocked or the headline of its digest.
type Listed = (i64, String, String);

/// All windows of a tenant, and all digests, by pages of so many.
async fn listed(store: &Store, limit: u32, asked: Option<bool>) -> [Vec<Listed>; 2] {
    let mut all = [Vec::new(), Vec::new()];
    let page = |after| WindowPage { tenant_id: "t".to_owned(), after, limit, asked, ..WindowPage::default() };
    let day = |start: i64| (start - START) / 86_400_000;
    let place = |start_ms, size_hours, group_id: &str, window_id: &str| {
        Some(WindowPlace {
            start_ms,
            size_hours,
            group_id: group_id.to_owned(),
            window_id: window_id.to_owned(),
        })
    };
    let mut after = None;
    loop {
        let seen = store.window_page(&page(after)).await.unwrap();
        let said = |it: &state::WindowSeen| it.blocked.clone().or(it.headline.clone()).unwrap_or_default();
        all[0].extend(seen.iter().map(|it| (day(it.window_start), it.version.clone(), said(it))));
        after = seen.last().and_then(|it| place(it.window_start, it.size_hours, &it.group_id, &it.window_id));
        if seen.len() < limit as usize {
            break;
        }
    }
    let mut after = None;
    loop {
        let seen = store.digest_page(&page(after)).await.unwrap();
        all[1].extend(seen.iter().map(|it| (day(it.window_start), it.version.clone(), it.headline.clone())));
        after = seen.last().and_then(|it| place(it.window_start, it.size_hours, &it.group_id, &it.window_id));
        if seen.len() < limit as usize {
            return all;
        }
    }
}

#[tokio::test]
async fn a_window_is_on_one_page_by_its_last_word_whatever_came_before_it() {
    let Some(database) = Database::new("pages_versions").await else { return };
    let store = &database.store;
    let partition = partition("postgres_sink", "t");
    let claim = store.claim(&partition, CLUSTER).await.unwrap();
    let bounds = BatchBounds { partition, claim, end_offset: 1 };
    let Opened::Batch(mut batch) = store.open_batch(&bounds).await.unwrap() else { panic!("written") };
    // Made twice and again, blocked after a digest, made after it was blocked, blocked twice; and another tenant's.
    for (day, versions) in [(0, &["1.0", "1.1", "2.0"][..]), (1, &["1.0"]), (2, &["2.0"]), (4, &["1.0"])] {
        for version in versions {
            batch.put_digest(&ready("t", day, version)).await.unwrap();
        }
    }
    batch.put_digest(&ready("u", 0, "1.0")).await.unwrap();
    for (day, version) in [(1, "2.0"), (2, "1.0"), (3, "1.0"), (3, "1.2")] {
        batch.put_blocked(&blocked("t", day, version)).await.unwrap();
    }
    batch.commit().await.unwrap();
    let row = |day, version: &str, said: &str| -> Listed { (day, version.to_owned(), said.to_owned()) };
    let digests = [
        row(4, "1.0", "day 4 version 1.0"),
        row(2, "2.0", "day 2 version 2.0"),
        row(0, "2.0", "day 0 version 2.0"),
    ];
    let mut windows = digests.to_vec();
    windows.insert(1, row(3, "1.2", "too_small"));
    windows.insert(3, row(1, "2.0", "too_small"));
    for limit in [1, 2, 3, 100] {
        for asked in [None, Some(false)] {
            let [found, of_digests] = listed(store, limit, asked).await;
            assert_eq!((found, of_digests), (windows.clone(), digests.to_vec()), "{limit} a page, {asked:?}");
        }
        assert_eq!(listed(store, limit, Some(true)).await, [Vec::new(), Vec::new()]);
    }
    let group = |group: &str| WindowPage {
        tenant_id: "t".to_owned(),
        group_id: Some(group.to_owned()),
        limit: 100,
        ..WindowPage::default()
    };
    assert_eq!(store.window_page(&group("g")).await.unwrap().len(), windows.len());
    assert_eq!(store.window_page(&group("h")).await.unwrap(), []);
    database.drop().await;
}

#[tokio::test]
async fn deliveries_are_on_one_page_each_the_newest_first_and_a_windows_are_found_by_it() {
    let Some(database) = Database::new("pages_deliveries").await else { return };
    let store = &database.store;
    let mut app = database.app().await;
    run(&mut app, "SELECT set_config('app.current_tenant', 't', false)").await.unwrap();
    // Twelve at three times, so that most share theirs; each with a row that is no part.
    for part in [0, 1] {
        let rows = format!(
            "INSERT INTO deliveries (tenant_id, window_id, channel, chat, revision, attempt, part, group_id, digest_id,
                 status, planned_at)
             SELECT 't', 'w' || n % 4, 'email', 'c' || n, 0, 0, {part}, 'g' || n % 2, 'd', 'sent',
                 'epoch'::timestamptz + n % 3 * interval '1000001 microseconds' FROM generate_series(1, 12) AS n"
        );
        run(&mut app, &rows).await.unwrap();
    }
    let mut whole = Vec::new();
    for limit in [100, 1, 5] {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = DeliveryPage { tenant_id: "t".to_owned(), after, limit, ..DeliveryPage::default() };
            let seen = store.delivery_page(&page).await.unwrap();
            after = seen.last().map(|last| last.place.clone());
            all.extend(seen.iter().map(|seen| (seen.place.planned_us, seen.place.chat.clone())));
            if seen.len() < limit as usize {
                break;
            }
        }
        if whole.is_empty() {
            whole = all.clone();
        }
        assert_eq!(all, whole, "{limit} a page");
    }
    assert_eq!(whole.len(), 12);
    assert!(whole.is_sorted_by_key(|(planned_us, _)| std::cmp::Reverse(*planned_us)));
    assert_eq!(whole.last().map(|(planned_us, _)| *planned_us), Some(0));
    let of_group = DeliveryPage {
        tenant_id: "t".to_owned(),
        group_id: Some("g1".to_owned()),
        limit: 100,
        ..DeliveryPage::default()
    };
    assert_eq!(store.delivery_page(&of_group).await.unwrap().len(), 6);
    let of_window = store.window_deliveries("t", "w1", 100).await.unwrap();
    let mut chats: Vec<_> = of_window.iter().map(|seen| seen.place.chat.as_str()).collect();
    chats.sort_unstable();
    assert_eq!(chats, ["c1", "c5", "c9"]);
    for planned_us in [i64::MIN, i64::MAX] {
        let after = Some(DeliveryPlace { planned_us, ..DeliveryPlace::default() });
        let page = DeliveryPage { tenant_id: "t".to_owned(), after, limit: 1, ..DeliveryPage::default() };
        store.delivery_page(&page).await.expect("a cursor that nobody was given is none to fail at");
    }
    assert_eq!(
        store
            .delivery_page(&DeliveryPage { tenant_id: "u".to_owned(), limit: 9, ..DeliveryPage::default() })
            .await
            .unwrap(),
        []
    );
    database.drop().await;
}
