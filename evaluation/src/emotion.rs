//! Tone in three classes on `GoEmotions` and its Russian translation, by macro F1.
//!
//! Mapping: the twelve pleasant emotions are positive, the eleven unpleasant ones negative; realization, surprise,
//! curiosity, confusion and neutral are neutral; a text with both positive and negative labels is left out.

use crate::{Error, Report, data};
use emotion::{Tone, strength};
use std::path::Path;

const ENGLISH: &str = "goemotions/dev.tsv";
const RUSSIAN: &str = "ru_goemotions/ru-go-emotions-simplified-validation.csv";
/// Macro F1 of VADER with its own thresholds, measured on the English set.
const VADER: f64 = 0.61;
/// Ids of the labels by tone: admiration, amusement, approval, caring, desire, excitement, gratitude, joy, love,
/// optimism, pride, relief.
const POSITIVE: [usize; 12] = [0, 1, 4, 5, 8, 13, 15, 17, 18, 20, 21, 23];
/// Anger, annoyance, disappointment, disapproval, disgust, embarrassment, fear, grief, nervousness, remorse, sadness.
const NEGATIVE: [usize; 11] = [2, 3, 9, 10, 11, 12, 14, 16, 19, 24, 25];

/// Evaluates the stage on both sets.
pub(crate) fn evaluate(data_dir: &Path) -> Result<Report, Error> {
    let mut report = Report::new("emotion");
    let english = english(&data::text(&data_dir.join(ENGLISH))?);
    let russian = russian(&data_dir.join(RUSSIAN))?;
    for (dataset, lines, baseline) in
        [("goemotions dev", english, Some(VADER)), ("ru_goemotions validation", russian, None)]
    {
        let pairs: Vec<(Tone, Tone)> =
            lines.iter().map(|(text, gold)| (*gold, Tone::of(strength(text)))).collect();
        report.add(dataset, "macro F1", macro_f1(&pairs), baseline);
        report.add(dataset, "texts", pairs.len() as f64, None);
    }
    Ok(report)
}

/// Tone of a list of label ids, unless it is of two minds.
fn gold(labels: &str) -> Option<Tone> {
    let ids: Vec<usize> =
        labels.split(|c: char| !c.is_ascii_digit()).filter_map(|label| label.parse().ok()).collect();
    let positive = ids.iter().any(|id| POSITIVE.contains(id));
    let negative = ids.iter().any(|id| NEGATIVE.contains(id));
    match (positive, negative) {
        (true, true) => None,
        (true, false) => Some(Tone::Positive),
        (false, true) => Some(Tone::Negative),
        (false, false) => Some(Tone::Neutral),
    }
}

/// Lines of `text, tab, ids, tab, id of the comment`.
fn english(file: &str) -> Vec<(String, Tone)> {
    let line = |line: &str| {
        let mut fields = line.split('\t');
        Some((fields.next()?.to_owned(), gold(fields.next()?)?))
    };
    file.lines().filter_map(line).collect()
}

/// Records of `Russian, English, [ids], id of the comment` under a heading.
fn russian(path: &Path) -> Result<Vec<(String, Tone)>, Error> {
    let failed = |source| Error::Table { path: path.to_owned(), source };
    let text = data::text(path)?;
    let mut lines = Vec::new();
    for record in csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes()).into_records() {
        let record = record.map_err(failed)?;
        if let (Some(text), Some(tone)) = (record.get(0), record.get(2).and_then(gold)) {
            lines.push((text.to_owned(), tone));
        }
    }
    Ok(lines)
}

/// Mean F1 of the three tones over (gold, found) pairs.
fn macro_f1(pairs: &[(Tone, Tone)]) -> f64 {
    let f1 = |tone: Tone| {
        let count = |test: fn(bool, bool) -> bool| {
            pairs.iter().filter(|(gold, found)| test(*gold == tone, *found == tone)).count() as f64
        };
        let both = count(|gold, found| gold && found);
        let either = count(|gold, found| gold != found);
        if both + either == 0.0 { 0.0 } else { 2.0 * both / (2.0 * both + either) }
    };
    (f1(Tone::Positive) + f1(Tone::Negative) + f1(Tone::Neutral)) / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macro_f1_by_hand() {
        use Tone::{Negative, Neutral, Positive};
        let pairs = [(Positive, Positive), (Positive, Neutral), (Negative, Negative), (Neutral, Neutral)];
        // Positive 2/3, negative 1, neutral 2/3.
        assert!((macro_f1(&pairs) - 7.0 / 9.0).abs() < 1e-9);
    }

    #[test]
    fn labels_of_two_minds_are_left_out() {
        assert_eq!(gold("[ 4 27]"), Some(Tone::Positive));
        assert_eq!(gold("2,25"), Some(Tone::Negative));
        assert_eq!(gold("27"), Some(Tone::Neutral));
        assert_eq!(gold("4,25"), None);
    }

    #[test]
    fn quoted_fields_hold_anything() {
        let file = std::env::temp_dir().join(format!("gistmill-tones-{}.csv", std::process::id()));
        let table =
            "ru,en,labels,id\n\"да, \"\"так\"\"\nи есть\",x,[0],a\nнет,,\"[2, 25]\",b\nшум,y,\"[4 25]\",c\n";
        std::fs::write(&file, table).unwrap();
        let expected =
            [("да, \"так\"\nи есть".to_owned(), Tone::Positive), ("нет".to_owned(), Tone::Negative)];
        assert_eq!(russian(&file).unwrap(), expected);
        std::fs::remove_file(file).unwrap();
    }
}
