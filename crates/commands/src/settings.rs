//! What holds for a group, told in its chat.
//!
//! Invariant: pure. Another chat that digests go to is not named: who reads this may not be in it.

use crate::{chat_of, mute, words};
use schemas::GroupSettings;
use text::Language;

/// What is told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The group's settings.
    pub settings: &'a GroupSettings,
    /// Lowest score of a digest that is posted.
    pub threshold: f64,
    /// Where it is told, as a target.
    pub chat: &'a str,
    /// Until when that chat gets no digests, in ms; none where it gets them.
    pub muted_until: Option<i64>,
}

/// What holds for a group, a line each.
pub fn settings(language: Language, told: &Told<'_>) -> String {
    let (words, settings) = (&words(language).settings, told.settings);
    let hours: Vec<String> =
        settings.window_hours.iter().map(|hours| format!("{hours} {}", words.hours)).collect();
    let day = settings.day_start_minutes;
    let spoken = match Language::parse(&settings.language) {
        Some(Language::Ru) => words.russian,
        Some(Language::En) => words.english,
        None => words.by_messages,
    };
    let mut lines = vec![
        words.title.to_owned(),
        format!(
            "{}: {}; {} {:02}:{:02}",
            words.windows,
            hours.join(", "),
            words.day_starts,
            day / 60,
            day % 60
        ),
        format!("{}: {}", words.time_zone, settings.time_zone),
        format!("{}: {spoken}", words.language),
        format!("{}: {}", words.goes_to, targets(language, told)),
        format!("{}: {:.2}", words.threshold, told.threshold),
    ];
    if let Some(until_ms) = told.muted_until {
        let until = mute::told(until_ms, &settings.time_zone);
        lines.push(format!("{}: {}", words.muted, until.as_deref().unwrap_or(words.until_unmuted)));
    }
    lines.join("\n")
}

/// Whether the digests of a group with these settings come to the chat of a target.
pub fn comes_here(settings: &GroupSettings, target: &str) -> bool {
    settings.channels.iter().any(|channel| channel == "telegram")
        && settings.chat.as_deref().is_some_and(|chat| chat_of(chat) == chat_of(target))
}

fn targets(language: Language, told: &Told<'_>) -> String {
    let words = &words(language).settings;
    let is_here = comes_here(told.settings, told.chat);
    let place = |channel: &String| match channel.as_str() {
        "telegram" if is_here => words.this_chat.to_owned(),
        "telegram" => words.another_chat.to_owned(),
        "file" => words.files.to_owned(),
        other => other.to_owned(),
    };
    told.settings.channels.iter().map(place).collect::<Vec<_>>().join(", ")
}

/// Words of the lines, in one language.
#[derive(Debug)]
pub(crate) struct Words {
    title: &'static str,
    windows: &'static str,
    hours: &'static str,
    day_starts: &'static str,
    time_zone: &'static str,
    language: &'static str,
    russian: &'static str,
    english: &'static str,
    by_messages: &'static str,
    goes_to: &'static str,
    this_chat: &'static str,
    another_chat: &'static str,
    files: &'static str,
    threshold: &'static str,
    muted: &'static str,
    until_unmuted: &'static str,
}

pub(crate) const EN: Words = Words {
    title: "What holds for this group:",
    windows: "Digests of",
    hours: "h",
    day_starts: "a day begins at",
    time_zone: "Time zone",
    language: "Language",
    russian: "Russian",
    english: "English",
    by_messages: "that of the messages",
    goes_to: "Digests go to",
    this_chat: "this chat",
    another_chat: "another chat",
    files: "files",
    threshold: "Lowest score of a digest",
    muted: "No digests are posted here until",
    until_unmuted: "/unmute",
};

pub(crate) const RU: Words = Words {
    title: "Что действует для этой группы:",
    windows: "Сводки за",
    hours: "ч",
    day_starts: "день начинается в",
    time_zone: "Часовой пояс",
    language: "Язык",
    russian: "русский",
    english: "английский",
    by_messages: "язык сообщений",
    goes_to: "Сводки приходят в",
    this_chat: "этот чат",
    another_chat: "другой чат",
    files: "файлы",
    threshold: "Наименьшая оценка сводки",
    muted: "Сводки сюда не приходят до",
    until_unmuted: "/unmute",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_told_and_another_chat_is_not_named() {
        let settings = GroupSettings {
            window_hours: vec![2, 24],
            time_zone: "Europe/Berlin".to_owned(),
            channels: vec!["file".to_owned(), "telegram".to_owned()],
            chat: Some("-1009/3".to_owned()),
            day_start_minutes: 545,
            ..GroupSettings::default()
        };
        let told = Told { settings: &settings, threshold: 0.41, chat: "-1009/7", muted_until: None };
        assert_eq!(
            super::settings(Language::En, &told),
            "What holds for this group:\nDigests of: 2 h, 24 h; a day begins at 09:05\nTime zone: Europe/Berlin\n\
             Language: that of the messages\nDigests go to: files, this chat\nLowest score of a digest: 0.41"
        );
        let muted = Told { muted_until: Some(1_772_467_979_000), ..told };
        let said = super::settings(Language::En, &muted);
        let line = "\nNo digests are posted here until: 2026-03-02 17:12 (Europe/Berlin)";
        assert!(said.ends_with(line), "{said}");
        let for_good = Told { muted_until: Some(crate::UNTIL_ENDED), ..told };
        assert!(super::settings(Language::Ru, &for_good).ends_with("не приходят до: /unmute"));
        let elsewhere = Told { chat: "-1001", ..told };
        let said = super::settings(Language::Ru, &elsewhere);
        assert!(said.contains("Сводки приходят в: файлы, другой чат") && !said.contains("1009"), "{said}");
    }
}
