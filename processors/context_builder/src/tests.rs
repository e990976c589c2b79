//! Tables: what a request comes to, from the question to the context.

mod asked;
mod past;

use crate::ContextBuilder;
use processor::{
    Earlier, EarlierAsOf, Event, Lookup, MessagesAsOf, Outcome, Reject, Request, Response, SourcePosition,
    Step,
};
use proptest::prelude::*;
use schemas::{
    Author, Checklist, ChecklistItem, ContextMessage, DigestContextPrepared, DigestGenerateRequested,
    DigestStageStarted, Entity, Forward, GroupSettings, Media, Message, Poll, PollOption, Reaction,
    WindowRef,
};

/// A message in a context.
pub(crate) fn said(id: i64, author: &str, text: &str) -> ContextMessage {
    ContextMessage { in_budget: false, ..fixtures::message(id, id, author, text) }
}

/// A message as read.
fn read(id: i64, text: &str) -> Message {
    Message {
        author: Some(Author { id: format!("user{}", id % 2), name: "Ann".to_owned(), is_bot: false }),
        ..Message::plain(id, 1_000 + id, text)
    }
}

fn request(message_count: i32, language: &str) -> Event<DigestGenerateRequested> {
    let window = WindowRef {
        revision: 2,
        message_count,
        participant_count: 2,
        settings: GroupSettings { language: language.to_owned(), ..GroupSettings::default() },
        source_partition: 3,
        source_offset: 77,
        ..fixtures::window()
    };
    let value = DigestGenerateRequested {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        window_id: "window".to_owned(),
        version: "2.0".to_owned(),
        trace_id: "trace".to_owned(),
        delivery_channel: "file".to_owned(),
        requested_by: "schedule".to_owned(),
        window,
    };
    let source = SourcePosition { topic: "requested".into(), partition: 0, offset: 0, append_time_ms: 0 };
    Event { value, source }
}

type Stepped = Step<Option<Box<crate::Cursor>>>;

fn done(step: Stepped) -> Result<Outcome, Reject> {
    match step {
        Step::Done(result) => result,
        Step::Ask(..) => panic!("asked again"),
    }
}

/// Answers with messages, and then with what is known of earlier ones.
fn answered(
    builder: &ContextBuilder,
    event: &Event<DigestGenerateRequested>,
    messages: Vec<Message>,
    earlier: Earlier,
) -> (Option<EarlierAsOf>, Result<Outcome, Reject>) {
    match builder.resume(event, None, vec![Response::Messages(messages)]) {
        Step::Done(result) => (None, result),
        Step::Ask(cursor, mut requests) => {
            let Some(Request::Earlier(question)) = requests.pop() else { panic!("asked for something else") };
            match builder.resume(event, cursor, vec![Response::Earlier(earlier)]) {
                Step::Ask(cursor, requests) => {
                    assert!(matches!(requests[..], [Request::Before(_)]), "{requests:?}");
                    let before = (0..600).map(|n| format!("the build of branch{n} is slow")).collect();
                    (Some(question), done(builder.resume(event, cursor, vec![Response::Before(before)])))
                }
                ended @ Step::Done(_) => (Some(question), done(ended)),
            }
        }
    }
}

fn prepared(
    builder: &ContextBuilder,
    event: &Event<DigestGenerateRequested>,
    messages: Vec<Message>,
) -> DigestContextPrepared {
    match answered(builder, event, messages, Earlier::Off).1 {
        Ok(Outcome::Emit(emissions)) => {
            let ports: Vec<_> = emissions.iter().map(|emission| emission.port).collect();
            assert_eq!(ports, ["started", "prepared"]);
            let started: &DigestStageStarted = emissions[0].downcast().expect("its beginning");
            assert_eq!(
                (started.stage.as_str(), &started.trace_id),
                ("context_builder", &event.value.trace_id)
            );
            emissions[1].downcast().cloned().expect("context")
        }
        other => panic!("no context: {other:?}"),
    }
}

fn reason(result: Result<Outcome, Reject>) -> &'static str {
    result.err().map_or("none", |reject| reject.reason)
}

#[test]
fn window_is_read_as_of_its_offset() {
    let Step::Ask(None, requests) = ContextBuilder::default().begin(&request(5, "auto")) else {
        panic!("nothing asked")
    };
    let expected = MessagesAsOf {
        tenant_id: "acme".to_owned(),
        group_id: "qa".to_owned(),
        start_ms: 0,
        end_ms: 86_400_000,
        partition: 3,
        offset: 77,
        whole: true,
    };
    assert_eq!(requests, [Request::Messages(expected)]);
}

#[test]
fn each_rejection_has_its_reason() {
    let builder = ContextBuilder::default();
    let mut backwards = request(5, "auto");
    backwards.value.window.window_end = 0;
    assert_eq!(reason(done(builder.begin(&backwards))), "bad_window");
    let answered = |responses| reason(done(builder.resume(&request(5, "auto"), None, responses)));
    assert_eq!(answered(vec![Response::Messages(Vec::new())]), "empty_window");
    assert_eq!(answered(vec![Response::NoSuchOffset("why".to_owned())]), "no_such_offset");
    assert_eq!(answered(vec![Response::Unreadable("why".to_owned())]), "unreadable_messages");
    assert_eq!(answered(Vec::new()), "unexpected_answer");
    let twice = vec![Response::Messages(Vec::new()), Response::Messages(Vec::new())];
    assert_eq!(answered(twice), "unexpected_answer");
}

#[test]
fn a_window_that_lost_messages_to_retention_is_dropped_and_one_asked_for_is_made_of_the_rest() {
    let builder = ContextBuilder::default();
    let step = builder.resume(&request(5, "auto"), None, vec![Response::Taken]);
    assert!(matches!(done(step), Ok(Outcome::Drop(reason)) if reason.0 == "past_retention"));
    let mut asked = request(5, "auto");
    asked.value.window.size_hours = schemas::ASKED_SIZE_HOURS;
    let Step::Ask(_, requests) = builder.begin(&asked) else { panic!("nothing asked") };
    assert!(matches!(&requests[..], [Request::Messages(question)] if !question.whole), "{requests:?}");
}

#[test]
fn context_tells_what_the_window_holds() {
    let repeated = "the nightly build is broken again";
    let rich = Message {
        revision: 9,
        kind: "edited".to_owned(),
        author: Some(Author { id: "bot".to_owned(), name: "Bot".to_owned(), is_bot: true }),
        entities: vec![Entity {
            kind: "text_link".to_owned(),
            offset: 0,
            length: 3,
            url: Some("https://b.example".to_owned()),
        }],
        reply_to: Some(1),
        media: Some(Media { kind: "photo".to_owned(), ..Media::default() }),
        forward: Some(Forward { from: "channel".to_owned(), sent_at: None }),
        reactions: vec![
            Reaction { emoji: "+".to_owned(), count: 3 },
            Reaction { emoji: "-".to_owned(), count: -1 },
        ],
        ..read(3, "log https://a.example")
    };
    let unknown = Message { author: None, ..read(4, "who is on call? write to ann@mail.example") };
    let messages = vec![unknown, rich, read(2, repeated), read(1, repeated)];
    let context = prepared(&ContextBuilder::default(), &request(5, "auto"), messages);

    assert_eq!((context.message_total, context.duplicates_removed), (4, 1));
    assert_eq!(context.messages.iter().map(|message| message.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(context.messages[1].duplicate_of, Some(1));
    assert_eq!(context.messages[2].links, ["https://a.example", "https://b.example"]);
    assert_eq!(context.messages[2].reactions, 3);
    assert_eq!(context.messages[3].text, "who is on call? write to [email]");
    assert_eq!((context.language.as_str(), context.history.as_str()), ("en", "off"));
    assert_eq!(context.top_ranked.len(), 3);
    assert!(!context.top_ranked.contains(&2));
    assert!(context.messages.iter().all(|message| message.in_budget == message.duplicate_of.is_none()));
    let stats: Vec<(&str, i64)> = context.stats.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(
        stats,
        [
            ("bots", 1),
            ("duplicates", 1),
            ("edited", 1),
            ("forwarded", 1),
            ("in_budget", 3),
            ("links", 2),
            ("media", 1),
            ("messages", 4),
            ("messages_expected", 5),
            ("participants", 3),
            ("questions", 1),
            ("reactions", 3),
            ("redacted", 1),
            ("replies", 1),
        ]
    );
}

#[test]
fn polls_and_checklists_are_carried_and_redacted() {
    let option = |text: &str, votes| PollOption { text: text.to_owned(), votes: Some(votes) };
    let poll = Poll {
        question: "write to ann@mail.example or call?".to_owned(),
        options: vec![option("ann@mail.example", 2), option("call", 1)],
        closed: true,
        voters: Some(3),
    };
    let item = ChecklistItem { text: "ask bob@mail.example".to_owned(), done: Some(false) };
    let list = Checklist { title: "before release".to_owned(), items: vec![item] };
    let media = |kind: &str| Media { kind: kind.to_owned(), ..Media::default() };
    let messages = vec![
        Message { media: Some(Media { poll: Some(poll.clone()), ..media("poll") }), ..read(1, "") },
        Message { media: Some(Media { checklist: Some(list.clone()), ..media("checklist") }), ..read(2, "") },
    ];
    let context = prepared(&ContextBuilder::default(), &request(2, "en"), messages);
    let redacted = Poll {
        question: "write to [email] or call?".to_owned(),
        options: vec![option("[email]", 2), option("call", 1)],
        ..poll
    };
    assert_eq!(context.messages[0].poll, Some(redacted));
    assert_eq!(context.messages[0].media_kind.as_deref(), Some("poll"));
    let item = ChecklistItem { text: "ask [email]".to_owned(), done: Some(false) };
    assert_eq!(context.messages[1].checklist, Some(Checklist { items: vec![item], ..list }));
}

#[test]
fn a_deleted_account_is_named_as_one_and_not_by_its_id() {
    let named = |author: Option<Author>, language: &str| {
        let messages = vec![Message { author, ..read(1, "the build is broken") }];
        let context = prepared(&ContextBuilder::default(), &request(1, language), messages);
        context.messages[0].author_name.clone()
    };
    let author = |name: &str| Some(Author { id: "user2".to_owned(), name: name.to_owned(), is_bot: false });
    assert_eq!(named(author(""), "en"), "Deleted account");
    assert_eq!(named(author(""), "ru"), "Удалённый аккаунт");
    assert_eq!(named(author("Ann"), "en"), "Ann");
    assert_eq!(named(None, "en"), "");
}

#[test]
fn language_is_the_one_wished_for_or_that_of_the_window() {
    let language = |wished, text| {
        prepared(&ContextBuilder::default(), &request(1, wished), vec![read(1, text)]).language
    };
    assert_eq!(language("auto", "сборка упала"), "ru");
    assert_eq!(language("auto", "the build is broken"), "en");
    assert_eq!(language("en", "сборка упала"), "en");
    assert_eq!(language("ru", "the build is broken"), "ru");
}

#[test]
fn budget_takes_the_most_important_first() {
    let builder = ContextBuilder { token_budget: 40, top_ranked_max: 1, ..ContextBuilder::default() };
    let long =
        "release pipeline failed because the signing certificate expired, decided to rotate it tonight";
    let context = prepared(&builder, &request(3, "en"), vec![read(1, "ok"), read(2, long), read(3, "fine")]);
    assert_eq!(context.messages.iter().map(|m| m.in_budget).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(context.top_ranked, [2]);
}

#[test]
fn too_large_a_window_leaves_out_the_least_important() {
    let builder = ContextBuilder { bytes_max: 1_000, ..ContextBuilder::default() };
    let messages = (1..=20).map(|id| read(id, if id == 7 { "who fixes the pipeline today?" } else { "ok" }));
    let context = prepared(&builder, &request(20, "en"), messages.collect());
    let kept = context.messages.len();
    assert!(kept < 20 && context.messages.iter().any(|message| message.id == 7));
    assert_eq!(context.stats["left_out"], 20 - kept as i64);
    assert_eq!((context.message_total, context.stats["messages"]), (20, 20));
}

fn any_message() -> impl Strategy<Value = Message> {
    let numbers = (any::<i64>(), any::<i64>(), any::<i64>(), prop::option::of(any::<i64>()));
    let texts = (".{0,60}", prop::option::of(".{0,12}"), prop::option::of("\\PC{0,20}"));
    (numbers, texts, any::<i32>(), any::<bool>()).prop_map(|(numbers, texts, count, is_bot)| {
        let (id, revision, sent_at, reply_to) = numbers;
        let (text, author, url) = texts;
        Message {
            revision,
            sent_at,
            reply_to,
            author: author.map(|name| Author { id: name.clone(), name, is_bot }),
            entities: vec![Entity { kind: "link".to_owned(), offset: count, length: count, url }],
            reactions: vec![Reaction { emoji: String::new(), count }; 2],
            ..read(id % 20, &text)
        }
    })
}

proptest! {
    #[test]
    fn any_answer_makes_a_context_or_a_rejection(
        messages in prop::collection::vec(any_message(), 0..30),
        bytes_max in 0_usize..4_000,
        token_budget in 0_usize..200,
    ) {
        let builder = ContextBuilder { token_budget, bytes_max, ..ContextBuilder::default() };
        let empty = messages.is_empty();
        match answered(&builder, &request(3, "auto"), messages, Earlier::Off).1 {
            Ok(Outcome::Emit(emissions)) => {
                let context: &DigestContextPrepared = emissions[1].downcast().expect("context");
                let left_out = context.stats.get("left_out").copied().unwrap_or_default();
                prop_assert_eq!(context.messages.len() as i64 + left_out, i64::from(context.message_total));
                prop_assert!(context.messages.iter().all(|message| (0.0..=1.0).contains(&message.rank)));
            }
            other => prop_assert!(empty, "{:?}", other),
        }
    }
}
