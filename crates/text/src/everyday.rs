//! How specific a stem is: everyday stems say little about a subject.
//!
//! Invariant: the lists hold stems that are frequent in two corpora of different subject (`train_words` of the
//! evaluation crate), so that the subject of no one chat counts as everyday.

use std::{collections::HashMap, sync::LazyLock};

const LISTS: [&str; 2] = [include_str!("../words/ru.txt"), include_str!("../words/en.txt")];
/// −ln of the message share from which a stem is as specific as an unknown one, in tenths.
const SPECIFIC_TENTHS: f64 = 76.0;

/// −ln of message shares in tenths.
static TENTHS: LazyLock<HashMap<&'static str, f64>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let (tenths, stem) = line.split_once(' ')?;
        Some((stem, tenths.parse().ok()?))
    };
    LISTS.iter().flat_map(|list| list.lines()).filter_map(entry).collect()
});

/// In (0, 1]: 1 for a stem that is rare in everyday talk, about .6 for one in a hundred messages.
pub fn specificity(stem: &str) -> f64 {
    TENTHS.get(stem).map_or(1.0, |tenths| (tenths / SPECIFIC_TENTHS).clamp(0.1, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_stems_are_less_specific() {
        for (everyday, subject) in [("проблема", "шардирование"), ("good", "kubernetes")]
        {
            let (everyday, subject) = (crate::stem(everyday), crate::stem(subject));
            assert!(specificity(&everyday) < 0.8, "{everyday} {}", specificity(&everyday));
            assert!((specificity(&subject) - 1.0).abs() < f64::EPSILON);
        }
    }
}
