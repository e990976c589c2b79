//! Search for digests by their words, and the digests that cite a message.
//!
//! Invariant: a hit, and a digest that cites, is the newest version of its window and not withdrawn;
//! digests that somebody asked for stand apart.

use crate::{
    Citation, Error, MessageHit, Outcome, SearchQuery, Store,
    search::asked,
    search_words::{candidates, unmarked},
};
use serde::Serialize;
use sqlx::{Postgres, Row, Transaction, postgres::PgRow};

/// A digest that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DigestHit {
    /// Group.
    pub group_id: String,
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Start of its window in ms, inclusive.
    pub window_start: i64,
    /// End in ms, exclusive.
    pub window_end: i64,
    /// Partition of `group.message.ingested` that it was made from.
    pub source_partition: i32,
    /// The offset as of which it was made.
    pub source_offset: i64,
    /// Its headline.
    pub headline: String,
    /// How well it answers; comparable within one search only.
    pub score: f64,
    /// The parts of it around the words.
    pub snippet: String,
    /// The words, as they stand there.
    pub matches: Vec<String>,
}

/// A digest's text, of which snippets are, by the row `found` that has its payload: what `words` holds but for the headline.
macro_rules! with_text {
    ($before:literal, $from:literal, $after:literal) => {
        concat!(
            $before,
            "
ts_headline('pg_catalog.russian', translate(said.text, E'\\x02\\x03', '  '), $6::text::tsquery,
    E'StartSel=\\x02, StopSel=\\x03, MaxWords=30, MinWords=15, MaxFragments=2, FragmentDelimiter=\" … \"') AS snippet
",
            $from,
            "
CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(part #>> '{}', ' · '), '') AS text FROM (
        SELECT jsonb_path_query(found.payload, '$.summary.text') AS part
        UNION ALL SELECT jsonb_path_query(found.payload, '$.decisions.text')
        UNION ALL SELECT jsonb_path_query(found.payload, '$.questions.text')
        UNION ALL SELECT jsonb_path_query(found.payload, '$.actions.text')
        UNION ALL SELECT jsonb_path_query(found.payload, '$.answers.question.text')
        UNION ALL SELECT jsonb_path_query(found.payload, '$.answers.answers.text')
        UNION ALL SELECT jsonb_path_query(found.payload, '$.topics.title')
        UNION ALL SELECT jsonb_path_query(found.payload, '$.topics.story.text')
    ) AS parts
) AS said
",
            $after
        )
    };
}
pub(crate) use with_text;

/// A tenant's digests by the primary key, as listings read them.
pub(crate) const DIGESTS: &str = with_text!(
    "SELECT found.*,",
    "
FROM (
    SELECT group_id, digest_id, window_id, revision, attempt, version, window_start_ms, window_end_ms,
        source_partition, source_offset, headline, payload, (
            SELECT sum(asked.weight) FROM unnest($3::text[]::tsquery[], $4::float8[]) AS asked (word, weight)
            WHERE words @@ asked.word
        ) / (1 + ln(1 + length(words))) AS score
    FROM digests
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($5::bigint IS NULL OR window_end_ms > $5)
        AND size_hours > 0 AND words @@ $7::text::tsquery
    ORDER BY score DESC, window_start_ms DESC, digest_id
) AS found
CROSS JOIN LATERAL (
    SELECT revision, attempt FROM digests
    WHERE tenant_id = $1 AND digests.window_id = found.window_id
    ORDER BY revision DESC, attempt DESC LIMIT 1
) AS newest",
    "WHERE newest.revision = found.revision AND newest.attempt = found.attempt
ORDER BY found.score DESC, found.window_start_ms DESC, found.digest_id
LIMIT $8"
);

/// For each message the digests of windows around it that give it as a source of what they say; the longest window has a
/// day, and 25 hours where clocks are set back.
pub(crate) const CITING: &str = "
SELECT wanted.position, around.digest_id, around.version, around.headline
FROM unnest($2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS wanted (group_id, id, sent_at_ms, position)
CROSS JOIN LATERAL (
    SELECT * FROM digests
    WHERE tenant_id = $1 AND digests.group_id = wanted.group_id AND window_start_ms <= wanted.sent_at_ms
        AND window_start_ms > wanted.sent_at_ms - 90000000 AND window_end_ms > wanted.sent_at_ms
        AND size_hours > 0
        AND jsonb_path_exists(payload, '$ ? (exists(@.summary.message_ids ? (@ == $id))
            || exists(@.decisions.message_ids ? (@ == $id)) || exists(@.questions.message_ids ? (@ == $id))
            || exists(@.actions.message_ids ? (@ == $id)) || exists(@.answers.question.message_ids ? (@ == $id))
            || exists(@.answers.answers.message_ids ? (@ == $id))
            || exists(@.topics.story.message_ids ? (@ == $id)))', jsonb_build_object('id', wanted.id))
    ORDER BY window_start_ms DESC LIMIT 100
) AS around
CROSS JOIN LATERAL (
    SELECT revision, attempt FROM digests
    WHERE tenant_id = $1 AND digests.window_id = around.window_id
    ORDER BY revision DESC, attempt DESC LIMIT 1
) AS newest
WHERE newest.revision = around.revision AND newest.attempt = around.attempt";

/// Adds to each hit the digests that cite it.
pub(crate) async fn cite(
    transaction: &mut Transaction<'static, Postgres>,
    tenant_id: &str,
    hits: &mut [MessageHit],
) -> Result<(), Error> {
    let rows = sqlx::query(CITING)
        .bind(tenant_id)
        .bind(hits.iter().map(|hit| hit.group_id.clone()).collect::<Vec<_>>())
        .bind(hits.iter().map(|hit| hit.message_id).collect::<Vec<_>>())
        .bind(hits.iter().map(|hit| hit.sent_at).collect::<Vec<_>>())
        .fetch_all(&mut **transaction)
        .await
        .map_err(Error::query("look for digests that cite messages"))?;
    for row in rows {
        let position = usize::try_from(row.get::<i64, _>("position")).unwrap_or_default();
        if let Some(hit) = position.checked_sub(1).and_then(|index| hits.get_mut(index)) {
            hit.digests.push(Citation {
                digest_id: row.get("digest_id"),
                version: row.get("version"),
                headline: row.get("headline"),
            });
        }
    }
    Ok(())
}

impl Store {
    /// Digests with words of the query, best first, ranked as [`Store::search_messages`] ranks. An author is not asked for.
    ///
    /// # Errors
    /// As there.
    pub async fn search_digests(&self, query: &SearchQuery) -> Result<Outcome<DigestHit>, Error> {
        let mut transaction = self.begin_for(&query.tenant_id).await?;
        let asked = asked(&mut transaction, query).await?;
        if asked.words.is_empty() {
            return Ok(Outcome::NoWords);
        }
        let (words, weights) = asked.weights();
        let any = candidates(&asked.words).unwrap_or_else(|| words.join(" | "));
        let wanted = asked.required.map_or_else(|| any.clone(), |all| format!("({any}) & ({all})"));
        let rows = sqlx::query(DIGESTS)
            .bind(&query.tenant_id)
            .bind(&query.group_id)
            .bind(&words)
            .bind(weights)
            .bind(query.since_ms)
            .bind(words.join(" | "))
            .bind(wanted)
            .bind(i64::from(query.limit))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("search digests"))?;
        Ok(Outcome::Hits(rows.iter().map(|row| hit(row, row.get("score"))).collect()))
    }
}

pub(crate) fn hit(row: &PgRow, score: f64) -> DigestHit {
    let (snippet, matches) = unmarked(row.get("snippet"));
    DigestHit {
        group_id: row.get("group_id"),
        digest_id: row.get("digest_id"),
        version: row.get("version"),
        window_start: row.get("window_start_ms"),
        window_end: row.get("window_end_ms"),
        source_partition: row.get("source_partition"),
        source_offset: row.get("source_offset"),
        headline: row.get("headline"),
        score,
        snippet,
        matches,
    }
}
