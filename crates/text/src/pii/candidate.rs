//! Groups of digits that may be one number.

use super::digits::Run;
use std::ops::Range;

/// More digits than this are no number of a person.
const DIGITS_MAX: usize = 19;

/// Groups that follow each other, with what the recognisers ask about them.
pub(super) struct Candidate<'t> {
    pub(super) text: &'t str,
    pub(super) groups: &'t [Range<usize>],
    /// Digits of all groups.
    pub(super) digits: Vec<u8>,
    /// Length of each group.
    pub(super) shape: Vec<usize>,
    /// Where the number would begin, with its sign.
    pub(super) start: usize,
    pub(super) plus: bool,
    /// No group stands before it in its run.
    pub(super) is_first: bool,
}

impl<'t> Candidate<'t> {
    /// So many groups from `first` on; none where there are fewer, or too many digits in them.
    pub(super) fn new(text: &'t str, run: &'t Run, first: usize, count: usize) -> Option<Self> {
        let groups = run.groups.get(first..first + count)?;
        let shape: Vec<usize> = groups.iter().map(Range::len).collect();
        if shape.iter().sum::<usize>() > DIGITS_MAX {
            return None;
        }
        let digits = groups.iter().flat_map(|group| text.as_bytes()[group.clone()].iter().copied()).collect();
        let parenthesis = text[..groups[0].start].ends_with('(');
        let start = if first == 0 { run.start } else { groups[0].start - usize::from(parenthesis) };
        Some(Self { text, groups, digits, shape, start, plus: run.plus && first == 0, is_first: first == 0 })
    }

    pub(super) fn end(&self) -> usize {
        self.groups.last().map_or(self.start, |group| group.end)
    }

    /// Text between group `index` and the next one.
    pub(super) fn separator(&self, index: usize) -> &'t str {
        match (self.groups.get(index), self.groups.get(index + 1)) {
            (Some(left), Some(right)) => &self.text[left.end..right.start],
            _ => "",
        }
    }
}
