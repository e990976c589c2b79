//! The links made so far, and the threads that they form.
//!
//! Invariant: a parent is earlier than its child, so every chain of parents ends in a root.

use crate::{names::AuthorNumber, post::Post};
use std::collections::BTreeMap;
use text::SparseVector;

/// Terms that a thread remembers: older posts fade by this factor with each new one.
const FADE: f64 = 0.8;

/// A conversation as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct ThreadState {
    /// Its newest post.
    pub(crate) last: usize,
    /// Posts in it.
    pub(crate) posts: usize,
    /// Who posted, in order of first posts.
    pub(crate) people: Vec<AuthorNumber>,
    /// What it is about.
    pub(crate) terms: SparseVector,
    /// Length of `terms`.
    pub(crate) norm: f64,
}

/// Parents and threads of the posts accepted so far.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    parents: Vec<Option<usize>>,
    roots: Vec<usize>,
    children: Vec<usize>,
    threads: BTreeMap<usize, ThreadState>,
    last_by: BTreeMap<AuthorNumber, usize>,
}

impl Conversation {
    /// Appends the next post with its parent.
    pub(crate) fn accept(&mut self, post: &Post, parent: Option<usize>) {
        let at = self.parents.len();
        let parent = parent.filter(|&parent| parent < at);
        let root = parent.map_or(at, |parent| self.roots[parent]);
        self.parents.push(parent);
        self.roots.push(root);
        self.children.push(0);
        if let Some(parent) = parent {
            self.children[parent] += 1;
        }
        let thread = self.threads.entry(root).or_default();
        thread.last = at;
        thread.posts += 1;
        if let Some(author) = post.author {
            if !thread.people.contains(&author) {
                thread.people.push(author);
            }
            self.last_by.insert(author, at);
        }
        thread.remember(&post.terms);
    }

    pub(crate) fn parent(&self, at: usize) -> Option<usize> {
        self.parents[at]
    }
    pub(crate) fn root(&self, at: usize) -> usize {
        self.roots[at]
    }
    /// Links to the post so far.
    pub(crate) fn children(&self, at: usize) -> usize {
        self.children[at]
    }
    /// The thread that holds an accepted post.
    pub(crate) fn thread_of(&self, at: usize) -> &ThreadState {
        &self.threads[&self.roots[at]]
    }
    /// Newest accepted post of an author.
    pub(crate) fn last_by(&self, author: Option<AuthorNumber>) -> Option<usize> {
        self.last_by.get(&author?).copied()
    }
}

impl ThreadState {
    fn remember(&mut self, terms: &SparseVector) {
        if terms.is_empty() {
            return;
        }
        self.terms.fade(FADE);
        self.terms.add(terms);
        self.norm = self.terms.norm();
    }

    /// Cosine of the thread with a post.
    pub(crate) fn cosine(&self, post: &Post) -> f64 {
        let scale = self.norm * post.norm;
        if scale > 0.0 { self.terms.dot(&post.terms) / scale } else { 0.0 }
    }
}
