//! A workspace as Slack exports it.

use super::support::{Read, folder, read_at, refusal, zip};
use crate::{Choice, Error};

const USERS: &str = r#"[
  {"id": "U1", "name": "ann", "deleted": false, "profile": {"display_name": "Ann", "real_name": "Ann Lee"}},
  {"id": "U2", "name": "bob", "profile": {"display_name": "", "real_name": "Bob"}},
  {"id": "U9", "name": "ci", "is_bot": true}, {"name": "without an id"}
]"#;
const CHANNELS: &str =
    r#"[{"id": "C1", "name": "plans", "members": ["U1"]}, {"id": "C2", "name": "random"}]"#;

fn chosen(chat: &str) -> Choice {
    Choice { chat: Some(chat.to_owned()), ..Choice::default() }
}

/// One channel with these days.
fn channel(days: &[(&str, &str)]) -> Result<Read, Error> {
    let names: Vec<String> = days.iter().map(|(day, _)| format!("plans/{day}.json")).collect();
    let mut files: Vec<(&str, &[u8])> =
        vec![("users.json", USERS.as_bytes()), ("channels.json", CHANNELS.as_bytes())];
    files.extend(names.iter().zip(days).map(|(name, (_, text))| (name.as_str(), text.as_bytes())));
    read_at(folder(&files).path(), &Choice::default(), "UTC")
}

#[test]
fn a_message_of_every_kind() {
    let day = r#"[
      {"type": "message", "subtype": "channel_join", "user": "U1", "text": "<@U1> has joined", "ts": "1772445600.000100"},
      {"type": "message", "user": "U1", "text": "see <https://a.example/?b=1&amp;c=2|the plan> &amp; <https://b.example> with <@U2>, <@U77> in <#C2|random> <!here> <!subteam^S1|@ops> 1 &lt; 2", "ts": "1772445601.000200", "thread_ts": "1772445601.000200", "reply_count": 1,
       "reactions": [{"name": "+1", "users": ["U2"], "count": 1}]},
      {"type": "message", "user": "U2", "text": "done", "ts": "1772445602.000300", "thread_ts": "1772445601.000200", "edited": {"user": "U2", "ts": "1772445700.000000"}},
      {"type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "deploys", "text": "", "attachments": [{"title": "Build 7", "text": "passed", "fallback": "x"}], "ts": "1772445603.000400"},
      {"type": "message", "user": "U1", "text": "", "files": [{"name": "plan.pdf", "mimetype": "application/pdf", "size": 12}], "ts": "1772445604.000500"},
      {"type": "message", "subtype": "message_changed", "ts": "1772445800.000000", "message": {"user": "U1", "text": "new words", "ts": "1772445604.000500"}},
      {"type": "message", "subtype": "message_deleted", "deleted_ts": "1772445602.000300", "ts": "1772445900.000000"},
      {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted.", "ts": "1772445605.000600"},
      {"type": "message", "user": "U88", "user_profile": {"display_name": "Guest"}, "text": "from outside", "ts": "1772445606.000700"},
      {"type": "message", "user": "U9", "text": "mail <mailto:ann@example.org|ann@example.org> <unclosed", "ts": "1772445607.000800"},
      {"type": "message", "user": "U1", "text": "no stamp"}, {"type": "message", "ts": "soon", "text": "x"}, {"ts": 5}, "text",
      {"type": "message", "user": "U1", "text": "", "ts": "1772445608.000900"}
    ]"#;
    let read = channel(&[("2026-03-02", day)]).expect("readable");
    assert_eq!(
        read.lines(),
        [
            "Ann: see the plan & https://b.example with @Bob, @U77 in #random @here @ops 1 < 2",
            "Bob: done",
            "deploys: Build 7\npassed",
            "Ann: ",
            "Ann: new words",
            "?: ",
            "Guest: from outside",
            "ci: mail [email] <unclosed",
        ]
    );
    let skipped = ["service", "deleted", "no_id", "bad_date", "bad_shape", "no_text"]
        .map(|reason| read.skipped(reason));
    assert_eq!(skipped, [1, 1, 1, 1, 2, 1]);
    let [root, reply, bot, file, changed, gone, guest, ci] = read.messages.as_slice() else {
        panic!("eight")
    };
    assert_eq!((root.id, root.sent_at, root.reply_to), (1_772_445_601_000_200, 1_772_445_601_000, None));
    assert_eq!((reply.reply_to, reply.revision), (Some(root.id), 1_772_445_700_000));
    assert_eq!((changed.id, changed.revision, changed.kind.as_str()), (file.id, 1_772_445_800_000, "edited"));
    assert_eq!((gone.id, gone.revision, gone.kind.as_str()), (reply.id, 1_772_445_900_000, "deleted"));
    assert_eq!(
        root.entities.iter().map(|entity| entity.kind.as_str()).collect::<Vec<_>>(),
        ["text_link", "link", "mention", "mention"]
    );
    assert_eq!(root.entities[0].url.as_deref(), Some("https://a.example/?b=1&c=2"));
    assert_eq!(root.reactions[0].emoji, ":+1:");
    let is_bot = [bot, ci, guest].map(|message| message.author.as_ref().is_some_and(|author| author.is_bot));
    assert_eq!(is_bot, [true, true, false]);
    assert_eq!(file.media.as_ref().and_then(|media| media.file_name.as_deref()), Some("plan.pdf"));
}

#[test]
fn threads_reach_over_days_and_days_are_in_order() {
    let first = r#"[{"type": "message", "user": "U1", "text": "root", "ts": "1772445601.000200"}]"#;
    let second = r#"[{"type": "message", "user": "U2", "text": "late", "ts": "1772545602.000300", "thread_ts": "1772445601.000200"}]"#;
    let read =
        channel(&[("2026-03-03", second), ("2026-03-02", first), ("2026-03-01", "[]")]).expect("readable");
    assert_eq!(read.lines(), ["Ann: root", "Bob: late"]);
    assert_eq!(read.messages[1].reply_to, Some(read.messages[0].id));
}

#[test]
fn one_channel_of_a_workspace_is_chosen_also_where_a_folder_is_around_all() {
    let day = |text: &str| {
        format!(r#"[{{"type": "message", "user": "U1", "text": "{text}", "ts": "1772445601.000200"}}]"#)
    };
    let (plans, random, direct) = (day("in plans"), day("in random"), day("between two"));
    let files: [(&str, &[u8]); 7] = [
        ("Work/users.json", USERS.as_bytes()),
        ("Work/channels.json", CHANNELS.as_bytes()),
        ("Work/dms.json", br#"[{"id": "D5", "members": ["U1", "U2"]}]"#),
        ("Work/plans/2026-03-02.json", plans.as_bytes()),
        ("Work/random/2026-03-02.json", random.as_bytes()),
        ("Work/D5/2026-03-02.json", direct.as_bytes()),
        ("__MACOSX/Work/plans/._2026-03-02.json", b"\0\0"),
    ];
    let zip = zip(&files);
    let folder = folder(&[("export.zip", &zip)]);
    let path = folder.path().join("export.zip");
    let said = read_at(&path, &Choice::default(), "UTC").expect_err("three").to_string();
    assert!(
        said.ends_with("holds 3 chats: choose one with --chat ID\n  D5  D5\n  C1  plans\n  C2  random"),
        "{said}"
    );
    for (chat, line) in [("plans", "Ann: in plans"), ("C2", "Ann: in random"), ("D5", "Ann: between two")] {
        assert_eq!(read_at(&path, &chosen(chat), "UTC").expect("readable").lines(), [line]);
    }
    let identity = |chat| read_at(&path, &chosen(chat), "UTC").expect("readable").export.identity;
    assert_eq!(identity("plans"), identity("C1"));
}

#[test]
fn half_an_export_and_a_single_day_are_refused() {
    let day =
        r#"[{"type": "message", "user": "U1", "text": "root", "ts": "1772445601.000200"}, {"type": "mess"#;
    let said = channel(&[("2026-03-02", day)]).expect_err("half").to_string();
    assert!(
        said.contains("2026-03-02.json is only a part of an export (it ends in the middle of its JSON)"),
        "{said}"
    );
    let whole = r#"[{"type": "message", "user": "U1", "text": "root", "ts": "1772445601.000200"}]"#;
    let said = channel(&[("2026-03-02", &format!("{whole}{whole}"))]).expect_err("two").to_string();
    assert!(said.contains("something follows the end of its JSON"), "{said}");
    assert!(
        refusal("2026-03-02.json", whole.as_bytes())
            .contains("one day of a Slack export: give the whole export")
    );
}
