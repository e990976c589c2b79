//! A size as people write it.

use std::str::FromStr;

/// A size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

/// Largest export that is made.
const SIZE_MAX: u64 = 20_000_000_000;

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.to_ascii_uppercase().as_str() {
            "" | "B" => 1,
            "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            _ => return Err("give a number with KB, MB or GB, such as 100MB".to_owned()),
        };
        let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        match bytes {
            Some(bytes) if (1_000..=SIZE_MAX).contains(&bytes) => Ok(Self(bytes)),
            _ => Err("give between 1KB and 20GB".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_and_bounds() {
        let size = |text: &str| text.parse::<Size>().map(|size| size.0);
        assert_eq!(size("100MB"), Ok(100_000_000));
        assert_eq!(size("1gb"), Ok(1_000_000_000));
        assert_eq!(size("5000"), Ok(5_000));
        for wrong in ["", "MB", "1TB", "999", "30GB", "99999999999999999999GB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
