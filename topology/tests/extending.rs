//! The pages of `docs/extending` change what is there: `tests/extending` does what they say, and builds it.
#![cfg(test)]

use std::{collections::BTreeMap, fs, path::PathBuf};

/// In the order in which they are carried out.
const PAGES: [&str; 3] = ["processor", "channel", "source"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Blocks of a page that have a path behind their language: language, path, text.
fn blocks(page: &str) -> Vec<(&str, &str, &str)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced
        .filter_map(|block| {
            let (head, text) = block.split_once('\n')?;
            let (language, path) = head.split_once(' ')?;
            Some((language, path, text))
        })
        .collect()
}

/// Lines of a change without those that begin with `left_out`, and without their marks.
fn side(change: &str, left_out: char) -> String {
    let lines = change.lines().filter(|line| !line.starts_with(left_out));
    lines.map(|line| line.get(1..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_the_pages_change_is_there_once_and_what_they_write_is_not() {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    let read =
        |path: &str| fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let pages = PAGES.map(|page| read(&format!("docs/extending/{page}.md")));
    let all: Vec<_> = pages.iter().flat_map(|page| blocks(page)).collect();
    assert_eq!(all.len(), 49, "files and changes of the three pages");
    for (language, path, text) in all {
        if language != "diff" {
            assert!(!root().join(path).exists(), "{path} is there already");
            continue;
        }
        let file = files.entry(path).or_insert_with(|| read(path));
        let before = side(text, '+');
        assert_eq!(
            file.matches(&before).count(),
            1,
            "{path}: bring docs/extending up to date with\n{before}"
        );
        *file = file.replace(&before, &side(text, '-'));
    }
}
