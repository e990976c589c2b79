//! One control record: new settings of a group, or a lane that is set back.

use crate::{batch, error::Error};
use ingest::Group;
use processor::PortSpec;
use runtime::{Position, Source, SourceBatch, SourceError};
use schemas::{
    DAY_MINUTES, GroupMessageIngested, GroupSettings, LANGUAGES, LIVE_LANE, WINDOW_HOURS, identity_hash,
};

const DONE: &str = "done";

/// Writes a control record of a group once, in order with its messages. The same record under the same `nonce` is
/// written once, however often it is tried; another nonce writes it again.
#[derive(Debug)]
pub struct ControlSource {
    identity: String,
    record: GroupMessageIngested,
}

impl ControlSource {
    /// Settings to write at `observed_at` (ms since the epoch).
    pub fn settings(
        group: &Group,
        settings: &GroupSettings,
        nonce: &str,
        observed_at: i64,
    ) -> Result<Self, Error> {
        validate(settings)?;
        let text = serde_json::to_string(settings).unwrap_or_default();
        let mut source = Self::named(group, "settings", &[&text, nonce], observed_at);
        LIVE_LANE.clone_into(&mut source.record.lane);
        source.record.settings = Some(settings.clone());
        Ok(source)
    }

    /// A lane to set back to a time in ms, written at `observed_at` (ms since the epoch).
    pub fn set_back(group: &Group, (lane, to_ms): (&str, i64), nonce: &str, observed_at: i64) -> Self {
        let mut source = Self::named(group, "set-back", &[lane, &to_ms.to_string(), nonce], observed_at);
        lane.clone_into(&mut source.record.lane);
        source.record.set_back_to = Some(to_ms);
        source
    }

    fn named(group: &Group, kind: &str, parts: &[&str], observed_at: i64) -> Self {
        let identity = group.identity(kind, &identity_hash(kind, parts).to_string());
        let record = GroupMessageIngested {
            tenant_id: group.tenant_id().to_owned(),
            group_id: group.group_id().to_owned(),
            observed_at,
            ingest_trace_id: GroupMessageIngested::trace(&identity, kind),
            ..GroupMessageIngested::default()
        };
        Self { identity, record }
    }
}

impl Source for ControlSource {
    const NAME: &'static str = crate::NAME;

    fn ports(&self) -> Vec<PortSpec> {
        crate::ports()
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    async fn next(&mut self, position: Option<&Position>) -> Result<SourceBatch, SourceError> {
        if position.is_some() {
            return Ok(SourceBatch::End);
        }
        let emissions = batch::emit([self.record.clone()]);
        Ok(SourceBatch::Records { emissions, position: Position(DONE.to_owned()) })
    }
}

/// Settings that every stage can work with.
fn validate(settings: &GroupSettings) -> Result<(), Error> {
    let refuse =
        |field, value: &str, expected| Err(Error::Setting { field, value: value.to_owned(), expected });
    let hours = &settings.window_hours;
    let is_ascending = hours.windows(2).all(|pair| pair[0] < pair[1]);
    if hours.is_empty() || !is_ascending || !hours.iter().all(|size| WINDOW_HOURS.contains(size)) {
        let given: Vec<String> = hours.iter().map(ToString::to_string).collect();
        return refuse("window_hours", &given.join(","), "give some of 1, 2, 4, 6, 12, 24, ascending");
    }
    if !(0..DAY_MINUTES).contains(&settings.day_start_minutes) {
        let minutes = settings.day_start_minutes.to_string();
        return refuse("day_start_minutes", &minutes, "give a time of day such as 09:00");
    }
    if jiff::tz::TimeZone::get(&settings.time_zone).is_err() {
        return refuse("time_zone", &settings.time_zone, "give an IANA name such as Europe/Berlin");
    }
    if !LANGUAGES.contains(&settings.language.as_str()) {
        return refuse("language", &settings.language, "give ru, en or auto");
    }
    for (field, names) in [("scopes", &settings.scopes), ("channels", &settings.channels)] {
        if let Some(name) = names.iter().find(|name| !is_word(name)) {
            return refuse(field, name, "give words of letters, digits, _ or -");
        }
    }
    match settings.chat.as_deref().map(str::trim) {
        Some("") => refuse("chat", "", "leave it out or name a chat"),
        _ => Ok(()),
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(settings: &GroupSettings, nonce: &str) -> Result<ControlSource, Error> {
        ControlSource::settings(&Group::new("acme", "qa").expect("names"), settings, nonce, 5)
    }

    #[test]
    fn settings_are_written_once() {
        let settings = GroupSettings { window_hours: vec![4, 24], ..GroupSettings::default() };
        let mut source_a = source(&settings, "a").expect("valid");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let Ok(SourceBatch::Records { emissions, position }) = runtime.block_on(source_a.next(None)) else {
            panic!("no records");
        };
        let record: &GroupMessageIngested = emissions[0].downcast().expect("its type");
        assert_eq!(
            (record.settings.as_ref(), record.observed_at, record.messages.len()),
            (Some(&settings), 5, 0)
        );
        assert!(matches!(runtime.block_on(source_a.next(Some(&position))), Ok(SourceBatch::End)));
        assert_eq!(source_a.identity(), source(&settings, "a").expect("valid").identity());
        assert_ne!(source_a.identity(), source(&settings, "b").expect("valid").identity());
    }

    #[test]
    fn a_lane_is_set_back_by_a_record_of_its_own() {
        let group = Group::new("acme", "qa").expect("names");
        let source = |to_ms| ControlSource::set_back(&group, ("import-7", to_ms), "a", 9);
        let record = source(5).record;
        assert_eq!((record.lane.as_str(), record.set_back_to, record.observed_at), ("import-7", Some(5), 9));
        assert_eq!((record.settings, record.complete_until), (None, None));
        assert_ne!(source(5).identity(), source(6).identity());
    }

    #[test]
    fn settings_that_no_stage_could_use_are_refused() {
        let base = GroupSettings::default;
        let table = [
            ("window_hours", GroupSettings { window_hours: vec![], ..base() }),
            ("window_hours", GroupSettings { window_hours: vec![24, 4], ..base() }),
            ("window_hours", GroupSettings { window_hours: vec![4, 4], ..base() }),
            ("window_hours", GroupSettings { window_hours: vec![5], ..base() }),
            ("day_start_minutes", GroupSettings { day_start_minutes: 1440, ..base() }),
            ("time_zone", GroupSettings { time_zone: "Mars/Olympus".to_owned(), ..base() }),
            ("language", GroupSettings { language: "de".to_owned(), ..base() }),
            ("scopes", GroupSettings { scopes: vec!["A B".to_owned()], ..base() }),
            ("channels", GroupSettings { channels: vec![String::new()], ..base() }),
            ("chat", GroupSettings { chat: Some(" ".to_owned()), ..base() }),
        ];
        for (field, settings) in table {
            let error = source(&settings, "a").expect_err(field).to_string();
            assert!(error.starts_with(&format!("setting {field} cannot be ")), "{error}");
        }
        let moscow = GroupSettings {
            time_zone: "Europe/Moscow".to_owned(),
            window_hours: vec![1, 2, 4, 6, 12, 24],
            ..base()
        };
        assert!(source(&moscow, "a").is_ok());
    }
}
