//! `gistmill digest ls`: a line for each window, and the truth where there is none.

use std::io::{self, Write};

use state::{DigestSummary, Store};

use super::{Which, blocked, day, hours};
use crate::{
    commands::known::unknown,
    exit::Exit,
    printing::{columns, fitted, printable},
};

/// Digits of an id that a terminal shows; commands take the beginning of an id.
const ID_SHOWN: usize = 8;

pub(super) async fn digests(
    store: &Store,
    which: &Which,
    (asked, limit, json): (bool, u32, bool),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    // One more than is shown tells whether there are more.
    let more = Some(limit.saturating_add(1));
    let filter = if asked { which.asked(more) } else { which.filter(more) };
    let (listed, is_all) = newest(store.digest_list(&filter).await?, limit);
    let room = columns();
    for digest in &listed {
        if json {
            writeln!(out, "{}", serde_json::to_string(digest)?)?;
        } else {
            lines(digest, room).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        }
    }
    if !is_all {
        note(&format!("there are more windows than the newest {limit}; --limit N shows more"));
    } else if listed.is_empty() && asked {
        note("nobody has asked for a digest; `gistmill digest now` does");
    } else if listed.is_empty() {
        note(&why_none(store, which).await?);
    }
    Ok(Exit::Done)
}

pub(super) async fn blocked(
    store: &Store,
    which: &Which,
    (asked, limit, json): (bool, u32, bool),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let filter = if asked { which.asked(None) } else { which.filter(None) };
    let all = store.blocked_list(&filter).await?;
    let count = all.len();
    let listed = blocked::newest(all, limit);
    blocked::print(&listed, (json, columns()), out)?;
    if listed.len() < count {
        note(&format!("the newest {} of {count} windows; --limit N shows more", listed.len()));
    } else if count == 0 {
        let unknown = unknown(store, &which.tenant, which.group.as_deref()).await?;
        note(&unknown.unwrap_or_else(|| "no window is without its digest".to_owned()));
    }
    Ok(Exit::Done)
}

/// What is said of a listing is no part of it.
fn note(text: &str) {
    // Nothing is left to tell a failure of standard error to.
    drop(writeln!(io::stderr(), "{text}"));
}

/// The newest windows of a list that may hold one more, in its order, and whether these are all.
fn newest(mut list: Vec<DigestSummary>, limit: u32) -> (Vec<DigestSummary>, bool) {
    let is_all = list.len() <= limit as usize;
    let rank = |digest: &DigestSummary| {
        (digest.window_start, digest.size_hours, digest.group_id.clone(), digest.window_id.clone())
    };
    if !is_all && let Some(oldest) = list.iter().map(rank).min() {
        list.retain(|digest| rank(digest) != oldest);
    }
    (list, is_all)
}

/// A digest for a terminal of so many columns; for a pipe everything in one line, with the whole id.
fn lines(digest: &DigestSummary, columns: Option<usize>) -> Vec<String> {
    let start = day(digest.window_start);
    let hours = hours(digest.size_hours, digest.window_start, digest.window_end);
    let (group, headline) = (printable(&digest.group_id), printable(&digest.headline));
    let Some(room) = columns else {
        return vec![format!(
            "{start}  {hours:>2} h  {group:<16} v{:<5} {:>5} msgs  {:>3} people  q {:.2}  {}  {headline}",
            digest.version,
            digest.message_count,
            digest.participant_count,
            digest.quality_score,
            digest.digest_id
        )];
    };
    let id: String = digest.digest_id.chars().take(ID_SHOWN).collect();
    let head = format!("{id}  {start}  {hours:>2} h  {group}");
    // Less than this says nothing of a headline.
    if console::measure_text_width(&head) + 2 + 24 > room {
        let headline = format!("  {headline}");
        return vec![fitted(&head, columns).into_owned(), fitted(&headline, columns).into_owned()];
    }
    vec![fitted(&format!("{head}  {headline}"), columns).into_owned()]
}

/// Why a listing of digests is empty.
pub(super) async fn why_none(store: &Store, which: &Which) -> anyhow::Result<String> {
    if let Some(why) = unknown(store, &which.tenant, which.group.as_deref()).await? {
        return Ok(why);
    }
    let blocked = store.blocked_list(&which.filter(None)).await?.len();
    Ok(none_of(which, blocked))
}

fn none_of(which: &Which, blocked: usize) -> String {
    let owner = which.owner();
    match blocked {
        0 => format!(
            "no window of {owner} has a digest yet: `gistmill lag` shows what is on its way, `gistmill group lane ls` \
             how far the group's clock has come; a window ends when that has passed it"
        ),
        1 => format!("no digest of {owner}: 1 window was blocked; `gistmill digest ls --blocked` says why"),
        _ => format!(
            "no digest of {owner}: {blocked} windows were blocked; `gistmill digest ls --blocked` says why"
        ),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn summary(group: &str, window_start: i64) -> DigestSummary {
        DigestSummary {
            digest_id: format!("1d52c0a9-1275-5b78-81ae-{window_start:012}"),
            tenant_id: "acme".to_owned(),
            group_id: group.to_owned(),
            window_id: format!("a0b1c2d3-1275-5b78-81ae-{window_start:012}"),
            version: "1.0".to_owned(),
            size_hours: 24,
            window_start,
            window_end: window_start + 86_400_000,
            lane: "live".to_owned(),
            quality_score: 0.83,
            language: "en".to_owned(),
            headline: "Hannah Cole: we're shipping Thursday then, everybody awake and near".to_owned(),
            message_count: 122,
            participant_count: 11,
        }
    }

    fn which(group: Option<&str>) -> Which {
        Which { tenant: "acme".to_owned(), group: group.map(str::to_owned) }
    }

    #[test]
    fn a_name_that_is_empty_is_a_wrong_command_line() {
        use clap::Parser;
        for flags in [["--tenant", "", "--group", "team"], ["--tenant", "acme", "--group", ""]] {
            let parsed = crate::line::Line::<super::super::Arguments>::try_parse_from(
                ["digest", "ls"].iter().chain(&flags),
            );
            assert_eq!(parsed.unwrap_err().exit_code(), 2, "{flags:?}");
        }
    }

    #[test]
    fn lines_fit_the_terminal_and_are_whole_in_a_pipe() {
        let digest = summary("eng", 0);
        let wide = lines(&digest, Some(80));
        assert_eq!(
            wide,
            ["1d52c0a9  1970-01-01 00:00  24 h  eng  Hannah Cole: we're shipping Thursday the…"]
        );
        let narrow = lines(&digest, Some(40));
        assert_eq!(
            narrow,
            ["1d52c0a9  1970-01-01 00:00  24 h  eng", "  Hannah Cole: we're shipping Thursday …"]
        );
        for line in wide.iter().chain(&narrow) {
            assert!(console::measure_text_width(line) <= 80, "{line}");
        }
        let whole = lines(&digest, None).concat();
        assert!(whole.contains(&digest.digest_id) && whole.ends_with(&digest.headline), "{whole}");
    }

    #[test]
    fn one_window_more_than_was_asked_for_says_that_there_are_more() {
        let list = || vec![summary("a", 1), summary("a", 4), summary("b", 2)];
        let starts = |limit| {
            let (list, is_all) = newest(list(), limit);
            (list.iter().map(|digest| digest.window_start).collect::<Vec<_>>(), is_all)
        };
        assert_eq!(starts(3), (vec![1, 4, 2], true));
        assert_eq!(starts(2), (vec![4, 2], false));
    }

    #[test]
    fn blocked_windows_and_misspelt_names_are_not_on_their_way() {
        assert_eq!(
            none_of(&which(Some("bad")), 3),
            "no digest of acme/bad: 3 windows were blocked; `gistmill digest ls --blocked` says why"
        );
        assert!(none_of(&which(None), 0).starts_with("no window of tenant acme has a digest yet"));
    }
}
