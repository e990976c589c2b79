//! Messages of invented words, as rare and as common as words are, and what a search for some of them has to find.
//!
//! Invariant: a function of the number of messages. No two words have one stem: each ends in a vowel that no English or
//! Russian rule takes away.

use crate::{
    dice::Dice,
    error::Error,
    generator::{BEGIN_MS, PARTITIONS, TENANT},
    sender::Outgoing,
};
use engine::murmur2_partition;
use schemas::{Author, Encoder, GroupMessageIngested, LIVE_LANE, Message, Record as _};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 13;
const CHATS: u64 = 20;
/// Messages of a record, as an import writes them.
const A_RECORD: usize = 50;
const AUTHORS: u64 = 40;
/// Words that there are; the one of rank r comes 1/r as often as the first.
const WORDS: u64 = 20_000;
const CONSONANTS: [char; 13] = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 't', 'v', 'z'];
const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];
const LAST_VOWELS: [char; 2] = ['o', 'u'];

/// A message's chat, and its id there.
pub(crate) type Place = (String, i64);

/// So many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corpus(pub(crate) u64);

/// The word of a rank, from 0.
pub(crate) fn word(rank: u64) -> String {
    let mut rest = rank;
    let mut take = |of: &[char]| {
        let count = of.len() as u64;
        let taken = of[(rest % count) as usize];
        rest /= count;
        taken
    };
    [
        take(&CONSONANTS),
        take(&VOWELS),
        take(&CONSONANTS),
        take(&VOWELS),
        take(&CONSONANTS),
        take(&LAST_VOWELS),
    ]
    .into_iter()
    .collect()
}

fn place(number: u64) -> Place {
    (format!("chat{}", number % CHATS), (number / CHATS) as i64 + 1)
}

impl Corpus {
    /// Ranks of the words of each message, in order.
    fn messages(self) -> impl Iterator<Item = Vec<u64>> {
        let mut total = 0;
        let bounds: Vec<u64> = (1..=WORDS)
            .map(|rank| {
                total += 1_000_000_000 / rank;
                total
            })
            .collect();
        let mut dice = Dice::new(SEED);
        (0..self.0).map(move |_| {
            let count = 4 + dice.below(25);
            let one = |dice: &mut Dice| {
                let point = dice.below(total);
                bounds.partition_point(|bound| *bound <= point) as u64
            };
            (0..count).map(|_| one(&mut dice)).collect()
        })
    }

    /// The records, each of one chat.
    pub(crate) fn records(self, schema_id: u32) -> Result<Vec<Outgoing>, Error> {
        let encoder = Encoder::<GroupMessageIngested>::new(schema_id)?;
        let mut waiting: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        let mut records = Vec::new();
        for (number, ranks) in (0..).zip(self.messages()) {
            let (chat, id) = place(number);
            let author = number % AUTHORS;
            let author =
                Author { id: format!("user{author}"), name: format!("Member {author}"), is_bot: false };
            let text: Vec<String> = ranks.into_iter().map(word).collect();
            let message =
                Message { author: Some(author), ..Message::plain(id, sent_at(number), &text.join(" ")) };
            let of_chat = waiting.entry(chat.clone()).or_default();
            of_chat.push(message);
            if of_chat.len() == A_RECORD {
                let messages = std::mem::take(of_chat);
                records.push(record(&encoder, &chat, messages)?);
            }
        }
        for (chat, messages) in waiting {
            if !messages.is_empty() {
                records.push(record(&encoder, &chat, messages)?);
            }
        }
        Ok(records)
    }

    /// Where each of some words stands.
    pub(crate) fn holders(self, wanted: &BTreeSet<u64>) -> BTreeMap<u64, BTreeSet<Place>> {
        let mut holders: BTreeMap<u64, BTreeSet<Place>> = BTreeMap::new();
        for (number, ranks) in (0..).zip(self.messages()) {
            for rank in ranks.into_iter().filter(|rank| wanted.contains(rank)) {
                holders.entry(rank).or_default().insert(place(number));
            }
        }
        holders
    }
}

fn sent_at(number: u64) -> i64 {
    BEGIN_MS + number as i64 * 1_000
}

fn record(
    encoder: &Encoder<GroupMessageIngested>,
    chat: &str,
    messages: Vec<Message>,
) -> Result<Outgoing, Error> {
    let record = GroupMessageIngested {
        tenant_id: TENANT.to_owned(),
        group_id: chat.to_owned(),
        lane: LIVE_LANE.to_owned(),
        observed_at: messages.last().map_or(BEGIN_MS, |message| message.sent_at),
        messages,
        ingest_trace_id: schemas::trace_id(chat),
        ..GroupMessageIngested::default()
    };
    let mut value = Vec::new();
    encoder.encode(&record, &mut value)?;
    let key = record.key();
    Ok(Outgoing { partition: murmur2_partition(key.as_bytes(), PARTITIONS), key, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rank_has_a_word_of_its_own() {
        let words: BTreeSet<String> = (0..WORDS).map(word).collect();
        assert_eq!(words.len() as u64, WORDS);
        assert!(words.iter().all(|word| word.len() == 6 && word.ends_with(LAST_VOWELS)));
    }

    #[test]
    fn some_words_are_common_and_some_are_rare() {
        let wanted = BTreeSet::from([0, 500, 19_999]);
        let holders = Corpus(5_000).holders(&wanted);
        let count = |rank| holders.get(&rank).map_or(0, BTreeSet::len);
        assert!(count(0) > 2_000 && (1..200).contains(&count(500)) && count(19_999) < 10, "{holders:?}");
    }

    #[test]
    fn every_message_is_in_a_record() {
        let records = Corpus(1_030).records(1).expect("records");
        let mut decoder = crate::watcher::Shipped::<GroupMessageIngested>::decoder();
        let mut found = BTreeSet::new();
        for outgoing in &records {
            let record = decoder.decode(Some(&outgoing.value)).expect("a record");
            assert_eq!(record.check(0), Ok(()));
            found.extend(record.messages.iter().map(|message| (record.group_id.clone(), message.id)));
        }
        assert_eq!(found, (0..1_030).map(place).collect::<BTreeSet<_>>());
    }
}
