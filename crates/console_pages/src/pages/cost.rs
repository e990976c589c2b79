//! What calls to language models came to in a month. Filled by `Store::llm_costs`.
//!
//! Invariant: costs of different currencies are never added, and one that no price is known of is shown as unknown.

use crate::{
    Page, Section,
    context::Context,
    locale::{Words, decimal},
};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

/// What calls of a kind came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    /// Group whose messages were told.
    pub group_id: String,
    /// Stage that asked.
    pub stage: String,
    /// Model.
    pub model: String,
    /// Calls that were answered.
    pub settled: i64,
    /// Calls that were not.
    pub failed: i64,
    /// Calls that broke off or are on their way.
    pub unknown: i64,
    /// Tokens read.
    pub tokens_in: i64,
    /// Tokens written.
    pub tokens_out: i64,
    /// Cost in millionths.
    pub cost_micros: i64,
    /// Its currency; empty where no price is known.
    pub currency: String,
}

/// Cost of a month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Year.
    pub year: i16,
    /// Month of UTC, from 1.
    pub month: i8,
    /// Lines, the dearest first.
    pub lines: Vec<CostLine>,
}

impl Cost {
    fn first(&self) -> Date {
        Date::new(self.year, self.month, 1).unwrap_or(Date::constant(1970, 1, 1))
    }

    fn name(&self, c: &Context<'_>) -> String {
        c.dates().month(self.first())
    }

    fn earlier(&self) -> String {
        let first = self.first();
        code(first.checked_sub(1.month()).unwrap_or(first))
    }

    fn later(&self, c: &Context<'_>) -> Option<String> {
        let next = self.first().checked_add(1.month()).ok()?;
        (next <= c.dates().zoned(*c.now_ms()).date()).then(|| code(next))
    }

    /// A sum for each currency, by name.
    fn sums(&self) -> Vec<CostLine> {
        let mut sums: Vec<CostLine> = Vec::new();
        for line in &self.lines {
            let at = sums.iter().position(|it| it.currency == line.currency);
            let at = at.unwrap_or_else(|| {
                sums.push(CostLine { currency: line.currency.clone(), ..CostLine::default() });
                sums.len() - 1
            });
            let sum = &mut sums[at];
            sum.settled += line.settled;
            sum.tokens_in += line.tokens_in;
            sum.tokens_out += line.tokens_out;
            sum.cost_micros += line.cost_micros;
        }
        sums.sort_by(|left, right| left.currency.cmp(&right.currency));
        sums
    }
}

/// `2026-05`.
fn code(first: Date) -> String {
    format!("{:04}-{:02}", first.year(), first.month())
}

impl CostLine {
    fn money(&self, c: &Context<'_>) -> String {
        if self.currency.is_empty() {
            return c.w.cost_unknown.to_owned();
        }
        let decimals = if self.cost_micros.abs() < 10_000 { 6 } else { 2 };
        format!(
            "{}\u{a0}{}",
            decimal(c.frame.language, self.cost_micros as f64 / 1e6, decimals),
            self.currency
        )
    }
}

impl Page for Cost {
    fn title(&self, words: &'static Words) -> String {
        words.cost.to_owned()
    }

    fn section(&self) -> Section {
        Section::Cost
    }

    fn time_zone(&self) -> Option<&str> {
        Some("UTC")
    }

    html!(Cost, "cost.html");
}
