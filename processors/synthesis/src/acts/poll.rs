//! Polls and checklists: what a group settles, asks or has to do in a form of its own, where no words are weighed.
//!
//! Invariant: a closed poll whose most chosen answer stands alone is a decision, any other an open question; a checklist
//! with something left to do is an action without owner. Each is told from its own fields, with the counts they hold.

use super::{Commitment, Found};
use crate::{
    compress::{fit, one_line},
    source::Source,
};
use schemas::{Checklist, ContextMessage, Poll};
use std::cmp::Reverse;

/// Most characters of what is asked or of a list's title, and of the whole.
const SUBJECT_CHARS_MAX: usize = 120;
const TOLD_CHARS_MAX: usize = 240;
/// What its form tells is certain.
const CERTAIN: f64 = 1.0;

/// True for a message that is a poll or a checklist: its words are told by its form alone.
pub(crate) fn is_form(message: &ContextMessage) -> bool {
    poll_of(message).is_some() || checklist_of(message).is_some()
}

/// What a poll or a checklist says on one line; none for another message.
pub(crate) fn told(message: &ContextMessage) -> Option<String> {
    poll_of(message).map(poll).or_else(|| checklist_of(message).map(checklist))
}

/// Some exports leave the answers out: what is left is a message like others.
fn poll_of(message: &ContextMessage) -> Option<&Poll> {
    message.poll.as_ref().filter(|poll| !poll.options.is_empty())
}

fn checklist_of(message: &ContextMessage) -> Option<&Checklist> {
    message.checklist.as_ref().filter(|list| !list.items.is_empty())
}

/// Polls that have decided.
pub(crate) fn settled(source: &Source<'_>) -> Vec<Found> {
    found(source, |message| poll_of(message).is_some_and(has_decided))
}

/// Polls that have not: still open, or without an answer that more have chosen than any other.
pub(crate) fn unsettled(source: &Source<'_>) -> Vec<Found> {
    found(source, |message| poll_of(message).is_some_and(|poll| !has_decided(poll)))
}

/// Checklists with something left to do.
pub(crate) fn to_do(source: &Source<'_>) -> Vec<Commitment> {
    let is_left = |list: &Checklist| list.items.iter().any(|item| item.done != Some(true));
    let lists = found(source, |message| checklist_of(message).is_some_and(is_left));
    let action =
        |Found { sentence, score }| Commitment { sentence, owner: None, acceptance: None, due: None, score };
    lists.into_iter().map(action).collect()
}

/// Forwarded ones are another group's.
fn found(source: &Source<'_>, is_one: impl Fn(&ContextMessage) -> bool) -> Vec<Found> {
    let posts = source.posts.iter().filter(|post| post.quotable && !post.message.forwarded);
    let ones = posts.filter(|post| is_one(post.message));
    ones.map(|post| Found { sentence: post.sentences.start, score: CERTAIN }).collect()
}

fn has_decided(poll: &Poll) -> bool {
    let most = poll.options.iter().filter_map(|option| option.votes).max().unwrap_or_default();
    poll.closed && most > 0 && poll.options.iter().filter(|option| option.votes == Some(most)).count() == 1
}

/// What is asked, and the answers with their votes, the most chosen first.
fn poll(poll: &Poll) -> String {
    let mut options: Vec<_> = poll.options.iter().collect();
    options.sort_by_key(|option| Reverse(option.votes));
    let options = options.into_iter().map(|option| match option.votes {
        Some(votes) => format!("{}: {votes}", one_line(&option.text)),
        None => one_line(&option.text),
    });
    listed(fit(&one_line(&poll.question), SUBJECT_CHARS_MAX), " — ", options)
}

/// What it is about, and what is left to do; all of it where nothing is left.
fn checklist(list: &Checklist) -> String {
    let is_over = list.items.iter().all(|item| item.done == Some(true));
    let items = list.items.iter().filter(|item| is_over || item.done != Some(true));
    listed(fit(&one_line(&list.title), SUBJECT_CHARS_MAX), ": ", items.map(|item| one_line(&item.text)))
}

/// As many items as fit behind their subject.
fn listed(mut line: String, mut mark: &'static str, items: impl Iterator<Item = String>) -> String {
    for item in items {
        if line.chars().count() + mark.chars().count() + item.chars().count() > TOLD_CHARS_MAX {
            line.push('…');
            break;
        }
        line.push_str(mark);
        line.push_str(&item);
        mark = ", ";
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{ChecklistItem, PollOption};

    fn ballot(closed: bool, votes: &[Option<i32>]) -> Poll {
        let option =
            |(text, votes): (&str, &Option<i32>)| PollOption { text: text.to_owned(), votes: *votes };
        let options = ["Friday", "Monday", "never"].into_iter().zip(votes).map(option).collect();
        Poll { question: "When do we\nrelease?".to_owned(), options, closed, voters: None }
    }

    #[test]
    fn a_closed_poll_with_one_most_chosen_answer_has_decided() {
        for (closed, votes, decided) in [
            (true, &[Some(2), Some(1), Some(0)][..], true),
            (true, &[None, Some(1)], true),
            (false, &[Some(2), Some(1)], false),
            (true, &[Some(2), Some(2), Some(1)], false),
            (true, &[Some(0), Some(0)], false),
            (true, &[None, None], false),
            (true, &[], false),
        ] {
            assert_eq!(has_decided(&ballot(closed, votes)), decided, "{closed} {votes:?}");
        }
    }

    #[test]
    fn a_poll_whose_answers_were_left_out_is_a_message_like_others() {
        let poll = Some(ballot(true, &[]));
        let message = ContextMessage { poll, ..fixtures::message(1, 0, "Ann", "When do we release?") };
        assert_eq!((is_form(&message), told(&message)), (false, None));
    }

    #[test]
    fn the_most_chosen_answer_comes_first() {
        let told = poll(&ballot(true, &[Some(1), Some(3), None]));
        assert_eq!(told, "When do we release? — Monday: 3, Friday: 1, never");
    }

    #[test]
    fn what_is_left_to_do_is_told() {
        let item = |text: &str, done| ChecklistItem { text: text.to_owned(), done };
        let mut list = Checklist {
            title: "Before release".to_owned(),
            items: vec![item("tag", Some(true)), item("notes", None), item("call Bo", Some(false))],
        };
        assert_eq!(checklist(&list), "Before release: notes, call Bo");
        list.items.truncate(1);
        assert_eq!(checklist(&list), "Before release: tag");
    }

    #[test]
    fn long_ones_are_cut_between_answers() {
        let options = (0..40).map(|n| PollOption { text: format!("answer {n}"), votes: Some(40 - n) });
        let long = Poll { options: options.collect(), ..ballot(true, &[]) };
        let told = poll(&long);
        assert!(told.chars().count() <= TOLD_CHARS_MAX + 1 && told.ends_with('…'), "{told}");
        assert!(told.starts_with("When do we release? — answer 0: 40, answer 1: 39, "), "{told}");
    }
}
