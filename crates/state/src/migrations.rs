//! The migrations that this version embeds.

use sqlx::migrate::Migrator;

/// In their order.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Number of the newest migration that this version knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}
