//! Russian verb forms by their endings: first person singular of what will be done, first person plural.
//!
//! A heuristic by design: chat needs no morphology, only few false friends, which the lists name.

use super::verb_endings::{
    ADJECTIVE_ENDINGS, NOT_PLURAL, NOUNS, PLURAL_ENDINGS, PREFIXES, PRESENT_ENDINGS, SINGULAR_ENDINGS,
    STATIVE,
};

/// Verbs of a sentence that tell who does what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verbs {
    /// "берем", "переносим": what "we" do.
    pub(crate) plural: bool,
    /// "сделаю", "куплю", without "не" before it.
    pub(crate) promises: bool,
}

impl Verbs {
    /// Reads a padded sentence.
    pub(crate) fn of(padded: &str) -> Self {
        let mut found = Self::default();
        let mut before = "";
        for word in padded.split_whitespace() {
            found.plural |= is_first_plural(word);
            found.promises |= before != "не" && is_first_singular_future(word);
            before = word;
        }
        found
    }
}

/// Whether a folded Russian word is a verb in the first person plural: "берем", "переносим".
pub(super) fn is_first_plural(word: &str) -> bool {
    word.ends_with(['м', 'я'])
        && word.chars().count() >= 5
        && PLURAL_ENDINGS.iter().any(|ending| word.ends_with(ending))
        && !NOT_PLURAL.contains(&word)
}

/// Whether a folded Russian word promises: a perfective verb in the first person singular, "сделаю", "куплю".
pub(super) fn is_first_singular_future(word: &str) -> bool {
    if !word.ends_with(['у', 'ю', 'ь', 'м']) {
        return false;
    }
    if word.chars().count() < 4 || STATIVE.contains(&word) || NOUNS.contains(&word) {
        return false;
    }
    let known = ["куплю", "дам", "дойду", "кину", "скину", "сниму", "решу", "начну", "закончу", "верну"]
        .contains(&word);
    let stem = word.strip_suffix("сь").unwrap_or(word);
    if PRESENT_ENDINGS.iter().any(|ending| stem.ends_with(ending)) {
        return false;
    }
    let verb = SINGULAR_ENDINGS.iter().any(|ending| stem.ends_with(ending))
        && (stem.ends_with("ирую") || !ADJECTIVE_ENDINGS.iter().any(|ending| stem.ends_with(ending)))
        || ["рисую", "бую"].iter().any(|ending| stem.ends_with(ending));
    known || (verb && PREFIXES.iter().any(|prefix| stem.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plural_verbs_and_their_false_friends() {
        for word in
            ["переносим", "печатаем", "закрепляем", "ставим", "собираем", "пишем", "остаемся", "засыпаем"]
        {
            assert!(is_first_plural(word), "{word}");
        }
        for word in ["проблем", "совсем", "своим", "большим", "урожаем", "понимаем", "время"]
        {
            assert!(!is_first_plural(word), "{word}");
        }
    }

    #[test]
    fn promises_and_their_false_friends() {
        for word in [
            "сделаю",
            "куплю",
            "закажу",
            "поставлю",
            "расклею",
            "забронирую",
            "напишу",
            "принесу",
            "нарисую",
            "составлю",
            "договорюсь",
            "отправлю",
            "привезу",
            "попрошу",
            "повешу",
            "захвачу",
            "проверю",
            "пришлю",
        ] {
            assert!(is_first_singular_future(word), "{word}");
        }
        for word in
            ["неделю", "задачу", "новую", "думаю", "воду", "свою", "посуду", "общую", "погоду", "вижу"]
        {
            assert!(!is_first_singular_future(word), "{word}");
        }
    }
}
