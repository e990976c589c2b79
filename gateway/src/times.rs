//! Times as programs write them: RFC 3339.

use crate::problem::Problem;
use jiff::Timestamp;

/// A time in ms as text; beyond what calendars have, the nearest that they have.
pub(crate) fn told(ms: i64) -> String {
    let nearest = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(ms).unwrap_or(nearest).to_string()
}

/// The time in ms that a parameter names.
///
/// # Errors
/// Text that is no time with an offset.
pub(crate) fn read(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let bad = || Problem::bad_request(format!("{name} is no time: write one such as 2026-03-02T10:00:00Z"));
    text.map(|text| text.parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|_| bad())).transpose()
}

/// Now, in ms.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_told() {
        let text = told(1_772_445_600_000);
        assert_eq!(text, "2026-03-02T10:00:00Z");
        assert_eq!(read("since", Some(&text)), Ok(Some(1_772_445_600_000)));
        assert_eq!(read("since", Some("2026-03-02T12:00:00+02:00")), Ok(Some(1_772_445_600_000)));
        assert!(read("since", Some("2026-03-02")).is_err() && read("since", Some("")).is_err());
        assert!(told(i64::MAX).starts_with("9999-") && told(i64::MIN).starts_with("-009999-"));
    }
}
