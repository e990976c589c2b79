//! People who get a group's digests in the private chat with the bot.
//!
//! Invariant: a person has at most one subscription to a group, and nothing begins again what a later command has ended.

use crate::{Batch, Error, Store};
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

/// Most people that get a group's digests at once: each digest is as many messages, of thirty a second in all.
pub const SUBSCRIBERS_MAX: i64 = 200;

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscriber {
    /// Its number.
    pub id: i64,
    /// The person, as Telegram numbers people.
    pub person_id: i64,
    /// The group's chat that it was made in.
    pub chat_id: i64,
    /// Since when, in ms.
    pub since_ms: i64,
    /// Why it has ended; none for one that has not.
    pub ended_why: Option<String>,
}

/// What is subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// Tenant.
    pub tenant_id: &'a str,
    /// Group.
    pub group_id: &'a str,
    /// The person.
    pub person_id: i64,
}

/// Why nothing more is posted to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionEnd<'a> {
    /// When, in ms: what was begun later goes on.
    pub at_ms: i64,
    /// In words.
    pub why: &'a str,
}

pub(crate) const COUNT: &str = "
SELECT count(*) FROM telegram_subscribers
WHERE tenant_id = $1 AND group_id = $2 AND person_id <> $3 AND ended_ms IS NULL";

pub(crate) const PUT: &str = "
INSERT INTO telegram_subscribers AS old (tenant_id, group_id, person_id, chat_id, since_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, group_id, person_id) DO UPDATE
SET chat_id = excluded.chat_id, since_ms = excluded.since_ms, ended_ms = NULL, ended_why = NULL
WHERE old.ended_ms <= excluded.since_ms";

pub(crate) const LIST: &str = "
SELECT id, person_id, chat_id, since_ms, ended_why FROM telegram_subscribers WHERE tenant_id = $1 AND group_id = $2
ORDER BY tenant_id, group_id, person_id";

pub(crate) const OF_GROUP: &str = "
SELECT id, person_id, chat_id, since_ms, ended_why FROM telegram_subscribers
WHERE tenant_id = $1 AND group_id = $2 AND since_ms <= $3 AND ended_ms IS NULL
ORDER BY tenant_id, group_id, person_id";

pub(crate) const END: &str = "
UPDATE telegram_subscribers SET ended_ms = $4, ended_why = $5
WHERE tenant_id = $1 AND group_id = $2 AND person_id = $3 AND since_ms <= $4 AND ended_ms IS NULL";

/// What has ended has a reason; by this alone is the index of people asked.
pub(crate) const END_ALL: &str = "
UPDATE telegram_subscribers SET ended_ms = $2, ended_why = $3
WHERE person_id = $1 AND since_ms <= $2 AND ended_why IS NULL";

pub(crate) const END_ONE: &str = "
UPDATE telegram_subscribers SET ended_ms = $3, ended_why = $4
WHERE id = $1 AND person_id = $2 AND since_ms <= $3 AND ended_ms IS NULL";

impl Store {
    /// Subscribes a person by a command that was sent at a time in a chat; false where the group has as many subscribers as
    /// it may have.
    pub async fn subscribe(
        &self,
        of: &Subscription<'_>,
        (chat_id, at_ms): (i64, i64),
    ) -> Result<bool, Error> {
        let what = "subscribe to a group";
        let mut transaction = self.begin().await?;
        let others: i64 = sqlx::query_scalar(COUNT)
            .bind(of.tenant_id)
            .bind(of.group_id)
            .bind(of.person_id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        if others >= SUBSCRIBERS_MAX {
            return Ok(false);
        }
        sqlx::query(PUT)
            .bind(of.tenant_id)
            .bind(of.group_id)
            .bind(of.person_id)
            .bind(chat_id)
            .bind(at_ms)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))?;
        Ok(true)
    }

    /// Everybody who has or had a subscription to a group, by person.
    pub async fn subscribers(&self, tenant_id: &str, group_id: &str) -> Result<Vec<Subscriber>, Error> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(LIST).bind(tenant_id).bind(group_id).fetch_all(&mut *transaction).await;
        Ok(rows.map_err(Error::query("list the subscribers of a group"))?.iter().map(subscriber).collect())
    }

    /// Ends a person's subscription to a group.
    pub async fn unsubscribe(&self, of: &Subscription<'_>, end: &SubscriptionEnd<'_>) -> Result<(), Error> {
        let ending = sqlx::query(END).bind(of.tenant_id).bind(of.group_id).bind(of.person_id);
        self.end_subscriptions(ending.bind(end.at_ms).bind(end.why)).await
    }

    /// Ends all subscriptions of a person.
    pub async fn unsubscribe_from_all(&self, person_id: i64, end: &SubscriptionEnd<'_>) -> Result<(), Error> {
        self.end_subscriptions(sqlx::query(END_ALL).bind(person_id).bind(end.at_ms).bind(end.why)).await
    }

    /// Ends the subscription with this number, if it is this person's.
    pub async fn unsubscribe_by_id(
        &self,
        (id, person_id): (i64, i64),
        end: &SubscriptionEnd<'_>,
    ) -> Result<(), Error> {
        let ending = sqlx::query(END_ONE).bind(id).bind(person_id);
        self.end_subscriptions(ending.bind(end.at_ms).bind(end.why)).await
    }

    async fn end_subscriptions(
        &self,
        ending: sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments>,
    ) -> Result<(), Error> {
        let what = "end a subscription";
        let mut transaction = self.begin().await?;
        ending.execute(&mut *transaction).await.map_err(Error::query(what))?;
        transaction.commit().await.map_err(Error::query(what))
    }
}

impl Batch {
    /// Who gets a group's digest of a window that ended at a time, by person.
    pub async fn subscribers(
        &mut self,
        (tenant_id, group_id): (&str, &str),
        ended_ms: i64,
    ) -> Result<Vec<Subscriber>, Error> {
        let rows = sqlx::query(OF_GROUP)
            .bind(tenant_id)
            .bind(group_id)
            .bind(ended_ms)
            .fetch_all(self.acting_for(tenant_id).await?)
            .await
            .map_err(Error::query("look for the subscribers of a group"))?;
        Ok(rows.iter().map(subscriber).collect())
    }

    /// Ends a subscription to whom nothing can be posted.
    pub async fn end_subscription(
        &mut self,
        of: &Subscription<'_>,
        end: &SubscriptionEnd<'_>,
    ) -> Result<(), Error> {
        sqlx::query(END)
            .bind(of.tenant_id)
            .bind(of.group_id)
            .bind(of.person_id)
            .bind(end.at_ms)
            .bind(end.why)
            .execute(self.acting_for(of.tenant_id).await?)
            .await
            .map_err(Error::query("end a subscription"))?;
        Ok(())
    }
}

fn subscriber(row: &PgRow) -> Subscriber {
    Subscriber {
        id: row.get(0),
        person_id: row.get(1),
        chat_id: row.get(2),
        since_ms: row.get(3),
        ended_why: row.get(4),
    }
}
