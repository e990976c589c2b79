//! The model's group of two instances: who holds which partition, and what each is told of it, later.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// News for an instance.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// Partitions, each with the number of its grant.
    Assigned(Vec<(i32, u64)>),
    Revoked(Vec<i32>),
    Lost(Vec<i32>),
    Expelled,
}

/// Who holds what.
#[derive(Debug, Default)]
pub(crate) struct Group {
    partitions: i32,
    owner: BTreeMap<i32, usize>,
    /// How often each partition was given: the group's generation, as an instance knows it once it has heard of it.
    grants: BTreeMap<i32, u64>,
    /// Partitions asked back and not yet given up, with whom they go to.
    moving: BTreeMap<i32, usize>,
    news: [VecDeque<News>; 2],
    /// What each instance has heard that it holds.
    held: [BTreeSet<i32>; 2],
}

impl Group {
    pub(crate) fn of(partitions: i32) -> Self {
        Self { partitions, ..Self::default() }
    }

    /// Whether an instance holds all of them, under the grants that it has heard of.
    pub(crate) fn takes_offsets<'a>(
        &self,
        mut partitions: impl Iterator<Item = &'a i32>,
        grants: &BTreeMap<i32, u64>,
    ) -> bool {
        partitions.all(|partition| self.grants.get(partition) == grants.get(partition))
    }

    /// An instance joins: it gets what nobody has, and what it was given before it could hear of it.
    pub(crate) fn join(&mut self, instance: usize) {
        self.news[instance].clear();
        self.held[instance].clear();
        let is_free = |partition: &i32| self.owner.get(partition).is_none_or(|owner| *owner == instance);
        let free: Vec<i32> = (0..self.partitions).filter(is_free).collect();
        self.moving.retain(|partition, _| !free.contains(partition));
        self.give(&free, instance);
    }

    /// An instance leaves or dies: what it had goes to the other.
    pub(crate) fn leave(&mut self, instance: usize) {
        let had: Vec<i32> =
            self.owner.iter().filter(|(_, owner)| **owner == instance).map(|(p, _)| *p).collect();
        for partition in &had {
            self.moving.remove(partition);
        }
        // What was on its way to it stays where it is, once that instance has answered.
        for to in self.moving.values_mut().filter(|to| **to == instance) {
            *to = 1 - instance;
        }
        self.news[instance].clear();
        self.give(&had, 1 - instance);
    }

    /// The group gives an instance's name away.
    pub(crate) fn expel(&mut self, instance: usize) {
        self.leave(instance);
        self.news[instance].push_back(News::Expelled);
    }

    /// An instance was silent for too long: it hears of what it has lost when it comes back.
    pub(crate) fn time_out(&mut self, instance: usize) {
        let held = self.held[instance].iter().copied().collect();
        self.leave(instance);
        self.news[instance].push_back(News::Lost(held));
    }

    fn give(&mut self, partitions: &[i32], to: usize) {
        let mut given = Vec::new();
        for partition in partitions {
            self.owner.insert(*partition, to);
            let grant = self.grants.entry(*partition).or_default();
            *grant += 1;
            given.push((*partition, *grant));
        }
        if !given.is_empty() {
            self.news[to].push_back(News::Assigned(given));
        }
    }

    /// Takes a partition from one instance for the other: with a word before, or without.
    pub(crate) fn move_on(&mut self, partition: i32, without_a_word: bool) {
        let Some(from) = self.owner.get(&partition).copied() else { return };
        if self.moving.contains_key(&partition) {
            return;
        }
        if without_a_word {
            self.news[from].push_back(News::Lost(vec![partition]));
            self.give(&[partition], 1 - from);
        } else {
            self.moving.insert(partition, 1 - from);
            self.news[from].push_back(News::Revoked(vec![partition]));
        }
    }

    pub(crate) fn next_news(&mut self, instance: usize) -> Option<News> {
        let news = self.news[instance].pop_front()?;
        let held = &mut self.held[instance];
        match &news {
            News::Assigned(given) => held.extend(given.iter().map(|(partition, _)| partition)),
            News::Revoked(partitions) | News::Lost(partitions) => {
                held.retain(|partition| !partitions.contains(partition));
            }
            News::Expelled => held.clear(),
        }
        Some(news)
    }

    /// An instance has given partitions up.
    pub(crate) fn given_up(&mut self, partitions: &[i32]) {
        for partition in partitions {
            if let Some(to) = self.moving.remove(partition) {
                self.give(&[*partition], to);
            }
        }
    }
}
