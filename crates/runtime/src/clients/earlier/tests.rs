//! What an index of vectors and the tables give together, and what is answered while either is not there. Skipped, saying so,
//! without a Postgres (`GISTMILL_POSTGRES__URL`, `GISTMILL_POSTGRES__OWNER_URL`) and a Qdrant (`TEST_GISTMILL_QDRANT`). What a test
//! makes there is left to the end of the stack.

use super::*;
use crate::clients::SINK as STORE_SINK;
use schemas::Message;
use state::{BatchBounds, MessageRow, Opened, Schema, SinkPartition, StoreOptions};
use std::future::Future;
use vector_index::{Change, Model, Options, Point};

const CLUSTER: &str = "cluster-of-tests";
/// Time at which the window begins that is asked about.
const WINDOW_MS: i64 = 1_767_571_200_000;
const ASKED: &str = "how to renew the signing certificate of the installer?";
/// Patience that no test waits out, and one that every test does.
const LONG: Patience = patience(Duration::from_hours(1));
const SHORT: Patience = patience(Duration::from_millis(1));

const fn patience(all: Duration) -> Patience {
    Patience { standstill: all, standstill_while_away: all, search_while_away: all }
}

#[expect(clippy::disallowed_methods, reason = "a test is told by the environment where its peers are")]
fn address(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A schema and a collection of a test's own, with a client of both.
struct World {
    client: EarlierClient,
    store: Store,
    index: Index,
}

fn index(url: &str, test: &str) -> Index {
    let model = Model { id: embedding::MODEL_ID.to_owned(), dimension: embedding::DIMENSION };
    Index::open(Options {
        url: url.to_owned(),
        api_key: None,
        allows_front: true,
        alias: format!("earlier-{test}-{}", std::process::id()),
        model,
        timeout: Duration::from_hours(1),
    })
    .expect("an address")
}

/// Runs a test in a world of its own, whose client looks for Qdrant at `url` where that is told.
async fn with_world<F: Future<Output = ()>>(
    name: &str,
    url: Option<&str>,
    test: impl FnOnce(Arc<World>) -> F,
) {
    let told =
        ["GISTMILL_POSTGRES__URL", "GISTMILL_POSTGRES__OWNER_URL", "TEST_GISTMILL_QDRANT"].map(address);
    let [Some(app), Some(owner), Some(qdrant)] = told else {
        eprintln!("{name}: skipped, no Postgres or no Qdrant is named");
        return;
    };
    let schema = Schema::of_prefix(&format!("earlier_{name}_{}", std::process::id())).expect("a schema");
    state::migrate(&owner, &schema).await.expect("tables");
    let options = StoreOptions { schema, connections_max: 4, ..StoreOptions::default() };
    let store = Store::open(&app, &options).await.expect("a store");
    let index = index(&qdrant, name);
    index.create().await.expect("a collection");
    let looked_at = url.map_or_else(|| index.clone(), |url| self::index(url, name));
    let client = EarlierClient::start(looked_at, store.clone(), &tokio::runtime::Handle::current());
    let client = EarlierClient { patience: LONG, ..client };
    test(Arc::new(World { client, store, index })).await;
}

impl World {
    /// Moves a sink's offset, with messages where it is the one that keeps them.
    async fn pass(&self, sink: &str, next_offset: i64, rows: &[MessageRow<'_>]) {
        let partition = SinkPartition {
            consumer_group: sink.to_owned(),
            topic: MESSAGES_TOPIC.to_owned(),
            physical_topic: MESSAGES_TOPIC.to_owned(),
            partition: 0,
        };
        let claim = self.store.claim(&partition, CLUSTER).await.expect("a claim");
        let bounds = BatchBounds { partition, claim, end_offset: next_offset };
        let opened = self.store.open_batch(&bounds).await.expect("a batch");
        let Opened::Batch(mut batch) = opened else { panic!("it is written") };
        batch.insert_messages(rows).await.expect("messages");
        batch.commit().await.expect("a commit");
    }

    /// Keeps messages of groups at offsets in both stores; the sink of the index has passed `next_offset`.
    async fn keep(&self, told: &[(&'static str, i64, Message)], next_offset: i64) {
        let rows: Vec<MessageRow<'_>> = told
            .iter()
            .map(|(group_id, source_offset, message)| MessageRow {
                tenant_id: "t",
                group_id,
                source_partition: 0,
                source_offset: *source_offset,
                message,
            })
            .collect();
        self.pass(STORE_SINK, next_offset, &rows).await;
        let put = |(group, offset, message): &(&str, i64, Message)| {
            Change::Put(Point {
                kind: Kind::Message,
                tenant_id: "t".to_owned(),
                group_id: (*group).to_owned(),
                item: message.id.to_string(),
                revision: message.revision,
                replaces_equal: true,
                source: (MESSAGES_TOPIC, 0, *offset),
                sent_at: message.sent_at,
                author_id: None,
                window: None,
                vector: embedding::embed(&message.text),
            })
        };
        self.index.apply(&told.iter().map(put).collect::<Vec<_>>()).await.expect("points");
        self.pass(SINK, next_offset, &[]).await;
    }

    async fn ask(&self, question: &EarlierAsOf) -> Earlier {
        self.client.answer(question, &Awaited::default()).await
    }
}

fn question(offset: i64, texts: &[&str]) -> EarlierAsOf {
    EarlierAsOf {
        tenant_id: "t".to_owned(),
        group_id: "g".to_owned(),
        before_ms: WINDOW_MS,
        partition: 0,
        offset,
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn said(id: i64, text: &str) -> Message {
    Message::plain(id, WINDOW_MS - 1_000_000 + id * 10_000, text)
}

/// Ids near each text.
fn near(answer: &Earlier) -> Vec<Vec<i64>> {
    let Earlier::Found(found) = answer else { panic!("{answer:?}") };
    found.iter().map(|near| near.iter().map(|message| message.id).collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn near_messages_are_those_of_the_group_told_by_the_offset_and_sent_before_the_window() {
    with_world("near", None, |world| async move {
        let certificate = "the signing certificate of the installer has expired";
        let told = [
            ("g", 3, said(1, certificate)),
            ("g", 3, said(2, "lunch at noon")),
            ("g", 4, said(3, "does the installer need a certificate?")),
            ("h", 4, said(4, certificate)),
            ("g", 5, said(5, certificate)),
            ("g", 4, said(101, certificate)),
        ];
        world.keep(&told, 9).await;
        let answer = world.ask(&question(4, &[ASKED, "who comes to lunch?"])).await;
        assert_eq!(near(&answer), [vec![1, 3], vec![2]]);
        assert_eq!(near(&world.ask(&question(5, &[ASKED])).await), [vec![1, 5, 3]]);
        let foreign = EarlierAsOf { tenant_id: "u".to_owned(), ..question(5, &[ASKED]) };
        assert_eq!(near(&world.ask(&foreign).await), [Vec::<i64>::new()]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_that_the_sink_has_not_passed_is_waited_for_while_it_moves_and_no_longer() {
    with_world("wait", None, |world| async move {
        world.keep(&[("g", 3, said(1, ASKED))], 4).await;
        let waiting = tokio::spawn({
            let world = Arc::clone(&world);
            async move { world.ask(&question(6, &[ASKED])).await }
        });
        while world.client.passed.of(0) != Some(4) {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished(), "the sink has not passed it");
        world.pass(SINK, 7, &[]).await;
        assert_eq!(near(&waiting.await.expect("no panic")), [vec![1]]);

        let world = Arc::into_inner(world).expect("nobody else asks");
        let client = EarlierClient {
            patience: Patience { search_while_away: LONG.search_while_away, ..SHORT },
            ..world.client
        };
        let world = World { client, ..world };
        assert_eq!(world.ask(&question(7, &[ASKED])).await, Earlier::Unavailable);
        assert!(world.client.is_away.load(Ordering::Relaxed));
        assert_eq!(near(&world.ask(&question(6, &[ASKED])).await), [vec![1]], "what is passed is answered");
        assert!(!world.client.is_away.load(Ordering::Relaxed));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_away_leaves_a_question_without_an_answer_and_no_question_asks_nobody() {
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    with_world("away", Some(&format!("http://{nobody}")), |world| async move {
        world.keep(&[("g", 3, said(1, ASKED))], 4).await;
        assert_eq!(world.ask(&question(3, &[])).await, Earlier::Found(Vec::new()));
        assert_eq!(world.ask(&question(3, &[ASKED])).await, Earlier::Unavailable);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_index_is_silent_one_question_waits_for_it_and_the_others_go_on() {
    // Connections wait in the backlog; nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("its address"));
    with_world("silent", Some(&url), |world| async move {
        world.keep(&[("g", 3, said(1, ASKED))], 4).await;
        world.client.is_away.store(true, Ordering::Relaxed);
        let trial = tokio::spawn({
            let world = Arc::clone(&world);
            async move { world.ask(&question(3, &[ASKED])).await }
        });
        while world.client.trial.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.ask(&question(3, &[ASKED])).await, Earlier::Unavailable);
        trial.abort();
        assert!(trial.await.is_err_and(|ended| ended.is_cancelled()), "nobody answered it");

        let world = Arc::into_inner(world).expect("nobody else asks");
        let world = World { client: EarlierClient { patience: SHORT, ..world.client }, ..world };
        assert_eq!(
            world.ask(&question(3, &[ASKED])).await,
            Earlier::Unavailable,
            "a search that is a trial is short"
        );
    })
    .await;
}
