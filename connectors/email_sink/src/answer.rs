//! What a server's answer means, by how far the letter had got.
//!
//! Invariant: from the end of the letter on, only an answer says that it was not taken.

use courier::Answer;
use lettre::transport::smtp;
use std::error::Error as _;

/// Characters of what a server says that are kept.
const SAID_MAX: usize = 300;

/// How far a letter has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The server does not know yet whom it is for.
    Greeting,
    /// It was not handed over.
    Before,
    /// It was, and may have been taken.
    Handed,
}

/// What an error means.
pub(crate) fn failed(error: &smtp::Error, stage: Stage) -> Answer {
    let why = told(error);
    match (error.is_permanent(), error.is_transient(), stage) {
        // What it has against us an operator has to mend: it is no fault of the letter's.
        (_, _, Stage::Greeting) => Answer::NotYet { why, after: None },
        (true, _, _) => Answer::Refused(why),
        (_, true, _) | (_, _, Stage::Before) => Answer::NotYet { why, after: None },
        (_, _, Stage::Handed) => Answer::Lost { why, after: None },
    }
}

/// No answer came in time.
pub(crate) fn too_late(what: &str, stage: Stage) -> Answer {
    let why = format!("the mail server gave no answer in time: {what}");
    match stage {
        Stage::Greeting | Stage::Before => Answer::NotYet { why, after: None },
        Stage::Handed => Answer::Lost { why, after: None },
    }
}

/// The same without the recipient's address, which a server may repeat: why a delivery failed is told to whoever reads events.
pub(crate) fn nameless(answer: Answer, address: &str) -> Answer {
    match answer {
        Answer::Delivered => Answer::Delivered,
        Answer::NotYet { why, after } => Answer::NotYet { why: without(&why, address), after },
        Answer::Lost { why, after } => Answer::Lost { why: without(&why, address), after },
        Answer::Refused(why) => Answer::Refused(without(&why, address)),
        Answer::Gone(why) => Answer::Gone(without(&why, address)),
    }
}

fn without(why: &str, address: &str) -> String {
    // Letters of ASCII alone change, so that each stays where it is.
    let (lower, address) = (why.to_ascii_lowercase(), address.to_ascii_lowercase());
    let (mut out, mut from) = (String::new(), 0);
    for (at, found) in lower.match_indices(&*address) {
        out.push_str(&why[from..at]);
        out.push_str("the recipient");
        from = at + found.len();
    }
    out.push_str(&why[from..]);
    out
}

/// An error with its causes, on one line.
fn told(error: &smtp::Error) -> String {
    let mut text = match error.status() {
        Some(code) => format!("the mail server answers {code}"),
        None => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said: String = words.chars().filter(|c| !c.is_control()).take(SAID_MAX).collect();
    if said.contains("mail server") { said } else { format!("the mail server: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_name_no_recipient() {
        let said = "the mail server answers 550: <Ann@Example.org>: № 1, ann@example.org is full";
        let expected = "the mail server answers 550: <the recipient>: № 1, the recipient is full".to_owned();
        let why = || said.to_owned();
        let told = |answer: Answer| nameless(answer, "ann@example.org");
        assert_eq!(told(Answer::Refused(why())), Answer::Refused(expected.clone()));
        assert_eq!(
            told(Answer::NotYet { why: why(), after: None }),
            Answer::NotYet { why: expected.clone(), after: None }
        );
        assert_eq!(
            told(Answer::Lost { why: why(), after: None }),
            Answer::Lost { why: expected, after: None }
        );
        assert_eq!(told(Answer::Delivered), Answer::Delivered);
        assert_eq!(told(Answer::Refused("it is full".to_owned())), Answer::Refused("it is full".to_owned()));
    }
}
