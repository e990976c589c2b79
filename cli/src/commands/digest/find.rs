//! Which digest is meant by an id, the beginning of one, or `latest`.

use std::collections::BTreeSet;

use anyhow::bail;
use state::{DigestFound, Store, StoredDigest};

use super::{Which, list::why_none};
use crate::printing::printable;

/// Fewer characters of an id are a slip, not a choice.
const PREFIX_MIN: usize = 4;
const MATCHES_SHOWN: usize = 5;

/// A digest, or a window, which is as good as its newest digest.
struct Candidate {
    digest_id: Option<String>,
    window_id: String,
    group_id: String,
    /// Why the window has no digest.
    blocked: Option<String>,
}

pub(super) async fn find(store: &Store, id: &str, which: &Which) -> anyhow::Result<StoredDigest> {
    if id == "latest" {
        let Some(newest) = store.digest_list(&which.filter(Some(1))).await?.pop() else {
            bail!("{}", why_none(store, which).await?);
        };
        return stored(store, &newest.digest_id, which).await;
    }
    if store.digest_show(&which.tenant, id).await?.is_some() {
        return stored(store, id, which).await;
    }
    let id = meant(id, &candidates(store, which).await?, which)?;
    stored(store, &id, which).await
}

async fn stored(store: &Store, id: &str, which: &Which) -> anyhow::Result<StoredDigest> {
    match store.digest_show(&which.tenant, id).await? {
        Some(DigestFound::Stored(digest)) => {
            in_group(id, &digest.summary.group_id, which)?;
            Ok(*digest)
        }
        Some(DigestFound::Withdrawn { version, blocked_version, reason }) => bail!(
            "digest {id} (version {version}) was withdrawn: version {blocked_version} of its window was blocked as \
             {reason}; `gistmill digest ls --blocked` lists such windows"
        ),
        None => bail!("{}", unknown(id, which)),
    }
}

fn in_group(id: &str, found: &str, which: &Which) -> anyhow::Result<()> {
    match &which.group {
        Some(group) if group != found => bail!(
            "{id} is of group {}, not of {}; leave --group out or name that one",
            printable(found),
            printable(group)
        ),
        _ => Ok(()),
    }
}

fn unknown(id: &str, which: &Which) -> String {
    let tenant = &which.tenant;
    format!(
        "{} has no digest or window {}; `gistmill digest ls --tenant {tenant}` lists them",
        which.owner(),
        printable(id)
    )
}

async fn candidates(store: &Store, which: &Which) -> anyhow::Result<Vec<Candidate>> {
    let mut digests = store.digest_list(&which.filter(None)).await?;
    digests.extend(store.digest_list(&which.asked(None)).await?);
    let digests = digests.into_iter().map(|digest| Candidate {
        digest_id: Some(digest.digest_id),
        window_id: digest.window_id,
        group_id: digest.group_id,
        blocked: None,
    });
    let mut blocked = store.blocked_list(&which.filter(None)).await?;
    blocked.extend(store.blocked_list(&which.asked(None)).await?);
    let blocked = blocked.into_iter().map(|blocked| Candidate {
        digest_id: None,
        window_id: blocked.window_id,
        group_id: blocked.group_id,
        blocked: Some(blocked.reason),
    });
    Ok(digests.chain(blocked).collect())
}

/// The one id that begins so.
fn meant(prefix: &str, candidates: &[Candidate], which: &Which) -> anyhow::Result<String> {
    let wanted = prefix.to_lowercase();
    let begins = |id: &&String| wanted.len() >= PREFIX_MIN && id.starts_with(&wanted);
    let of_candidate = |candidate: &Candidate| {
        let ids = [candidate.digest_id.clone(), Some(candidate.window_id.clone())];
        ids.into_iter().flatten().filter(|id| begins(&id)).collect::<Vec<_>>()
    };
    let ids: BTreeSet<String> = candidates.iter().flat_map(of_candidate).collect();
    let mut ids = ids.into_iter();
    match (ids.next(), ids.len()) {
        (None, _) if wanted.len() < PREFIX_MIN => {
            bail!("{}; the beginning of an id needs at least {PREFIX_MIN} characters", unknown(prefix, which))
        }
        (None, _) => bail!("{}", unknown(prefix, which)),
        (Some(id), 0) => {
            let blocked = candidates.iter().find(|candidate| candidate.window_id == id);
            if let Some(Candidate { blocked: Some(reason), group_id, .. }) = blocked {
                bail!(
                    "window {id} of group {} has no digest: it was blocked as {reason}",
                    printable(group_id)
                );
            }
            Ok(id)
        }
        (Some(first), more) => {
            let shown: Vec<String> = std::iter::once(first).chain(ids).take(MATCHES_SHOWN).collect();
            bail!(
                "{prefix} is the beginning of {} ids, such as {}; give more of it",
                more + 1,
                shown.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(digest_id: Option<&str>, window_id: &str) -> Candidate {
        let blocked = digest_id.is_none().then(|| "too_small".to_owned());
        let digest_id = digest_id.map(str::to_owned);
        Candidate { digest_id, window_id: window_id.to_owned(), group_id: "team".to_owned(), blocked }
    }

    fn asked(prefix: &str) -> Result<String, String> {
        let candidates = [
            candidate(Some("1d52c0a9-1"), "a0b1c2d3-1"),
            candidate(Some("1d52ffff-2"), "b0b1c2d3-2"),
            candidate(None, "c0b1c2d3-3"),
        ];
        let which = Which { tenant: "acme".to_owned(), group: None };
        meant(prefix, &candidates, &which).map_err(|error| error.to_string())
    }

    #[test]
    fn the_beginning_of_an_id_is_enough_where_it_is_of_one() {
        assert_eq!(asked("1d52c"), Ok("1d52c0a9-1".to_owned()));
        assert_eq!(asked("B0B1"), Ok("b0b1c2d3-2".to_owned()));
        let two = "1d52 is the beginning of 2 ids, such as 1d52c0a9-1, 1d52ffff-2; give more of it";
        assert_eq!(asked("1d52"), Err(two.to_owned()));
        let none = "tenant acme has no digest or window ffff; `gistmill digest ls --tenant acme` lists them";
        assert_eq!(asked("ffff"), Err(none.to_owned()));
        let error = asked("1d5").unwrap_err();
        assert!(error.ends_with("the beginning of an id needs at least 4 characters"), "{error}");
    }

    #[test]
    fn a_window_that_was_blocked_says_so() {
        let blocked = "window c0b1c2d3-3 of group team has no digest: it was blocked as too_small";
        assert_eq!(asked("c0b1"), Err(blocked.to_owned()));
    }

    #[test]
    fn a_digest_of_another_group_is_not_shown_for_the_one_that_was_named() {
        let which =
            |group: Option<&str>| Which { tenant: "acme".to_owned(), group: group.map(str::to_owned) };
        let error = in_group("1d52", "team", &which(Some("other"))).unwrap_err().to_string();
        assert_eq!(error, "1d52 is of group team, not of other; leave --group out or name that one");
        assert!(in_group("1d52", "team", &which(Some("team"))).is_ok());
        assert!(in_group("1d52", "team", &which(None)).is_ok());
    }
}
