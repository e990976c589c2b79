//! Sparse tf-idf vectors over a set of documents.
//!
//! Invariant: entries are sorted by term, sums run in that order, and terms are numbered in order of first
//! sight, so that equal input gives equal bits.

use std::collections::HashMap;

/// Weights by term number, sorted by term.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SparseVector {
    entries: Vec<(u32, f64)>,
}

impl SparseVector {
    /// A vector of pairs in any order; weights of equal terms add up in the order given.
    pub fn new(mut entries: Vec<(u32, f64)>) -> Self {
        entries.sort_by_key(|&(term, _)| term);
        entries.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        Self { entries }
    }

    /// Entries by term.
    pub fn entries(&self) -> &[(u32, f64)] {
        &self.entries
    }

    /// True when it has no terms.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Scalar product.
    pub fn dot(&self, other: &Self) -> f64 {
        let (mut left, mut right) = (self.entries.iter().peekable(), other.entries.iter().peekable());
        let mut sum = 0.0;
        while let (Some(&&(a, x)), Some(&&(b, y))) = (left.peek(), right.peek()) {
            if a == b {
                sum += x * y;
            }
            if a <= b {
                left.next();
            }
            if b <= a {
                right.next();
            }
        }
        sum
    }

    /// Euclidean length.
    pub fn norm(&self) -> f64 {
        self.entries.iter().map(|&(_, weight)| weight * weight).sum::<f64>().sqrt()
    }

    /// Cosine in [−1, 1]; 0 with an empty vector.
    pub fn cosine(&self, other: &Self) -> f64 {
        let scale = self.norm() * other.norm();
        if scale > 0.0 { self.dot(other) / scale } else { 0.0 }
    }

    /// Multiplies every weight.
    pub fn fade(&mut self, factor: f64) {
        self.entries.iter_mut().for_each(|(_, weight)| *weight *= factor);
    }

    /// Adds another vector.
    pub fn add(&mut self, other: &Self) {
        let mut merged = Vec::with_capacity(self.entries.len() + other.entries.len());
        let (mut left, mut right) = (self.entries.iter().peekable(), other.entries.iter().peekable());
        loop {
            match (left.peek(), right.peek()) {
                (Some(&&(a, x)), Some(&&(b, y))) if a == b => {
                    merged.push((a, x + y));
                    left.next();
                    right.next();
                }
                (Some(&&(a, x)), Some(&&(b, _))) if a < b => {
                    merged.push((a, x));
                    left.next();
                }
                (Some(&&entry), None) => {
                    merged.push(entry);
                    left.next();
                }
                (_, Some(&&entry)) => {
                    merged.push(entry);
                    right.next();
                }
                (None, None) => break,
            }
        }
        self.entries = merged;
    }
}

/// Inverse document frequencies of a set of documents, each a list of terms.
#[derive(Debug, Clone, Default)]
pub struct TfIdf {
    numbers: HashMap<String, u32>,
    terms: Vec<String>,
    frequencies: Vec<u32>,
    factors: Vec<f64>,
    specific: bool,
    documents: u32,
}

impl TfIdf {
    /// Counts the documents that hold each term.
    pub fn fit<D: AsRef<[String]>>(documents: &[D]) -> Self {
        let mut model = Self::default();
        for document in documents {
            model.learn(document.as_ref());
        }
        model
    }

    /// Like [`TfIdf::fit`], but everyday stems weigh less in vectors; see [`crate::specificity`]. For small
    /// sets, whose own counts cannot tell a common word from a subject.
    pub fn fit_specific<D: AsRef<[String]>>(documents: &[D]) -> Self {
        let mut model = Self { specific: true, ..Self::default() };
        for document in documents {
            model.learn(document.as_ref());
        }
        model
    }

    fn learn(&mut self, document: &[String]) {
        self.documents += 1;
        let mut seen: Vec<u32> = document.iter().map(|term| self.number_or_insert(term)).collect();
        seen.sort_unstable();
        seen.dedup();
        for number in seen {
            self.frequencies[number as usize] += 1;
        }
    }

    fn number_or_insert(&mut self, term: &str) -> u32 {
        if let Some(&number) = self.numbers.get(term) {
            return number;
        }
        let number = self.terms.len() as u32;
        self.numbers.insert(term.to_owned(), number);
        self.terms.push(term.to_owned());
        self.frequencies.push(0);
        self.factors.push(if self.specific { crate::specificity(term) } else { 1.0 });
        number
    }

    /// Number of documents.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// Number of a known term.
    pub fn number(&self, term: &str) -> Option<u32> {
        self.numbers.get(term).copied()
    }

    /// The term of a number.
    pub fn term(&self, number: u32) -> Option<&str> {
        self.terms.get(number as usize).map(String::as_str)
    }

    /// Documents that hold the term.
    pub fn document_frequency(&self, term: &str) -> u32 {
        self.number(term).map_or(0, |number| self.frequencies[number as usize])
    }

    /// Smoothed idf, ln((1 + N) / (1 + df)) + 1; highest for unknown terms.
    pub fn idf(&self, term: &str) -> f64 {
        self.smoothed(self.document_frequency(term))
    }

    fn smoothed(&self, frequency: u32) -> f64 {
        (f64::from(self.documents + 1) / f64::from(frequency + 1)).ln() + 1.0
    }

    /// Vector of (1 + ln tf) · idf over the known terms of a document.
    pub fn vector(&self, document: &[String]) -> SparseVector {
        let mut vector =
            SparseVector::new(document.iter().filter_map(|term| Some((self.number(term)?, 1.0))).collect());
        for (number, weight) in &mut vector.entries {
            let at = *number as usize;
            *weight = (1.0 + weight.ln()) * self.smoothed(self.frequencies[at]) * self.factors[at];
        }
        vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn idf_by_hand() {
        let model = TfIdf::fit(&[words("a b"), words("a c c"), words("a")]);
        assert_eq!(model.document_frequency("a"), 3);
        assert!((model.idf("a") - 1.0).abs() < 1e-12);
        assert!((model.idf("c") - (2.0_f64.ln() + 1.0)).abs() < 1e-12);
        assert!((model.idf("z") - (4.0_f64.ln() + 1.0)).abs() < 1e-12);
    }

    #[test]
    fn cosine_by_hand() {
        let left = SparseVector::new(vec![(2, 4.0), (1, 3.0)]);
        let right = SparseVector::new(vec![(1, 1.0)]);
        assert!((left.cosine(&right) - 0.6).abs() < 1e-12);
        assert!(left.cosine(&SparseVector::default()).abs() < f64::EPSILON);
    }

    #[test]
    fn repeated_terms_weigh_by_logarithm() {
        let model = TfIdf::fit(&[words("a a b")]);
        let vector = model.vector(&words("a a unknown"));
        assert_eq!(vector.entries().len(), 1);
        assert!((vector.entries()[0].1 - (1.0 + 2.0_f64.ln())).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn sum_is_the_merged_vector(a in proptest::collection::vec((0_u32..20, 0.0..9.0), 0..12),
                                    b in proptest::collection::vec((0_u32..20, 0.0..9.0), 0..12)) {
            let mut sum = SparseVector::new(a.clone());
            sum.add(&SparseVector::new(b.clone()));
            let whole = SparseVector::new(a.into_iter().chain(b).collect());
            prop_assert_eq!(sum.entries().len(), whole.entries().len());
            for (x, y) in sum.entries().iter().zip(whole.entries()) {
                prop_assert!(x.0 == y.0 && (x.1 - y.1).abs() < 1e-9);
            }
        }
    }
}
