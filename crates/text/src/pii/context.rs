//! Words before a number that tell what it is.

const LOOK_BACK_BYTES: usize = 64;

/// True when one of the last `count` words before byte `at` satisfies `is`. Words are lower case, and of a
/// cut-off first word only the rest is seen.
pub(super) fn word_before(text: &str, at: usize, count: usize, is: impl Fn(&str) -> bool) -> bool {
    let mut from = at.saturating_sub(LOOK_BACK_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text[from..at].to_lowercase();
    before.rsplit(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(count).any(is)
}

/// A word that announces a phone number.
pub(super) fn is_phone(word: &str) -> bool {
    matches!(word, "тел" | "моб" | "сот" | "phone" | "tel" | "mobile" | "whatsapp" | "ватсап" | "вотсап")
        || word.starts_with("телефон")
}

/// A word that announces a passport number.
pub(super) fn is_passport(word: &str) -> bool {
    word == "passport" || word.starts_with("паспорт") || word == "серия" || word == "серии"
}
