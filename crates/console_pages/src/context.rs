//! What templates ask for: words, numbers and times in the reader's language, and where things lie.
#![expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::unused_self,
    reason = "templates call methods, by reference"
)]

use crate::{
    Frame, Page, Section,
    assets::{self, Asset},
    locale::{Count, Dates, Language, Noun, Words, bytes, decimal, grouped},
    routes,
};
use std::fmt;

/// A page in the making.
pub(crate) struct Context<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) w: &'static Words,
    pub(crate) title: String,
    section: Section,
    dates: Dates,
}

/// Entry of a navigation.
pub(crate) struct Entry {
    pub(crate) label: &'static str,
    pub(crate) href: &'static str,
    pub(crate) is_current: bool,
}

/// A moment for readers and machines, as an element: it holds no text that anybody else wrote.
pub(crate) struct Time {
    iso: String,
    told: String,
    exact: String,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { iso, told, exact } = self;
        write!(f, "<time datetime=\"{iso}\" title=\"{exact}\">{told}</time>")
    }
}

impl<'a> Context<'a> {
    pub(crate) fn of(frame: &'a Frame, page: &impl Page) -> Self {
        let w = frame.language.words();
        let zone = page.time_zone().filter(|zone| !zone.is_empty()).unwrap_or(&frame.time_zone);
        Self {
            frame,
            w,
            title: page.title(w),
            section: page.section(),
            dates: Dates::new(frame.language, zone),
        }
    }

    pub(crate) const fn dates(&self) -> &Dates {
        &self.dates
    }

    pub(crate) const fn now_ms(&self) -> &i64 {
        &self.frame.now_ms
    }

    pub(crate) const fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    pub(crate) fn style(&self) -> &'static str {
        Asset::path_of(assets::STYLE)
    }

    pub(crate) fn script(&self) -> &'static str {
        Asset::path_of(assets::SCRIPT)
    }

    pub(crate) fn icon(&self) -> &'static str {
        Asset::path_of(assets::ICON)
    }

    /// Whether the operator's navigation is shown.
    pub(crate) fn is_operating(&self) -> bool {
        let is_there = !matches!(self.section, Section::None | Section::Groups | Section::Search);
        is_there && self.operator_home().is_some()
    }

    /// The first of the operator's pages that are offered.
    pub(crate) fn operator_home(&self) -> Option<&'static str> {
        self.operator_entries().first().map(|entry| entry.href)
    }

    pub(crate) fn is_reading(&self) -> bool {
        self.section == Section::Groups
    }

    pub(crate) fn operator_entries(&self) -> Vec<Entry> {
        let w = self.w;
        let entries = [
            (Section::Map, w.map, routes::MAP),
            (Section::Windows, w.windows, routes::WINDOWS),
            (Section::Letters, w.letters, routes::LETTERS),
            (Section::Deliveries, w.deliveries, routes::DELIVERIES),
            (Section::Transactions, w.transactions, routes::TRANSACTIONS),
            (Section::Positions, w.positions, routes::POSITIONS),
            (Section::Schemas, w.schemas, routes::SCHEMAS),
            (Section::Cost, w.cost, routes::COST),
            (Section::Audit, w.audit, routes::AUDIT),
        ];
        let is_offered = |section: &Section| match section {
            Section::Cost | Section::Audit => self.frame.may_administer,
            _ => self.frame.may_operate,
        };
        let entry = |(section, label, href)| Entry { label, href, is_current: section == self.section };
        entries.into_iter().filter(|(section, ..)| is_offered(section)).map(entry).collect()
    }

    pub(crate) fn number(&self, number: impl Count) -> String {
        grouped(self.frame.language, number.whole())
    }

    /// `12 messages`.
    pub(crate) fn count(&self, number: impl Count, noun: &Noun) -> String {
        let whole = number.whole();
        let form = self.frame.language.form(whole.unsigned_abs());
        format!("{}\u{a0}{}", grouped(self.frame.language, whole), noun[form])
    }

    /// `0.87`.
    pub(crate) fn score(&self, score: &f64) -> String {
        decimal(self.frame.language, *score, 2)
    }

    /// A share as `42 %`.
    pub(crate) fn percent(&self, share: f64) -> String {
        let space = if self.frame.language == Language::Russian { "\u{a0}" } else { "" };
        format!("{}{space}%", decimal(self.frame.language, share.clamp(0.0, 1.0) * 100.0, 0))
    }

    pub(crate) fn share(&self, share: &f64) -> String {
        self.percent(*share)
    }

    /// `12.5 a second`.
    pub(crate) fn rate(&self, per_second: &f64) -> String {
        let decimals = usize::from(per_second.abs() < 10.0);
        format!("{}{}", decimal(self.frame.language, *per_second, decimals), self.w.per_second)
    }

    pub(crate) fn size(&self, count: impl Count) -> String {
        bytes(self.frame.language, count.whole())
    }

    pub(crate) fn span(&self, seconds: &f64) -> String {
        self.dates.span(*seconds)
    }

    pub(crate) fn when(&self, ms: &i64) -> Time {
        self.time(*ms, self.dates.when(*ms))
    }

    pub(crate) fn clock(&self, ms: &i64) -> Time {
        self.time(*ms, self.dates.clock(*ms))
    }

    pub(crate) fn exact(&self, ms: &i64) -> Time {
        self.time(*ms, self.dates.exact_clock(*ms))
    }

    /// How long ago; the date where that is to come.
    pub(crate) fn ago(&self, ms: &i64) -> Time {
        let told = self.dates.ago(*ms, self.frame.now_ms).unwrap_or_else(|| self.dates.when(*ms));
        self.time(*ms, told)
    }

    fn time(&self, ms: i64, told: String) -> Time {
        let exact =
            format!("{}, {}", self.dates.date(self.dates.zoned(ms).date()), self.dates.exact_clock(ms));
        Time { iso: Dates::iso(ms), told, exact }
    }

    pub(crate) fn period(&self, start_ms: &i64, end_ms: &i64) -> String {
        self.dates.period(*start_ms, *end_ms)
    }

    pub(crate) fn zone(&self) -> &str {
        self.dates.zone_name()
    }

    /// A reason, state or role of an event in words; what no version knows stays as it is.
    pub(crate) fn named<'t>(&self, name: &'t str) -> &'t str {
        self.w.named(name).unwrap_or(name)
    }

    /// How a state of an event is coloured.
    pub(crate) fn tone(&self, state: &str) -> &'static str {
        match state {
            "sent" | "success" | "replayed" | "ok" | "delivered" | "COMMIT" => "good",
            "failed" | "disabled" | "fallback" | "ABORT" => "bad",
            "unknown" | "open" | "blocked" | "degraded" | "retry" | "sending" => "warn",
            _ => "plain",
        }
    }

    pub(crate) fn group(&self, group_id: &str) -> String {
        routes::group(group_id)
    }

    pub(crate) fn mood(&self, group_id: &str) -> String {
        routes::mood(group_id)
    }

    pub(crate) fn away(&self, group_id: &str) -> String {
        routes::away(group_id)
    }

    pub(crate) fn digest(&self, digest_id: &str) -> String {
        routes::digest(digest_id)
    }

    pub(crate) fn versions(&self, digest_id: &str) -> String {
        routes::versions(digest_id)
    }

    pub(crate) fn trace(&self, id: &str) -> String {
        routes::trace(id)
    }

    pub(crate) fn message(&self, group_id: &str, message_id: &i64) -> String {
        routes::message(group_id, *message_id)
    }

    pub(crate) fn letter_kind(&self, fingerprint: &str) -> String {
        routes::letter_kind(fingerprint)
    }

    pub(crate) fn letter(&self, place: &str) -> String {
        routes::letter(place)
    }

    pub(crate) fn replay(&self, fingerprint: &str) -> String {
        routes::replay(fingerprint)
    }
}
