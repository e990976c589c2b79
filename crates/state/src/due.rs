//! A delivery whose time has come.

/// A row of the queue whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Tenant.
    pub tenant_id: String,
    /// Window.
    pub window_id: String,
    /// Channel.
    pub channel: &'static str,
    /// Target.
    pub chat: String,
}
