//! The table of `gistmill lag`, with as many of its columns as the terminal has room for.

use std::io::Write;

/// What is told of each unit and partition.
pub(super) const TITLES: [&str; 5] = ["CONSUMABLE", "TO STABLE", "TO END", "BEHIND", "OPEN TXN"];
/// Cells of each.
const WIDTHS: [usize; 5] = [11, 10, 10, 8, 9];
/// Which are kept first where there is no room for all: places in [`TITLES`].
const BY_WEIGHT: [usize; 5] = [0, 3, 2, 1, 4];
/// Cells of the number of members.
const UP: usize = 3;

/// Which columns are shown, and how wide names are.
pub(super) struct Table {
    names: usize,
    shown: [bool; 5],
}

impl Table {
    /// For a terminal of so many columns, and names of so many; all of it where output goes elsewhere.
    pub(super) fn of(columns: Option<usize>, names: usize) -> Self {
        let mut shown = [columns.is_none(); 5];
        let mut left = columns.unwrap_or_default().saturating_sub(names + 1 + UP);
        for at in BY_WEIGHT {
            if left <= WIDTHS[at] {
                break;
            }
            left -= WIDTHS[at] + 1;
            shown[at] = true;
        }
        Self { names, shown }
    }

    pub(super) fn line(
        &self,
        name: &str,
        members: &str,
        texts: &[String; 5],
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        write!(out, "{name:<width$} {members:>UP$}", width = self.names)?;
        for (at, text) in texts.iter().enumerate().filter(|(at, _)| self.shown[*at]) {
            write!(out, " {text:>width$}", width = WIDTHS[at])?;
        }
        writeln!(out)
    }

    /// The titles of the columns that are not shown.
    pub(super) fn left_out(&self) -> Option<String> {
        let titles = TITLES.iter().zip(self.shown).filter(|(_, shown)| !shown);
        let titles: Vec<&str> = titles.map(|(title, _)| *title).collect();
        (!titles.is_empty()).then(|| titles.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(columns: Option<usize>) -> (String, Option<String>) {
        let (mut out, table) = (Vec::new(), Table::of(columns, 23));
        table.line("UNIT", "UP", &TITLES.map(str::to_owned), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), table.left_out())
    }

    #[test]
    fn what_says_least_is_left_out_first_and_said_to_be() {
        let (whole, left_out) = head(None);
        assert_eq!((whole.len(), left_out), (81, None), "80 columns and the line's end");
        assert_eq!(head(Some(80)), head(None));
        let (line, left_out) = head(Some(79));
        assert!(line.ends_with("BEHIND\n") && line.len() <= 80, "{line}");
        assert_eq!(left_out.as_deref(), Some("OPEN TXN"));
        let (line, left_out) = head(Some(40));
        assert_eq!(line, "UNIT                     UP  CONSUMABLE\n");
        assert_eq!(left_out.as_deref(), Some("TO STABLE, TO END, BEHIND, OPEN TXN"));
    }
}
