//! What can go wrong with Postgres, and whether it may get better by itself.
//!
//! Invariant: an error that another attempt may cure is transient; a record that Postgres refuses and a database that
//! is set up wrongly never are.

use crate::Refusal;
use std::borrow::Cow;

/// Why state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers, or no connection became free in time.
    #[error("could not reach postgres at {address}")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the driver says.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// Postgres answers and does not let this client in.
    #[error("{finding}")]
    Denied {
        /// Who refuses what, and why.
        finding: String,
        /// What to do, and the setting to look at.
        advice: String,
    },
    /// A statement failed.
    #[error("could not {what}")]
    Query {
        /// What was attempted.
        what: &'static str,
        /// What Postgres or the driver says.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// The migrations could not be applied.
    #[error("could not migrate schema {schema}")]
    Migrate {
        /// Schema.
        schema: String,
        /// What went wrong.
        #[source]
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// The address is not one of Postgres.
    #[error("could not read the postgres url: expected postgres://user:password@host:port/database")]
    Url(#[source] Box<sqlx::Error>),
    /// The tables are missing.
    #[error("schema {0} of postgres has no tables of this version: run `gistmill migrate`")]
    NotMigrated(String),
    /// Row-level security would not hold.
    #[error("postgres role {0} bypasses row-level security: connect as a role with NOSUPERUSER NOBYPASSRLS")]
    UnsafeRole(String),
    /// Another holder has claimed the partition.
    #[error("partition was claimed by another instance")]
    Fenced,
    /// The rows come from another Kafka cluster.
    #[error(
        "this database belongs to cluster {owner}, the broker is cluster {found}: \
         connect to the right broker, or give the new cluster another database or prefix"
    )]
    OtherCluster {
        /// Cluster whose records are stored.
        owner: String,
        /// Cluster of the broker.
        found: String,
    },
    /// The server replays another's log: what it has not replayed yet is not there, and nothing can be written.
    #[error(
        "postgres at {address} is a standby: waiting for it to be promoted, or for the primary's address"
    )]
    Standby {
        /// Host and port.
        address: String,
    },
    /// The rows come from a topic of another prefix.
    #[error(
        "this schema holds the records of topic {owner}, not of {found}: give each prefix its own schema"
    )]
    OtherTopic {
        /// Topic whose records are stored.
        owner: String,
        /// Topic read now.
        found: String,
    },
    /// A record that can never be stored.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A stored value is not what this version wrote.
    #[error("could not read stored {what}")]
    Stored {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    pub(crate) fn query(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { what, source: Box::new(source) }
    }

    /// True when the same attempt may succeed later: the connection, the server or another transaction was in the way,
    /// or a password that somebody will correct.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Denied { .. } | Self::Standby { .. } => true,
            Self::Unreachable { source, .. } | Self::Query { source, .. } => is_transient(source),
            Self::Migrate { source, .. } => match source.as_ref() {
                sqlx::migrate::MigrateError::Execute(source) => is_transient(source),
                _ => false,
            },
            _ => false,
        }
    }

    /// True when Postgres refuses the data itself, whoever asks and whenever: a data exception, a violated constraint,
    /// or a value above one of its limits.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Query { source, .. } => {
                sqlstate(source).is_some_and(|code| ["21", "22", "23", "54"].contains(&class(&code)))
            }
            _ => false,
        }
    }

    /// True when what is stored can never be read, whoever asks and whenever.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Stored { .. }) || self.is_refusal()
    }

    /// The message with all its causes and, where there is one, what to do.
    pub fn describe(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text = format!("{text}: {said}");
            }
            cause = error.source();
        }
        match (self, self.advice()) {
            (Self::Denied { advice, .. }, _) => format!("{text}; {advice}"),
            (_, Some(advice)) => format!("{text}; {advice}"),
            _ => text,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        let (Self::Query { source, .. } | Self::Unreachable { source, .. }) = self else { return None };
        match sqlstate(source)?.as_ref() {
            "42P01" | "42703" | "3F000" => Some("run `gistmill migrate`"),
            "42501" => {
                Some("run `gistmill migrate` with the owner's url, and connect as the application role")
            }
            _ => None,
        }
    }
}

fn sqlstate(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

fn class(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(_) => sqlstate(error).is_some_and(|code| is_transient_state(&code)),
        _ => false,
    }
}

/// By SQLSTATE: connection exceptions, rollbacks by conflict, resources, operator intervention (with it the statement
/// timeout), system errors; a lock not had in time, a session ended for being idle, a server that became a standby.
fn is_transient_state(code: &str) -> bool {
    ["08", "40", "53", "57", "58"].contains(&class(code)) || ["55P03", "25P03", "25006"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_stored_wrongly_can_never_be_read() {
        let source = serde_json::from_str::<u8>("x").expect_err("no number");
        assert!(Error::Stored { what: "message", source }.is_unreadable());
        let timeout = Error::query("read")(sqlx::Error::PoolTimedOut);
        assert!(!timeout.is_unreadable() && !Error::NotMigrated("gistmill".to_owned()).is_unreadable());
    }

    #[test]
    fn states_that_pass_are_transient() {
        for code in ["08006", "40001", "40P01", "53300", "53100", "57P01", "57P03", "57014", "55P03", "25006"]
        {
            assert!(is_transient_state(code), "{code}");
        }
        for code in ["22021", "23505", "42P01", "28P01", "3D000", "54000", ""] {
            assert!(!is_transient_state(code), "{code}");
        }
    }

    #[test]
    fn a_lost_connection_is_transient_and_says_where() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = Error::Unreachable {
            address: "127.0.0.1:5432".to_owned(),
            source: Box::new(sqlx::Error::Io(refused)),
        };
        assert!(error.is_transient() && !error.is_refusal());
        assert!(error.describe().starts_with("could not reach postgres at 127.0.0.1:5432: "));
    }
}
