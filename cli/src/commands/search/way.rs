//! Ways to search: by words, by meaning, by both. Invariant: filters and limits are the same in all of them.

use clap::Args;
use runtime::Config;
use state::{DigestHit, MessageHit, Outcome, SearchQuery, Store};
use std::{collections::HashMap, hash::Hash};

use super::{
    Hit, Kind,
    meaning::{Meaning, Query},
};

/// Hits of either way that are fused: more change little, as their places count for little.
const FUSED: u32 = 30;

/// The flags of the ways.
#[derive(Debug, Args)]
pub(super) struct By {
    /// By words; the default, which finds most answers to questions of a real group
    #[arg(long, group = "way")]
    text: bool,
    /// By what it is about, in the index of vectors that `qdrant_sink` fills
    #[arg(long, group = "way")]
    semantic: bool,
    /// By both, ranked by the places in either list
    #[arg(long, group = "way")]
    hybrid: bool,
}

impl By {
    pub(super) fn way(&self) -> Way {
        match (self.text, self.semantic, self.hybrid) {
            (_, true, _) => Way::Semantic,
            (_, _, true) => Way::Hybrid,
            _ => Way::Text,
        }
    }
}

/// What hits are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Words, in Postgres.
    Text,
    /// Vectors, in Qdrant.
    Semantic,
    /// Both, by reciprocal rank fusion.
    Hybrid,
}

/// Hits of each kind, best first.
#[derive(Debug, Default)]
struct Found {
    messages: Vec<MessageHit>,
    digests: Vec<DigestHit>,
}

/// Which kinds a query is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kinds {
    pub(super) messages: bool,
    pub(super) digests: bool,
}

impl Kinds {
    fn of(query: &SearchQuery, kind: Option<Kind>) -> Self {
        // What an author said is asked for; digests say what all did.
        let digests = kind != Some(Kind::Message) && query.author.is_none();
        Self { messages: kind != Some(Kind::Digest), digests }
    }
}

/// Messages and digests in one list: what is first of its kind comes first.
pub(super) async fn search(
    store: &Store,
    config: &Config,
    (query, kind): (&SearchQuery, Option<Kind>),
    way: Way,
) -> anyhow::Result<Outcome<Hit>> {
    let kinds = Kinds::of(query, kind);
    let limit = query.limit;
    let found = match way {
        Way::Text => by_words(store, query, kinds).await?,
        Way::Semantic => by_meaning(store, config, query, kinds).await?,
        Way::Hybrid => {
            let query = SearchQuery { limit: limit.max(FUSED), ..query.clone() };
            let meaning = by_meaning(store, config, &query, kinds).await?;
            fused([by_words(store, &query, kinds).await?, meaning])
        }
    };
    let Some(found) = found else { return Ok(Outcome::NoWords) };
    Ok(Outcome::Hits(merged(found, limit)))
}

/// None where the query has no words.
async fn by_words(store: &Store, query: &SearchQuery, kinds: Kinds) -> anyhow::Result<Option<Found>> {
    let mut found = Found::default();
    if kinds.digests {
        let Outcome::Hits(digests) = store.search_digests(query).await? else { return Ok(None) };
        found.digests = digests;
    }
    if kinds.messages {
        let Outcome::Hits(messages) = store.search_messages(query).await? else { return Ok(None) };
        found.messages = messages;
    }
    Ok(Some(found))
}

/// None where the query means nothing that the model knows.
async fn by_meaning(
    store: &Store,
    config: &Config,
    query: &SearchQuery,
    kinds: Kinds,
) -> anyhow::Result<Option<Found>> {
    let Some(meaning) = Meaning::of(store, config, &query.text).await? else { return Ok(None) };
    let asked = Query { store, query };
    let mut found = Found::default();
    if kinds.digests {
        found.digests = meaning.digests(asked).await?;
    }
    if kinds.messages {
        found.messages = meaning.messages(asked).await?;
    }
    Ok(Some(found))
}

/// The lists of both ways as one; none where neither could be asked.
fn fused(lists: [Option<Found>; 2]) -> Option<Found> {
    if lists.iter().all(Option::is_none) {
        return None;
    }
    let lists = lists.map(Option::unwrap_or_default);
    let (messages, digests): (Vec<_>, Vec<_>) =
        lists.into_iter().map(|found| (found.messages, found.digests)).unzip();
    let of_message = |hit: &MessageHit| (hit.group_id.clone(), hit.message_id);
    Some(Found {
        messages: fuse(messages, of_message, |hit| &mut hit.score),
        digests: fuse(digests, |hit| hit.digest_id.clone(), |hit| &mut hit.score),
    })
}

/// Lists of hits as one, with the sums as scores; of a hit in several lists the first one's is kept, whose words are marked.
fn fuse<H, K: Eq + Hash + Clone>(
    lists: Vec<Vec<H>>,
    key: impl Fn(&H) -> K,
    score: impl Fn(&mut H) -> &mut f64,
) -> Vec<H> {
    let keys: Vec<Vec<K>> = lists.iter().map(|list| list.iter().map(&key).collect()).collect();
    let mut hits = HashMap::new();
    for hit in lists.into_iter().flatten() {
        hits.entry(key(&hit)).or_insert(hit);
    }
    let ranked = text::fuse(&keys).into_iter().filter_map(|(key, sum)| {
        let mut hit = hits.remove(&key)?;
        *score(&mut hit) = sum;
        Some(hit)
    });
    ranked.collect()
}

fn merged(found: Found, limit: u32) -> Vec<Hit> {
    let mut lists = [
        found.digests.into_iter().map(Hit::Digest).collect::<Vec<_>>().into_iter(),
        found.messages.into_iter().map(Hit::Message).collect::<Vec<_>>().into_iter(),
    ];
    let mut hits = Vec::new();
    loop {
        let row: Vec<Hit> = lists.iter_mut().filter_map(Iterator::next).collect();
        if row.is_empty() {
            break;
        }
        hits.extend(row);
    }
    hits.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    hits
}

#[cfg(test)]
mod tests {
    use super::{
        super::print::tests::{digest, message},
        *,
    };

    #[test]
    fn kinds_take_turns_up_to_the_limit() {
        let found = Found { messages: vec![message(1), message(2), message(3)], digests: vec![digest()] };
        let kinds: Vec<&str> = merged(found, 3)
            .iter()
            .map(|hit| if matches!(hit, Hit::Digest(_)) { "digest" } else { "message" })
            .collect();
        assert_eq!(kinds, ["digest", "message", "message"]);
    }

    #[test]
    fn what_both_ways_found_comes_first_with_the_words_that_were_marked() {
        let by_words = Found { messages: vec![message(1), message(2)], digests: Vec::new() };
        let unmarked = |id| MessageHit { matches: Vec::new(), ..message(id) };
        let by_meaning = Found { messages: vec![unmarked(3), unmarked(2)], digests: vec![digest()] };
        let found = fused([Some(by_words), Some(by_meaning)]).unwrap();
        let ranked: Vec<(i64, usize)> =
            found.messages.iter().map(|hit| (hit.message_id, hit.matches.len())).collect();
        assert_eq!(ranked, [(2, 1), (1, 1), (3, 0)]);
        assert!((found.messages[0].score - 2.0 / 62.0).abs() < 1e-12, "{:?}", found.messages[0].score);
        assert_eq!(found.digests.len(), 1);
        let alone = fused([None, Some(Found { messages: vec![message(1)], digests: Vec::new() })]);
        assert_eq!(alone.unwrap().messages.len(), 1);
        assert!(fused([None, None]).is_none());
    }
}
