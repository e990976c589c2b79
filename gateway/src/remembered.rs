//! Settings of groups as far as the log was read for them, so that the next look reads on from there.
//!
//! Invariant: what is answered is what the log says: nothing is remembered but what it said before an offset, and the rest is read.

use operate::{Error, SettingsSeen};
use schemas::GroupSettings;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Groups that are remembered before all are forgotten: to read of one anew is slow, not wrong.
const GROUPS_MAX: usize = 10_000;

/// What was seen of each group, by `tenant/group`.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<HashMap<String, SettingsSeen>>);

impl Remembered {
    /// The settings of a group that hold now; `read` tells those that were written since an offset.
    pub(crate) fn newest(
        &self,
        key: &str,
        read: impl FnOnce(Option<i64>) -> Result<SettingsSeen, Error>,
    ) -> Result<Option<GroupSettings>, Error> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = lock().get(key).cloned();
        let SettingsSeen { settings, until } = read(before.as_ref().map(|seen| seen.until))?;
        // A log that ends before what was read of it is another one.
        let kept = before.filter(|seen| seen.until <= until).and_then(|seen| seen.settings);
        let settings = settings.or(kept);
        let mut seen = lock();
        if seen.len() >= GROUPS_MAX {
            seen.clear();
        }
        seen.insert(key.to_owned(), SettingsSeen { settings: settings.clone(), until });
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_read_on_from_where_it_was_read_to() {
        let remembered = Remembered::default();
        let language = |language: &str| {
            Some(GroupSettings { language: language.to_owned(), ..GroupSettings::default() })
        };
        let look = |key: &str, expected: Option<i64>, (settings, until)| {
            let read = |since: Option<i64>| {
                assert_eq!(since, expected, "{key}");
                Ok(SettingsSeen { settings, until })
            };
            remembered.newest(key, read).unwrap()
        };
        assert_eq!(look("acme/qa", None, (None, 100)), None);
        assert_eq!(look("acme/qa", Some(100), (language("en"), 120)), language("en"));
        assert_eq!(look("acme/qa", Some(120), (None, 130)), language("en"));
        assert_eq!(look("beta/qa", None, (None, 130)), None, "another tenant's are its own");
        assert_eq!(look("acme/qa", Some(130), (None, 7)), None, "another log has its own");
        assert_eq!(look("acme/qa", Some(7), (language("ru"), 9)), language("ru"));
    }
}
