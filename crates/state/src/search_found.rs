//! What another index found, as the tables have it now.
//!
//! Invariant: the tables decide. A message that is deleted since, a digest that is withdrawn, and what the query's filters do
//! not let through is left out, whatever the other index holds of it.

use crate::{
    DigestHit, Error, MessageHit, SearchQuery, Store, search, search_digests,
    search_digests::with_text,
    search_words::{has_operators, quoted},
};
use sqlx::{Postgres, Row, Transaction, postgres::PgRow};

/// Ids of those who have or had a name, in any group of the tenant.
pub(crate) const AUTHORS: &str = "
SELECT DISTINCT author_id FROM author_names
WHERE tenant_id = $1 AND lower(name) = lower($2)";

/// Messages by their ids, as [`search::MESSAGES`] tells them.
pub(crate) const MESSAGES: &str = "
SELECT wanted.position, wanted.group_id, wanted.id, state.author_id, state.author_name, state.sent_at_ms,
    state.source_partition, state.source_offset,
    ts_headline('pg_catalog.russian', translate(left(state.text, 65536), E'\\x02\\x03', '  '), $7::text::tsquery,
        E'StartSel=\\x02, StopSel=\\x03, MaxWords=40, MinWords=20') AS headline
FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS wanted (group_id, id, position)
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND messages.group_id = wanted.group_id AND messages.id = wanted.id
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS state
LEFT JOIN LATERAL (
    SELECT deleted FROM messages
    WHERE tenant_id = $1 AND messages.group_id = wanted.group_id AND messages.id = wanted.id AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true
WHERE gone.deleted IS NULL AND state.text <> ''
    AND ($4::text IS NULL OR wanted.group_id = $4) AND ($5::bigint IS NULL OR state.sent_at_ms >= $5)
    AND ($6::text IS NULL OR state.author_id = $6 OR lower(state.author_name) = lower($6))
    AND ($8::text IS NULL OR to_tsvector('pg_catalog.russian', left(state.text, 65536)) @@ $8::text::tsquery)";

/// The newest digests of windows, as [`search_digests::DIGESTS`] tells them.
pub(crate) const DIGESTS: &str = with_text!(
    "SELECT wanted.position, found.*,",
    "
FROM unnest($2::text[]) WITH ORDINALITY AS wanted (window_id, position)
CROSS JOIN LATERAL (
    SELECT * FROM digests
    WHERE tenant_id = $1 AND digests.window_id = wanted.window_id
    ORDER BY revision DESC, attempt DESC LIMIT 1
) AS found",
    "WHERE found.size_hours > 0 AND found.words IS NOT NULL
    AND ($3::text IS NULL OR found.group_id = $3) AND ($4::bigint IS NULL OR found.window_end_ms > $4)
    AND ($5::text IS NULL OR found.words @@ $5::text::tsquery)"
);

/// A query's words, to mark them, and what its operators demand.
struct Words {
    any: String,
    required: Option<String>,
}

impl Words {
    async fn of(transaction: &mut Transaction<'static, Postgres>, text: &str) -> Result<Self, Error> {
        let failed = || Error::query("read the words of a query");
        let lexemes: Vec<String> = sqlx::query_scalar(search::WORDS)
            .bind(text)
            .fetch_all(&mut **transaction)
            .await
            .map_err(failed())?;
        let any = lexemes.iter().map(|lexeme| quoted(lexeme)).collect::<Vec<_>>().join(" | ");
        let mut required = None;
        if has_operators(text) {
            let read = sqlx::query_scalar(search::REQUIRED).bind(text).fetch_one(&mut **transaction).await;
            required = Some(read.map_err(failed())?);
        }
        Ok(Self { any, required })
    }
}

impl Store {
    /// Ids of the authors that `author` may mean, which is an id or a name that somebody has or had.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn authors_called(&self, tenant_id: &str, author: &str) -> Result<Vec<String>, Error> {
        let mut transaction = self.begin_for(tenant_id).await?;
        let found = sqlx::query_scalar(AUTHORS).bind(tenant_id).bind(author);
        let mut ids: Vec<String> =
            found.fetch_all(&mut *transaction).await.map_err(Error::query("look for an author"))?;
        ids.push(author.to_owned());
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// Messages that another index found, by group and id, in its order; its scores are theirs.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn found_messages(
        &self,
        query: &SearchQuery,
        found: &[((String, i64), f64)],
    ) -> Result<Vec<MessageHit>, Error> {
        let mut transaction = self.begin_for(&query.tenant_id).await?;
        let words = Words::of(&mut transaction, &query.text).await?;
        let rows = sqlx::query(MESSAGES)
            .bind(&query.tenant_id)
            .bind(found.iter().map(|((group, _), _)| group.clone()).collect::<Vec<_>>())
            .bind(found.iter().map(|((_, id), _)| *id).collect::<Vec<_>>())
            .bind(&query.group_id)
            .bind(query.since_ms)
            .bind(&query.author)
            .bind(words.any)
            .bind(words.required)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read messages that were found"))?;
        let mut hits = in_order(&rows, found, search::hit);
        hits.truncate(limit(query));
        search_digests::cite(&mut transaction, &query.tenant_id, &mut hits).await?;
        Ok(hits)
    }

    /// Digests of windows that another index found, in its order; its scores are theirs.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn found_digests(
        &self,
        query: &SearchQuery,
        found: &[(String, f64)],
    ) -> Result<Vec<DigestHit>, Error> {
        let mut transaction = self.begin_for(&query.tenant_id).await?;
        let words = Words::of(&mut transaction, &query.text).await?;
        let rows = sqlx::query(DIGESTS)
            .bind(&query.tenant_id)
            .bind(found.iter().map(|(window, _)| window.clone()).collect::<Vec<_>>())
            .bind(&query.group_id)
            .bind(query.since_ms)
            .bind(words.required)
            .bind(words.any)
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("read digests that were found"))?;
        let mut hits = in_order(&rows, found, search_digests::hit);
        hits.truncate(limit(query));
        Ok(hits)
    }
}

fn limit(query: &SearchQuery) -> usize {
    usize::try_from(query.limit).unwrap_or(usize::MAX)
}

/// Rows in the order of what was found, each with its score.
fn in_order<K, H>(rows: &[PgRow], found: &[(K, f64)], hit: impl Fn(&PgRow, f64) -> H) -> Vec<H> {
    let place = |row: &PgRow| usize::try_from(row.get::<i64, _>("position") - 1).unwrap_or_default();
    let mut rows: Vec<(usize, &PgRow)> = rows.iter().map(|row| (place(row), row)).collect();
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().filter_map(|(place, row)| Some(hit(row, found.get(place)?.1))).collect()
}
