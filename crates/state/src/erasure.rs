//! Erasing, as the owner of the tables: what a person wrote, a group, or a tenant.
//!
//! Invariant: which messages are erased and that their words are gone is one transaction, so that whoever dies after it has a
//! list to go on by, and whoever dies before it has changed nothing. Run by hand and by the owner, these statements are not
//! among those that are held to one plan.

use crate::{
    Error, Schema,
    audit::{self, AuditChange},
    connecting::Attempt,
    erasure_found::{Erasable, Erased, ErasedMessage, ErasureScope},
    erasure_sql::{
        ANNOUNCED, ANSWERS, ASKED, ASKED_IN_VAIN, ASKED_MODELS, COUNT, COUNT_RECIPIENTS, DIGESTS,
        DONE_BEFORE, FORGET_CODES, FORGET_KEYS, HASH, KEYS, KNOWN, LETTERS, LETTERS_SENT, LETTERS_WAITING,
        LINKED, LIST, LOCK, MESSAGES, NAMES, PENDING, PERSONAL, PERSONAL_TARGETS, QUEUED, READ_OUTBOX,
        RECIPIENTS, STATED, SUBSCRIBERS, SUBSCRIPTIONS, UNLINK, VECTORS, WAITING, WEBHOOKS, WORDS,
    },
    store::{ACT_FOR, address, connect_options},
};
use schemas::ASKED_SIZE_HOURS;
use serde_json::json;
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres, Row, Transaction};

/// A connection as the owner that nobody else erases beside, of one tenant.
#[derive(Debug)]
pub struct Eraser {
    connection: PgConnection,
    scope: ErasureScope,
    subject: String,
}

impl Eraser {
    /// Connects, and waits for another erasure of the tenant to end.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Unreachable`], [`Error::Denied`], [`Error::Query`].
    pub async fn connect(owner_url: &str, schema: &Schema, scope: ErasureScope) -> Result<Self, Error> {
        let options = connect_options(owner_url, schema)?;
        let address = address(&options);
        let attempt = Attempt { address: &address, setting: "postgres.owner_url" };
        let mut connection: PgConnection =
            options.connect().await.map_err(|source| attempt.failed(source))?;
        let what = "wait for another erasure";
        sqlx::query(LOCK)
            .bind(&scope.tenant_id)
            .execute(&mut connection)
            .await
            .map_err(Error::query(what))?;
        let subject = match (&scope.group_id, &scope.author_id) {
            (None, None) => "tenant".to_owned(),
            (Some(group), None) => format!("group {group}"),
            (group, Some(author)) => {
                let hash: String = sqlx::query_scalar(HASH)
                    .bind(&scope.tenant_id)
                    .bind(author)
                    .fetch_one(&mut connection)
                    .await
                    .map_err(Error::query("hash a name"))?;
                group
                    .as_ref()
                    .map_or_else(|| format!("user {hash}"), |group| format!("user {hash} in {group}"))
            }
        };
        Ok(Self { connection, scope, subject })
    }

    /// The name of what is erased in the audit log: of a person a hash.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The tenant.
    pub fn tenant_id(&self) -> &str {
        &self.scope.tenant_id
    }

    async fn begin(&mut self) -> Result<Transaction<'_, Postgres>, Error> {
        let what = "begin an erasure";
        let mut transaction = self.connection.begin().await.map_err(Error::query(what))?;
        sqlx::query(ACT_FOR)
            .bind(&self.scope.tenant_id)
            .execute(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        sqlx::query(READ_OUTBOX).execute(&mut *transaction).await.map_err(Error::query(what))?;
        Ok(transaction)
    }

    /// What there is to erase.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn look(&mut self) -> Result<Erasable, Error> {
        let what = "count what is to be erased";
        let (scope, subject) = (self.scope.clone(), self.subject.clone());
        let mut transaction = self.begin().await?;
        let tenant_known: bool = sqlx::query_scalar(KNOWN)
            .bind(&scope.tenant_id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let row = sqlx::query(COUNT)
            .bind(&scope.tenant_id)
            .bind(&scope.group_id)
            .bind(&scope.author_id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let recipients: i64 = sqlx::query_scalar(COUNT_RECIPIENTS)
            .bind(&scope.tenant_id)
            .bind(&scope.group_id)
            .bind(&scope.author_id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        let mut keys = 0;
        if scope.group_id.is_none() {
            keys = sqlx::query_scalar(KEYS)
                .bind(&scope.tenant_id)
                .bind(&scope.author_id)
                .fetch_one(&mut *transaction)
                .await
                .map_err(Error::query(what))?;
        }
        let done_before: bool = sqlx::query_scalar(DONE_BEFORE)
            .bind(&scope.tenant_id)
            .bind(&subject)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query(what))?;
        end(transaction).await?;
        let (messages, groups) = (row.get(0), row.get(1));
        Ok(Erasable { tenant_known, messages, groups, keys, recipients, done_before })
    }

    /// Notes what is erased under the name `erasure`, and takes its words from every table, in one transaction. Done again it
    /// takes what was written meanwhile.
    ///
    /// # Errors
    /// Those of any write; nothing is changed then.
    pub async fn erase(&mut self, erasure: &str, actor: &str) -> Result<Erased, Error> {
        let (scope, subject) = (self.scope.clone(), self.subject.clone());
        let mut transaction = self.begin().await?;
        let tenant = &*scope.tenant_id;
        let of_scope = [Some(tenant), scope.group_id.as_deref(), scope.author_id.as_deref()];
        let messages =
            run(&mut transaction, LIST, &[of_scope[0], of_scope[1], of_scope[2], Some(erasure)]).await?;
        run(&mut transaction, MESSAGES, &of_scope[..1]).await?;
        run(&mut transaction, WORDS, &of_scope[..1]).await?;
        run(&mut transaction, NAMES, &of_scope).await?;
        let mut erased = withdraw(&mut transaction, tenant).await?;
        erased.messages = messages;
        run(&mut transaction, LETTERS, &of_scope[..2]).await?;
        run(&mut transaction, ANSWERS, &of_scope[..1]).await?;
        run(&mut transaction, VECTORS, &of_scope[..1]).await?;
        let mut keys = 0;
        if scope.group_id.is_none() {
            keys = run(&mut transaction, FORGET_KEYS, &[of_scope[0], of_scope[2]]).await?;
        }
        if let Some(author) = &scope.author_id {
            for sql in [PERSONAL, PERSONAL_TARGETS, SUBSCRIPTIONS, ASKED, ASKED_IN_VAIN, ASKED_MODELS, LINKED]
            {
                run(&mut transaction, sql, &[Some(tenant), Some(author)]).await?;
            }
        } else {
            run(&mut transaction, UNLINK, &of_scope[..2]).await?;
            run(&mut transaction, FORGET_CODES, &of_scope[..2]).await?;
            for sql in [SUBSCRIBERS, WEBHOOKS] {
                run(&mut transaction, sql, &of_scope[..2]).await?;
            }
        }
        run(&mut transaction, LETTERS_WAITING, &of_scope).await?;
        let was_recipient = run(&mut transaction, RECIPIENTS, &of_scope).await? > 0;
        let has_letters = run(&mut transaction, LETTERS_SENT, &of_scope).await? > 0;
        if erased.messages > 0 || erased.digests > 0 || keys > 0 || was_recipient || has_letters {
            let after = json!({ "erasure": erasure, "messages": erased.messages, "digests": erased.digests, "keys": keys });
            let change = AuditChange {
                tenant_id: tenant,
                actor,
                action: "erase",
                subject: &subject,
                before: None,
                after: Some(&after),
            };
            audit::append(&mut transaction, &change).await?;
        }
        transaction.commit().await.map_err(Error::query("commit an erasure"))?;
        Ok(erased)
    }

    /// Erased messages of the tenant, by erasure and group, of every erasure of which the store does not hold all deletions.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn pending(&mut self) -> Result<Vec<ErasedMessage>, Error> {
        let tenant = self.scope.tenant_id.clone();
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(PENDING)
            .bind(tenant)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read what was erased"))?;
        end(transaction).await?;
        let message = |row: &sqlx::postgres::PgRow| ErasedMessage {
            erasure: row.get("erasure"),
            group_id: row.get("group_id"),
            id: row.get("id"),
            sent_at: row.get("sent_at_ms"),
            revision: row.get("revision"),
            posted: row.get("posted"),
            erased_at: row.get("erased_at_ms"),
        };
        Ok(rows.iter().map(message).collect())
    }

    /// How many erased messages the store holds no deletion of yet.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn waiting(&mut self) -> Result<i64, Error> {
        let tenant = self.scope.tenant_id.clone();
        let mut transaction = self.begin().await?;
        let waiting = sqlx::query_scalar(WAITING)
            .bind(tenant)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::query("count erased messages"))?;
        end(transaction).await?;
        Ok(waiting)
    }
}

/// Ends a transaction that has read: left to the next use of the connection, it would hold its locks until then.
async fn end(transaction: Transaction<'_, Postgres>) -> Result<(), Error> {
    transaction.rollback().await.map_err(Error::query("end a read"))
}

async fn run(
    transaction: &mut Transaction<'_, Postgres>,
    sql: &'static str,
    values: &[Option<&str>],
) -> Result<u64, Error> {
    let query = values.iter().fold(sqlx::query(sql), |query, value| query.bind(*value));
    let done = query.execute(&mut **transaction).await.map_err(Error::query("erase"))?;
    Ok(done.rows_affected())
}

/// Takes the words of digests that were made before an erased message was deleted, and of what was announced of them.
async fn withdraw(transaction: &mut Transaction<'_, Postgres>, tenant: &str) -> Result<Erased, Error> {
    let what = "withdraw digests";
    let rows =
        sqlx::query(DIGESTS).bind(tenant).fetch_all(&mut **transaction).await.map_err(Error::query(what))?;
    let ids: Vec<String> = rows.iter().map(|row| row.get("digest_id")).collect();
    let is_asked = |row: &&sqlx::postgres::PgRow| row.get::<i32, _>("size_hours") == ASKED_SIZE_HOURS;
    let asked = rows.iter().filter(is_asked).map(|row| row.get("window_id")).collect();
    for sql in [STATED, ANNOUNCED, QUEUED] {
        sqlx::query(sql)
            .bind(tenant)
            .bind(&ids)
            .execute(&mut **transaction)
            .await
            .map_err(Error::query(what))?;
    }
    Ok(Erased { messages: 0, digests: rows.len() as u64, asked })
}
