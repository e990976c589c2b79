//! Looks at the schema registry and at Postgres for the whole process: a unit that has nothing to ask of them does not
//! notice that they are away, and the next record finds it out.
//!
//! Invariant: a look changes nothing and costs an idle process next to nothing; who is away is said once in the log, and
//! by `/readyz` for as long as it lasts.

use super::Shared;
use schemas::{DigestDlq, Record};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tracing::{info, warn};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_secs(5);
const REGISTRY: &str = "the schema registry";
const POSTGRES: &str = "postgres";

/// Who is away, why, and since when.
#[derive(Debug, Default)]
pub(crate) struct PeersAway(Mutex<BTreeMap<&'static str, (String, Instant)>>);

/// What the log is told.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Away(String),
    Back(Duration),
}

impl PeersAway {
    /// A line for each that is away, for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        away.values().map(|(why, since)| format!("{why} (for {} s)", since.elapsed().as_secs())).collect()
    }

    /// Every peer that is looked at, as its metric's label names it, and whether it is away; Postgres only where it is used.
    pub(super) fn all(&self, uses_postgres: bool) -> Vec<(&'static str, bool)> {
        let away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_away = |(peer, label)| (label, away.contains_key(peer));
        let peers = [(REGISTRY, "registry"), (POSTGRES, POSTGRES)].into_iter();
        peers.filter(|(peer, _)| uses_postgres || *peer != POSTGRES).map(is_away).collect()
    }

    /// Takes what a look has found of a peer; what is new about it.
    fn take(&self, peer: &'static str, found: Result<(), String>, now: Instant) -> Option<News> {
        let mut away = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(why) = found else {
            let over = away.remove(peer);
            return over.map(|(_, since)| News::Back(now.saturating_duration_since(since)));
        };
        let since = away.get(peer).map(|(_, since)| *since);
        away.insert(peer, (why.clone(), since.unwrap_or(now)));
        since.is_none().then_some(News::Away(why))
    }

    fn tell(&self, peer: &'static str, found: Result<(), String>) {
        match self.take(peer, found, Instant::now()) {
            Some(News::Away(why)) => warn!("{why}"),
            Some(News::Back(after)) => info!("{peer} is back after {} s", after.as_secs()),
            None => {}
        }
    }
}

/// Looks until the process is asked to stop.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            biased;
            () = shared.stop.asked() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        let (registry, postgres) = tokio::join!(registry(&shared), postgres(&shared));
        shared.peers_away.tell(REGISTRY, registry);
        shared.peers_away.tell(POSTGRES, postgres);
    }
}

/// Asks for something small that the registry has to look up. What it refuses, those say who need it.
async fn registry(shared: &Shared) -> Result<(), String> {
    match shared.registry.versions(&shared.config.prefix.subject(DigestDlq::TYPE)).await {
        Err(error) if error.is_away() => Err(registry_is_away(&error)),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn registry_is_away(error: &registry::Error) -> String {
    let advice = match error {
        registry::Error::Refused { .. } => "see its log, and whether what it keeps its schemas in is up",
        _ => "is it up? `gistmill stack up` starts a local one",
    };
    format!("{}; records of known schemas go on, others wait; {advice}", error.describe())
}

async fn postgres(shared: &Shared) -> Result<(), String> {
    let Some(store) = shared.store.get() else { return Ok(()) };
    match store.ready().await {
        Err(error @ state::Error::Unreachable { .. }) => {
            Err(format!("{}; is it up? `gistmill stack up` starts a local one", error.describe()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_answers_is_not_to_be_started() {
        let (what, message) = ("list the versions of a".to_owned(), "no database".to_owned());
        let said = registry_is_away(&registry::Error::Refused { what, status: 500, code: 0, message });
        let expected = "could not list the versions of a: the schema registry answered 500: no database; records of \
                        known schemas go on, others wait; see its log, and whether what it keeps its schemas in is up";
        assert_eq!(said, expected);
    }

    #[test]
    fn an_outage_is_news_when_it_begins_and_ends_and_shown_as_it_is_now() {
        let (away, start) = (PeersAway::default(), Instant::now());
        let refused = || Err("could not reach it: refused".to_owned());
        let news = away.take(REGISTRY, refused(), start);
        assert_eq!(news, Some(News::Away("could not reach it: refused".to_owned())));
        assert_eq!(away.take(REGISTRY, Err("it answers 500".to_owned()), start), None);
        assert_eq!(away.take(POSTGRES, Ok(()), start), None);
        assert!(away.lines()[0].starts_with("it answers 500 (for "), "{:?}", away.lines());
        let news = away.take(REGISTRY, Ok(()), start + Duration::from_secs(7));
        assert_eq!((news, away.lines()), (Some(News::Back(Duration::from_secs(7))), Vec::new()));
    }
}
