//! Russian verb forms by their endings: first person singular of what will be done, first person plural.
//!
//! A heuristic by design: chat needs no morphology, only few false friends, which the lists name.

/// Nouns, adjectives and adverbs that end like a verb in the first person plural.
const NOT_PLURAL: &[&str] = &[
    "всем",
    "чем",
    "тем",
    "нем",
    "кем",
    "ничем",
    "совсем",
    "затем",
    "зачем",
    "своем",
    "моем",
    "твоем",
    "проблем",
    "систем",
    "схем",
    "объем",
    "прием",
    "подъем",
    "заем",
    "днем",
    "путем",
    "огнем",
    "дождем",
    "чаем",
    "краем",
    "случаем",
    "урожаем",
    "сараем",
    "рабочим",
    "прочим",
    "чужим",
    "свежим",
    "горячим",
    "общим",
    "режим",
    "зажим",
    "нажим",
    "любим",
    "знаем",
    "понимаем",
    "видим",
    "хотим",
    "можем",
    "имеем",
    "помним",
    "боимся",
    "надеемся",
    "считаем",
    "думаем",
    "спасибо",
    "этим",
    "своим",
    "твоим",
    "моим",
    "нашем",
    "вашем",
    "каждом",
    "ответим",
];
const PLURAL_ENDINGS: &[&str] = &[
    "аем", "яем", "уем", "еем", "рем", "шем", "дем", "вем", "жем", "нем", "зем", "сем", "тем", "лем", "чем",
    "ьем", "дим", "вим", "сим", "лим", "рим", "тим", "чим", "жим", "пим", "емся", "имся", "оим", "чаем",
];

/// First person singular of verbs that say what one thinks, feels or sees, not what one will do.
const STATIVE: &[&str] = &[
    "думаю",
    "знаю",
    "вижу",
    "хочу",
    "могу",
    "люблю",
    "помню",
    "надеюсь",
    "боюсь",
    "понимаю",
    "считаю",
    "прошу",
    "жду",
    "скажу",
    "говорю",
    "обожаю",
    "пойму",
    "слышу",
    "смотрю",
    "живу",
    "сплю",
    "иду",
    "еду",
    "бегу",
    "плачу",
    "реву",
    "ищу",
    "верю",
    "благодарю",
    "извиняюсь",
    "согласую",
    "признаю",
    "прощаю",
    "потерплю",
    "умоляю",
    "заплачу",
    "узнаю",
    "поддерживаю",
    "предлагаю",
    "рекомендую",
    "советую",
    "напоминаю",
    "повторяю",
    "пишу",
    "работаю",
    "вою",
    "стою",
    "сижу",
    "лежу",
    "хожу",
    "вожу",
    "ношу",
    "читаю",
    "играю",
    "гуляю",
    "отвечаю",
    "спрашиваю",
    "держу",
    "чувствую",
    "ненавижу",
    "дам",
    "пью",
    "ем",
    "беру",
    "зову",
    "пою",
    "учусь",
    "учу",
    "шучу",
    "ржу",
    "кричу",
    "молчу",
    "терплю",
    "подпишу",
    "переклею",
    "пересажу",
    "вытерплю",
    "обещаю",
    "гарантирую",
    "захожу",
    "выезжаю",
    "обхожу",
    "приду",
    "буду",
    "пойду",
    "съем",
    "умру",
    "усну",
    "лягу",
    "встану",
];
/// Prefixes of perfective verbs: in the first person they speak of the future.
const PREFIXES: &[&str] = &[
    "по", "на", "за", "с", "вы", "от", "до", "под", "пере", "при", "об", "про", "раз", "рас", "из", "ис",
    "у", "в", "о",
];
/// Endings of the first person singular that nouns and adjectives in the accusative seldom have.
const SINGULAR_ENDINGS: &[&str] = &[
    "аю", "яю", "ирую", "зую", "ую", "елю", "авлю", "овлю", "ылю", "оплю", "уплю", "ею", "ою", "ню", "ожу",
    "ежу", "ажу", "ишу", "ошу", "ашу", "ушу", "ечу", "ачу", "учу", "очу", "ещу", "ащу", "ущу", "ишлю", "еру",
    "езу", "есу", "еду", "ьму", "ниму", "сну", "рну", "лю", "рю", "шлю", "жу", "чу", "шу",
];
/// Secondary imperfectives: what one does now or always.
const PRESENT_ENDINGS: &[&str] = &[
    "ываю",
    "иваю",
    "авляю",
    "являю",
    "ючаю",
    "ечаю",
    "ещаю",
    "ащаю",
    "ираю",
    "ыраю",
    "окаю",
    "инаю",
    "шаю",
];
/// Adjectives in the accusative feminine end in -ую too.
const ADJECTIVE_ENDINGS: &[&str] =
    &["скую", "ную", "вую", "щую", "шую", "кую", "мую", "тую", "лую", "рую", "гую", "дую"];
const NOUNS: &[&str] = &[
    "урожаю",
    "случаю",
    "обычаю",
    "сараю",
    "неделю",
    "дачу",
    "задачу",
    "удачу",
    "сдачу",
    "передачу",
    "раздачу",
    "встречу",
    "свечу",
    "крышу",
    "кашу",
    "чашу",
    "кожу",
    "лужу",
    "ношу",
    "пользу",
    "причину",
    "вашу",
    "нашу",
    "всю",
    "свою",
    "мою",
    "твою",
    "землю",
    "каплю",
    "петлю",
    "кухню",
    "песню",
    "баню",
    "деревню",
    "зарю",
    "бурю",
    "статью",
    "семью",
    "скамью",
    "очередью",
    "помощью",
    "тётю",
    "площадью",
    "частью",
    "вещью",
    "ночью",
    "новостью",
    "распродажу",
    "продажу",
    "поклажу",
    "пропажу",
    "выдачу",
    "отдачу",
    "подачу",
    "поддержу",
    "стражу",
    "одежду",
    "надежду",
    "нужду",
    "вожжу",
    "пробежу",
    "соседу",
    "обеду",
    "победу",
    "беседу",
    "цену",
    "сторону",
    "снаружу",
    "воду",
    "уличную",
    "заявку",
    "смену",
    "замену",
];

/// Whether a folded Russian word is a verb in the first person plural: "берем", "переносим".
pub(super) fn is_first_plural(word: &str) -> bool {
    word.chars().count() >= 5
        && PLURAL_ENDINGS.iter().any(|ending| word.ends_with(ending))
        && !NOT_PLURAL.contains(&word)
}

/// Whether a folded Russian word promises: a perfective verb in the first person singular, "сделаю", "куплю".
pub(super) fn is_first_singular_future(word: &str) -> bool {
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
