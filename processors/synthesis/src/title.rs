//! Titles: the words of a conversation that stand best for it, chosen among its clauses by a trained regression.
//!
//! Invariant: a title is never a greeting, code, an address, a list of keywords or a cut word.

mod features;
mod generic;
mod lexis;
mod spans;
mod subject;

use crate::{acts, findings::Findings, source::Source};
use features::Talk;
pub use features::{TITLE_FEATURES, TitleFeatures};
pub(crate) use lexis::POINTING;
use spans::spans;
use std::collections::HashMap;
use subject::{latin_name, names, within_subject};

/// First posts of a conversation that may hold its title, besides those that open its threads: later ones are answers
/// and remarks.
const POSTS_MAX: usize = 8;
/// Sentences of a post that may, and the sentences whose clauses are weighed.
const POST_SENTENCES_MAX: usize = 6;
const SENTENCES_MAX: usize = 8;
/// Words that a sentence's weight is divided by, so that short ones do not win by their shortness.
const OVERHEAD: f64 = 6.0;

/// The title of a conversation: the clause that stands best for it; none where nothing in it has a subject.
pub(crate) fn title(source: &Source<'_>, findings: &Findings, posts: &[usize]) -> Option<String> {
    let candidates = candidates(source, findings, posts);
    let score = |features: &TitleFeatures| acts::score(&acts::TITLE[..], features) - features::harm(features);
    let judged = candidates.into_iter().map(|(title, features)| (score(&features), title));
    let best = judged.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, title)| title)
}

/// Titles that each of these conversations may have, with what is known of them.
pub fn title_candidates(
    source: &Source<'_>,
    conversations: &[Vec<usize>],
) -> Vec<Vec<(String, TitleFeatures)>> {
    let findings = Findings::of(source);
    conversations.iter().map(|posts| candidates(source, &findings, posts)).collect()
}

fn candidates(source: &Source<'_>, findings: &Findings, posts: &[usize]) -> Vec<(String, TitleFeatures)> {
    let central = central(source, posts);
    let talk = Talk::of(source, findings, &central, posts);
    let mut found = Vec::new();
    for sentence in standing_best(source, findings, &central, posts) {
        for span in spans(source, sentence) {
            let Some(features) = talk.features(sentence, &span) else { continue };
            let named = span.text.split_whitespace().any(latin_name);
            for subject in talk.subjects.iter().filter(|_| !named) {
                if !names(&span.text, &subject.name) {
                    let text = within_subject(&subject.name, &span.text);
                    found.push((text, talk.led(features, &span, subject)));
                }
            }
            found.push((span.text, features));
        }
    }
    found
}

/// Weight of each term for a conversation: how many of its posts have it, and how little it is everyday speech.
fn central(source: &Source<'_>, posts: &[usize]) -> HashMap<u32, f64> {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for post in posts.iter().filter(|post| source.posts[**post].quotable) {
        for term in &source.posts[*post].terms {
            *counts.entry(*term).or_insert(0) += 1;
        }
    }
    let weight = |(term, count): (u32, u32)| {
        let specific = source.specificity[term as usize];
        (term, (1.0 + f64::from(count).ln()) * specific * specific * source.idf[term as usize].sqrt())
    };
    counts.into_iter().map(weight).collect()
}

/// Sentences that stand best for a conversation, best first.
fn standing_best(
    source: &Source<'_>,
    findings: &Findings,
    central: &HashMap<u32, f64>,
    posts: &[usize],
) -> Vec<usize> {
    let mut ranked: Vec<(f64, usize)> = posts
        .iter()
        .enumerate()
        .filter(|(at, post)| *at < POSTS_MAX || source.posts[**post].place == 0)
        .map(|(_, post)| &source.posts[*post])
        .filter(|post| post.quotable && post.noise.is_none())
        .flat_map(|post| post.sentences.clone().take(POST_SENTENCES_MAX))
        .filter(|sentence| source.sentences[*sentence].noise.is_none())
        .map(|sentence| (standing(source, findings, central, sentence), sentence))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(SENTENCES_MAX);
    ranked.into_iter().map(|(_, sentence)| sentence).collect()
}

/// How well a sentence stands for the conversation: what opens it says what it is about, the more so if it asks in
/// earnest; what tells nothing does not.
fn standing(source: &Source<'_>, findings: &Findings, central: &HashMap<u32, f64>, sentence: usize) -> f64 {
    let found = &source.sentences[sentence];
    let earnest = findings.earnest(sentence);
    let place = match source.posts[found.post].place {
        0 => 1.5,
        1 => 1.1,
        _ => 1.0,
    };
    let asks = found.asks || text::is_question(source.text(found));
    let asks = if asks { 0.4 + 1.6 * earnest } else { 1.0 };
    place * asks * (1.0 - findings.telling[found.post].idle) * weight(central, &found.terms, found.length)
}

fn weight(central: &HashMap<u32, f64>, terms: &[u32], words: usize) -> f64 {
    let sum: f64 = terms.iter().filter_map(|term| central.get(term)).sum();
    sum / (words as f64 + OVERHEAD).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::message;

    fn titled(texts: &[&str]) -> Option<String> {
        let messages: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(at, text)| message(at as i64 + 1, if at % 2 == 0 { "A" } else { "B" }, text))
            .collect();
        let source = Source::new(&messages, None);
        title(&source, &Findings::of(&source), &(0..messages.len()).collect::<Vec<_>>())
    }

    #[test]
    fn the_question_stands_for_its_conversation() {
        for (texts, wanted) in [
            (
                &["Всем привет! Как передать JMeter список значений?", "через CSV"][..],
                "Как передать JMeter список значений?",
            ),
            (
                &["hi all", "quick question: does the gateway restart at noon?", "Yes, at noon."],
                "Does the gateway restart at noon?",
            ),
            (
                &["Morning!", "the admin bundle went from 1.9 MB to 1.1 MB", "nice"],
                "The admin bundle went from 1.9 MB to 1.1 MB",
            ),
        ] {
            assert_eq!(titled(texts).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn greetings_code_and_links_are_no_titles() {
        for texts in [
            &["Всем привет!", "Доброе утро"][..],
            &["String url = vars.get(\"url\");", "{\"a\": 1, \"b\": 2}"],
            &["https://a.example/x", "https://b.example/y"],
            &["😂", "ахахах", "спасибо!"],
        ] {
            assert_eq!(titled(texts), None);
        }
    }
}
