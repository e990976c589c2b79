//! A sink, a server to post to, batches, and what is there afterwards.

use crate::{
    database::{CLUSTER, Database},
    samples,
};
use processor::SourcePosition;
use runtime::{Claim, PartitionId, Sink, SinkBatch, SinkError, SinkRecord, config::Telegram};
use schemas::{DigestBlocked, DigestDelivered, DigestReadyForDelivery};
use serde_json::Value;
use sqlx::Row;
use std::sync::Arc;
use telegram_sink::TelegramSink;
use tests::bot_api::{BotApi, Call, Chat, Kind, TOKEN};

pub(crate) const READY: &str = "digest.ready_for_delivery.v1";
pub(crate) const BLOCKED: &str = "digest.blocked.v1";
/// The group's chat.
pub(crate) const CHAT: i64 = -1_001_234;

/// A database and a server that knows the chat.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) bot: BotApi,
}

impl World {
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let database = Database::new(test).await?;
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let bot = tokio::task::spawn_blocking(BotApi::start).await.unwrap().unwrap();
        bot.add_chat(Chat::new(CHAT, Kind::Supergroup, "Team"));
        Some(Self { database, bot })
    }

    /// A sink that has just been started.
    pub(crate) fn sink(&self) -> TelegramSink {
        self.sink_with(&self.settings())
    }

    pub(crate) fn settings(&self) -> Telegram {
        Telegram { token: Some(TOKEN.into()), api: self.bot.url(), ..Telegram::default() }
    }

    pub(crate) fn sink_with(&self, settings: &Telegram) -> TelegramSink {
        let api = telegram_sink::BotApi::new(settings).unwrap();
        TelegramSink::new(self.database.store.clone(), CLUSTER, api)
    }

    /// Delivers digests, one batch, by a sink that has just been started.
    pub(crate) async fn deliver(&self, digests: &[DigestReadyForDelivery]) -> Result<(), SinkError> {
        deliver_by(&self.sink(), digests).await
    }

    pub(crate) async fn block(&self, blocked: DigestBlocked) -> Result<(), SinkError> {
        let sink = self.sink();
        let claim = sink.claim(&partition(BLOCKED)).await.unwrap();
        sink.write(&batch(BLOCKED, claim, vec![("blocked", Box::new(blocked))])).await
    }

    /// Calls that the sink has made, without those that only ask what the server takes.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let only_asks = |call: &Call| call.body == serde_json::json!({});
        self.bot.calls().into_iter().filter(|call| !only_asks(call)).collect()
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.method).collect()
    }

    pub(crate) fn last_call(&self) -> Call {
        self.calls().pop().unwrap()
    }

    /// Text of every message of the bot in the chat.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.bot.posts(CHAT).iter().map(|post| post["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Version, part, state and place of every row of the ledger.
    pub(crate) async fn ledger(&self) -> Vec<(String, i32, String, Option<String>)> {
        let sql = "SELECT revision || '.' || attempt, part, status, reference FROM deliveries
                   ORDER BY window_id, revision, attempt, part";
        let rows = self.database.rows("t", sql).await;
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    }

    /// Version, state and error of everything that was said, in order.
    pub(crate) async fn said(&self) -> Vec<(String, String, Option<String>)> {
        let rows = self.database.outbox().await;
        let events = rows.iter().filter(|(port, _)| port == "delivered");
        let read = |payload: &str| serde_json::from_str::<DigestDelivered>(payload).unwrap();
        let told = events.map(|(_, payload)| read(payload)).map(|event| {
            assert_eq!(event.channel, "telegram");
            (event.version, event.status, event.error)
        });
        told.collect()
    }
}

/// Delivers digests as one batch.
pub(crate) async fn deliver_by(
    sink: &TelegramSink,
    digests: &[DigestReadyForDelivery],
) -> Result<(), SinkError> {
    let claim = sink.claim(&partition(READY)).await.unwrap();
    sink.write(&ready_batch(claim, digests)).await
}

pub(crate) fn ready_batch(claim: Claim, digests: &[DigestReadyForDelivery]) -> SinkBatch {
    let records =
        digests.iter().map(|ready| ("ready", Box::new(ready.clone()) as Box<dyn processor::AnyRecord>));
    batch(READY, claim, records.collect())
}

fn batch(
    topic: &str,
    claim: Claim,
    records: Vec<(&'static str, Box<dyn processor::AnyRecord>)>,
) -> SinkBatch {
    let at = |offset| SourcePosition { topic: Arc::from(topic), partition: 0, offset, append_time_ms: 0 };
    let records: Vec<SinkRecord> = records
        .into_iter()
        .zip(claim.next_offset..)
        .map(|((input, record), offset)| SinkRecord::Decoded { input, source: at(offset), record })
        .collect();
    let next_offset = claim.next_offset + records.len() as i64;
    SinkBatch { partition: partition(topic), claim, records, next_offset }
}

pub(crate) fn partition(topic: &str) -> PartitionId {
    PartitionId { topic: topic.into(), logical: topic.into(), partition: 0 }
}

/// A digest of a day for the chat.
pub(crate) fn digest(day: i64, version: &str) -> DigestReadyForDelivery {
    let mut ready = samples::ready("t", day, version);
    ready.channels = vec!["file".to_owned(), "telegram".to_owned()];
    ready.window.settings.channels.clone_from(&ready.channels);
    ready.window.settings.chat = Some(CHAT.to_string());
    ready
}

/// A version of the first day without a digest.
pub(crate) fn blocked(version: &str, message_count: i32) -> DigestBlocked {
    let mut blocked = samples::blocked("t", 0, version);
    blocked.window = digest(0, version).window;
    blocked.window.message_count = message_count;
    blocked.window.settings.language = "en".to_owned();
    blocked
}

/// Why a batch has to be tried again.
pub(crate) fn later(written: Result<(), SinkError>) -> String {
    match written {
        Err(SinkError::Transient { what, source }) => format!("{what}: {source}"),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn row(
    version: &str,
    part: i32,
    status: &str,
    reference: Option<&str>,
) -> (String, i32, String, Option<String>) {
    (version.to_owned(), part, status.to_owned(), reference.map(str::to_owned))
}

pub(crate) fn event(version: &str, status: &str, error: Option<&str>) -> (String, String, Option<String>) {
    (version.to_owned(), status.to_owned(), error.map(str::to_owned))
}

/// What an entity of a message covers, as Telegram counts.
pub(crate) fn covered(message: &Value, entity: &Value) -> String {
    let text: Vec<u16> = message["text"].as_str().unwrap().encode_utf16().collect();
    let at = |name: &str| usize::try_from(entity[name].as_u64().unwrap()).unwrap();
    String::from_utf16(&text[at("offset")..at("offset") + at("length")]).unwrap()
}
