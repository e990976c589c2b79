//! The digest's sentences on meetings: ROUGE at equal length.

use crate::{
    Error, Report, data,
    rouge::{Rouge, rouge, stems},
};
use schemas::ContextMessage;
use serde::Deserialize;
use std::path::Path;
use synthesis::{Source, extract};

const MEETINGS: &str = "qmsum/val.jsonl";
/// Turns of the LEAD baseline; its length is what the others get too.
const LEAD_TURNS: usize = 10;
/// A turn's pause in ms: meetings have no clock.
const PAUSE_MS: i64 = 20_000;

/// Evaluates the sentences of digests on meetings.
pub(crate) fn evaluate(data_dir: &Path) -> Result<Report, Error> {
    let mut report = Report::new("synthesis");
    meetings(&data::json_lines(&data_dir.join(MEETINGS))?, &mut report);
    Ok(report)
}

#[derive(Deserialize)]
struct Meeting {
    general_query_list: Vec<Query>,
    meeting_transcripts: Vec<Turn>,
}

#[derive(Deserialize)]
struct Query {
    answer: String,
}

#[derive(Deserialize)]
struct Turn {
    speaker: String,
    content: String,
}

fn meetings(meetings: &[Meeting], report: &mut Report) {
    let mut sums = [Rouge::default(); 3];
    let mut count = 0.0;
    for meeting in meetings {
        for query in &meeting.general_query_list {
            count += 1.0;
            for (sum, found) in sums.iter_mut().zip(compared(meeting, &query.answer)) {
                sum.r1 += found.r1;
                sum.r2 += found.r2;
                sum.rl += found.rl;
            }
        }
    }
    let [own, lead, longest] =
        sums.map(|sum| Rouge { r1: sum.r1 / count, r2: sum.r2 / count, rl: sum.rl / count });
    let dataset = "qmsum val, general";
    for (metric, pick) in [
        ("ROUGE-1", (|found| found.r1) as fn(Rouge) -> f64),
        ("ROUGE-2", |found| found.r2),
        ("ROUGE-L", |found| found.rl),
    ] {
        report.add(dataset, metric, pick(own), pick(lead));
        report.add(dataset, &format!("{metric} LONGEST"), pick(longest), None);
    }
}

/// Own choice, LEAD and LONGEST, all as long as LEAD.
fn compared(meeting: &Meeting, answer: &str) -> [Rouge; 3] {
    let messages: Vec<ContextMessage> = meeting
        .meeting_transcripts
        .iter()
        .zip(1..)
        .map(|(turn, id)| ContextMessage::plain(id, id * PAUSE_MS, &turn.speaker, &clean(&turn.content)))
        .collect();
    let lead: Vec<String> =
        messages.iter().take(LEAD_TURNS).flat_map(|message| stems(&message.text)).collect();
    let wanted = stems(answer);
    let mut by_length: Vec<&ContextMessage> = messages.iter().collect();
    by_length.sort_by_key(|message| (std::cmp::Reverse(message.text.chars().count()), message.id));
    let longest = cut(by_length.iter().flat_map(|message| stems(&message.text)), lead.len());
    let source = Source::new(&messages, None);
    // Sentences are chosen whole, so a few more are taken and the last one is cut.
    let chosen = extract(&source, lead.len() + lead.len() / 4);
    let own =
        cut(chosen.iter().flat_map(|sentence| stems(source.text(&source.sentences[*sentence]))), lead.len());
    [rouge(&own, &wanted), rouge(&lead, &wanted), rouge(&longest, &wanted)]
}

fn cut(words: impl Iterator<Item = String>, length: usize) -> Vec<String> {
    words.take(length).collect()
}

/// Marks of the transcribers, such as `{vocalsound}`, are no speech.
fn clean(content: &str) -> String {
    let mut out = String::with_capacity(content.len());
    let mut depth = 0_usize;
    for c in content.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_transcribers_are_no_speech() {
        assert_eq!(clean("so {vocalsound} yes"), "so  yes");
    }
}
