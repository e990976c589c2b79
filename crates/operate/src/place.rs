//! A place in a partition as an operator names it: an end, an offset, or a time.

use super::{Bounds, Error};
use jiff::{Timestamp, civil};
use std::{fmt, str::FromStr};

/// Where to read from, or where to set an offset to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first record that the topic still holds.
    Beginning,
    /// After the last record that a `read_committed` reader gets.
    End,
    /// So many offsets before that; transaction markers count as offsets.
    BeforeEnd(i64),
    /// An offset.
    Offset(i64),
    /// The first record appended at or after a time, in ms since the epoch.
    Time(i64),
}

impl Place {
    /// The offset of a place that needs no look at record times; `None` for one that does.
    ///
    /// # Errors
    /// [`Error::Refused`] for an offset that the partition does not hold.
    pub fn offset(self, bounds: Bounds) -> Result<Option<i64>, Error> {
        let Bounds { low, stable } = bounds;
        match self {
            Self::Beginning => Ok(Some(low)),
            Self::End => Ok(Some(stable)),
            Self::BeforeEnd(count) => Ok(Some(stable.saturating_sub(count).max(low))),
            Self::Offset(offset) if (low..=stable).contains(&offset) => Ok(Some(offset)),
            Self::Offset(offset) => Err(Error::Refused(format!(
                "offset {offset} is outside what the partition holds: {low} to {stable}"
            ))),
            Self::Time(_) => Ok(None),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => return Ok(Self::Beginning),
            "end" => return Ok(Self::End),
            _ => {}
        }
        if let Ok(offset) = text.parse::<i64>() {
            return Ok(if offset < 0 { Self::BeforeEnd(-offset) } else { Self::Offset(offset) });
        }
        let utc = |time: civil::DateTime| time.to_zoned(jiff::tz::TimeZone::UTC).map(|time| time.timestamp());
        let time = text.parse::<Timestamp>().or_else(|_| text.parse::<civil::DateTime>().and_then(utc));
        let expected = "expected beginning, end, an offset, -N for N offsets before the end, or a time such as \
                        2026-03-01T08:00:00Z or 2026-03-01, UTC unless it says otherwise";
        time.map(|time| Self::Time(time.as_millisecond())).map_err(|_| expected.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning => f.write_str("the beginning"),
            Self::End => f.write_str("the end"),
            Self::BeforeEnd(count) => write!(f, "{count} offsets before the end"),
            Self::Offset(offset) => write!(f, "offset {offset}"),
            Self::Time(ms) => match Timestamp::from_millisecond(*ms) {
                Ok(time) => write!(f, "{time}"),
                Err(_) => write!(f, "{ms} ms"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_people_write_them() {
        for (text, place) in [
            ("beginning", Place::Beginning),
            ("end", Place::End),
            ("0", Place::Offset(0)),
            ("1042", Place::Offset(1042)),
            ("-10", Place::BeforeEnd(10)),
            ("2018-11-22T14:04:28Z", Place::Time(1_542_895_468_000)),
            ("2018-11-22T17:04:28+03:00", Place::Time(1_542_895_468_000)),
            ("2018-11-22T14:04:28", Place::Time(1_542_895_468_000)),
            ("2018-11-22", Place::Time(1_542_844_800_000)),
        ] {
            assert_eq!(text.parse(), Ok(place), "{text}");
        }
        for text in ["", "start", "1.5", "14:04", "2018-13-01", "99999999999999999999", "-"] {
            assert!(text.parse::<Place>().is_err_and(|why| why.starts_with("expected ")), "{text}");
        }
    }

    #[test]
    fn a_place_is_an_offset_that_the_partition_holds() {
        let bounds = Bounds { low: 5, stable: 20 };
        let offset = |place: Place| place.offset(bounds).map_err(|error| error.to_string());
        assert_eq!(offset(Place::Beginning), Ok(Some(5)));
        assert_eq!(offset(Place::End), Ok(Some(20)));
        assert_eq!(offset(Place::BeforeEnd(3)), Ok(Some(17)));
        assert_eq!(offset(Place::BeforeEnd(i64::MAX)), Ok(Some(5)));
        assert_eq!(offset(Place::Offset(20)), Ok(Some(20)));
        assert_eq!(offset(Place::Time(0)), Ok(None));
        let outside = Err("offset 21 is outside what the partition holds: 5 to 20".to_owned());
        assert_eq!(offset(Place::Offset(21)), outside);
    }
}
