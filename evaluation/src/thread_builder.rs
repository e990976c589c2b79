//! Evaluates reply prediction: gold links of Ubuntu IRC, and hidden native replies of a Telegram group.

use crate::{
    Error, Report,
    agreement::{Contingency, components, links},
    irc, telegram,
};
use schemas::ContextMessage;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use thread_builder::{Linker, Model};

/// Part of the Telegram export, by time, that is only evaluated on: the last fifth.
const HELD_OUT_OF: usize = 5;

/// Runs both data sets.
pub(crate) fn evaluate(data_dir: &Path) -> Result<Report, Error> {
    let mut report = Report::new("thread_builder");
    let logs = irc::load(&data_dir.join("irc_disentanglement/dev"))?;
    english(&logs, &mut report);
    let messages = telegram::load(data_dir)?;
    russian(&messages, &mut report);
    Ok(report)
}

/// Link F1, 1−VI and 1-1 in percent.
fn english(logs: &[irc::Log], report: &mut Report) {
    let (mut predicted, mut gold, mut pairs) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (file, log) in logs.iter().enumerate() {
        let found = predict(log);
        predicted.extend(found.iter().map(|&(later, earlier)| (file, later, earlier)));
        gold.extend(log.links.iter().map(|&(later, earlier)| (file, later, earlier)));
        let lines: Vec<i64> = (log.first..log.lines).collect();
        let (ours, theirs) = (components(&lines, &found), components(&lines, &log.links));
        pairs.extend(lines.iter().map(|line| ((file, ours[line]), (file, theirs[line]))));
    }
    let scores = links(&predicted, &gold);
    let table = Contingency::of(pairs);
    report.add("irc dev", "link P", 100.0 * scores.precision, None);
    report.add("irc dev", "link R", 100.0 * scores.recall, None);
    report.add("irc dev", "link F1", 100.0 * scores.f1, 59.0);
    report.add("irc dev", "1-VI", 100.0 * table.one_minus_vi(), 81.0);
    report.add("irc dev", "1-1", 100.0 * table.one_to_one(), 56.0);
}

/// The stage's links of the annotated lines; a line without one links to itself.
fn predict(log: &irc::Log) -> BTreeSet<(i64, i64)> {
    let threads = thread_builder::build(&log.messages);
    let parents: BTreeMap<i64, i64> = threads.links.iter().map(|link| (link.id, link.parent)).collect();
    (log.first..log.lines).map(|line| (line, parents.get(&line).copied().unwrap_or(line))).collect()
}

/// Accuracy in percent of the best parent, over messages whose native reply is in the chat.
fn russian(messages: &[ContextMessage], report: &mut Report) {
    let held_out = held_out(messages);
    let gold: Vec<Option<i64>> = held_out.iter().map(|message| message.reply_to).collect();
    let known: BTreeSet<i64> = messages.iter().map(|message| message.id).collect();
    let hidden: Vec<ContextMessage> =
        held_out.iter().map(|message| ContextMessage { reply_to: None, ..message.clone() }).collect();
    let best = best_parents(&hidden);
    let (mut right, mut previous_other, mut total) = (0, 0, 0_usize);
    for (at, gold) in gold.iter().enumerate() {
        let Some(gold) = gold.filter(|gold| known.contains(gold)) else { continue };
        total += 1;
        right += usize::from(best[at] == Some(gold));
        let other = hidden[..at].iter().rev().find(|earlier| earlier.author_id != hidden[at].author_id);
        previous_other += usize::from(other.map(|earlier| earlier.id) == Some(gold));
    }
    let percent = |count: usize| 100.0 * count as f64 / total.max(1) as f64;
    report.add("telegram_qa_load", "parent acc@1", percent(right), 47.0);
    report.add("telegram_qa_load", "parent acc@1 of previous other author", percent(previous_other), None);
}

/// The last fifth by time.
pub(crate) fn held_out(messages: &[ContextMessage]) -> &[ContextMessage] {
    &messages[messages.len() - messages.len() / HELD_OUT_OF..]
}

/// The most likely parent of each message, were it a reply.
fn best_parents(messages: &[ContextMessage]) -> Vec<Option<i64>> {
    let references: Vec<&ContextMessage> = messages.iter().collect();
    let mut linker = Linker::new(&references);
    let model = Model::trained(linker.habit());
    let mut best = Vec::with_capacity(messages.len());
    for _ in messages {
        let mut candidates = linker.candidates();
        let chosen = thread_builder::choose(&model, &candidates).and_then(|(at, _)| candidates[at].parent);
        candidates.retain(|candidate| candidate.parent.is_some());
        let parent = thread_builder::choose(&model, &candidates).and_then(|(at, _)| candidates[at].parent);
        best.push(parent.map(|parent| messages[parent].id));
        linker.accept(chosen);
    }
    best
}
