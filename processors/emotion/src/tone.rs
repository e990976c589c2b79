//! Tone of a text: valence of its words and emoji with negation, intensifiers, contrast and punctuation.
//!
//! The rules are those of VADER (Hutto, Gilbert: "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
//! Social Media Text", 2014), with a Russian counterpart for each.

use crate::lexicon::{emoji_valence, word_valence};
use text::{Token, TokenKind, is_cyrillic, tokenize};

/// Tone of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Pleased, thankful, amused.
    Positive,
    /// Angry, sad, afraid.
    Negative,
    /// Neither.
    Neutral,
}

impl Tone {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Neutral => "neutral",
        }
    }

    /// The tone of a strength; below [`NEUTRAL_BELOW`] on either side it is neutral.
    pub fn of(strength: f64) -> Self {
        if strength >= NEUTRAL_BELOW {
            Self::Positive
        } else if strength <= -NEUTRAL_BELOW {
            Self::Negative
        } else {
            Self::Neutral
        }
    }
}

/// Strength that makes a message positive or negative: best on `GoEmotions` dev, flat between .2 and .3 there, and
/// within .01 of the best on its Russian translation.
pub const NEUTRAL_BELOW: f64 = 0.25;
/// VADER's constant: half of the scale at a sum of about ±2.2.
const SATURATION: f64 = 15.0;
const NEGATION: f64 = -0.74;
const EXCLAMATION: f64 = 0.292;
const EXCLAMATIONS_MAX: usize = 4;
const QUESTION: f64 = 0.5;
/// What stands before and after "but" counts so much.
const CONTRAST: (f64, f64) = (0.5, 1.4);
const SMILE: f64 = 0.7;

const NEGATORS: [&str; 30] = [
    "aint",
    "cannot",
    "cant",
    "didnt",
    "doesnt",
    "dont",
    "hardly",
    "isnt",
    "neither",
    "never",
    "no",
    "none",
    "nor",
    "not",
    "nothing",
    "rarely",
    "seldom",
    "wasnt",
    "without",
    "wont",
    "wouldnt",
    "без",
    "нельзя",
    "нет",
    "ни",
    "никак",
    "никогда",
    "ничего",
    "ничуть",
    "не",
];
const STRONGER: [&str; 40] = [
    "absolutely",
    "amazingly",
    "awfully",
    "completely",
    "deeply",
    "especially",
    "extremely",
    "fucking",
    "highly",
    "hugely",
    "incredibly",
    "more",
    "most",
    "particularly",
    "pretty",
    "quite",
    "really",
    "remarkably",
    "so",
    "super",
    "such",
    "thoroughly",
    "too",
    "totally",
    "truly",
    "utterly",
    "very",
    "абсолютно",
    "безумно",
    "действительно",
    "крайне",
    "настолько",
    "невероятно",
    "очень",
    "самый",
    "слишком",
    "совершенно",
    "так",
    "такой",
    "чертовски",
];
const WEAKER: [&str; 12] = [
    "almost",
    "barely",
    "kinda",
    "little",
    "marginally",
    "partly",
    "slightly",
    "somewhat",
    "немного",
    "слегка",
    "чуть",
    "почти",
];
const LIKERS: [&str; 14] = [
    "also", "didn't", "do", "don't", "i", "i'd", "not", "people", "really", "still", "they", "we", "would",
    "you",
];
const NOT_LIKED: [&str; 5] = ["a", "it's", "that", "this", "to"];

/// Strength of a text's tone in [-1, 1]; 0 for one without tone.
pub fn strength(text: &str) -> f64 {
    let words: Vec<Token> =
        tokenize(text).into_iter().filter(|token| token.kind == TokenKind::Word).collect();
    let mut sum = contrasted(&words) + emoji_sum(text) + smiles(text, &words);
    let marks = text.matches('!').count().min(EXCLAMATIONS_MAX) as f64 * EXCLAMATION;
    if sum > 0.0 {
        sum += marks;
    } else if sum < 0.0 {
        sum -= marks;
    }
    let question = if text.trim_end().ends_with('?') { QUESTION } else { 1.0 };
    question * sum / (sum * sum + SATURATION).sqrt()
}

/// Sum of the words' valences; what follows the first "but" counts more than what precedes it.
fn contrasted(words: &[Token]) -> f64 {
    let turn = words.iter().position(|word| matches!(word.text.as_ref(), "but" | "но"));
    let weight = |at: usize| match turn {
        Some(turn) if at < turn => CONTRAST.0,
        Some(turn) if at > turn => CONTRAST.1,
        _ => 1.0,
    };
    (0..words.len()).map(|at| valence(words, at) * weight(at)).sum()
}

/// Valence of a word in its place: strengthened, weakened or turned around by the words before it.
fn valence(words: &[Token], at: usize) -> f64 {
    let word = words[at].text.as_ref();
    let mut value = if word == "like" { liking(words, at) } else { word_valence(word) };
    if value == 0.0 {
        return 0.0;
    }
    // Russian negation stands next to its word, English a little further away.
    let reach = if word.chars().any(is_cyrillic) { 2 } else { 3 };
    for (distance, before) in words[..at].iter().rev().take(reach).enumerate() {
        let before = before.text.as_ref();
        let step = 0.3 * (1.0 - 0.05 * distance as f64) * value.signum();
        if STRONGER.contains(&before) {
            value += step;
        } else if WEAKER.contains(&before) {
            value -= step;
        }
        if NEGATORS.contains(&before) || before.ends_with("n't") {
            value *= NEGATION;
            break;
        }
    }
    value
}

/// "like" is a feeling only as a verb: after a subject or auxiliary and not before a comparison.
fn liking(words: &[Token], at: usize) -> f64 {
    let liker = at > 0 && LIKERS.contains(&words[at - 1].text.as_ref());
    let compares = words.get(at + 1).is_some_and(|next| NOT_LIKED.contains(&next.text.as_ref()));
    if liker && !compares { 2.0 } else { 0.0 }
}

fn emoji_sum(text: &str) -> f64 {
    let mut kinds: Vec<char> = text.chars().filter(|c| emoji_valence(*c) != 0.0).collect();
    kinds.sort_unstable();
    // The second and third of the same emoji add little.
    kinds
        .chunk_by(|a, b| a == b)
        .map(|run| emoji_valence(run[0]) * if run.len() > 1 { 1.3 } else { 1.0 })
        .sum()
}

/// Emoticons: `:)`, `:-(`, `;)`, `:D`, `<3`, and the bare brackets that end Russian sentences.
fn smiles(text: &str, words: &[Token]) -> f64 {
    let mut sum = 0.0;
    for chunk in text.split_whitespace() {
        sum += match chunk.trim_end_matches(['.', ',', '!']) {
            "<3" => 2.0 * SMILE,
            chunk if [":)", ":-)", ";)", ":D", "=)", "^^", ":3"].iter().any(|face| chunk.ends_with(face)) => {
                2.0 * SMILE
            }
            chunk if [":(", ":-(", "=(", ":'(", ":/"].iter().any(|face| chunk.ends_with(face)) => {
                -2.0 * SMILE
            }
            _ => 0.0,
        };
    }
    let russian = words.iter().any(|word| word.text.chars().any(is_cyrillic));
    let (open, close) = (text.matches('(').count(), text.matches(')').count());
    if russian && sum == 0.0 && close > open {
        sum += SMILE * if close - open > 1 { 2.0 } else { 1.0 };
    } else if russian && sum == 0.0 && open > close {
        sum -= 2.0 * SMILE;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tones_of_plain_sentences() {
        let tone = |text| Tone::of(strength(text));
        for text in ["this is great, thank you!", "Отлично, спасибо большое!", "класс))", "🎉🎉"]
        {
            assert_eq!(tone(text), Tone::Positive, "{text}");
        }
        for text in ["this is terrible", "ужасно, всё сломалось и бесит", "I hate it :("]
        {
            assert_eq!(tone(text), Tone::Negative, "{text}");
        }
        for text in ["deploy at 10:00", "встречаемся в пять у подъезда", "", "https://good.example/love"]
        {
            assert_eq!(tone(text), Tone::Neutral, "{text}");
        }
    }

    #[test]
    fn negation_turns_and_intensifiers_strengthen() {
        assert!(strength("not good") < 0.0);
        assert!(strength("совсем не хорошо") < 0.0);
        assert!(strength("very good") > strength("good"));
        assert!(strength("good!!!") > strength("good"));
        assert!(strength("is it good?") < strength("it is good"));
        assert!(strength("good but terrible") < 0.0);
    }

    #[test]
    fn like_is_a_feeling_only_as_a_verb() {
        assert!(strength("i like the new console") > 0.0);
        assert!(strength("it looks like a table").abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn strength_is_bounded(text in "\\PC{0,200}") {
            let strength = strength(&text);
            prop_assert!((-1.0..=1.0).contains(&strength));
        }
    }
}
