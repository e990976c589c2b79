//! What tokens cost, as data with dates.
//!
//! Invariant: whole numbers only, rounded up at the end; a price that is not known is unknown and not zero.

use crate::Usage;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::str::FromStr;

/// The prices that come with the program; what an operator writes goes before them.
const BUILT_IN: &str = include_str!("../data/prices.toml");
const MILLION: u128 = 1_000_000;

/// Money: millionths of the unit of a currency, such as micro-dollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Amount in millionths.
    pub micros: u64,
    /// ISO 4217.
    pub currency: String,
}

/// What a model's tokens cost from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Who is paid.
    pub vendor: String,
    /// The model as its vendor names it, without the date that is added to a version.
    pub model: String,
    /// ISO 4217.
    pub currency: String,
    /// For a million tokens that are read.
    pub input: Rate,
    /// For a million tokens that are written.
    pub output: Rate,
    /// For a million tokens that are read from the vendor's cache. Default: as `input`.
    pub cached: Option<Rate>,
    /// First day on which it holds.
    #[serde(deserialize_with = "day")]
    pub valid_from: Date,
    /// Where it is told.
    pub source: String,
}

/// A price of a million tokens, in millionths of the unit; written as a decimal in quotes, such as `"0.15"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate(u64);

/// A table of prices that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not read the table of prices: {0}")]
pub struct PriceError(String);

/// Prices of several vendors, models and days, in tables of which the first that knows a model is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices(Vec<Vec<Price>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    prices: Vec<Price>,
}

/// A day as `2026-11-06`.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no day: expected YYYY-MM-DD")))
}

impl FromStr for Rate {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        let error = || {
            PriceError(format!(
                "{text:?} is no price: expected a decimal such as \"0.15\", with at most six places"
            ))
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 6 || !is_number(whole) || !is_number(part) {
            return Err(error());
        }
        let whole: u64 = whole.parse().map_err(|_| error())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| error())?;
        whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(part)).map(Self).ok_or_else(error)
    }
}

impl TryFrom<String> for Rate {
    type Error = PriceError;

    fn try_from(text: String) -> Result<Self, PriceError> {
        text.parse()
    }
}

impl Prices {
    /// The prices that come with the program.
    ///
    /// # Errors
    /// Never, as a test sees to.
    pub fn built_in() -> Result<Self, PriceError> {
        Self::read(BUILT_IN)
    }

    /// A table in TOML: `[[prices]]` with the fields of [`Price`].
    ///
    /// # Errors
    /// It does not parse; the error names line and field.
    pub fn read(text: &str) -> Result<Self, PriceError> {
        let table: Table = toml::from_str(text).map_err(|error| PriceError(error.to_string()))?;
        Ok(Self(vec![table.prices]))
    }

    /// These prices, and those of `after` for models and days of which they say nothing.
    #[must_use]
    pub fn before(mut self, after: Self) -> Self {
        self.0.extend(after.0);
        self
    }

    /// The price on a day: of the first table that knows the model, its entry that names the model most closely, and of those
    /// the newest that holds by then. An entry holds for a model's dated versions too: `gpt-4o-mini` for
    /// `gpt-4o-mini-2024-07-18`.
    pub fn find(&self, vendor: &str, model: &str, day: Date) -> Option<&Price> {
        let holds = |price: &&Price| price.vendor == vendor && price.is_of(model) && price.valid_from <= day;
        // Of equal ones the first that is written.
        let rank = |price: &&Price| (price.model.len(), price.valid_from);
        self.0.iter().find_map(|table| table.iter().filter(holds).rev().max_by_key(rank))
    }

    /// What a call cost on a day; none when the price is not known.
    pub fn cost(&self, vendor: &str, model: &str, day: Date, usage: Usage) -> Option<Cost> {
        self.find(vendor, model, day).map(|price| price.cost(usage))
    }
}

impl Price {
    fn is_of(&self, model: &str) -> bool {
        let version = model.strip_prefix(self.model.as_str());
        let is_date = |rest: &str| {
            let digits = rest.strip_prefix(['-', '@']).unwrap_or_default();
            digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        };
        version.is_some_and(|rest| rest.is_empty() || rest == "-latest" || is_date(rest))
    }

    /// What so many tokens cost.
    pub fn cost(&self, usage: Usage) -> Cost {
        let cached = usage.cached_tokens.min(usage.input_tokens);
        let times = |tokens: u64, rate: Rate| u128::from(tokens) * u128::from(rate.0);
        let total = times(usage.input_tokens - cached, self.input)
            + times(cached, self.cached.unwrap_or(self.input))
            + times(usage.output_tokens, self.output);
        let micros = u64::try_from(total.div_ceil(MILLION)).unwrap_or(u64::MAX);
        Cost { micros, currency: self.currency.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TABLE: &str = r#"
        [[prices]]
        vendor = "openai"
        model = "gpt"
        currency = "USD"
        input = "2"
        output = "8.5"
        cached = "0.5"
        valid_from = "2026-01-01"
        source = "a test"

        [[prices]]
        vendor = "openai"
        model = "gpt"
        currency = "USD"
        input = "1"
        output = "4"
        valid_from = "2026-06-01"
        source = "a test"
    "#;

    #[test]
    fn a_call_costs_what_held_on_its_day_rounded_up() {
        let prices = Prices::read(TABLE).unwrap();
        let usage = Usage { input_tokens: 1_000, output_tokens: 100, cached_tokens: 400 };
        let micros = |day, usage| prices.cost("openai", "gpt", day, usage).map(|cost| cost.micros);
        // 600 × 2 + 400 × 0.5 + 100 × 8.5
        assert_eq!(micros(date(2026, 5, 31), usage), Some(2_250));
        // 1,000 × 1, cached or not, + 100 × 4
        assert_eq!(micros(date(2026, 6, 1), usage), Some(1_400));
        assert_eq!(micros(date(2025, 12, 31), usage), None);
        let one = Usage { input_tokens: 0, output_tokens: 1, cached_tokens: 9 };
        assert_eq!(micros(date(2026, 1, 1), one), Some(9));
        let huge = Usage { input_tokens: u64::MAX, output_tokens: u64::MAX, cached_tokens: 0 };
        assert_eq!(micros(date(2026, 1, 1), huge), Some(u64::MAX));
    }

    #[test]
    fn a_model_is_its_dated_versions_and_no_other() {
        let prices = Prices::read(TABLE).unwrap();
        let day = date(2026, 7, 1);
        for (model, is_known) in [
            ("gpt", true),
            ("gpt-2026-05-01", true),
            ("gpt-20260501", true),
            ("gpt-latest", true),
            ("gpt-mini", false),
            ("gp", false),
        ] {
            assert_eq!(prices.find("openai", model, day).is_some(), is_known, "{model}");
        }
        assert_eq!(prices.find("local", "gpt", day), None);
    }

    #[test]
    fn what_an_operator_writes_goes_before() {
        let own = TABLE.replace("input = \"1\"", "input = \"0\"");
        let prices = Prices::read(&own).unwrap().before(Prices::read(TABLE).unwrap());
        let usage = Usage { input_tokens: 9, ..Usage::default() };
        assert_eq!(prices.cost("openai", "gpt", date(2026, 7, 1), usage).unwrap().micros, 0);
    }

    #[test]
    fn a_table_that_is_none_is_named() {
        for (from, to, named) in [
            ("\"8.5\"", "8.5", "invalid type"),
            ("\"8.5\"", "\"-8.5\"", "\"-8.5\" is no price"),
            ("\"8.5\"", "\"0.1234567\"", "at most six places"),
            ("\"2026-06-01\"", "\"June\"", "June"),
            ("currency", "currencies", "currencies"),
        ] {
            let error = Prices::read(&TABLE.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_built_in_table_reads_and_says_where_each_price_is_from() {
        let prices = Prices::built_in().unwrap().0.concat();
        assert!(prices.iter().all(|price| price.source.len() > 10 && price.currency.len() == 3));
        assert_eq!(
            prices.iter().find(|price| price.model == "gpt-4o-mini").map(|it| it.input),
            Some(Rate(150_000))
        );
    }
}
