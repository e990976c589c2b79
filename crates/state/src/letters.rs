//! What became of dead letters: replayed, parked, or discarded for a reason.
//!
//! Invariant: of an input that a unit gave up the last thing that was settled counts; one without a row is open.

use crate::{
    Error, Schema, Store,
    connecting::Attempt,
    store::{address, connect_options},
};
use serde::Serialize;
use sqlx::{ConnectOptions, PgConnection, Row, postgres::PgRow};
use std::{fmt, str::FromStr};

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LetterState {
    /// Nothing yet.
    Open,
    /// Its input was written to its topic again.
    Replayed,
    /// Left for later.
    Parked,
    /// Given up for good.
    Discarded,
}

impl LetterState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Replayed, Self::Parked, Self::Discarded];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Parked => "parked",
            Self::Discarded => "discarded",
        }
    }
}

impl fmt::Display for LetterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LetterState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| "expected open, replayed, parked or discarded".to_owned())
    }
}

/// An input that a unit gave up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterInput {
    /// Processor or sink.
    pub unit: String,
    /// Logical topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// What an operator settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settling<'a> {
    /// What becomes of the letters.
    pub state: LetterState,
    /// Why; needed to discard.
    pub reason: &'a str,
    /// Who.
    pub actor: &'a str,
}

/// An input and what became of its letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledLetter {
    /// The input.
    pub input: LetterInput,
    /// What became of it.
    pub state: LetterState,
    /// Why; empty where nobody said.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When, in ms.
    pub at_ms: i64,
}

pub(crate) const SETTLE: &str = "
INSERT INTO settled_letters (unit, topic, partition, input_offset, state, reason, actor)
SELECT input.unit, input.topic, input.partition, input.input_offset, $5, $6, $7
FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[]) AS input (unit, topic, partition, input_offset)
ON CONFLICT (unit, topic, partition, input_offset) DO UPDATE
SET state = excluded.state, reason = excluded.reason, actor = excluded.actor, settled_at = excluded.settled_at";

pub(crate) const LIST: &str = "
SELECT unit, topic, partition, input_offset, state, reason, actor,
    (extract(epoch FROM settled_at) * 1000)::bigint AS at_ms
FROM settled_letters ORDER BY unit, topic, partition, input_offset";

const LOCK: &str =
    "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ' gistmill dlq replay', 0))";

impl Store {
    /// Settles letters by their inputs, each once; those that are settled already are settled anew.
    ///
    /// # Errors
    /// Those of any write.
    pub async fn settle_letters(&self, inputs: &[LetterInput], settling: Settling<'_>) -> Result<(), Error> {
        let what = "note what became of dead letters";
        if inputs.is_empty() {
            return Ok(());
        }
        let mut inputs: Vec<&LetterInput> = inputs.iter().collect();
        inputs.sort_unstable();
        inputs.dedup();
        let texts = |of: fn(&LetterInput) -> &str| -> Vec<&str> { inputs.iter().map(|it| of(it)).collect() };
        let mut transaction = self.begin().await?;
        sqlx::query(SETTLE)
            .bind(texts(|input| &input.unit))
            .bind(texts(|input| &input.topic))
            .bind(inputs.iter().map(|input| input.partition).collect::<Vec<i32>>())
            .bind(inputs.iter().map(|input| input.offset).collect::<Vec<i64>>())
            .bind(settling.state.as_str())
            .bind(settling.reason)
            .bind(settling.actor)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }

    /// Every letter that was ever settled, by its input.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn settled_letters(&self) -> Result<Vec<SettledLetter>, Error> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(LIST).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(Error::query("read what became of dead letters"))?;
        Ok(rows.iter().map(settled).collect())
    }
}

fn settled(row: &PgRow) -> SettledLetter {
    SettledLetter {
        input: LetterInput {
            unit: row.get("unit"),
            topic: row.get("topic"),
            partition: row.get("partition"),
            offset: row.get("input_offset"),
        },
        // The table's own check lets no other state in.
        state: row.get::<&str, _>("state").parse().unwrap_or(LetterState::Open),
        reason: row.get("reason"),
        actor: row.get("actor"),
        at_ms: row.get("at_ms"),
    }
}

/// The one replay of dead letters that runs in a schema; for as long as this is held, no other begins.
#[derive(Debug)]
pub struct ReplayLock(PgConnection);

impl ReplayLock {
    /// Takes the lock; `None` while another replay runs.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Unreachable`], [`Error::Denied`], [`Error::Query`].
    pub async fn take(url: &str, schema: &Schema) -> Result<Option<Self>, Error> {
        let options = connect_options(url, schema)?;
        let address = address(&options);
        let attempt = Attempt { address: &address, setting: "postgres.url" };
        let mut connection: PgConnection =
            options.connect().await.map_err(|source| attempt.failed(source))?;
        let what = "see that no other replay runs";
        let is_alone: bool =
            sqlx::query_scalar(LOCK).fetch_one(&mut connection).await.map_err(Error::query(what))?;
        Ok(is_alone.then_some(Self(connection)))
    }

    /// Lets the next one begin.
    ///
    /// # Errors
    /// Postgres is away, which has let it go then.
    pub async fn release(self) -> Result<(), Error> {
        use sqlx::Connection;
        self.0.close().await.map_err(Error::query("end the connection of a replay"))
    }
}
