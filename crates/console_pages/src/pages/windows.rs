//! Windows that are closed and not delivered, each as far as it has come. Filled by `Store::window_page` and
//! `operate::traces`.

use super::{
    Step,
    trace::{Waterfall, waterfall},
};
use crate::{Page, Section, context::Context, locale::Words};
use serde::{Deserialize, Serialize};

/// A window on its way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    /// Tenant.
    pub tenant_id: String,
    /// Group.
    pub group_id: String,
    /// The window.
    pub window_id: String,
    /// Start of the window in ms.
    pub window_start_ms: i64,
    /// End of the window in ms.
    pub window_end_ms: i64,
    /// Messages in it.
    pub message_count: i32,
    /// Unit that has it before it.
    pub before: String,
    /// What happened until now, in order.
    pub steps: Vec<Step>,
}

/// Windows in flight.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Windows {
    /// Those that have waited longest first.
    pub flights: Vec<Flight>,
    /// How many there are in all.
    pub total: u64,
}

impl Flight {
    fn waterfall(&self, c: &Context<'_>) -> Waterfall<'_> {
        waterfall(&self.steps, Some(*c.now_ms()), c)
    }

    fn period(&self, c: &Context<'_>) -> String {
        c.dates().period(self.window_start_ms, self.window_end_ms)
    }
}

impl Page for Windows {
    fn title(&self, words: &'static Words) -> String {
        words.windows.to_owned()
    }

    fn section(&self) -> Section {
        Section::Windows
    }

    html!(Windows, "windows.html");
}
