//! What is the same subject, and what only sounds like it.

use super::*;
use crate::tests::said;
use schemas::Author;

const DAY: i64 = 24 * 60 * 60 * 1000;
const ASKED: &str = "Who knows how to renew the signing certificate of the nightly installer for arm64?";
const EARLIER: &str = "Does anybody know why the nightly arm64 installer has an expired signing certificate?";

/// Talk of a group in which everybody speaks of builds.
fn background() -> Background {
    let texts: Vec<String> =
        (0..1_000).map(|n| format!("the build of branch{n} is slow, see runner {}", n % 9)).collect();
    Background::of(texts.iter().map(String::as_str))
}

fn asked(text: &str) -> ContextMessage {
    ContextMessage { sent_at: 40 * DAY, ..said(900, "ann", text) }
}

fn earlier(id: i64, text: &str) -> Message {
    let author = Author { id: "bob".to_owned(), name: "Bob".to_owned(), is_bot: false };
    Message { author: Some(author), ..Message::plain(id, 10 * DAY + id, text) }
}

fn found(text: &str, candidates: &[Message]) -> Vec<(String, i64)> {
    let subject = asked(text);
    let found = related(&subject, &super::candidates(&subject, candidates.to_vec()), &background());
    found.into_iter().map(|found| (found.item_id, found.message_id)).collect()
}

#[test]
fn a_question_asked_before_is_found_without_its_words() {
    let matches = related(&asked(ASKED), &[earlier(7, EARLIER)], &background());
    assert_eq!(matches.len(), 1);
    let HistoryMatch { item_id, sent_at, score, text, message_id } = &matches[0];
    assert_eq!((item_id.as_str(), *sent_at, text.as_str(), *message_id), ("7", 10 * DAY + 7, "", 900));
    assert!((ENOUGH[0].2..REPEATED).contains(score), "{score}");
}

#[test]
fn russian_forms_are_one_word() {
    let (now, before) = (
        "Подскажите, как перевыпустить сертификат подписи ночного установщика под arm64?",
        "Кто перевыпускал сертификаты для подписи ночных установщиков на arm64?",
    );
    assert_eq!(found(now, &[earlier(7, before)]), [("7".to_owned(), 900)]);
}

#[test]
fn words_of_the_trade_and_of_courtesy_are_no_subject() {
    let now = "Why is the build of the runner so slow on this branch today?";
    assert_eq!(found(now, &[earlier(7, "How slow is the build on your runner and branch?")]), []);
    let now = "Добрый вечер, коллеги, подскажите плиз, сколько весит дистрибутив продукта?";
    let before = "Добрый вечер, коллеги, подскажите плиз, где лежит справочник доступов?";
    assert_eq!(found(now, &[earlier(7, before)]), []);
}

#[test]
fn the_name_of_a_dialog_is_one_thing_however_long() {
    let now = "How do I see the Vertex Output Statistics Panel on a remote host?";
    let before = "Is all well in the Vertex Output Statistics Panel?";
    assert_eq!(Words::of(now).in_common(&Words::of(before), |_| true), (1, 4));
    assert_eq!(found(now, &[earlier(7, before)]), []);
}

#[test]
fn a_long_run_of_words_is_an_error_that_two_messages_quote() {
    let error =
        "Waiting for acknowledgement of quorum epoch from controller listener quarantine probe exhausted";
    let (now, before) = (Words::of(error), Words::of(&format!("My broker prints: {error}")));
    assert!(now.in_common(&before, |_| true).0 >= 2);
}

#[test]
fn what_asks_back_inside_of_a_talk_is_no_subject_and_no_candidate() {
    let back = Message { reply_to: Some(3), ..earlier(7, EARLIER) };
    assert_eq!(found(ASKED, &[back]), []);
    let inside = ContextMessage { reply_to: Some(3), ..asked(ASKED) };
    assert!(subjects(&[inside]).is_empty());
    assert_eq!(subjects(&[asked(ASKED)]).len(), 1);
}

#[test]
fn code_and_logs_are_no_subject() {
    let code = "setUp(scenario.inject(rampUsers(10)))\nheaders = {accept: json, gateway: internal}";
    let now = format!("Why does nobody answer?\n{code}");
    assert_eq!(found(&now, &[earlier(7, &format!("What is the limit of memory?\n{code}"))]), []);
}

#[test]
fn what_tells_nothing_new_is_left_out() {
    assert_eq!(found(ASKED, &[earlier(7, ASKED)]), [], "one text posted again");
    let bot = Author { id: "bot".to_owned(), name: "Bot".to_owned(), is_bot: true };
    assert_eq!(found(ASKED, &[Message { author: Some(bot), ..earlier(7, EARLIER) }]), []);
    let told = "The nightly installer had an expired signing certificate";
    assert_eq!(found(ASKED, &[earlier(7, told)]), [], "nobody asked");
    let same = Author { id: "ann".to_owned(), name: "Ann".to_owned(), is_bot: false };
    let recent = Message { author: Some(same.clone()), sent_at: 40 * DAY - 1, ..earlier(7, EARLIER) };
    assert_eq!(found(ASKED, std::slice::from_ref(&recent)), [], "one conversation");
    let older = Message { sent_at: 39 * DAY, ..recent };
    assert_eq!(found(ASKED, &[older]), [("7".to_owned(), 900)], "asked again");
}

#[test]
fn nothing_is_found_before_common_words_are_known() {
    let young = Background::of(std::iter::repeat_n("the build is slow", BACKGROUND_MIN - 1));
    assert_eq!(related(&asked(ASKED), &[earlier(7, EARLIER)], &young), []);
}

#[test]
fn candidates_come_in_one_order_whatever_order_they_are_given_in() {
    let mut given: Vec<Message> = (1..=5).map(|id| earlier(id, EARLIER)).collect();
    let first = found(ASKED, &given);
    given.reverse();
    given.push(earlier(2, EARLIER));
    assert_eq!(found(ASKED, &given), first);
    assert_eq!(first.iter().map(|found| found.0.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
}

#[test]
fn subjects_are_the_questions_of_people_by_rank() {
    let ranked = |id, rank, text: &str| ContextMessage { rank, ..said(id, "ann", text) };
    let messages = [
        ranked(1, 0.2, ASKED),
        ranked(2, 0.9, EARLIER),
        ranked(3, 0.95, "The nightly installer has a signing certificate that expired in March"),
        ContextMessage { is_bot: true, ..ranked(4, 0.9, ASKED) },
        ContextMessage { forwarded: true, ..ranked(5, 0.9, ASKED) },
        ContextMessage { duplicate_of: Some(2), ..ranked(6, 0.9, ASKED) },
        ranked(7, 0.9, "ok?"),
    ];
    assert_eq!(subjects(&messages).iter().map(|message| message.id).collect::<Vec<_>>(), [2, 1]);
}
