//! The page of results: one section for each benchmark, written by the program alone.
//!
//! Invariant: a section is replaced whole, and the others stay as they are.

use crate::{error::Error, error::system};
use std::path::Path;

const HEAD: &str = "\
# Results

Written by `gistmill bench … --write`, each section by one run; nothing here is edited by hand. [README.md](README.md) says
what is measured, and what a figure does not mean.
";
/// Sections in the order of the page.
const ORDER: [&str; 10] =
    ["all", "window", "ladder", "codec", "hop", "chain", "import", "sink", "search", "memory"];

/// Puts a section into the page at `path`, in the place of the one that it had.
pub(crate) fn write(path: &Path, bench: &str, section: &str) -> Result<(), Error> {
    let page = match std::fs::read_to_string(path) {
        Ok(page) => page,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(system(format!("read {}", path.display()))(error)),
    };
    std::fs::write(path, replaced(&page, bench, section)).map_err(system(format!("write {}", path.display())))
}

fn replaced(page: &str, bench: &str, section: &str) -> String {
    let of = |name: &str| {
        let found = sections(page).into_iter().find(|(title, _)| *title == name).map(|(_, text)| text);
        if name == bench { Some(section) } else { found }
    };
    let mut text = HEAD.to_owned();
    for section in ORDER.iter().filter_map(|name| of(name)) {
        text.push('\n');
        text.push_str(section.trim_end());
        text.push('\n');
    }
    text
}

/// Title and text of each section.
fn sections(page: &str) -> Vec<(&str, &str)> {
    let starts = page.match_indices("\n## ").map(|(at, _)| at + 1);
    let starts: Vec<usize> = starts.chain(std::iter::once(page.len())).collect();
    let texts = starts.windows(2).filter_map(|bounds| page.get(bounds[0]..bounds[1]));
    texts.filter_map(|text| Some((text.strip_prefix("## ")?.lines().next()?, text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{markdown, tests::report};

    #[test]
    fn a_section_is_replaced_and_the_others_stay() {
        let first = replaced("", "codec", "## codec\n\nold\n");
        assert_eq!(first, format!("{HEAD}\n## codec\n\nold\n"));
        let both = replaced(&first, "window", &markdown(&report("window")));
        let sections = sections(&both);
        assert_eq!(sections.iter().map(|(title, _)| *title).collect::<Vec<_>>(), ["window", "codec"]);
        let again = replaced(&both, "codec", "## codec\n\nnew\n");
        assert!(again.contains("new") && !again.contains("old") && again.contains("| consumer "));
        assert_eq!(again.matches("## window").count(), 1);
        assert_eq!(replaced(&again, "codec", "## codec\n\nnew\n"), again);
    }

    #[test]
    fn a_page_is_made_where_there_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("RESULTS.md");
        write(&path, "ladder", "## ladder\n").expect("written");
        write(&path, "window", "## window\n").expect("written");
        let page = std::fs::read_to_string(&path).expect("a page");
        assert_eq!(page, format!("{HEAD}\n## window\n\n## ladder\n"));
    }
}
