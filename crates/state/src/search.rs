//! Search for messages by their words, with Postgres' full text search.
//!
//! Invariant: a hit is the newest state of a message that is not deleted. A row of `message_words` is seen only by a
//! transaction that acts for its tenant and has said which words it looks for (migration 14).

use crate::{
    Error, Store,
    search_words::{MARK, Word, candidates, has_operators, of_tenant, quoted, unmarked},
};
use serde::Serialize;
use sqlx::{Postgres, Row, Transaction, postgres::PgRow};
use text::{COMMON, word_weight};

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct SearchQuery {
    /// Tenant.
    pub tenant_id: String,
    /// Group; none for all of the tenant's.
    pub group_id: Option<String>,
    /// Words, as a person writes them: "a phrase", -without.
    pub text: String,
    /// Only what was sent, or whose window began, at this time in ms or later.
    pub since_ms: Option<i64>,
    /// Only messages of the author with this id, or with this name in whatever case.
    pub author: Option<String>,
    /// Most hits.
    pub limit: u32,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<H> {
    /// Hits, best first.
    Hits(Vec<H>),
    /// The query holds no word that is looked for: it is of punctuation and of words as common as "the".
    NoWords,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageHit {
    /// Group.
    pub group_id: String,
    /// Id of the message.
    pub message_id: i64,
    /// Id of the author.
    pub author_id: Option<String>,
    /// Name of the author, as the message has it.
    pub author_name: Option<String>,
    /// Sent, in ms.
    pub sent_at: i64,
    /// Partition of `group.message.ingested`.
    pub source_partition: i32,
    /// Offset of the record that holds this state.
    pub source_offset: i64,
    /// How well it answers; comparable within one search only.
    pub score: f64,
    /// The text, or the part of it around the words.
    pub snippet: String,
    /// The words, as they stand there.
    pub matches: Vec<String>,
    /// Digests that cite the message, newest window first.
    pub digests: Vec<Citation>,
}

/// A digest that cites a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// Id of the digest.
    pub digest_id: String,
    /// `<window revision>.<attempt>`.
    pub version: String,
    /// Its headline.
    pub headline: String,
}

/// `on` while words are looked up: GIN has bitmap scans only. What else such a statement reads, its shape pins.
pub(crate) const BITMAPS: &str = "SELECT set_config('enable_bitmapscan', $1, true)";

/// Says what the transaction looks for: its policy shows nothing else.
pub(crate) const ASK: &str = "SELECT set_config('app.words', $1, true)";

pub(crate) const WORDS: &str = "
SELECT lexeme FROM unnest(to_tsvector('pg_catalog.russian', $1)) ORDER BY positions[1] LIMIT 24";

pub(crate) const REQUIRED: &str = "SELECT websearch_to_tsquery('pg_catalog.russian', $1)::text";

pub(crate) const COUNT: &str = "
SELECT count(*) FROM (SELECT FROM message_words WHERE tenant_id = $1 LIMIT $2) AS found";

/// The formula is that of [`text::score`]; the tenant's lexeme is the one more that it adds. In a text the characters that
/// mark words in the headline become blanks.
pub(crate) const MESSAGES: &str = "
SELECT found.group_id, found.id, found.score, state.author_id, state.author_name, state.sent_at_ms,
    state.source_partition, found.source_offset,
    ts_headline('pg_catalog.russian', translate(left(state.text, 65536), E'\\x02\\x03', '  '), $8::text::tsquery,
        E'StartSel=\\x02, StopSel=\\x03, MaxWords=40, MinWords=20') AS headline
FROM (
    SELECT group_id, id, revision, source_offset, sent_at_ms, (
        SELECT sum(asked.weight) FROM unnest($3::text[]::tsquery[], $4::float8[]) AS asked (word, weight)
        WHERE words @@ asked.word
    ) / (1 + ln(length(words))) AS score
    FROM message_words
    WHERE tenant_id = $1 AND ($2::text IS NULL OR group_id = $2) AND ($5::bigint IS NULL OR sent_at_ms >= $5)
    ORDER BY score DESC, sent_at_ms DESC, id DESC, group_id
) AS found
CROSS JOIN LATERAL (
    SELECT * FROM messages
    WHERE tenant_id = $1 AND messages.group_id = found.group_id AND messages.id = found.id
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS state
LEFT JOIN LATERAL (
    SELECT deleted FROM messages
    WHERE tenant_id = $1 AND messages.group_id = found.group_id AND messages.id = found.id AND deleted
    ORDER BY revision DESC, source_offset DESC LIMIT 1
) AS gone ON true
WHERE state.revision = found.revision AND state.source_offset = found.source_offset AND gone.deleted IS NULL
    AND ($6::text IS NULL OR state.author_id = $6 OR lower(state.author_name) = lower($6))
ORDER BY found.score DESC, found.sent_at_ms DESC, found.id DESC, found.group_id
LIMIT $7";

/// What a query became.
pub(crate) struct Asked {
    /// Words with the number of states that hold them.
    pub(crate) words: Vec<Word>,
    /// What operators demand of each hit.
    pub(crate) required: Option<String>,
}

impl Asked {
    /// Lexemes as operands, and what each is worth.
    pub(crate) fn weights(&self) -> (Vec<String>, Vec<f64>) {
        self.words.iter().map(|word| (quoted(&word.lexeme), word_weight(word.states))).unzip()
    }
}

/// The words of a query and how common they are. Empty where it has none.
pub(crate) async fn asked(
    transaction: &mut Transaction<'static, Postgres>,
    query: &SearchQuery,
) -> Result<Asked, Error> {
    let what = "read the words of a query";
    let lexemes: Vec<String> = sqlx::query_scalar(WORDS)
        .bind(&query.text)
        .fetch_all(&mut **transaction)
        .await
        .map_err(Error::query(what))?;
    bitmaps(transaction, "on").await?;
    let mut words = Vec::with_capacity(lexemes.len());
    for lexeme in lexemes {
        ask(transaction, &of_tenant(&query.tenant_id, &quoted(&lexeme))).await?;
        let states: i64 = sqlx::query_scalar(COUNT)
            .bind(&query.tenant_id)
            .bind(i64::from(COMMON) + 1)
            .fetch_one(&mut **transaction)
            .await
            .map_err(Error::query("count the messages with a word"))?;
        words.push(Word { lexeme, states: u32::try_from(states).unwrap_or(u32::MAX) });
    }
    bitmaps(transaction, "off").await?;
    let mut required = None;
    if has_operators(&query.text) {
        let read = sqlx::query_scalar(REQUIRED).bind(&query.text).fetch_one(&mut **transaction).await;
        required = Some(read.map_err(Error::query(what))?);
    }
    Ok(Asked { words, required })
}

async fn bitmaps(transaction: &mut Transaction<'static, Postgres>, wanted: &str) -> Result<(), Error> {
    let done = sqlx::query(BITMAPS).bind(wanted).execute(&mut **transaction).await;
    done.map(drop).map_err(Error::query("let an index of words be read"))
}

async fn ask(transaction: &mut Transaction<'static, Postgres>, words: &str) -> Result<(), Error> {
    let done = sqlx::query(ASK).bind(words).execute(&mut **transaction).await;
    done.map(drop).map_err(Error::query("say which words are looked for"))
}

impl Store {
    /// Messages with words of the query, best first: rare words count for more, and a short text for more than a long one.
    /// A phrase in quotes and a word after a minus are kept to; beyond them a hit need not have all words.
    ///
    /// # Errors
    /// Those of any read. The query is data: no text makes a statement fail, but keep it below 500 characters, since a
    /// word of more than 2,046 bytes is none for Postgres.
    pub async fn search_messages(&self, query: &SearchQuery) -> Result<Outcome<MessageHit>, Error> {
        let mut transaction = self.begin_for(&query.tenant_id).await?;
        let asked = asked(&mut transaction, query).await?;
        if asked.words.is_empty() {
            return Ok(Outcome::NoWords);
        }
        let Some(any) = candidates(&asked.words) else { return Ok(Outcome::Hits(Vec::new())) };
        let wanted = asked.required.as_ref().map_or_else(|| any.clone(), |all| format!("({any}) & ({all})"));
        ask(&mut transaction, &of_tenant(&query.tenant_id, &wanted)).await?;
        bitmaps(&mut transaction, "on").await?;
        let (words, weights) = asked.weights();
        let rows = sqlx::query(MESSAGES)
            .bind(&query.tenant_id)
            .bind(&query.group_id)
            .bind(&words)
            .bind(weights)
            .bind(query.since_ms)
            .bind(&query.author)
            .bind(i64::from(query.limit))
            .bind(words.join(" | "))
            .fetch_all(&mut *transaction)
            .await
            .map_err(Error::query("search messages"))?;
        bitmaps(&mut transaction, "off").await?;
        let mut hits: Vec<_> = rows.iter().map(|row| hit(row, row.get("score"))).collect();
        crate::search_digests::cite(&mut transaction, &query.tenant_id, &mut hits).await?;
        Ok(Outcome::Hits(hits))
    }
}

pub(crate) fn hit(row: &PgRow, score: f64) -> MessageHit {
    let (snippet, matches) = unmarked(row.get("headline"));
    MessageHit {
        group_id: row.get("group_id"),
        message_id: row.get("id"),
        author_id: row.get("author_id"),
        author_name: row.get("author_name"),
        sent_at: row.get("sent_at_ms"),
        source_partition: row.get("source_partition"),
        source_offset: row.get("source_offset"),
        score,
        snippet,
        matches,
        digests: Vec::new(),
    }
}

const _: () = assert!(MARK[0] as u32 == 2 && MARK[1] as u32 == 3, "search::MESSAGES names them");
