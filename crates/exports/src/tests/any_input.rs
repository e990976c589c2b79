//! Whatever stands in a file: it is read or refused, twice the same, and never a panic.

use super::support::{folder, read_at};
use crate::{Choice, DateOrder, find};
use proptest::prelude::*;

const WORDS: [&str; 24] = [
    "13.01.24, 10:00 - Ann: ",
    "[1/13/24, 10:00:05\u{202f}PM] ",
    "\u{200e}",
    "<attached: a.jpg>",
    "image omitted",
    " <This message was edited>",
    "Ann: ",
    "\n",
    "\r\n",
    "IMG-20240113-WA0001.jpg (file attached)",
    "POLL:\nWhen?\nOPTION: now (1 vote)\n",
    "@\u{2068}Bob",
    "\u{2069}",
    "\0",
    "\u{1f600}",
    "99/99/99, 99:99 - ",
    " • ",
    "(",
    ")",
    "<",
    ">",
    "٣",
    ": ",
    "https://a.example ",
];

const TAGS: [&str; 28] = [
    "<div class=\"message default clearfix\" id=\"message7\">",
    "<div class=\"message default joined\" id=\"message-9999999999999999999\">",
    "<div class=\"message service\" id=\"message8\">",
    "<div class=\"body details\">",
    "<div class=\"body\">",
    "<div class=\"pull_right date details\" title=\"31.12.2023 21:41:05 UTC+03:00\">",
    "<div class=\"pull_right date details\" title=\"99.99.9999 UTC\">",
    "<div class=\"from_name\">",
    "<div class=\"forwarded body\">",
    "<div class=\"reply_to details\"><a href=\"#go_to_message5\">",
    "<div class=\"text\">",
    "<strong>",
    "<a href=\"https://t.me/ann\">@ann</a>",
    "<br>",
    "</a>",
    "</strong>",
    "</div>",
    "</div></div></div>",
    "<div class=\"media media_poll\">",
    "<div class=\"answer\">- A <span class=\"details\">",
    "<span class=\"reaction\"><span class=\"emoji\">\u{1f44d}</span>",
    "<span class=\"count\">5",
    "</span>",
    "&#x1F;&amp;&lt;",
    "text \u{1f600}",
    "<",
    "</html>",
    "<!-- -->",
];

const JSON: [&str; 14] = [
    "{\"id\": \"5\", \"timestamp\": \"2026-03-02T10:00:00Z\", \"content\": \"<@1> <:a:12345678901> <\"}",
    "{\"id\": 5}",
    ",",
    "[",
    "]",
    "{",
    "}",
    "null",
    "\"a\\ud83d\"",
    "{\"ts\": \"1772445601.000200\", \"text\": \"<@U1|> <#|> <!^> <|> <\"}",
    "{\"ts\": \"1772445601.000200\", \"subtype\": \"message_changed\", \"message\": {\"ts\": \"1.2\"}}",
    "{\"ts\": \"99999999999999999999.1\", \"thread_ts\": \"x\"}",
    "5e999",
    "\u{1f600}",
];

fn text_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 0..30).prop_map(|words| words.concat())
}

fn check(name: &str, text: &str) -> Result<(), TestCaseError> {
    let folder = folder(&[(name, text.as_bytes())]);
    let path = folder.path().join(name);
    for order in [None, Some(DateOrder::DayMonthYear)] {
        let choice = Choice { date_order: order, ..Choice::default() };
        if !matches!(find(&path), Ok(Some(_))) {
            return Ok(());
        }
        let [one, two] = [(); 2].map(|()| read_at(&path, &choice, "Europe/Berlin"));
        match (one, two) {
            (Ok(one), Ok(two)) => {
                prop_assert_eq!(one.messages, two.messages);
                prop_assert_eq!(one.export.sha256, two.export.sha256);
            }
            (Err(one), Err(two)) => prop_assert_eq!(one.to_string(), two.to_string()),
            (one, two) => return Err(TestCaseError::fail(format!("{one:?} {two:?}"))),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in text_of(&WORDS)) {
        check("a.txt", &format!("13.01.24, 10:00 - Ann: {text}"))?;
    }

    #[test]
    fn any_page_is_read_or_refused(text in text_of(&TAGS)) {
        check("messages.html", &format!("<html><div class=page_wrap><div class=page_header>{text}</html>"))?;
    }

    #[test]
    fn any_channel_is_read_or_refused(text in text_of(&JSON)) {
        check("a.json", &format!("{{\"guild\": {{\"name\": null}}, \"channel\": {{\"id\": \"1\"}}, \"messages\": [{text}]}}"))?;
    }

    #[test]
    fn any_day_is_read_or_refused(text in text_of(&JSON)) {
        let day = format!("[{{\"ts\": \"1772445601.000200\"}}, {text}]");
        let folder = folder(&[("plans/2026-03-02.json", day.as_bytes())]);
        drop(read_at(folder.path(), &Choice::default(), "UTC"));
    }
}
