use super::*;
use processor::{FoldState, SourcePosition};
use schemas::{GroupSettings, LIVE_LANE, Message, Record};
use std::collections::BTreeMap;

fn event(value: GroupMessageIngested) -> Event<GroupMessageIngested> {
    let source = SourcePosition { topic: "ingested".into(), partition: 1, offset: 9, append_time_ms: 0 };
    let value = GroupMessageIngested {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        lane: LIVE_LANE.to_owned(),
        ..value
    };
    Event { value, source }
}

fn command(name: &str) -> Command {
    Command {
        id: Command::id_of("bot/1", -1001, 5),
        name: name.to_owned(),
        channel: "telegram".to_owned(),
        chat: "-1001/45".to_owned(),
        message_id: 5,
        asked_by: "user7".to_owned(),
        language: "en".to_owned(),
        asked_at: 1_772_467_979_000,
        ..Command::default()
    }
}

fn step(state: &mut GroupState, value: GroupMessageIngested) -> Option<GroupCommandAnswered> {
    match CommandRouter.step(state, &event(value)) {
        Ok(Outcome::Emit(emissions)) => {
            emissions.first().map(|one| one.downcast().cloned().expect("its type"))
        }
        other => panic!("{other:?}"),
    }
}

fn ask(state: &mut GroupState, command: Command) -> GroupCommandAnswered {
    step(state, GroupMessageIngested { command: Some(command), ..GroupMessageIngested::default() })
        .expect("an answer")
}

fn say(state: &mut GroupState, text: &str) {
    let messages = vec![Message::plain(1, 5, text)];
    assert!(step(state, GroupMessageIngested { messages, ..GroupMessageIngested::default() }).is_none());
}

#[test]
fn a_command_is_answered_where_it_was_written() {
    let answered = ask(&mut GroupState::default(), command("help"));
    assert_eq!(
        (answered.chat.as_str(), answered.reply_to, answered.key()),
        ("-1001/45", Some(5), "acme/qa".to_owned())
    );
    assert_eq!(answered.text, words(text::Language::En).help());
    assert_eq!(answered.command_id, command("help").id);
    let start = ask(&mut GroupState::default(), command("start"));
    assert_eq!(start.text, words(text::Language::En).start(true));
}

#[test]
fn one_that_is_too_many_is_told_so() {
    let many = Command { is_over_limit: true, ..command("help") };
    assert_eq!(ask(&mut GroupState::default(), many).text, words(text::Language::En).too_many);
}

#[test]
fn the_language_is_the_settings_else_the_chats_else_the_persons() {
    let mut state = GroupState::default();
    let language = |state: &mut GroupState| ask(state, command("help")).language;
    let russian = Command { language: "ru".to_owned(), ..command("help") };
    assert_eq!(ask(&mut state, russian).language, "ru");
    say(&mut state, "Привет, когда релиз приложения?");
    assert_eq!(language(&mut state), "ru");
    let settings = GroupSettings { language: "en".to_owned(), ..GroupSettings::default() };
    let set = GroupMessageIngested { settings: Some(settings), ..GroupMessageIngested::default() };
    assert!(step(&mut state, set).is_none());
    assert_eq!(language(&mut state), "en");
    say(&mut state, "Скоро");
    let automatic =
        GroupMessageIngested { settings: Some(GroupSettings::default()), ..GroupMessageIngested::default() };
    assert!(step(&mut state, automatic).is_none());
    assert_eq!(language(&mut state), "ru");
}

#[test]
fn a_command_of_a_newer_source_is_dropped() {
    let newer =
        GroupMessageIngested { command: Some(command("hologram")), ..GroupMessageIngested::default() };
    let outcome = CommandRouter.step(&mut GroupState::default(), &event(newer)).expect("no reject");
    assert!(matches!(outcome, Outcome::Drop(processor::Drop("unknown_command"))), "{outcome:?}");
}

#[test]
fn a_snapshot_holds_what_is_known() {
    let mut state = GroupState::default();
    say(&mut state, "Привет, когда релиз?");
    let settings = GroupSettings { time_zone: "Europe/Berlin".to_owned(), ..GroupSettings::default() };
    step(&mut state, GroupMessageIngested { settings: Some(settings), ..GroupMessageIngested::default() });
    let mut parts = BTreeMap::new();
    state.drain_changes(&mut |part, value| {
        parts.insert(part.to_owned(), value.expect("nothing is gone"));
    });
    let mut restored = GroupState::default();
    for (part, value) in &parts {
        restored.restore(part, value).expect("restores");
    }
    assert_eq!(restored, state);
    state.drain_changes(&mut |part, _| panic!("{part} has not changed"));
    assert!(restored.restore("hologram", b"{}").is_err());
    assert!(restored.restore("letters", b"nonsense").is_err());
}
