//! Words that open, close or carry on a subject, in Russian and English.

const OPENERS: [&[&str]; 33] = [
    &["also"],
    &["another"],
    &["anyway"],
    &["btw"],
    &["by", "the", "way"],
    &["can", "you"],
    &["could", "you"],
    &["do", "you", "know"],
    &["hello"],
    &["hey"],
    &["hi"],
    &["i", "need"],
    &["i", "want"],
    &["i", "am", "looking"],
    &["i'm", "looking"],
    &["next"],
    &["one", "more"],
    &["other", "than"],
    &["speaking", "of"],
    &["what", "do"],
    &["what", "about"],
    &["коллеги"],
    &["кстати"],
    &["привет"],
    &["всем"],
    &["добрый"],
    &["еще", "вопрос"],
    &["другой", "вопрос"],
    &["подскажите"],
    &["ребята"],
    &["следующее"],
    &["теперь"],
    &["а", "еще"],
];
const CLOSERS: [&[&str]; 27] = [
    &["anything", "else"],
    &["bye"],
    &["cheers"],
    &["enjoy"],
    &["glad"],
    &["good", "day"],
    &["goodbye"],
    &["great", "day"],
    &["no", "problem"],
    &["no", "thank"],
    &["thank"],
    &["thanks"],
    &["that", "is", "all"],
    &["that's", "all"],
    &["that's", "it"],
    &["welcome"],
    &["благодарю"],
    &["договорились"],
    &["закрыли"],
    &["на", "этом", "все"],
    &["пожалуйста"],
    &["понял"],
    &["поняла"],
    &["решено"],
    &["решили"],
    &["спасибо"],
    &["спс"],
];
const ANSWERS: [&str; 29] = [
    "ah",
    "also",
    "and",
    "because",
    "but",
    "exactly",
    "haha",
    "lol",
    "maybe",
    "no",
    "nope",
    "oh",
    "ok",
    "so",
    "sure",
    "that",
    "true",
    "wow",
    "yeah",
    "yep",
    "yes",
    "а",
    "ага",
    "да",
    "нет",
    "но",
    "ну",
    "потому",
    "так",
];
const REFERENCES: [&str; 30] = [
    "he",
    "her",
    "him",
    "his",
    "it",
    "it's",
    "its",
    "she",
    "that",
    "that's",
    "them",
    "there",
    "these",
    "they",
    "this",
    "those",
    "его",
    "ее",
    "им",
    "их",
    "он",
    "она",
    "они",
    "оно",
    "там",
    "такое",
    "того",
    "тот",
    "этого",
    "это",
];

fn holds(words: &[String], phrase: &[&str]) -> bool {
    words.windows(phrase.len()).any(|window| window.iter().zip(phrase).all(|(word, cue)| word == cue))
}

/// Whether a message opens a subject, by its first words.
pub(crate) fn opens(words: &[String]) -> bool {
    let start = &words[..words.len().min(5)];
    OPENERS.iter().any(|phrase| holds(start, phrase))
}

/// Whether a message closes a subject.
pub(crate) fn closes(words: &[String]) -> bool {
    CLOSERS.iter().any(|phrase| holds(words, phrase))
}

/// Whether a message begins as an answer does.
pub(crate) fn answers(words: &[String]) -> bool {
    words.first().is_some_and(|word| ANSWERS.contains(&word.as_str()))
}

/// Whether the first words point back.
pub(crate) fn refers(words: &[String]) -> bool {
    words.iter().take(4).any(|word| REFERENCES.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_by_example() {
        assert!(opens(&text::tokens("By the way, who deploys today?")));
        assert!(opens(&text::tokens("Коллеги, стенд лежит")));
        assert!(closes(&text::tokens("ok, thanks!")) && closes(&text::tokens("понял, спасибо")));
        assert!(answers(&text::tokens("Да, вижу")) && refers(&text::tokens("a это откуда")));
        assert!(!opens(&text::tokens("готово")) && !closes(&text::tokens("готово")));
    }
}
