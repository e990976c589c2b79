//! A channel as DiscordChatExporter writes it.

use super::support::{Read, folder, read, read_at, refusal};
use crate::Choice;
use serde_json::{Value, json};

const HEAD: &str = r#"{"guild": {"id": "1", "name": "Garden"}, "channel": {"id": "900", "type": "GuildTextChat", "categoryId": "5", "category": "Text", "name": "plans", "topic": null}, "dateRange": {"after": null, "before": null}, "exportedAt": "2026-03-03T00:00:00+00:00", "messages": ["#;
const TAIL: &str = r#"], "messageCount": 3}"#;

fn message(id: u64, fields: &str) -> String {
    let mut message = json!({
        "id": id.to_string(), "type": "Default", "timestamp": "2026-03-02T10:00:00.123+00:00", "timestampEdited": null,
        "author": {"id": "77", "name": "ann", "nickname": "Ann", "isBot": false}, "content": "hi",
    });
    let fields: Value = serde_json::from_str(&format!("{{{fields}}}")).expect("JSON");
    if let (Some(message), Some(fields)) = (message.as_object_mut(), fields.as_object()) {
        message.extend(fields.clone());
    }
    serde_json::to_string_pretty(&message).expect("JSON")
}

fn export(messages: &[String]) -> String {
    format!("{HEAD}{}{TAIL}", messages.join(","))
}

fn channel(messages: &[String]) -> Read {
    read("plans.json", export(messages).as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a message of each kind")]
fn a_message_of_every_kind() {
    let read = channel(&[
        message(1_210_000_000_000_000_001, ""),
        message(
            2,
            r#""type": "Reply", "reference": {"messageId": "1210000000000000001", "channelId": "900", "guildId": "1"}, "timestampEdited": "2026-03-02T10:05:00+00:00""#,
        ),
        message(
            3,
            r#""content": "ask <@88> and <@!88>, not <@99>, a < b <:party:1234567890123>", "mentions": [{"id": "88", "name": "bob", "nickname": null, "isBot": false}]"#,
        ),
        message(
            4,
            r#""content": "", "attachments": [{"id": "1", "url": "https://x/plan.pdf", "fileName": "plan.pdf", "fileSizeBytes": 12}]"#,
        ),
        message(
            5,
            r#""content": "", "embeds": [{"title": "Build 7", "description": "passed"}], "author": {"id": "78", "name": "ci", "isBot": true}"#,
        ),
        message(6, r#""type": "ChannelPinnedMessage""#),
        message(7, r#""type": "21", "content": """#),
        message(
            8,
            r#""reactions": [{"emoji": {"id": "", "name": "👍"}, "count": 3}, {"emoji": {"id": "5", "name": "x"}, "count": 1}]"#,
        ),
        message(9, r#""content": "", "stickers": [{"id": "1", "name": "wave"}]"#),
        message(
            10,
            r#""content": "", "reference": {"type": "Forward", "messageId": "5", "channelId": "900"}, "forwardedMessage": {"timestamp": "2026-03-01T00:00:00+00:00", "content": "from afar", "attachments": []}"#,
        ),
        message(11, r#""content": "", "embeds": []"#),
        message(12, r#""reference": {"messageId": "5", "channelId": "901"}"#),
        message(13, r#""attachments": "none""#),
    ]);
    assert_eq!(
        read.lines(),
        [
            "Ann: hi",
            "Ann: hi",
            "Ann: ask @bob and @bob, not <@99>, a < b :party:",
            "Ann: ",
            "ci: Build 7\npassed",
            "Ann: hi",
            "Ann: ",
            "Ann: from afar",
            "Ann: hi"
        ]
    );
    let skipped = ["service", "no_text", "bad_shape"].map(|reason| read.skipped(reason));
    assert_eq!(skipped, [2, 1, 1]);
    let [first, reply, _, file, bot, reacted, sticker, forwarded, elsewhere] = read.messages.as_slice()
    else {
        panic!("nine")
    };
    assert_eq!((first.id, first.sent_at, first.revision), (1_210_000_000_000_000_001, 1_772_445_600_123, 0));
    assert_eq!(
        (reply.reply_to, reply.revision, reply.kind.as_str()),
        (Some(first.id), 1_772_445_900_000, "edited")
    );
    assert_eq!(
        file.media.as_ref().map(|media| (media.kind.as_str(), media.size_bytes)),
        Some(("file", Some(12)))
    );
    assert!(bot.author.as_ref().is_some_and(|author| author.is_bot && author.id == "discord:78"));
    let reactions: Vec<_> = reacted.reactions.iter().map(|it| (it.emoji.as_str(), it.count)).collect();
    assert_eq!(reactions, [("👍", 3), ("custom_emoji", 1)]);
    assert_eq!(sticker.media.as_ref().map(|media| media.kind.as_str()), Some("sticker"));
    assert_eq!(
        (forwarded.reply_to, forwarded.forward.as_ref().and_then(|it| it.sent_at)),
        (None, Some(1_772_323_200_000))
    );
    assert_eq!(elsewhere.reply_to, None);
    assert_eq!(
        read.export.notes(),
        ["an export of Discord", "the channel is called \"Garden / Text / plans\""]
    );
}

#[test]
fn a_channel_that_is_split_is_read_in_order() {
    let part = |id: u64| export(&[message(id, "")]);
    let (first, second, tenth) = (part(1), part(2), part(10));
    let files: [(&str, &[u8]); 3] = [
        ("plans [900] [part 10].json", tenth.as_bytes()),
        ("plans [900] [part 2].json", second.as_bytes()),
        ("plans [900].json", first.as_bytes()),
    ];
    let folder = folder(&files);
    assert_eq!(read_at(folder.path(), &Choice::default(), "UTC").expect("readable").ids(), [1, 2, 10]);
}

#[test]
fn an_export_that_breaks_off_or_goes_on_is_refused() {
    let whole = export(&[message(1, ""), message(2, "")]);
    for end in (HEAD.len()..whole.len()).step_by(29) {
        let said = refusal("plans.json", &whole.as_bytes()[..end]);
        assert!(said.contains("it ends in the middle of its JSON"), "cut at {end}: {said}");
    }
    let said = refusal("plans.json", format!("{whole}{whole}").as_bytes());
    assert!(said.contains("something follows the end of its JSON, at line"), "{said}");
    let said = refusal("plans.json", whole.replace("\"content\":", "\"content\"").as_bytes());
    assert!(said.contains("is damaged at line"), "{said}");
}
