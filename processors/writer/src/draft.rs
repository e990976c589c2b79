//! What a model answers, and the digest that is made of it.
//!
//! Invariant: a line cites messages that the model was shown, by their numbers; a line without any, or one that is
//! no line any more, is left out.

use schemas::{Action, Claim, Digest};
use serde::Deserialize;

/// Most lines of a topic, and of the beginning.
const STORY_MAX: usize = 4;
const SUMMARY_MAX: usize = 6;
/// Most characters of a line, and of a title; a model that repeats itself writes more.
const LINE_CHARS_MAX: usize = 600;
const TITLE_CHARS_MAX: usize = 160;
/// Most claims of each kind that one part may make.
const CLAIMS_MAX: usize = 12;

/// What a model wrote about a part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Draft {
    topics: Vec<Topic>,
    pub(crate) summary: Vec<Line>,
    decisions: Vec<Line>,
    actions: Vec<Promise>,
    open: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Topic {
    #[serde(rename = "topic")]
    number: i64,
    title: String,
    lines: Vec<Line>,
}

/// A line and the numbers of its messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) messages: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Promise {
    text: String,
    owner: Option<String>,
    due: Option<String>,
    messages: Vec<i64>,
}

/// What a model chose of the lines of all parts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Summary {
    summary: Vec<Chosen>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Chosen {
    text: String,
    lines: Vec<i64>,
}

/// Ids of messages by the numbers that a model was shown.
pub(crate) struct Numbers(pub(crate) Vec<i64>);

impl Numbers {
    /// The ids of numbers that exist, each once, in the order given.
    fn ids(&self, numbers: &[i64]) -> Vec<i64> {
        let mut ids = Vec::new();
        for number in numbers {
            let at = number.checked_sub(1).and_then(|at| usize::try_from(at).ok());
            if let Some(id) = at.and_then(|at| self.0.get(at)).filter(|id| !ids.contains(*id)) {
                ids.push(*id);
            }
        }
        ids
    }

    fn claim(&self, line: &Line) -> Option<Claim> {
        claim(&line.text, self.ids(&line.messages))
    }
}

fn claim(text: &str, message_ids: Vec<i64>) -> Option<Claim> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (fits(&text, LINE_CHARS_MAX) && !message_ids.is_empty()).then_some(Claim { text, message_ids })
}

/// Whether there is a text, of at most so many characters.
fn fits(text: &str, chars_max: usize) -> bool {
    !text.is_empty() && text.chars().nth(chars_max).is_none()
}

/// The beginning of the digest: what was chosen of the lines of all parts, or the first lines of each in turn.
pub(crate) fn summary(drafts: &[Draft], chosen: Option<&Summary>, numbers: &Numbers) -> Vec<Claim> {
    let all: Vec<&Line> = drafts.iter().flat_map(|draft| &draft.summary).collect();
    let chosen = chosen.iter().flat_map(|summary| &summary.summary).filter_map(|chosen| {
        let lines =
            chosen.lines.iter().filter_map(|number| all.get(usize::try_from(number.checked_sub(1)?).ok()?));
        let messages: Vec<i64> = lines.flat_map(|line| &line.messages).copied().collect();
        claim(&chosen.text, numbers.ids(&messages))
    });
    let chosen: Vec<Claim> = chosen.take(SUMMARY_MAX).collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let longest = drafts.iter().map(|draft| draft.summary.len()).max().unwrap_or_default();
    let in_turn = (0..longest).flat_map(|at| drafts.iter().filter_map(move |draft| draft.summary.get(at)));
    in_turn.filter_map(|line| numbers.claim(line)).take(SUMMARY_MAX).collect()
}

/// The digest in the words of the drafts; what they do not tell of stays as it was.
pub(crate) fn digest(offline: &Digest, drafts: &[Draft], summary: Vec<Claim>, numbers: &Numbers) -> Digest {
    let mut digest = offline.clone();
    if !summary.is_empty() {
        digest.summary = summary;
    }
    let mut told = vec![false; digest.topics.len()];
    for topic in drafts.iter().flat_map(|draft| &draft.topics) {
        let at = topic.number.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        let Some((at, known)) = at.and_then(|at| digest.topics.get_mut(at).map(|known| (at, known))) else {
            continue;
        };
        let lines: Vec<Claim> = topic.lines.iter().filter_map(|line| numbers.claim(line)).collect();
        if !told[at] {
            let title = topic.title.split_whitespace().collect::<Vec<_>>().join(" ");
            known.title = if fits(&title, TITLE_CHARS_MAX) { title } else { known.title.clone() };
            if !lines.is_empty() {
                known.story.clear();
            }
        }
        told[at] = told[at] || !lines.is_empty();
        known.story.extend(lines);
        known.story.truncate(STORY_MAX);
    }
    let lines = |of: fn(&Draft) -> &Vec<Line>| -> Vec<Claim> {
        let each = drafts.iter().flat_map(|draft| of(draft).iter().take(CLAIMS_MAX));
        each.filter_map(|line| numbers.claim(line)).collect()
    };
    digest.decisions = lines(|draft| &draft.decisions);
    digest.questions = lines(|draft| &draft.open);
    let promises = drafts.iter().flat_map(|draft| draft.actions.iter().take(CLAIMS_MAX));
    digest.actions = promises.filter_map(|promise| action(promise, numbers)).collect();
    digest
}

fn action(promise: &Promise, numbers: &Numbers) -> Option<Action> {
    let Claim { text, message_ids } = claim(&promise.text, numbers.ids(&promise.messages))?;
    let known = |text: &Option<String>| {
        text.clone().filter(|text| !text.trim().is_empty() && fits(text, TITLE_CHARS_MAX))
    };
    Some(Action { text, owner: known(&promise.owner), due: known(&promise.due), message_ids, due_date: None })
}
