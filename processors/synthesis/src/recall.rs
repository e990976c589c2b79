//! What a digest says of the time before its window: that something was talked about then, and when.
//!
//! Invariant: no word of an earlier message; what it was about is said in words of this window.

use crate::compress::{fit, one_line};
use schemas::{ContextMessage, Digest, DigestState, EarlierMessage, HistoryMatch, Recall};
use std::collections::BTreeSet;
use text::{lemmas, sentences, specificity};

/// Recalls of a digest: a reader looks back once or twice.
const RECALLS_MAX: usize = 2;
/// Most characters of a line's title.
const TITLE_CHARS_MAX: usize = 110;
/// Specificity of a stem that is no everyday word.
const SPECIFIC: f64 = 0.97;
/// Characters that lines of code hold.
const CODE: [char; 7] = ['{', '}', '=', ';', '|', '<', '>'];

/// The recalls of a digest, the most alike first. A message that the digest does not tell of is not recalled either.
pub(crate) fn recalls(state: &DigestState, digest: &Digest) -> Vec<Recall> {
    let mut recalls: Vec<Recall> = Vec::new();
    let mut recalled = BTreeSet::new();
    for found in &state.history_matches {
        if recalls.len() == RECALLS_MAX || !recalled.insert(found.message_id) {
            continue;
        }
        let Some(told) = title(digest, found.message_id) else { continue };
        let message = state.messages.iter().find(|message| message.id == found.message_id);
        let title = message.and_then(subject).unwrap_or(told);
        let earlier = earlier(&state.history_matches, found.message_id);
        if !earlier.is_empty() && recalls.iter().all(|recall| recall.title != title) {
            recalls.push(Recall { title, message_id: found.message_id, earlier });
        }
    }
    recalls
}

/// What the digest says of a message, else the title of the topic that it opened: one that it is somewhere in may be of
/// something else.
fn title(digest: &Digest, message_id: i64) -> Option<String> {
    let answers = digest.answers.iter().map(|answer| &answer.question);
    let stories = digest.topics.iter().flat_map(|topic| &topic.story);
    let mut claims = digest.questions.iter().chain(answers).chain(&digest.summary).chain(stories);
    let claim = claims.find(|claim| claim.message_ids.first() == Some(&message_id));
    let opened = || digest.topics.iter().find(|topic| topic.message_ids.first() == Some(&message_id));
    let title = claim.map(|claim| &claim.text).or_else(|| opened().map(|topic| &topic.title))?;
    Some(fit(title, TITLE_CHARS_MAX)).filter(|title| !title.is_empty())
}

/// The sentence of a message that names most of what it is about: a question alone ("how do I get rid of this?") is often
/// not understood beside a date. None where no sentence names anything.
fn subject(message: &ContextMessage) -> Option<String> {
    let names = |sentence: &str| {
        let stems: BTreeSet<String> =
            lemmas(sentence).into_iter().filter(|stem| specificity(stem) >= SPECIFIC).collect();
        stems.len()
    };
    let text = message.text.as_str();
    let each = sentences(text).into_iter().map(|range| &text[range]);
    let plain = each.filter(|sentence| !sentence.contains(CODE));
    let mut best: Option<(usize, &str)> = None;
    for sentence in plain {
        let count = names(sentence);
        if count > best.map_or(0, |best| best.0) {
            best = Some((count, sentence));
        }
    }
    let line = fit(&one_line(best?.1), TITLE_CHARS_MAX);
    let author = message.author_name.as_str();
    let title = if author.is_empty() { line } else { format!("{author}: {line}") };
    Some(title)
}

/// Where a message's subject was talked about, the latest first.
fn earlier(matches: &[HistoryMatch], message_id: i64) -> Vec<EarlierMessage> {
    let of_message = matches.iter().filter(|found| found.message_id == message_id);
    let mut earlier: Vec<EarlierMessage> = of_message
        .filter_map(|found| {
            let message_id = found.item_id.parse().ok()?;
            Some(EarlierMessage { message_id, sent_at: found.sent_at })
        })
        .collect();
    earlier.sort_by_key(|earlier| std::cmp::Reverse((earlier.sent_at, earlier.message_id)));
    earlier
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixtures::{message, state};
    use schemas::{Claim, DigestTopic};

    fn matched(message_id: i64, item_id: &str, sent_at: i64, score: f64) -> HistoryMatch {
        HistoryMatch { item_id: item_id.to_owned(), sent_at, score, text: String::new(), message_id }
    }

    /// What a digest of three topics of a message each recalls.
    fn recalled(matches: Vec<HistoryMatch>) -> Vec<Recall> {
        let mut state = state(vec![message(1, 60_000, "Ann", "Who renews the signing certificate?")]);
        let mut memory = crate::Memory::default();
        crate::Synthesis::default().add(&mut memory, &mut state);
        let mut digest = state.digest.clone().expect("a digest");
        (digest.questions, digest.summary, digest.answers) = (Vec::new(), Vec::new(), Vec::new());
        let topic = |id: i64, title: &str| DigestTopic {
            title: title.to_owned(),
            keywords: Vec::new(),
            message_count: 1,
            threads: Vec::new(),
            message_ids: vec![id],
            story: Vec::new(),
            outcome: None,
        };
        digest.topics = vec![topic(1, "Signing certificate"), topic(2, "Staging region"), topic(3, "Keys")];
        state.history_matches = matches;
        recalls(&state, &digest)
    }

    #[test]
    fn a_digest_says_when_its_subject_came_up_and_nothing_of_what_was_said() {
        let found = recalled(vec![matched(1, "-7", 5, 0.5), matched(1, "-3", 9, 0.4)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].message_id, 1);
        let times: Vec<(i64, i64)> =
            found[0].earlier.iter().map(|earlier| (earlier.message_id, earlier.sent_at)).collect();
        assert_eq!(times, [(-3, 9), (-7, 5)]);
        assert_eq!(found[0].title, "Ann: Who renews the signing certificate?");
    }

    #[test]
    fn a_line_is_the_sentence_that_names_what_is_asked_about() {
        let said = |text: &str| subject(&message(1, 60_000, "Ann", text));
        let asked = "Hi! The JMESPath extractor throws IndexOutOfBounds on an empty JSON array. How do I get rid of this?";
        assert_eq!(
            said(asked).as_deref(),
            Some("Ann: The JMESPath extractor throws IndexOutOfBounds on an empty JSON array.")
        );
        assert_eq!(said("How do I get rid of this?"), None);
        let code =
            "Why is the gatling injector silent?\nsetUp = {injector, gatling, scenario, protocol, ramp}";
        assert_eq!(said(code).as_deref(), Some("Ann: Why is the gatling injector silent?"));
    }

    #[test]
    fn a_line_names_what_the_digest_says_of_the_message_or_the_topic_that_it_opened() {
        let claim = |id: i64| Claim { text: format!("Ann: text of {id}"), message_ids: vec![id] };
        let mut state = state(vec![message(1, 60_000, "Ann", "Who renews the signing certificate?")]);
        crate::Synthesis::default().add(&mut crate::Memory::default(), &mut state);
        let mut digest = state.digest.expect("a digest");
        digest.questions = vec![claim(5)];
        assert_eq!(title(&digest, 5).as_deref(), Some("Ann: text of 5"));
        digest.questions.clear();
        digest.summary.clear();
        digest.answers.clear();
        digest.topics.truncate(1);
        for topic in &mut digest.topics {
            (topic.message_ids, topic.story) = (vec![4, 5], Vec::new());
        }
        assert_eq!(title(&digest, 5), None, "somewhere in a topic");
        assert_eq!(title(&digest, 4), digest.topics.first().map(|topic| topic.title.clone()));
    }

    #[test]
    fn two_lines_at_most_and_none_of_what_the_digest_does_not_tell() {
        let of = |id| matched(id, "-7", 5, 0.5);
        let titles = |found: Vec<Recall>| found.into_iter().map(|recall| recall.title).collect::<Vec<_>>();
        assert_eq!(
            titles(recalled(vec![of(3), of(1), of(2)])),
            ["Keys", "Ann: Who renews the signing certificate?"]
        );
        assert_eq!(recalled(vec![of(99)]), []);
        assert_eq!(recalled(vec![matched(1, "a digest", 5, 0.5)]), []);
        assert_eq!(recalled(Vec::new()), []);
    }
}
