//! A sink, a receiver to post to, batches, and what is there afterwards.

use crate::{
    database::{CLUSTER, Database, run},
    samples,
};
use keys::Ring;
use processor::{AnyRecord, SourcePosition};
use runtime::{Claim, Config, PartitionId, SinkBatch, SinkError, SinkRecord};
use schemas::{DigestBlocked, DigestDelivered, DigestReadyForDelivery};
use secrecy::{ExposeSecret, SecretString};
use sqlx::Row;
use state::SealedKey;
use std::sync::Arc;
use tests::{Posted, Receiver};
use webhook_sink::{WebhookSink, Webhooks, binding, new_secret};

pub(crate) const READY: &str = "digest.ready_for_delivery.v1";
pub(crate) const BLOCKED: &str = "digest.blocked.v1";
const SINK: &str = "webhook_sink";
/// 32 bytes in base64.
const MASTER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A database and a receiver.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) receiver: Receiver,
    ring: Ring,
}

impl World {
    /// With a webhook of the tenant at `/a`.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let database = Database::new(test).await?;
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let receiver = tokio::task::spawn_blocking(Receiver::start).await.unwrap().unwrap();
        let world = Self { database, receiver, ring: Ring::new(&MASTER.into(), &[]).unwrap() };
        let secret = world.set("", &world.receiver.url("/a")).await;
        world.receiver.know("/a", &secret);
        Some(world)
    }

    /// Sets a webhook; its secret, where it is new.
    pub(crate) async fn set(&self, group: &str, url: &str) -> String {
        let (secret, sealed) = self.made(group);
        self.database.store.set_webhook(("t", group), url, &sealed).await.unwrap();
        secret.expose_secret().to_owned()
    }

    /// Replaces the secret; the former one holds for an hour.
    pub(crate) async fn rotate(&self) -> String {
        let (secret, sealed) = self.made("");
        assert!(self.database.store.rotate_webhook(("t", ""), &sealed, 1).await.unwrap());
        secret.expose_secret().to_owned()
    }

    fn made(&self, group: &str) -> (SecretString, SealedKey) {
        let (secret, id) = (new_secret().unwrap(), keys::row_id().unwrap());
        let sealed = self.ring.seal(&binding("t", group, &id), &secret).unwrap();
        let keys::Sealed { master_id, salt, nonce, ciphertext } = sealed;
        (secret, SealedKey { id: id.to_vec(), master_id, salt, nonce, ciphertext })
    }

    /// A sink that has just been started.
    pub(crate) fn sink(&self) -> WebhookSink {
        let mut config = Config::default();
        config.keys.master = Some(MASTER.into());
        (config.webhook.allow_insecure, config.webhook.allow_private) = (true, true);
        let door = Webhooks::new(&config, self.database.store.clone()).unwrap();
        WebhookSink::new(self.database.store.clone(), CLUSTER, (door, "w"))
    }

    /// Plans digests as one batch.
    pub(crate) async fn plan(&self, digests: &[DigestReadyForDelivery]) -> Result<(), SinkError> {
        let records = digests.iter().map(|it| ("ready", Box::new(it.clone()) as Box<dyn AnyRecord>));
        self.plan_records(READY, records.collect()).await
    }

    /// Plans digests, and tries each that is due once.
    pub(crate) async fn deliver(&self, digests: &[DigestReadyForDelivery]) {
        self.plan(digests).await.unwrap();
        self.sink().try_what_is_due().await.unwrap();
    }

    pub(crate) async fn block(&self, blocked: DigestBlocked) {
        self.plan_records(BLOCKED, vec![("blocked", Box::new(blocked))]).await.unwrap();
        self.sink().try_what_is_due().await.unwrap();
    }

    async fn plan_records(
        &self,
        topic: &str,
        records: Vec<(&'static str, Box<dyn AnyRecord>)>,
    ) -> Result<(), SinkError> {
        let partition = PartitionId { topic: topic.into(), logical: topic.into(), partition: 0 };
        let claim: Claim = self.database.store.claim(&partition.of_sink(SINK), CLUSTER).await.unwrap().into();
        let at = |offset| SourcePosition { topic: Arc::from(topic), partition: 0, offset, append_time_ms: 7 };
        let records: Vec<SinkRecord> = records
            .into_iter()
            .zip(claim.next_offset..)
            .map(|((input, record), offset)| SinkRecord::Decoded { input, source: at(offset), record })
            .collect();
        let next_offset = claim.next_offset + records.len() as i64;
        self.sink().plan(&SinkBatch { partition, claim, records, next_offset }).await
    }

    /// Lets the time pass until everything that waits is due, and tries it.
    pub(crate) async fn hurry(&self) {
        self.change("UPDATE delivery_queue SET next_at = now()").await;
        self.sink().try_what_is_due().await.unwrap();
    }

    /// Runs a statement as who delivers.
    pub(crate) async fn change(&self, sql: &str) {
        let mut connection = self.database.app().await;
        run(&mut connection, "SELECT set_config('app.courier', 'on', false)").await.unwrap();
        run(&mut connection, sql).await.unwrap();
    }

    /// Type and version of everything that was posted, in order.
    pub(crate) fn told(&self) -> Vec<(String, String)> {
        self.receiver.posted().iter().map(told).collect()
    }

    /// Version, state and error of every row of the ledger.
    pub(crate) async fn ledger(&self) -> Vec<(String, String, Option<String>)> {
        let sql = "SELECT revision || '.' || attempt, status, error FROM deliveries
                   ORDER BY window_id, revision, attempt, part";
        let rows = self.database.rows("t", sql).await;
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    /// Version and state of every row of the ledger.
    pub(crate) async fn states(&self) -> Vec<(String, String)> {
        self.ledger().await.into_iter().map(|(version, status, _)| (version, status)).collect()
    }

    /// Every error of the ledger, sorted.
    pub(crate) async fn errors(&self) -> Vec<String> {
        let mut errors: Vec<String> =
            self.ledger().await.into_iter().filter_map(|(_, _, error)| error).collect();
        errors.sort();
        errors
    }

    /// How many deliveries wait.
    pub(crate) async fn waiting(&self) -> usize {
        self.database.store.waiting_deliveries("t").await.unwrap().len()
    }

    /// Version, state and error of everything that was said, in order.
    pub(crate) async fn said(&self) -> Vec<(String, String, Option<String>)> {
        let rows = self.database.outbox().await;
        let events = rows.iter().filter(|(port, _)| port == "delivered");
        let read = |payload: &str| serde_json::from_str::<DigestDelivered>(payload).unwrap();
        let told = events.map(|(_, payload)| read(payload)).map(|event| {
            assert_eq!(event.channel, "webhook");
            (event.version, event.status, event.error)
        });
        told.collect()
    }
}

pub(crate) fn told(posted: &Posted) -> (String, String) {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&posted.body["type"]), text(&posted.body["data"]["version"]))
}

/// A digest of a day for the channel.
pub(crate) fn digest(day: i64, version: &str) -> DigestReadyForDelivery {
    let mut ready = samples::ready("t", day, version);
    ready.channels = vec!["file".to_owned(), "webhook".to_owned()];
    ready.window.settings.channels.clone_from(&ready.channels);
    ready
}

/// A version of the first day without a digest.
pub(crate) fn blocked(version: &str) -> DigestBlocked {
    let mut blocked = samples::blocked("t", 0, version);
    blocked.window = digest(0, version).window;
    blocked.window.settings.language = "en".to_owned();
    blocked
}

pub(crate) fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(left, right)| ((*left).to_owned(), (*right).to_owned())).collect()
}
