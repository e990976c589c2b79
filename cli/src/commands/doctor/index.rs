//! The index of vectors: whether Qdrant answers, what it is, what is searched there, and how far its sink is.

use operate::{Check, Lag, Level};
use runtime::{Config, Host};
use topology::Map;
use vector_index::{Error, Index};

const NAME: &str = "qdrant";
const SINK: &str = "qdrant_sink";

/// Looks at the index; none where no Qdrant is set up.
pub(super) fn check(config: &Config, map: &Map) -> anyhow::Result<Option<Check>> {
    if config.qdrant.url.is_none() {
        return Ok(None);
    }
    let host = Host::new(config.clone(), 1)?;
    let index = match qdrant_sink::index(config) {
        Ok(index) => index,
        Err(error) => return Ok(Some(bad(Level::Fail, error.to_string(), "correct qdrant.url"))),
    };
    let found = match host.block_on(look(&index)) {
        Ok(found) => found,
        Err(error) => return Ok(Some(failed(&error))),
    };
    let behind = operate::lag(config, map).ok().and_then(|lag| behind(&lag));
    Ok(Some(judged(&found, index.collection(), behind)))
}

/// What is there.
#[derive(Debug)]
struct Found {
    /// Address, name and version.
    server: String,
    /// Whether the collection of the model that is set up is there.
    is_there: bool,
    /// The collection that is searched.
    searched: Option<String>,
    points: u64,
    dimension: usize,
}

async fn look(index: &Index) -> Result<Found, Error> {
    let server = format!("{} is {}", index.url(), index.is_meant().await?);
    let is_there = index.is_there().await?;
    let points = if is_there { index.count().await? } else { 0 };
    let dimension = index.model().dimension;
    Ok(Found { server, is_there, searched: index.aliased().await?, points, dimension })
}

/// Records that the sink has not read yet.
fn behind(lag: &Lag) -> Option<u64> {
    lag.units.iter().find(|unit| unit.unit == SINK).map(|unit| unit.consumable.count)
}

fn judged(found: &Found, collection: &str, behind: Option<u64>) -> Check {
    let Found { server, points, dimension, .. } = found;
    let behind = behind.map_or_else(
        || format!("how far {SINK} is behind is not known"),
        |count| format!("{SINK} is {count} records behind"),
    );
    if !found.is_there {
        let finding = format!("{server}, collection {collection} is not there, {behind}");
        return bad(Level::Warn, finding, "qdrant_sink makes and fills it: `gistmill up` runs it");
    }
    let holds = format!("{server}; {collection} holds {points} points of {dimension} numbers, {behind}");
    match &found.searched {
        Some(searched) if searched == collection => {
            Check { name: NAME, level: Level::Ok, finding: holds, advice: None, is_away: false }
        }
        Some(searched) => {
            let finding = format!("{holds}; what is searched is {searched} still");
            let advice = "searches move over by themselves once qdrant_sink has come where it was before";
            bad(Level::Warn, finding, advice)
        }
        None => bad(
            Level::Warn,
            format!("{holds}; nothing is searched"),
            "start qdrant_sink, which sets the alias",
        ),
    }
}

fn failed(error: &Error) -> Check {
    let advice = match error {
        Error::Away { .. } => {
            "start it with `gistmill stack up --qdrant`, or set GISTMILL_QDRANT__URL to where it is"
        }
        Error::Gone { .. } => "look again: it was deleted just now, and qdrant_sink makes it again",
        _ => "the finding says what to change",
    };
    Check { is_away: matches!(error, Error::Away { .. }), ..bad(Level::Fail, error.to_string(), advice) }
}

fn bad(level: Level, finding: String, advice: &str) -> Check {
    Check { name: NAME, level, finding, advice: Some(advice.to_owned()), is_away: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(is_there: bool, searched: Option<&str>) -> Found {
        let server = "http://q:6334 is gistmill development front 1.19.0".to_owned();
        Found { server, is_there, searched: searched.map(str::to_owned), points: 7, dimension: 512 }
    }

    #[test]
    fn a_front_is_named_with_what_it_holds_and_how_far_the_sink_is() {
        let check = judged(&found(true, Some("gistmill-a")), "gistmill-a", Some(3));
        assert_eq!(check.level, Level::Ok);
        assert_eq!(
            check.finding,
            "http://q:6334 is gistmill development front 1.19.0; gistmill-a holds 7 points of 512 numbers, qdrant_sink \
             is 3 records behind"
        );
    }

    #[test]
    fn what_is_not_searched_or_not_there_is_a_warning_and_what_is_away_a_failure() {
        let other = judged(&found(true, Some("gistmill-b")), "gistmill-a", None);
        assert!(
            other.level == Level::Warn && other.finding.ends_with("what is searched is gistmill-b still")
        );
        assert_eq!(judged(&found(false, None), "gistmill-a", None).level, Level::Warn);
        assert_eq!(judged(&found(true, None), "gistmill-a", None).level, Level::Warn);
        let away = failed(&Error::Away { what: "ask", url: "u".to_owned(), detail: "d".to_owned() });
        assert!(away.level == Level::Fail && away.is_away, "{away:?}");
        let other = Error::OtherCollection { collection: "c".to_owned(), detail: "of 3 numbers".to_owned() };
        assert!(failed(&other).finding.contains("of 3 numbers") && !failed(&other).is_away);
    }
}
