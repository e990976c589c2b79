//! Numbers as a language writes them.

use super::Language;

/// Stands between thousands in Russian, and before a unit.
pub(crate) const NARROW: char = '\u{202f}';

/// What can be counted.
pub(crate) trait Count {
    /// As a whole number.
    fn whole(&self) -> i64;
}

macro_rules! counts {
    ($($kind:ty),+) => {
        $(impl Count for $kind {
            fn whole(&self) -> i64 {
                i64::try_from(*self).unwrap_or(i64::MAX)
            }
        })+
    };
}
counts!(i8, i32, i64, u8, u32, u64, usize);

impl<C: Count + ?Sized> Count for &C {
    fn whole(&self) -> i64 {
        (**self).whole()
    }
}

/// `12,345` or `12 345`; four digits stay together in Russian, as its typography has it.
pub(crate) fn grouped(language: Language, number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mark = match language {
        Language::English => ',',
        Language::Russian => NARROW,
    };
    let first = if language == Language::Russian && digits.len() < 5 { digits.len() } else { 3 };
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len() - at;
        if at > 0 && left.is_multiple_of(3) && digits.len() > first {
            out.push(mark);
        }
        out.push(digit);
    }
    if number < 0 { format!("−{out}") } else { out }
}

/// A number with so many decimals: `1,234.5` or `1234,5`.
pub(crate) fn decimal(language: Language, number: f64, decimals: usize) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{:.decimals$}", number.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = grouped(language, whole.parse().unwrap_or(i64::MAX));
    if !part.is_empty() {
        out.push(if language == Language::Russian { ',' } else { '.' });
        out.push_str(part);
    }
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if number < 0.0 && !is_zero { format!("−{out}") } else { out }
}

/// `312 B`, `4.2 KiB`.
pub(crate) fn bytes(language: Language, count: i64) -> String {
    const KIB: f64 = 1024.0;
    let (english, russian) = (["B", "KiB", "MiB", "GiB"], ["Б", "КиБ", "МиБ", "ГиБ"]);
    let (mut size, mut unit) = (count as f64, 0);
    while size >= KIB && unit < english.len() - 1 {
        size /= KIB;
        unit += 1;
    }
    let name = if language == Language::Russian { russian[unit] } else { english[unit] };
    format!("{}{NARROW}{name}", decimal(language, size, usize::from(unit > 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{English, Russian};

    #[test]
    fn thousands_are_parted_as_the_language_does() {
        let written = |language| [0, 999, 1_000, 12_345, -1_234_567].map(|n| grouped(language, n));
        assert_eq!(written(English), ["0", "999", "1,000", "12,345", "−1,234,567"]);
        assert_eq!(written(Russian), ["0", "999", "1000", "12\u{202f}345", "−1\u{202f}234\u{202f}567"]);
    }

    #[test]
    fn decimals_have_the_mark_of_the_language() {
        assert_eq!(decimal(English, 1234.56, 1), "1,234.6");
        assert_eq!(decimal(Russian, 1234.56, 1), "1234,6");
        assert_eq!(decimal(English, -0.001, 2), "0.00");
        assert_eq!(decimal(English, f64::NAN, 2), "–");
        assert_eq!(bytes(English, 4301), "4.2\u{202f}KiB");
        assert_eq!(bytes(Russian, 12), "12\u{202f}Б");
    }
}
