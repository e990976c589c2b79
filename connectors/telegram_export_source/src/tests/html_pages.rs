//! Writes messages of a JSON export as the pages that Telegram Desktop makes of the same chat.

#[path = "html_text.rs"]
mod html_text;

use html_text::{escaped, name_of, text};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::{collections::HashMap, fmt::Write as _};

/// Messages of a page.
const PAGE_MESSAGES: usize = 1000;
/// Seconds within which messages of one author are joined.
const JOINED_SECONDS: i64 = 900;
/// Zone of the computer that exports.
const ZONE: &str = "Europe/Moscow";

/// A page that is being written: blocks are indented, one blank a level.
#[derive(Default)]
struct Page {
    html: String,
    depth: usize,
}

impl Page {
    fn open(&mut self, tag: &str) {
        write!(self.html, "\n{}<{tag}>\n", " ".repeat(self.depth)).expect("written");
        self.depth += 1;
    }

    fn close(&mut self, name: &str) {
        self.depth -= 1;
        write!(self.html, "\n{}</{name}>\n", " ".repeat(self.depth)).expect("written");
    }

    fn block(&mut self, tag: &str, inside: &str) {
        self.open(tag);
        self.html.push_str(inside);
        self.close(tag.split(' ').next().unwrap_or_default());
    }
}

/// The pages of a chat by name.
pub(crate) fn pages(title: &str, messages: &[Value]) -> Vec<(String, String)> {
    let chunks: Vec<&[Value]> = messages.chunks(PAGE_MESSAGES).collect();
    let name = |index: usize| match index {
        0 => "messages.html".to_owned(),
        index => format!("messages{}.html", index + 1),
    };
    let places =
        messages.iter().enumerate().map(|(at, message)| (message["id"].as_i64(), at / PAGE_MESSAGES));
    let places: HashMap<Option<i64>, usize> = places.collect();
    let write = |(index, chunk): (usize, &&[Value])| {
        let mut page = begun(title);
        if index > 0 {
            page.block(
                &format!("a class=\"pagination block_link\" href=\"{}\"", name(index - 1)),
                "Previous messages",
            );
        }
        let mut before = None;
        for message in *chunk {
            let link = |id: i64| match places.get(&Some(id)).copied() {
                Some(other) if other != index => format!("{}#go_to_message{id}", name(other)),
                _ => format!("#go_to_message{id}"),
            };
            write_message(&mut page, message, before, &link);
            before = Some(message);
        }
        if index + 1 < chunks.len() {
            page.block(
                &format!("a class=\"pagination block_link\" href=\"{}\"", name(index + 1)),
                "Next messages",
            );
        }
        for tag in ["div", "div", "div", "body", "html"] {
            page.close(tag);
        }
        (name(index), page.html)
    };
    chunks.iter().enumerate().map(write).collect()
}

fn begun(title: &str) -> Page {
    let mut page = Page { html: "<!DOCTYPE html>".to_owned(), depth: 0 };
    page.open("html");
    page.block("head", "<meta charset=\"utf-8\"/>\n<title>Exported Data</title>");
    page.open("body onload=\"CheckLocation();\"");
    page.open("div class=\"page_wrap\"");
    page.open("div class=\"page_header\"");
    page.open("div class=\"content\"");
    page.block("div class=\"text bold\"", &escaped(title));
    page.close("div");
    page.close("div");
    page.open("div class=\"page_body chat_page\"");
    page.open("div class=\"history\"");
    page.block(
        "div class=\"message service\" id=\"message-1\"",
        "<div class=\"body details\">\n1 January 2024\n</div>",
    );
    page
}

fn write_message(page: &mut Page, message: &Value, before: Option<&Value>, link: &dyn Fn(i64) -> String) {
    let id = &message["id"];
    if message["type"] == "service" {
        page.open(&format!("div class=\"message service\" id=\"message{id}\""));
        let actor = escaped(message["actor"].as_str().unwrap_or("Deleted"));
        let text = match message["action"].as_str() {
            Some("topic_created") => {
                format!(
                    "{actor} created topic &laquo;{}&raquo;",
                    escaped(message["title"].as_str().unwrap_or(""))
                )
            }
            _ => format!("{actor} pinned <a href=\"#go_to_message1\">this message</a>"),
        };
        page.block("div class=\"body details\"", &text);
        page.close("div");
        return;
    }
    let is_joined = before.is_some_and(|before| joins(before, message));
    let joined = if is_joined { " joined" } else { "" };
    page.open(&format!("div class=\"message default clearfix{joined}\" id=\"message{id}\""));
    if !is_joined {
        page.open("div class=\"pull_left userpic_wrap\"");
        page.block(
            "div class=\"userpic userpic1\" style=\"width: 42px; height: 42px\"",
            "<div class=\"initials\">\nA\n</div>",
        );
        page.close("div");
    }
    page.open("div class=\"body\"");
    page.block(&format!("div class=\"pull_right date details\" title=\"{}\"", title_time(message)), "12:00");
    if !is_joined {
        page.block("div class=\"from_name\"", &name_of(&message["from"]));
    }
    let forwarded = message["forwarded_from"].as_str();
    if let Some(forwarded) = forwarded {
        page.open("div class=\"forwarded body\"");
        if !is_joined {
            let date = "<span class=\"date details\" title=\"01.01.2024 10:00:00 UTC+03:00\"> 01.01.2024 10:00:00</span>";
            page.block("div class=\"from_name\"", &format!("{} {date}", escaped(forwarded)));
        }
    }
    write_answer(page, message, link);
    write_media(page, message);
    let text = text(&message["text"]);
    if !text.is_empty() {
        page.block("div class=\"text\"", &text);
    }
    write_reactions(page, message);
    if forwarded.is_some() {
        page.close("div");
    }
    page.close("div");
    page.close("div");
}

fn write_answer(page: &mut Page, message: &Value, link: &dyn Fn(i64) -> String) {
    let Some(id) = message["reply_to_message_id"].as_i64() else { return };
    let inside = if message["reply_to_peer_id"].is_string() {
        "In reply to a message in another chat".to_owned()
    } else {
        format!("In reply to <a href=\"{}\" onclick=\"return GoToMessage({id})\">this message</a>", link(id))
    };
    page.block("div class=\"reply_to details\"", &inside);
}

fn write_media(page: &mut Page, message: &Value) {
    let base = |field: &str| message[field].as_str().filter(|path| !path.starts_with('('));
    let (class, title) = match message["media_type"].as_str() {
        Some("sticker") => ("media_photo", "Sticker"),
        Some("animation") => ("media_video", "Animation"),
        Some("video_file") => ("media_video", "Video file"),
        Some("video_message") => ("media_video", "Video message"),
        Some("voice_message") => ("media_voice_message", "Voice message"),
        Some("audio_file") => ("media_audio_file", "Audio file"),
        _ if message["photo"].is_string() => ("media_photo", "Photo"),
        _ if message["file"].is_string() || message["media_type"] == "file" => {
            ("media_file", message["file_name"].as_str().or(base("file")).unwrap_or("File"))
        }
        _ if message["location_information"].is_object() => ("media_location", "Location"),
        _ if message["contact_information"].is_object() => ("media_contact", "Somebody"),
        _ => return write_poll(page, &message["poll"]),
    };
    page.open("div class=\"media_wrap clearfix\"");
    let path = base("file").or(base("photo"));
    let tag = path.map_or_else(|| "div".to_owned(), |path| format!("a href=\"{path}\""));
    let (name, attributes) = tag.split_once(' ').unwrap_or((&tag, ""));
    page.open(&format!("{name} class=\"media clearfix pull_left {class}\" {attributes}"));
    page.block("div class=\"fill pull_left\"", "");
    page.open("div class=\"body\"");
    let title = title.rsplit('/').next().unwrap_or(title);
    page.block("div class=\"title bold\"", &escaped(title));
    page.block("div class=\"status details\"", "1280x720, 10.5 KB");
    page.close("div");
    page.close(name);
    page.close("div");
}

fn write_poll(page: &mut Page, poll: &Value) {
    if !poll.is_object() {
        return;
    }
    let votes = |count: &Value| match count.as_i64().unwrap_or(0) {
        0 => "No votes".to_owned(),
        1 => "1 vote".to_owned(),
        count => format!("{count} votes"),
    };
    page.open("div class=\"media_wrap clearfix\"");
    page.open("div class=\"media_poll\"");
    page.block("div class=\"question bold\"", &escaped(poll["question"].as_str().unwrap_or("")));
    page.block(
        "div class=\"details\"",
        if poll["closed"] == true { "Final results" } else { "Anonymous poll" },
    );
    for answer in poll["answers"].as_array().into_iter().flatten() {
        let told = match answer["voters"].as_i64() {
            Some(count) if count > 0 => {
                format!(" <span class=\"details\">{}, chosen vote</span>", votes(&answer["voters"]))
            }
            _ => String::new(),
        };
        page.block(
            "div class=\"answer\"",
            &format!("- {}{told}", escaped(answer["text"].as_str().unwrap_or(""))),
        );
    }
    // The exporter tells it always; an export that somebody has reworked may hold none.
    if !poll["total_voters"].is_null() {
        page.block("div class=\"total details\t\"", &votes(&poll["total_voters"]));
    }
    page.close("div");
    page.close("div");
}

fn write_reactions(page: &mut Page, message: &Value) {
    let Some(reactions) = message["reactions"].as_array() else { return };
    page.open("span class=\"reactions\"");
    for reaction in reactions {
        page.open("span class=\"reaction\"");
        let emoji = match reaction["emoji"].as_str() {
            Some(emoji) => escaped(emoji),
            None => "<a href=\"stickers/a.tgs\">\u{1f44b}</a>".to_owned(),
        };
        page.block("span class=\"emoji\"", &emoji);
        let count = reaction["count"].as_i64().unwrap_or(0);
        if count <= 2 {
            page.open("span class=\"userpics\"");
            for _ in 0..count {
                page.block(
                    "div class=\"userpic userpic2\" style=\"width: 20px\"",
                    "<div class=\"initials\" title=\"Bob\">\nB\n</div>",
                );
            }
            page.close("span");
        } else {
            page.block("span class=\"count\"", &count.to_string());
        }
        page.close("span");
    }
    page.close("span");
}

/// As the exporter decides whether a name is repeated.
fn joins(before: &Value, message: &Value) -> bool {
    let is_same = |field: &str| before[field] == message[field];
    let day = |message: &Value| time(message).strftime("%F").to_string();
    before["type"] == "message"
        && message["from_id"].is_string()
        && is_same("from_id")
        && is_same("forwarded_from")
        && message["forwarded_from"].is_string() == before["forwarded_from"].is_string()
        && day(before) == day(message)
        && (seconds(message) - seconds(before)).abs()
            <= if message["forwarded_from"].is_string() { 1 } else { JOINED_SECONDS }
}

fn seconds(message: &Value) -> i64 {
    message["date_unixtime"].as_str().and_then(|seconds| seconds.parse().ok()).expect("a time")
}

fn time(message: &Value) -> jiff::Zoned {
    let zone = TimeZone::get(ZONE).expect("a zone");
    Timestamp::from_second(seconds(message)).expect("a time").to_zoned(zone)
}

fn title_time(message: &Value) -> String {
    time(message).strftime("%d.%m.%Y %H:%M:%S UTC%:z").to_string()
}
