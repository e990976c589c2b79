use super::*;
use processor::{FoldState, SourcePosition};
use schemas::{Author, GroupSettings, LIVE_LANE, Message, Record};
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
    match CommandRouter::default().step(state, &event(value)) {
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

fn requested(state: &mut GroupState, command: Command) -> DigestGenerateRequested {
    let record = GroupMessageIngested { command: Some(command), ..GroupMessageIngested::default() };
    match CommandRouter::default().step(state, &event(record)) {
        Ok(Outcome::Emit(emissions)) => emissions[0].downcast().cloned().expect("a request"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_digest_is_asked_for_of_the_time_until_the_command_and_as_of_its_place() {
    let mut state = GroupState::default();
    let settings = GroupSettings {
        time_zone: "Europe/Berlin".to_owned(),
        channels: vec!["file".to_owned(), "telegram".to_owned()],
        chat: Some("-5".to_owned()),
        ..GroupSettings::default()
    };
    step(
        &mut state,
        GroupMessageIngested { settings: Some(settings.clone()), ..GroupMessageIngested::default() },
    );
    let three_hours = Command { arguments: "3h".to_owned(), ..command("digest") };
    let request = requested(&mut state, three_hours.clone());
    let window = &request.window;
    // Sent at 16:12:59: what is read ends with that minute.
    assert_eq!((window.window_start, window.window_end), (1_772_457_180_000, 1_772_467_980_000));
    assert_eq!((window.source_partition, window.source_offset), (1, 9));
    assert_eq!((request.requested_by.as_str(), request.version.as_str()), ("command:user7", "1.1"));
    assert_eq!(request.delivery_channel, "telegram", "nobody else gets it");
    let expected = GroupSettings {
        channels: vec!["telegram".to_owned()],
        chat: Some("-1001/45".to_owned()),
        language: "en".to_owned(),
        ..settings
    };
    assert_eq!(window.settings, expected);
    assert!(window.is_asked_in_chat());
    assert_eq!(requested(&mut state, three_hours).digest_id(), request.digest_id());
    let day = requested(&mut GroupState::default(), command("digest")).window;
    assert_eq!(day.window_end - day.window_start, 24 * 3_600_000);
}

/// Ann writes at a time.
fn write(state: &mut GroupState, id: i64, sent_at: i64) {
    let author = Some(Author { id: "user7".to_owned(), name: "Ann".to_owned(), is_bot: false });
    let messages = vec![Message { author, ..Message::plain(id, sent_at, "hi") }];
    assert!(step(state, GroupMessageIngested { messages, ..GroupMessageIngested::default() }).is_none());
}

#[test]
fn what_somebody_missed_begins_after_the_last_message_and_is_for_that_person_alone() {
    let mut state = GroupState::default();
    assert_eq!(ask(&mut state, command("missed")).text, words(Language::En).missed_unknown);
    let last = 1_772_460_000_000;
    write(&mut state, 1, last);
    write(&mut state, 2, last - 5_000);
    let window = requested(&mut state, command("missed")).window;
    assert_eq!((window.window_start, window.window_end), (last + 1, 1_772_467_980_000));
    assert_eq!(window.settings.chat.as_deref(), Some("-1001/45+7"));
    assert!(window.is_asked_in_chat());
    let other = Command { asked_by: "user8".to_owned(), ..command("missed") };
    assert_eq!(ask(&mut state, other).text, words(Language::En).missed_unknown);
    let channel = Command { asked_by: "channel7".to_owned(), ..command("missed") };
    assert_eq!(ask(&mut state, channel).text, words(Language::En).missed_by_nobody);
}

#[test]
fn a_digest_that_cannot_be_asked_for_is_answered_with_why() {
    let far = Command { arguments: "3 weeks".to_owned(), ..command("digest") };
    assert_eq!(ask(&mut GroupState::default(), far).text, words(Language::En).digest_usage);
    let off = CommandRouter::new(DigestTrigger { agent_enabled: false, ..DigestTrigger::default() }, 0.5);
    let record = GroupMessageIngested { command: Some(command("digest")), ..GroupMessageIngested::default() };
    let Ok(Outcome::Emit(emissions)) = off.step(&mut GroupState::default(), &event(record)) else {
        panic!("no answer")
    };
    let answered: &GroupCommandAnswered = emissions[0].downcast().expect("an answer");
    assert_eq!(answered.text, words(Language::En).switched_off);
}

#[test]
fn what_holds_for_the_group_is_told_with_the_threshold_of_this_installation() {
    let settings = GroupSettings {
        window_hours: vec![4, 24],
        time_zone: "Europe/Berlin".to_owned(),
        channels: vec!["telegram".to_owned()],
        chat: Some("-1001".to_owned()),
        ..GroupSettings::default()
    };
    let mut state = GroupState::default();
    let set = GroupMessageIngested { settings: Some(settings), ..GroupMessageIngested::default() };
    assert!(step(&mut state, set).is_none());
    let record =
        GroupMessageIngested { command: Some(command("settings")), ..GroupMessageIngested::default() };
    let router = CommandRouter::new(DigestTrigger::default(), 0.5);
    let Ok(Outcome::Emit(emissions)) = router.step(&mut state, &event(record)) else { panic!("no answer") };
    let answered: &GroupCommandAnswered = emissions[0].downcast().expect("an answer");
    assert_eq!(
        answered.text,
        "What holds for this group:\nDigests of: 4 h, 24 h; a day begins at 00:00\nTime zone: Europe/Berlin\n\
         Language: that of the messages\nDigests go to: this chat\nLowest score of a digest: 0.50"
    );
}

#[test]
fn a_muted_chat_is_told_until_when_and_in_its_settings_while_it_lasts() {
    let settings = GroupSettings {
        time_zone: "Europe/Berlin".to_owned(),
        channels: vec!["telegram".to_owned()],
        chat: Some("-1001".to_owned()),
        ..GroupSettings::default()
    };
    let mut state = GroupState::default();
    let mute = Command { arguments: "8h".to_owned(), ..command("mute") };
    assert_eq!(ask(&mut state, mute.clone()).text, words(Language::En).not_posted_here);
    let set = GroupMessageIngested { settings: Some(settings), ..GroupMessageIngested::default() };
    assert!(step(&mut state, set).is_none());
    let said = ask(&mut state, mute.clone()).text;
    assert!(said.contains("until 2026-03-03 01:12 (Europe/Berlin)"), "{said}");
    let line = "No digests are posted here until: 2026-03-03 01:12";
    let later = |hours: i64| command("mute").asked_at + hours * 3_600_000;
    let told = |state: &mut GroupState, hours| {
        ask(state, Command { asked_at: later(hours), ..command("settings") }).text.contains(line)
    };
    assert!(told(&mut state, 7) && !told(&mut state, 8), "it ends by itself");
    let far = Command { arguments: "for good".to_owned(), ..command("mute") };
    assert_eq!(ask(&mut state, far).text, words(Language::En).mute_usage);
    let many = Command { is_over_limit: true, arguments: String::new(), ..command("unmute") };
    assert_eq!(ask(&mut state, many).text, words(Language::En).too_many);
    assert!(told(&mut state, 7), "neither of these changed anything");
    let unmute = Command { asked_at: later(1), ..command("unmute") };
    assert_eq!(ask(&mut state, unmute).text, words(Language::En).unmuted);
    assert!(!told(&mut state, 7));
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
    let outcome =
        CommandRouter::default().step(&mut GroupState::default(), &event(newer)).expect("no reject");
    assert!(matches!(outcome, Outcome::Drop(processor::DropReason("unknown_command"))), "{outcome:?}");
}

#[test]
fn a_snapshot_holds_what_is_known() {
    let mut state = GroupState::default();
    say(&mut state, "Привет, когда релиз?");
    write(&mut state, 2, 9);
    ask(&mut state, command("mute"));
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
