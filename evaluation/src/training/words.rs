//! Finds everyday stems: those that are frequent in two corpora of different subject.
//!
//! Invariant: a stem of only one corpus is never listed, so that no chat's own subject counts as everyday.

use crate::{Error, data, irc, telegram, thread_builder::held_out};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Smallest share of messages that hold a listed stem.
const SHARE_MIN: f64 = 0.000_5;

/// Stems with −ln of the smaller of their two message shares, in tenths; the most frequent first.
pub fn everyday(data_dir: &Path, russian: bool) -> Result<String, Error> {
    let (chat, general) = if russian {
        let messages = telegram::load(data_dir)?;
        let seen = messages.len() - held_out(&messages).len();
        let chat = shares(messages[..seen].iter().map(|message| message.text.as_str()));
        let general = data_dir.join("ru_goemotions/ru-go-emotions-simplified-validation.csv");
        (chat, lines_of(&general)?)
    } else {
        let logs = irc::load(&data_dir.join("irc_disentanglement/train"))?;
        let lines = logs.iter().flat_map(|log| &log.messages).map(|message| message.text.as_str());
        (shares(lines), lines_of(&data_dir.join("goemotions/dev.tsv"))?)
    };
    let common = chat.iter().filter_map(|(stem, share)| Some((stem, share.min(*general.get(stem)?))));
    let mut listed: Vec<(i64, &String)> = common
        .filter(|&(stem, share)| share >= SHARE_MIN && script(stem) == Some(russian))
        .map(|(stem, share)| ((-share.ln() * 10.0).round() as i64, stem))
        .collect();
    listed.sort();
    let lines: Vec<String> = listed.iter().map(|(tenths, stem)| format!("{tenths} {stem}")).collect();
    Ok(lines.join("\n") + "\n")
}

/// Whether a word is Cyrillic; `None` for mixed ones and numbers.
fn script(stem: &str) -> Option<bool> {
    if stem.chars().all(text::is_cyrillic) {
        Some(true)
    } else {
        stem.chars().all(|c| c.is_ascii_alphabetic() || c == '\'').then_some(false)
    }
}

fn shares<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    let mut total = 0.0;
    for text in texts {
        total += 1.0;
        for stem in text::lemmas(text).into_iter().collect::<BTreeSet<_>>() {
            *counts.entry(stem).or_insert(0.0) += 1.0;
        }
    }
    counts.into_iter().map(|(stem, count)| (stem, count / total)).collect()
}

/// Message shares over the lines of a table; other columns hold another script or single words.
fn lines_of(table: &Path) -> Result<BTreeMap<String, f64>, Error> {
    let body = data::text(table)?;
    Ok(shares(body.lines().filter_map(|line| line.split('\t').next())))
}
