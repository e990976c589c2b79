//! Why Postgres cannot be reached, or does not let this client in.
//!
//! Invariant: nothing of the address but host, port and the names of its settings is told.

use crate::Error;
use certificate::{Fault, Trust};

/// A connection that did not come about: where it was to lead, and the setting that says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// Host and port.
    pub(crate) address: &'a str,
    /// Such as `postgres.url`.
    pub(crate) setting: &'a str,
}

impl Attempt<'_> {
    /// The error of this attempt.
    pub(crate) fn failed(self, source: sqlx::Error) -> Error {
        match self.denied(&source) {
            Some((finding, advice)) => Error::Denied { finding, advice },
            None if matches!(source, sqlx::Error::Database(_)) => Error::query("connect to postgres")(source),
            None => Error::Unreachable { address: self.address.to_owned(), source: Box::new(source) },
        }
    }

    fn denied(self, source: &sqlx::Error) -> Option<(String, String)> {
        let Self { address, setting } = self;
        let postgres = format!("postgres at {address}");
        if let Some(fault) = Fault::in_causes(source) {
            let trust = format!("sslrootcert in {setting}");
            let trust = Trust { setting: &trust, value: None, address: setting };
            return Some((fault.finding(&postgres), fault.advice(trust)));
        }
        match source {
            sqlx::Error::Database(error) => self.refused(error.code()?.as_ref(), error.message()),
            sqlx::Error::Tls(why) => Some((
                format!("could not agree on TLS with {postgres}: {why}"),
                format!("check sslmode in {setting}"),
            )),
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => Some((
                format!("could not connect to {postgres}: a certificate file is missing"),
                format!("check sslrootcert, sslcert and sslkey in {setting}"),
            )),
            sqlx::Error::Configuration(why) => {
                Some((format!("could not connect to {postgres}: {why}"), format!("check {setting}")))
            }
            _ => None,
        }
    }

    /// By SQLSTATE. Postgres' words name the user, the database and whether TLS was used, never the password.
    fn refused(self, code: &str, said: &str) -> Option<(String, String)> {
        let Self { address, setting } = self;
        let advice = match code {
            "28P01" => format!(
                "check user and password in {setting}; in a password there @ is written %40, : %3A, / %2F, % %25"
            ),
            "28000" => format!(
                "check the user and sslmode in {setting}: 'no encryption' means that the server wants TLS \
                 (sslmode=verify-full)"
            ),
            "3D000" => format!("create the database, or correct its name in {setting}"),
            "42501" => format!("let the user connect to the database, or name another user in {setting}"),
            _ => return None,
        };
        Some((format!("postgres at {address} refused the log-in: {said}"), advice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTEMPT: Attempt<'static> = Attempt { address: "db:5432", setting: "postgres.url" };

    #[test]
    fn a_refused_password_names_the_setting() {
        let (finding, advice) =
            ATTEMPT.refused("28P01", "password authentication failed for user \"a\"").unwrap();
        let expected =
            "postgres at db:5432 refused the log-in: password authentication failed for user \"a\"";
        assert_eq!(finding, expected);
        assert!(advice.starts_with("check user and password in postgres.url; "), "{advice}");
        assert_eq!(ATTEMPT.refused("57P03", "the database system is starting up"), None);
    }

    #[test]
    fn a_server_without_tls_is_told_from_one_that_is_away() {
        let error = ATTEMPT.failed(sqlx::Error::Tls("server does not support TLS".into()));
        let expected = "could not agree on TLS with postgres at db:5432: server does not support TLS; check sslmode \
                        in postgres.url";
        assert_eq!(error.describe(), expected);
        let away = ATTEMPT.failed(sqlx::Error::PoolTimedOut);
        assert!(matches!(away, Error::Unreachable { .. }), "{away}");
    }

    #[test]
    fn a_missing_file_of_certificates_is_no_outage() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = ATTEMPT.failed(sqlx::Error::Io(missing));
        assert!(
            error.describe().ends_with("check sslrootcert, sslcert and sslkey in postgres.url"),
            "{error}"
        );
    }
}
