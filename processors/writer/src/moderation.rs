//! What a model wrote, looked over before it goes out.
//!
//! Invariant: nothing is withheld silently: each line that goes is counted by its category. What people said in the cited
//! messages may be told in their words.

use llm::moderation::check;
use schemas::{Claim, ContextMessage, Digest};
use std::collections::BTreeMap;

/// Takes lines out of a draft that nobody should read in a digest: how many, by category.
pub(crate) fn withhold(
    draft: &mut Digest,
    offline: &Digest,
    messages: &[ContextMessage],
) -> BTreeMap<&'static str, u32> {
    let mut withheld: BTreeMap<&'static str, u32> = BTreeMap::new();
    let mut may_stand = |text: &str, ids: &[i64]| {
        let found = check(text).categories();
        let cited = messages.iter().filter(|message| ids.contains(&message.id));
        let said: Vec<&str> = cited.flat_map(|message| check(&message.text).categories()).collect();
        let own: Vec<&str> = found.into_iter().filter(|category| !said.contains(category)).collect();
        for category in &own {
            *withheld.entry(category).or_default() += 1;
        }
        own.is_empty()
    };
    let mut hold =
        |claims: &mut Vec<Claim>| claims.retain(|claim| may_stand(&claim.text, &claim.message_ids));
    hold(&mut draft.summary);
    hold(&mut draft.decisions);
    hold(&mut draft.questions);
    draft.topics.iter_mut().for_each(|topic| hold(&mut topic.story));
    draft.actions.retain(|action| may_stand(&action.text, &action.message_ids));
    for (topic, known) in draft.topics.iter_mut().zip(&offline.topics) {
        if topic.title != known.title && !may_stand(&topic.title, &topic.message_ids) {
            topic.title.clone_from(&known.title);
        }
    }
    withheld
}
