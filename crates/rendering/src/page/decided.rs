//! The decisions of a page, each with what it is about.
//!
//! Invariant: what was only said on the way to a decision stands nowhere near a word that says "decided".

use super::in_headline;
use schemas::{ANSWER_MARK, Claim, Digest, DigestTopic};
use std::collections::BTreeSet;

/// Share of a title's words that a decision may have before the title says nothing new.
const SAYS_AGAIN: f64 = 0.5;

/// Lines of the decisions, without those that a headline tells. The first of a topic stands behind the question that the
/// topic's title asks; of later ones nobody knows that they answer it. A glance with that headline has no room for it.
pub(super) fn decisions<'d>(
    digest: &'d Digest,
    headline: Option<&'d str>,
) -> impl Iterator<Item = (String, &'d [i64])> {
    let told = move |claim: &&Claim| headline.is_some_and(|headline| in_headline(headline, &claim.text));
    digest.decisions.iter().filter(move |claim| !told(claim)).map(move |claim| {
        let question = question(digest, claim).filter(|_| headline.is_none());
        let led = |question: &str| format!("{question}{ANSWER_MARK}{}", claim.text);
        (question.map_or_else(|| claim.text.clone(), led), claim.message_ids.as_slice())
    })
}

/// The question that a decision answers, as the title of its topic has it.
fn question<'d>(digest: &'d Digest, claim: &Claim) -> Option<&'d str> {
    let topic = digest.topics.iter().find(|topic| holds(topic, claim))?;
    let first = digest
        .decisions
        .iter()
        .filter(|claim| holds(topic, claim))
        .flat_map(|claim| &claim.message_ids)
        .min();
    let is_first = first.is_some_and(|first| claim.message_ids.contains(first));
    let title = topic.title.as_str();
    (is_first && title.trim_end().ends_with('?') && !says_again(title, &claim.text)).then_some(title)
}

/// Whether a decision of the page is about this topic.
pub(super) fn is_decided(digest: &Digest, topic: &DigestTopic) -> bool {
    digest.decisions.iter().any(|claim| holds(topic, claim))
}

fn holds(topic: &DigestTopic, claim: &Claim) -> bool {
    claim.message_ids.iter().any(|id| topic.message_ids.contains(id))
}

fn says_again(title: &str, text: &str) -> bool {
    let (title, text) = (words(title), words(text));
    let again = title.iter().filter(|word| text.contains(*word)).count();
    again as f64 >= SAYS_AGAIN * title.len() as f64
}

/// The words of a line, in lower case.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_the_decision_holds_is_not_said_again() {
        assert!(says_again("We meet on Friday", "Ann: settled, we meet on Friday at nine"));
        assert!(says_again("", "Ann: settled"));
        assert!(!says_again("Shall we move the party to Sunday?", "Ann: the date stays, 25 April"));
    }
}
