//! Settings of a group, numbered: windows name those under which they opened.
//!
//! Invariant: settings that were accepted once can be used; a number stands for the same settings forever.

use crate::{
    codec::{Reader, Writer},
    grid::Grid,
};
use jiff::tz::TimeZone;
use processor::Reject;
use schemas::GroupSettings;

/// Settings in force for windows opened after them.
#[derive(Debug, Clone)]
pub(crate) struct Epoch {
    pub(crate) settings: GroupSettings,
    pub(crate) zone: TimeZone,
}

impl Default for Epoch {
    fn default() -> Self {
        Self { settings: GroupSettings::default(), zone: TimeZone::UTC }
    }
}

impl Epoch {
    /// Settings that the check of records let pass: their time zone is known.
    pub(crate) fn of(settings: &GroupSettings) -> Result<Self, Reject> {
        let unknown =
            || Reject::new("bad_settings", format!("time zone {:?} is unknown", settings.time_zone));
        Self::zoned(settings.clone()).ok_or_else(unknown)
    }

    /// Where windows lie.
    pub(crate) fn grid(&self) -> Grid<'_> {
        Grid { zone: &self.zone, day_start_minutes: self.settings.day_start_minutes }
    }

    fn zoned(settings: GroupSettings) -> Option<Self> {
        let zone = TimeZone::get(&settings.time_zone).ok()?;
        Some(Self { settings, zone })
    }

    /// The bytes of a snapshot part.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let GroupSettings { window_hours, time_zone, language, scopes, channels, chat, day_start_minutes } =
            &self.settings;
        let mut writer = Writer::default();
        writer.put(window_hours.len() as u64);
        for size in window_hours {
            writer.put_signed(i64::from(*size));
        }
        writer.put_text(time_zone);
        writer.put_text(language);
        for list in [scopes, channels] {
            writer.put(list.len() as u64);
            for item in list {
                writer.put_text(item);
            }
        }
        writer.put(u64::from(chat.is_some()));
        writer.put_text(chat.as_deref().unwrap_or_default());
        writer.put_signed(i64::from(*day_start_minutes));
        writer.finish()
    }

    /// Reads what [`Self::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut window_hours = Vec::new();
        for _ in 0..reader.take()? {
            window_hours.push(i32::try_from(reader.take_signed()?).ok()?);
        }
        let (time_zone, language) = (reader.take_text()?.to_owned(), reader.take_text()?.to_owned());
        let (scopes, channels) = (texts(&mut reader)?, texts(&mut reader)?);
        let (has_chat, chat) = (reader.take()? == 1, reader.take_text()?.to_owned());
        let chat = has_chat.then_some(chat);
        let day_start_minutes = i32::try_from(reader.take_signed()?).ok()?;
        let settings =
            GroupSettings { window_hours, time_zone, language, scopes, channels, chat, day_start_minutes };
        Self::zoned(settings)
    }
}

fn texts(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let count = reader.take()?;
    (0..count).map(|_| reader.take_text().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings(window_hours: &[i32], time_zone: &str, language: &str) -> GroupSettings {
        GroupSettings {
            window_hours: window_hours.to_vec(),
            time_zone: time_zone.to_owned(),
            language: language.to_owned(),
            ..GroupSettings::default()
        }
    }

    #[test]
    fn a_time_zone_that_is_unknown_is_no_time_zone() {
        let refused = Epoch::of(&settings(&[4], "Mars/Olympus", "en")).map_err(|reject| reject.reason);
        assert_eq!(refused.err(), Some("bad_settings"));
    }

    #[test]
    fn settings_come_back() {
        for chat in [None, Some(String::new()), Some("-100".to_owned())] {
            let day_start_minutes = 540;
            let settings =
                GroupSettings { chat, day_start_minutes, ..settings(&[4, 24], "Europe/Berlin", "ru") };
            let epoch = Epoch::of(&settings).expect("valid");
            assert_eq!(Epoch::decode(&epoch.encode()).map(|epoch| epoch.settings), Some(settings));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Epoch::decode(&bytes);
        }
    }
}
