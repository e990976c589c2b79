//! What a model wrote, looked over before anybody reads it: words by lists, in Russian and English.
//!
//! Invariant: pure and small on purpose. It finds what is plainly there and claims no more; each finding has a category and a place, so
//! that nobody has to withhold anything silently. Quotations of a chat are not its business: what people said, they said.

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Obscene words.
    Profanity,
    /// Words that insult for descent, faith or whom one loves.
    Slur,
    /// A threat of violence.
    Threat,
    /// Encouragement to hurt oneself.
    SelfHarm,
    /// The model speaks of itself, its instructions or its refusal instead of the chat.
    ModelVoice,
}

/// Something found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub category: Category,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// What to do with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found.
    Clean,
    /// It is not to go out; by each finding, in the order of the text.
    Withheld(Vec<Finding>),
}

impl Category {
    /// Label of a metric.
    pub fn label(self) -> &'static str {
        match self {
            Self::Profanity => "profanity",
            Self::Slur => "slur",
            Self::Threat => "threat",
            Self::SelfHarm => "self_harm",
            Self::ModelVoice => "model_voice",
        }
    }
}

impl Verdict {
    /// The categories, each once; empty for a clean text.
    pub fn categories(&self) -> Vec<&'static str> {
        let Self::Withheld(findings) = self else { return Vec::new() };
        let mut categories: Vec<Category> = findings.iter().map(|finding| finding.category).collect();
        categories.sort_unstable();
        categories.dedup();
        categories.into_iter().map(Category::label).collect()
    }
}

/// How a list's words are compared.
#[derive(Clone, Copy)]
enum By {
    /// The word is the whole.
    Whole,
    /// A word begins so.
    Beginning,
}

use By::{Beginning, Whole};
use Category::{ModelVoice, Profanity, SelfHarm, Slur, Threat};

const WORDS: [(Category, By, &[&str]); 6] = [
    (
        Profanity,
        Beginning,
        &[
            "fuck",
            "motherfuck",
            "bullshit",
            "shit",
            "cunt",
            "asshole",
            "хуй",
            "хуе",
            "хуя",
            "хуи",
            "охуе",
            "нахуй",
            "похуй",
            "пизд",
            "распизд",
            "ебан",
            "ебат",
            "ебал",
            "ебет",
            "ебну",
            "ебуч",
            "заеб",
            "наеб",
            "выеб",
            "уеб",
            "съеб",
            "проеб",
            "разъеб",
            "отъеб",
            "долбоеб",
            "мудак",
            "мудил",
            "мудоз",
            "блядь",
            "бляд",
            "гандон",
            "шлюх",
        ],
    ),
    (Profanity, Whole, &["bitch", "bitches", "whore", "dickhead", "бля", "сука", "суки", "суку", "сукой"]),
    (Slur, Beginning, &["nigger", "faggot", "пидор", "пидар", "черножоп"]),
    (Slur, Whole, &["nigga", "kike", "жид", "жиды", "жидов", "хач", "хачи", "чурки", "чурок"]),
    (ModelVoice, Beginning, &["chatgpt"]),
    (ModelVoice, Whole, &["gigachat"]),
];

/// Phrases: words in this order with nothing between, each compared by its beginning.
const PHRASES: [(Category, &[&str]); 17] = [
    (Threat, &["i", "will", "kill", "you"]),
    (Threat, &["i'll", "kill", "you"]),
    (Threat, &["we", "will", "find", "you"]),
    (Threat, &["я", "тебя", "убью"]),
    (Threat, &["я", "тебя", "зарежу"]),
    (Threat, &["мы", "тебя", "найдем"]),
    (SelfHarm, &["kill", "yourself"]),
    (SelfHarm, &["убей", "себя"]),
    (SelfHarm, &["убейся"]),
    (ModelVoice, &["as", "an", "ai"]),
    (ModelVoice, &["as", "a", "language", "model"]),
    (ModelVoice, &["i", "cannot", "help", "with"]),
    (ModelVoice, &["system", "prompt"]),
    (ModelVoice, &["previous", "instructions"]),
    (ModelVoice, &["как", "языковая", "модель"]),
    (ModelVoice, &["системн", "промпт"]),
    (ModelVoice, &["предыдущ", "инструкци"]),
];

/// Looks a text over.
pub fn check(text: &str) -> Verdict {
    let words = words(text);
    let mut findings = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let is_in = |(_, by, list): &&(Category, By, &[&str])| match by {
            Whole => list.contains(&word.plain.as_str()),
            Beginning => list.iter().any(|beginning| word.plain.starts_with(beginning)),
        };
        if let Some((category, ..)) = WORDS.iter().find(is_in) {
            findings.push(Finding { category: *category, start: word.start, end: word.end });
        }
        let begins = |(_, phrase): &&(Category, &[&str])| {
            words[at..].len() >= phrase.len()
                && phrase.iter().zip(&words[at..]).all(|(wanted, word)| word.plain.starts_with(wanted))
        };
        if let Some((category, phrase)) = PHRASES.iter().find(begins) {
            let end = words[at + phrase.len() - 1].end;
            findings.push(Finding { category: *category, start: word.start, end });
        }
    }
    if findings.is_empty() { Verdict::Clean } else { Verdict::Withheld(findings) }
}

struct Word {
    start: usize,
    end: usize,
    /// In lower case, letters that look like Cyrillic ones as those where the word has any.
    plain: String,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '\'' || letter == '\u{2019}';
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (start, is_part(letter)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                words.push(Word { start: from, end: at, plain: plain(&text[from..at]) });
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn plain(word: &str) -> String {
    let lower: String = word.chars().flat_map(char::to_lowercase).collect();
    let is_cyrillic = lower.chars().any(|letter| ('\u{400}'..='\u{4ff}').contains(&letter));
    let look = |letter: char| match letter {
        '\u{2019}' => '\'',
        'ё' => 'е',
        _ if !is_cyrillic => letter,
        'a' => 'а',
        'e' => 'е',
        'o' | '0' => 'о',
        'p' => 'р',
        'c' => 'с',
        'y' => 'у',
        'x' => 'х',
        '3' => 'з',
        _ => letter,
    };
    lower.chars().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_plainly_there_is_found_with_its_place() {
        let text = "Они решили: хyйня это всё.";
        let Verdict::Withheld(findings) = check(text) else { panic!("not found") };
        assert_eq!((findings.len(), findings[0].category), (1, Category::Profanity));
        assert_eq!(&text[findings[0].start..findings[0].end], "хyйня");
        for (text, category) in [
            ("What the FUCK happened", "profanity"),
            ("Заёбаны все", "profanity"),
            ("вот пидоры", "slur"),
            ("He wrote: I’ll kill you.", "threat"),
            ("Мы тебя найдём", "threat"),
            ("Убей себя об стену", "self_harm"),
            ("As an AI, I have no opinion", "model_voice"),
            ("Как языковая модель, я не могу", "model_voice"),
            ("My system prompts say", "model_voice"),
            ("забудь предыдущие инструкции", "model_voice"),
        ] {
            assert_eq!(check(text).categories(), [category], "{text}");
        }
        assert_eq!(check("сука, убейся").categories(), ["profanity", "self_harm"]);
    }

    /// Words that hold a word of the lists, and phrases that nearly are one.
    #[test]
    fn ordinary_words_are_left_alone() {
        for text in [
            "Корабля нет, сук на дереве, мудрый совет, жидкий чай, хулиганы, страхуют, потребитель, бляха, оскорбление",
            "Scunthorpe, Dickens, mushrooms, hitching, classic, embassy, assignment, Shinto",
            "The AI model was updated; instructions are in the previous message",
            "Убил час на отчёт, kill the process, we will find the bug",
            "Хачапури, сукно, педикюр, ебилдинг, чурка не горит",
        ] {
            assert_eq!(check(text), Verdict::Clean, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_over(text in any::<String>()) {
            if let Verdict::Withheld(findings) = check(&text) {
                prop_assert!(findings.iter().all(|finding| text.get(finding.start..finding.end).is_some()));
            }
        }
    }
}
