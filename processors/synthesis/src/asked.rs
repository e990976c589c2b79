//! The words by which a question is told: with what it is about, for many a question names nothing itself.
//!
//! Invariant: only the asker's own words or a poll's, and every message that they are of is cited.

use crate::{
    acts::poll,
    compress::{fit, matter, one_line, sentence_case},
    source::Source,
    story::holds_code,
};
use text::{Noise, is_question};

/// A message up to this long is told whole.
const WHOLE_CHARS_MAX: usize = 150;
/// Most characters of a question, and of what it is about.
const ASKED_CHARS_MAX: usize = 130;
const ABOUT_CHARS_MAX: usize = 120;
/// A question whose terms are less specific in sum names nothing.
const SPECIFIC_MIN: f64 = 1.9;
/// The same of a question that follows on what it is about.
const LED_BELOW: f64 = 4.0;
/// Earlier posts of the thread in which the asker may have said what it is about.
const EARLIER: usize = 2;

/// A question as it is told, and the messages that it is of.
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(crate) message_ids: Vec<i64>,
}

/// The question of a sentence: its message when that is short, else the sentence, led by what it is about.
pub(crate) fn asked(source: &Source<'_>, question: usize) -> Asked {
    let found = &source.sentences[question];
    let post = &source.posts[found.post];
    let id = post.message.id;
    let line = |text: &str| sentence_case(matter(&one_line(text)));
    let short = line(&post.message.text);
    let own = |text| Asked { text, message_ids: vec![id] };
    if let Some(told) = poll::told(post.message) {
        return own(told);
    }
    let names = names_something(source, question);
    if short.chars().count() <= WHOLE_CHARS_MAX && (names || post.sentences.len() > 1) && post.noise.is_none()
    {
        return own(short);
    }
    let text = fit(&line(source.text(found)), ASKED_CHARS_MAX);
    let within = post.sentences.start < question && specific(source, question) < LED_BELOW;
    match about(source, question).filter(|_| !names || within) {
        Some(about) => {
            let other = source.posts[source.sentences[about].post].message.id;
            let lead = fit(&line(source.text(&source.sentences[about])), ABOUT_CHARS_MAX);
            let mark = if lead.ends_with(['.', '!', '?', '…']) { "" } else { "." };
            let message_ids = if other == id { vec![id] } else { vec![other, id] };
            Asked { text: format!("{lead}{mark} {text}"), message_ids }
        }
        None => own(text),
    }
}

/// Whether a question says by itself what it is about.
pub(crate) fn names_something(source: &Source<'_>, question: usize) -> bool {
    specific(source, question) >= SPECIFIC_MIN
}

fn specific(source: &Source<'_>, sentence: usize) -> f64 {
    source.sentences[sentence].terms.iter().map(|term| source.specificity[*term as usize]).sum()
}

/// The sentence of its message, or of one that the asker wrote shortly before, that says most of what a question is about.
fn about(source: &Source<'_>, question: usize) -> Option<usize> {
    let at = source.sentences[question].post;
    let author = source.author(at);
    let earlier =
        source.earlier(at).iter().rev().take(EARLIER).filter(|post| source.author(**post) == author);
    let best = |post: usize| {
        let sentences = source.posts[post].sentences.clone().filter(|sentence| {
            let found = &source.sentences[*sentence];
            let dump = matches!(source.posts[post].noise, Some(Noise::Code | Noise::Log));
            let text = source.text(found);
            *sentence != question && found.noise.is_none() && !dump && !is_question(text) && !holds_code(text)
        });
        let named = sentences.filter(|sentence| names_something(source, *sentence));
        let worth = |sentence: usize| {
            let found = &source.sentences[sentence];
            source.weight(&found.terms) / (found.length as f64 + 8.0).sqrt()
        };
        named.max_by(|a, b| worth(*a).total_cmp(&worth(*b)).then(b.cmp(a)))
    };
    [at].into_iter().chain(earlier.copied()).find_map(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn told(texts: &[&str]) -> (String, Vec<i64>) {
        let messages: Vec<_> = (1..).zip(texts).map(|(id, text)| message(id, "Ann", text)).collect();
        let source = Source::new(&messages, None);
        let asks = |sentence: &usize| source.sentences[*sentence].asks;
        let question = (0..source.sentences.len()).rfind(asks).expect("a question");
        let asked = asked(&source, question);
        (asked.text, asked.message_ids)
    }

    #[test]
    fn a_short_message_is_told_whole() {
        let (text, ids) = told(&["Hi all! The gateway answers 503 after the restart. Any ideas?"]);
        assert_eq!((text.as_str(), ids), ("The gateway answers 503 after the restart. Any ideas?", vec![1]));
    }

    #[test]
    fn a_question_that_names_nothing_is_led_by_what_it_is_about() {
        let long = "it happens on every node of the second cluster, whatever version of the agent is installed there, \
                    and only since last week when nobody changed anything that we know of";
        let text = format!("The archive gateway refuses uploads above 20 MB. {long}. Has anybody seen it?");
        let (text, ids) = told(&[&text]);
        assert!(text.ends_with("Has anybody seen it?") && text.len() > 40, "{text}");
        assert_eq!(ids, [1]);
        let (text, ids) = told(&["The archive gateway refuses uploads above 20 MB", "Has anybody seen it?"]);
        assert_eq!(text, "The archive gateway refuses uploads above 20 MB. Has anybody seen it?");
        assert_eq!(ids, [1, 2]);
    }
}
