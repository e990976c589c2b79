//! The words around a digest's own: headings, roles and counts in Russian and English.

use crate::change::Change;
use jiff::civil::Date;

/// Words of one language.
#[derive(Debug)]
pub(crate) struct Wording {
    pub(crate) summary: &'static str,
    pub(crate) topics: &'static str,
    /// What else was talked about.
    pub(crate) also: &'static str,
    pub(crate) decisions: &'static str,
    pub(crate) questions: &'static str,
    /// Questions of earlier windows that are answered in this one.
    pub(crate) closed: &'static str,
    /// What was talked about before.
    pub(crate) recalled: &'static str,
    /// Topics of the window before.
    pub(crate) continued: &'static str,
    pub(crate) actions: &'static str,
    pub(crate) due: &'static str,
    pub(crate) mood: &'static str,
    pub(crate) participants: &'static str,
    pub(crate) links: &'static str,
    pub(crate) quality: &'static str,
    /// A digest of which nothing is left.
    pub(crate) withdrawn: &'static str,
    /// A digest whose messages have changed.
    pub(crate) outdated: &'static str,
    pub(crate) emptied_part: &'static str,
    /// Before the period, in the subject of a mail.
    pub(crate) digest_of: &'static str,
    /// What a mail says that follows another one of the same window.
    pub(crate) newer: &'static str,
    russian: bool,
}

const ENGLISH: Wording = Wording {
    summary: "What happened",
    topics: "Topics",
    also: "Also",
    decisions: "Decisions",
    questions: "Open questions",
    closed: "Answered since",
    recalled: "Not for the first time",
    continued: "Goes on from before",
    actions: "Actions",
    due: "due",
    mood: "Mood",
    participants: "Who did what",
    links: "Links",
    quality: "Quality",
    withdrawn: "This digest was withdrawn: no messages of this time are left.",
    outdated: "This digest was withdrawn: the messages that it was about have changed.",
    emptied_part: "This part is no longer in the digest.",
    digest_of: "digest of",
    newer: "A newer version: the messages have changed since the last mail.",
    russian: false,
};

const RUSSIAN: Wording = Wording {
    summary: "Что произошло",
    topics: "Темы",
    also: "Ещё",
    decisions: "Решения",
    questions: "Открытые вопросы",
    closed: "Ответы на прежние вопросы",
    recalled: "Не в первый раз",
    continued: "Продолжается с прошлого раза",
    actions: "Задачи",
    due: "срок:",
    mood: "Настроение",
    participants: "Кто что делал",
    links: "Ссылки",
    quality: "Качество",
    withdrawn: "Дайджест отозван: сообщений за это время больше нет.",
    outdated: "Дайджест отозван: сообщения, о которых он был, изменились.",
    emptied_part: "Этой части в дайджесте больше нет.",
    digest_of: "дайджест за",
    newer: "Новая версия: сообщения изменились с прошлого письма.",
    russian: true,
};

const ENGLISH_DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const RUSSIAN_DAYS: [&str; 7] =
    ["в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"];

impl Wording {
    /// The words for a digest's language; any other than `ru` reads English.
    pub(crate) fn of(language: &str) -> &'static Self {
        if language == "ru" { &RUSSIAN } else { &ENGLISH }
    }

    pub(crate) fn messages(&self, count: i32) -> String {
        self.counted(count, ["message", "messages"], ["сообщение", "сообщения", "сообщений"])
    }

    /// How many more there are.
    pub(crate) fn more(&self, count: usize) -> String {
        if self.russian { format!("и ещё {count}") } else { format!("and {count} more") }
    }

    pub(crate) fn people(&self, count: i32) -> String {
        self.counted(count, ["participant", "participants"], ["участник", "участника", "участников"])
    }

    /// A day, with its name where that is wanted.
    pub(crate) fn day(&self, day: Date, named: bool) -> String {
        if !named {
            return day.to_string();
        }
        let at = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        let name = if self.russian { RUSSIAN_DAYS[at] } else { ENGLISH_DAYS[at] };
        format!("{name} ({day})")
    }

    /// That something was so on these days.
    pub(crate) fn as_on(&self, days: &[String]) -> String {
        let as_on = if self.russian { "как" } else { "as on" };
        format!("{as_on} {}", days.join(", "))
    }

    /// Which time it is, of a few.
    pub(crate) fn times(&self, times: usize, days: i32) -> String {
        match (self.russian, times) {
            (true, 3) => format!(", в третий раз за {days} дней"),
            (true, 4) => format!(", в четвёртый раз за {days} дней"),
            (true, _) => format!(", в {times}-й раз за {days} дней"),
            (false, 3) => format!(", the third time in {days} days"),
            (false, 4) => format!(", the fourth time in {days} days"),
            (false, _) => format!(", {times} times in {days} days"),
        }
    }

    /// What is otherwise in a newer version.
    pub(crate) fn updated(&self, changes: &[Change]) -> String {
        let told: Vec<String> = changes.iter().map(|change| self.change(change)).collect();
        match (self.russian, told.is_empty()) {
            (true, true) => "Обновлено".to_owned(),
            (false, true) => "Updated".to_owned(),
            (true, false) => format!("Обновлено: {}", told.join("; ")),
            (false, false) => format!("Updated: {}", told.join("; ")),
        }
    }

    fn change(&self, change: &Change) -> String {
        if self.russian {
            return match change {
                Change::Moved(due) => format!("срок перенесён на {due}"),
                Change::Reworded(words) => format!("теперь «{words}»"),
                Change::Shortened => "одна строка стала короче".to_owned(),
                Change::New(text) => format!("новое: «{text}»"),
                Change::Withdrawn(1) => "сообщение удалено".to_owned(),
                Change::Withdrawn(count) => format!("удалено {}", self.messages(*count)),
                Change::Late(count) => format!("позже пришло {}", self.messages(*count)),
                Change::Gone => "одной строки больше нет".to_owned(),
            };
        }
        match change {
            Change::Moved(due) => format!("the date moved to {due}"),
            Change::Reworded(words) => format!("now “{words}”"),
            Change::Shortened => "a line is shorter".to_owned(),
            Change::New(text) => format!("new: “{text}”"),
            Change::Withdrawn(1) => "a message was withdrawn".to_owned(),
            Change::Withdrawn(count) => format!("{} were withdrawn", self.messages(*count)),
            Change::Late(count) => format!("{} came later", self.messages(*count)),
            Change::Gone => "a line is gone".to_owned(),
        }
    }

    fn counted(&self, count: i32, english: [&str; 2], russian: [&str; 3]) -> String {
        let word =
            if self.russian { russian[russian_plural(count)] } else { english[usize::from(count != 1)] };
        format!("{count} {word}")
    }

    /// A role or mood in this language; names that this version does not know stay as they are.
    pub(crate) fn label<'a>(&self, name: &'a str) -> &'a str {
        if !self.russian {
            return name;
        }
        match name {
            "initiator" => "инициатор",
            "helper" => "помогает",
            "asker" => "спрашивает",
            "decider" => "решает",
            "contributor" => "участвует",
            "observer" => "наблюдает",
            "bot" => "бот",
            "positive" => "положительное",
            "negative" => "отрицательное",
            "neutral" => "ровное",
            "mixed" => "смешанное",
            other => other,
        }
    }
}

/// Index of the Russian plural form: 1 сообщение, 2 сообщения, 5 сообщений.
fn russian_plural(count: i32) -> usize {
    match (count.rem_euclid(10), count.rem_euclid(100)) {
        (_, 11..=14) => 2,
        (1, _) => 0,
        (2..=4, _) => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn russian_counts_agree() {
        let counts = [0, 1, 2, 5, 11, 14, 21, 22, 25, 111, 112, 122];
        let forms: Vec<_> = counts.iter().map(|count| russian_plural(*count)).collect();
        assert_eq!(forms, [2, 0, 1, 2, 2, 2, 0, 1, 2, 2, 2, 1]);
        assert_eq!(Wording::of("en").messages(1), "1 message");
        assert_eq!(Wording::of("ru").people(3), "3 участника");
    }
}
