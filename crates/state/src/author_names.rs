//! Display names of authors, so that one who has none now is called by the last name known.
//!
//! Invariant: a name becomes a row only when it differs from the one before it in the log, so that the same batch,
//! written twice or cut elsewhere, gives the same rows; and what is known as of an offset is the same for ever.

use crate::{Error, MessageRow, json::storable};
use processor::MessagesAsOf;
use schemas::Message;
use sqlx::{PgConnection, Row};
use std::collections::BTreeMap;

/// The name before each of a batch's, by its position in the arrays.
pub(crate) const NEWEST_BEFORE: &str = "
SELECT wanted.position, known.name
FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY
    AS wanted (group_id, author_id, source_offset, position)
CROSS JOIN LATERAL (
    SELECT name FROM author_names
    WHERE tenant_id = $1 AND author_names.group_id = wanted.group_id AND author_names.author_id = wanted.author_id
        AND author_names.source_offset < wanted.source_offset
    ORDER BY author_names.source_offset DESC LIMIT 1
) AS known";

pub(crate) const APPEND: &str = "
INSERT INTO author_names (tenant_id, group_id, author_id, source_offset, source_partition, name)
SELECT $1, n.group_id, n.author_id, n.source_offset, n.source_partition, n.name
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::integer[], $6::text[])
    AS n (group_id, author_id, source_offset, source_partition, name)
ON CONFLICT DO NOTHING";

/// The last name of each author at the offset.
pub(crate) const AS_OF: &str = "
SELECT wanted.author_id, known.name
FROM unnest($3::text[]) AS wanted (author_id)
CROSS JOIN LATERAL (
    SELECT name FROM author_names
    WHERE tenant_id = $1 AND group_id = $2 AND author_names.author_id = wanted.author_id
        AND source_offset <= $4 AND source_partition = $5
    ORDER BY source_offset DESC LIMIT 1
) AS known";

/// A name and its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named<'a> {
    group_id: &'a str,
    author_id: &'a str,
    source_offset: i64,
    source_partition: i32,
    name: &'a str,
}

impl<'a> Named<'a> {
    fn author(&self) -> (&'a str, &'a str) {
        (self.group_id, self.author_id)
    }
}

/// The names that rows of one tenant tell, by author and place; of one record the last counts. A name that repeats the one before it
/// is left out.
fn named<'a>(tenant: &str, rows: &[MessageRow<'a>]) -> Vec<Named<'a>> {
    let told = rows.iter().filter(|row| row.tenant_id == tenant).filter_map(|row| {
        let author = row.message.author.as_ref().filter(|author| author.has_name())?;
        Some(Named {
            group_id: row.group_id,
            author_id: &author.id,
            source_offset: row.source_offset,
            source_partition: row.source_partition,
            name: &author.name,
        })
    });
    let mut named: Vec<Named<'a>> = told.collect();
    named.sort_by_key(|named| (named.author(), named.source_offset));
    named.dedup_by(|later, kept| {
        let is_same = later.author() == kept.author() && later.source_offset == kept.source_offset;
        if is_same {
            std::mem::swap(later, kept);
        }
        is_same
    });
    named.dedup_by(|later, kept| later.author() == kept.author() && later.name == kept.name);
    named
}

fn column<'a, T>(named: &[&Named<'a>], field: impl Fn(&Named<'a>) -> T) -> Vec<T> {
    named.iter().map(|named| field(named)).collect()
}

/// Adds the names that a tenant's rows tell and that are new.
pub(crate) async fn append(
    connection: &mut PgConnection,
    tenant: &str,
    rows: &[MessageRow<'_>],
) -> Result<(), Error> {
    let named = named(tenant, rows);
    let first: Vec<_> =
        named.chunk_by(|left, right| left.author() == right.author()).map(|of| &of[0]).collect();
    let mut known = newest_before(connection, tenant, &first).await?.into_iter();
    let mut author = None;
    let mut news = Vec::with_capacity(named.len());
    for named in &named {
        let is_first = author.replace(named.author()) != Some(named.author());
        let before = if is_first { known.next().flatten() } else { None };
        if before.is_none_or(|before| before != storable(named.name)) {
            news.push(named);
        }
    }
    if news.is_empty() {
        return Ok(());
    }
    sqlx::query(APPEND)
        .bind(tenant)
        .bind(column(&news, |named| named.group_id))
        .bind(column(&news, |named| storable(named.author_id)))
        .bind(column(&news, |named| named.source_offset))
        .bind(column(&news, |named| named.source_partition))
        .bind(column(&news, |named| storable(named.name)))
        .execute(connection)
        .await
        .map_err(Error::query("write the names of authors"))?;
    Ok(())
}

/// The name before each.
async fn newest_before(
    connection: &mut PgConnection,
    tenant: &str,
    named: &[&Named<'_>],
) -> Result<Vec<Option<String>>, Error> {
    let mut names = vec![None; named.len()];
    if named.is_empty() {
        return Ok(names);
    }
    let rows = sqlx::query(NEWEST_BEFORE)
        .bind(tenant)
        .bind(column(named, |named| named.group_id))
        .bind(column(named, |named| storable(named.author_id)))
        .bind(column(named, |named| named.source_offset))
        .fetch_all(connection)
        .await
        .map_err(Error::query("read the names of authors"))?;
    for row in rows {
        let position = usize::try_from(row.get::<i64, _>("position")).unwrap_or_default();
        if let Some(name) = position.checked_sub(1).and_then(|index| names.get_mut(index)) {
            *name = Some(row.get("name"));
        }
    }
    Ok(names)
}

/// Calls authors without a name by the last one known as of the question's offset.
pub(crate) async fn fill(
    connection: &mut PgConnection,
    question: &MessagesAsOf,
    messages: &mut [Message],
) -> Result<(), Error> {
    let nameless = messages.iter().filter_map(|message| message.author.as_ref());
    let mut ids: Vec<&str> =
        nameless.filter(|author| !author.has_name()).map(|author| author.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query(AS_OF)
        .bind(&question.tenant_id)
        .bind(&question.group_id)
        .bind(ids)
        .bind(question.offset)
        .bind(question.partition)
        .fetch_all(connection)
        .await
        .map_err(Error::query("read the names of authors"))?;
    let known: BTreeMap<String, String> =
        rows.iter().map(|row| (row.get("author_id"), row.get("name"))).collect();
    let authors = messages.iter_mut().filter_map(|message| message.author.as_mut());
    for author in authors.filter(|author| !author.has_name()) {
        if let Some(name) = known.get(&author.id) {
            author.name.clone_from(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Author;

    fn message(author: &str, name: &str) -> Message {
        Message {
            author: Some(Author { id: author.to_owned(), name: name.to_owned(), is_bot: false }),
            ..Message::plain(1, 1, "")
        }
    }

    #[test]
    fn a_name_is_told_once_until_it_changes() {
        let messages = [
            ("u1", "Ann", 3),
            ("u2", "", 3),
            ("u3", "u3", 3),
            ("u1", "Ann", 4),
            ("u1", "Anna", 5),
            ("u1", "Anya", 5),
            ("u4", "Bob", 5),
            ("u1", "Ann", 7),
        ]
        .map(|(author, name, offset)| (message(author, name), offset));
        let row = |(message, source_offset): &'_ (Message, i64)| (message.clone(), *source_offset);
        let owned: Vec<_> = messages.iter().map(row).collect();
        let rows: Vec<MessageRow<'_>> = owned
            .iter()
            .map(|(message, source_offset)| MessageRow {
                tenant_id: "t",
                group_id: "g",
                source_partition: 0,
                source_offset: *source_offset,
                message,
            })
            .collect();
        let told = named("t", &rows);
        let told: Vec<_> = told.iter().map(|one| (one.author_id, one.name, one.source_offset)).collect();
        assert_eq!(told, [("u1", "Ann", 3), ("u1", "Anya", 5), ("u1", "Ann", 7), ("u4", "Bob", 5)]);
    }
}
