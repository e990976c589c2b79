//! A made-up chat: the same lines for the same seed, and what a careful reader would count in them.

use anyhow::Context;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

const DAY_MS: i64 = 86_400_000;
/// 2026-01-05T00:00:00Z, a Monday.
const FIRST_DAY_MS: i64 = 1_767_571_200_000;
const PEOPLE: [&str; 5] = ["Ann", "Bo", "Cem", "Dora", "Eli"];
const SUBJECTS: [&str; 6] =
    ["the release", "the invoice export", "the login page", "the backup", "the offsite", "the API"];
const PHRASES: [&str; 10] = [
    "Could somebody look at {}?",
    "We decided: {} goes out on Thursday.",
    "I will write the notes for {} by Friday.",
    "{} is broken again, see https://status.example/42",
    "Thanks, {} looks great now!",
    "Who owns {} this week?",
    "I am worried about {}, the tests fail.",
    "Let us move {} to the next sprint.",
    "Done, {} is deployed.",
    "I do not think {} is ready yet.",
];

/// What is left of one UTC day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// Messages that were not deleted.
    pub ids: BTreeSet<i64>,
    /// Their authors.
    pub people: BTreeSet<String>,
}

/// A chat of a group.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Its group.
    pub group: String,
    lines: Vec<Value>,
    /// Days by their start in ms.
    pub days: BTreeMap<i64, Day>,
    /// Distinct (id, revision).
    pub states: BTreeSet<(i64, i64)>,
}

/// Knuth's MMIX generator: its high bits are good enough for a chat.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

impl Chat {
    /// A chat of so many days, with between two and `busiest` messages each: some answered, some edited, some
    /// deleted, some exported twice.
    pub fn new(group: &str, days: i64, busiest: usize) -> Self {
        Self::later(group, 0, days, busiest)
    }

    /// [`Chat::new`], beginning so many days later, with ids of its own.
    pub fn later(group: &str, first_day: i64, days: i64, busiest: usize) -> Self {
        let mut chat = Self {
            group: group.to_owned(),
            lines: Vec::new(),
            days: BTreeMap::new(),
            states: BTreeSet::new(),
        };
        let seed =
            group.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut dice = Dice(seed);
        let mut id = 1 + first_day * 1_000;
        for day in first_day..first_day + days {
            let start = FIRST_DAY_MS + day * DAY_MS;
            let count = 2 + dice.roll(busiest - 1);
            let gap = DAY_MS / i64::try_from(count + 1).unwrap_or(i64::MAX);
            for number in 1..=i64::try_from(count).unwrap_or_default() {
                chat.say(id, start + number * gap, &mut dice);
                id += 1;
            }
        }
        chat
    }

    fn say(&mut self, id: i64, sent_at: i64, dice: &mut Dice) {
        let person = PEOPLE[dice.roll(PEOPLE.len())];
        let text = PHRASES[dice.roll(PHRASES.len())].replace("{}", SUBJECTS[dice.roll(SUBJECTS.len())]);
        let mut line = json!({
            "id": id, "sent_at": sent_at, "author": { "id": format!("u_{person}"), "name": person }, "text": text,
        });
        if id > 3 && dice.roll(3) == 0 {
            line["reply_to"] = json!(id - 1 - i64::try_from(dice.roll(3)).unwrap_or_default());
        }
        self.lines.push(line.clone());
        self.states.insert((id, 0));
        let day = self.days.entry(sent_at - sent_at.rem_euclid(DAY_MS)).or_default();
        match dice.roll(16) {
            0 => self.lines.push(line),
            1 => {
                line["text"] = json!(format!("{text} (corrected)"));
                line["edited_at"] = json!(sent_at + 60_000);
                self.lines.push(line);
                self.states.insert((id, sent_at + 60_000));
            }
            2 if !day.ids.is_empty() => {
                let gone = json!({ "id": id, "kind": "deleted", "deleted_at": sent_at + 90_000, "sent_at": sent_at });
                self.lines.push(gone);
                self.states.insert((id, sent_at + 90_000));
                return;
            }
            _ => {}
        }
        day.ids.insert(id);
        day.people.insert(person.to_owned());
    }

    /// Lines that it is written in: each state of a message, some of them twice.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// Days that get a digest: those with at least five messages.
    pub fn digested(&self) -> impl Iterator<Item = (&i64, &Day)> {
        self.days.iter().filter(|(_, day)| day.ids.len() >= 5)
    }

    /// Writes the chat as JSON Lines.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, directory: &Path) -> anyhow::Result<PathBuf> {
        let path = directory.join(format!(
            "{}-{}.jsonl",
            self.group,
            self.days.keys().next().copied().unwrap_or_default()
        ));
        let mut file = BufWriter::new(File::create(&path).context("could not make a file")?);
        for line in &self.lines {
            writeln!(file, "{line}").context("could not write a chat")?;
        }
        file.flush().context("could not write a chat")?;
        Ok(path)
    }
}

/// A talk of which a digest has a decision, a promise and an answered question.
pub const TALK: [&str; 6] = [
    "Which day does the Zanzibar release go out?",
    "We decided: the Zanzibar release goes out on Thursday.",
    "I will write the notes for the Zanzibar release by Friday.",
    "Could somebody look at the invoice export?",
    "The invoice export works again since this morning.",
    "Thanks, the invoice export looks great now!",
];
