use super::*;
use proptest::prelude::*;

fn line(text: &str, due: Option<&str>, ids: &[i64]) -> Line {
    Line { text: text.to_owned(), due: due.map(str::to_owned), message_ids: ids.to_vec() }
}

fn page(message_count: i32, lines: &[Line]) -> Stated {
    Stated { message_count, lines: lines.to_vec() }
}

fn told(before: &Stated, now: &Stated) -> [String; 2] {
    ["en", "ru"].map(|language| Wording::of(language).updated(&changes(before, now)))
}

#[test]
fn a_date_that_moved_is_told_with_the_new_one() {
    let before = page(8, &[line("Cem: I bring the keys", Some("2026-12-02"), &[3])]);
    let now = page(8, &[line("Cem: I bring the keys", Some("2026-12-04"), &[3])]);
    assert_eq!(
        told(&before, &now),
        ["Updated: the date moved to 2026-12-04", "Обновлено: срок перенесён на 2026-12-04"]
    );
}

#[test]
fn words_that_changed_are_told_as_they_are_now() {
    let before = page(8, &[line("Bo: We decided: the garden opens on Thursday.", None, &[2])]);
    let now = page(8, &[line("Bo: We decided: the garden opens on Friday.", None, &[2])]);
    assert_eq!(
        told(&before, &now),
        ["Updated: now “opens on Friday”", "Обновлено: теперь «opens on Friday»"]
    );
    let shorter = page(8, &[line("Bo: We decided: the garden opens.", None, &[2])]);
    assert_eq!(told(&now, &shorter)[0], "Updated: now “the garden opens”");
    let less = page(8, &[line("Bo: We decided.", None, &[2])]);
    let cut = page(8, &[line("Bo: We decided. Secret", None, &[2])]);
    assert_eq!(told(&cut, &less), ["Updated: a line is shorter", "Обновлено: одна строка стала короче"]);
}

#[test]
fn a_deletion_is_told_without_its_words() {
    let keys = line("Cem: I bring the keys", None, &[3]);
    let before = page(8, &[keys.clone(), line("Bo: the password is hunter2", None, &[2])]);
    let now = page(7, &[keys.clone(), line("Ann: what now has room", None, &[5])]);
    assert_eq!(told(&before, &now), ["Updated: a message was withdrawn", "Обновлено: сообщение удалено"]);
    let all = page(3, &[keys]);
    assert_eq!(told(&before, &all), ["Updated: 5 messages were withdrawn", "Обновлено: удалено 5 сообщений"]);
}

#[test]
fn a_late_message_is_told_by_its_line_or_else_counted() {
    let keys = line("Cem: I bring the keys", None, &[3]);
    let before = page(8, std::slice::from_ref(&keys));
    let now = page(9, &[keys.clone(), line("Cem: a second lock", None, &[12])]);
    assert_eq!(
        told(&before, &now),
        ["Updated: new: “Cem: a second lock”", "Обновлено: новое: «Cem: a second lock»"]
    );
    assert_eq!(
        told(&before, &page(9, std::slice::from_ref(&keys))),
        ["Updated: 1 message came later", "Обновлено: позже пришло 1 сообщение"]
    );
    assert_eq!(
        told(&before, &page(10, &[keys])),
        ["Updated: 2 messages came later", "Обновлено: позже пришло 2 сообщения"]
    );
}

#[test]
fn a_line_that_is_gone_though_no_message_is() {
    let before = page(8, &[line("a", None, &[3]), line("b", None, &[4])]);
    let now = page(8, &[line("a", None, &[3])]);
    assert_eq!(told(&before, &now), ["Updated: a line is gone", "Обновлено: одной строки больше нет"]);
}

#[test]
fn more_than_three_changes_are_not_told_and_long_ones_are_cut() {
    let long = "слово ".repeat(40);
    assert_eq!(quoted(long.trim()).chars().count(), 78);
    assert!(quoted(long.trim()).ends_with("слово…"));
    assert_eq!(quoted(&"ж".repeat(100)).chars().count(), 81);
}

proptest! {
    /// The invariant: what is quoted stands in the new page.
    #[test]
    fn no_word_is_told_that_is_not_there_any_more(
        old in prop::collection::vec("[abc]{1,2}", 0..9), new in prop::collection::vec("[abc]{1,2}", 0..9)
    ) {
        let (old, new) = (old.join(" "), new.join(" "));
        match rewording(&old, &new) {
            Some(Change::Reworded(words)) => prop_assert!(new.contains(&words), "{} {}", words, new),
            Some(Change::Shortened) => prop_assert!(new.split(' ').count() <= old.split(' ').count()),
            other => prop_assert_eq!((other, old), (None, new)),
        }
    }

    #[test]
    fn a_page_is_remembered_as_it_was(count in 0i32..9, text in ".{0,20}", ids in prop::collection::vec(1i64..9, 0..3)) {
        let before = page(count, &[line(&text, None, &ids)]);
        let kept = serde_json::to_string(&before).expect("writes");
        prop_assert_eq!(serde_json::from_str::<Stated>(&kept).expect("reads"), before);
    }
}
