//! Apicurio Registry with its schemas in Postgres, so that schema ids survive a restart.

use std::io;

use crate::Error;
use crate::kafka::jvm_flags;
use crate::layout::DataDir;
use crate::part::{Part, Ports};
use crate::probe::{self, Answer, Peers};
use crate::process::Launch;
use crate::secure::Secure;
use crate::software::Software;

/// Where the Confluent-compatible API begins.
pub(crate) const API: &str = "/apis/ccompat/v7";
/// The global level: every version of a schema must read, and be read by, every other.
const COMPATIBILITY: &str = "FULL_TRANSITIVE";

/// The registry, to be started when Postgres is healthy.
pub(crate) fn launch(directory: &DataDir, peers: Peers<'_>, software: &Software) -> Launch {
    let home = software.jvm.join("registry");
    let mut arguments = jvm_flags("256m", software, Part::Registry);
    arguments.extend(["-jar".into(), home.join("quarkus-run.jar").into()]);
    Launch {
        program: software.java.clone(),
        arguments,
        environment: environment(peers),
        directory: directory.root().to_owned(),
        log: directory.log(Part::Registry),
        account: None,
    }
}

fn environment(peers: Peers<'_>) -> Vec<(&'static str, String)> {
    let Peers { ports, secure } = peers;
    let address = "127.0.0.1".to_owned();
    // Where Postgres trusts the loopback address, the driver still wants something to be set.
    let password = secure.map_or("unused", Secure::registry_database_password);
    let mut environment = vec![
        ("TZ", "UTC".to_owned()),
        ("QUARKUS_HTTP_HOST", address.clone()),
        ("QUARKUS_HTTP_PORT", ports.registry().to_string()),
        ("QUARKUS_MANAGEMENT_HOST", address),
        ("QUARKUS_MANAGEMENT_PORT", ports.registry_management().to_string()),
        ("QUARKUS_HTTP_ACCESS_LOG_ENABLED", "false".to_owned()),
        ("QUARKUS_LOG_CATEGORY__IO_SMALLRYE_HEALTH__LEVEL", "WARN".to_owned()),
        ("APICURIO_STORAGE_KIND", "sql".to_owned()),
        ("APICURIO_STORAGE_SQL_KIND", "postgresql".to_owned()),
        ("APICURIO_DATASOURCE_URL", format!("jdbc:postgresql://127.0.0.1:{}/registry", ports.postgres())),
        ("APICURIO_DATASOURCE_USERNAME", "registry".to_owned()),
        ("APICURIO_DATASOURCE_PASSWORD", password.to_owned()),
    ];
    environment.extend(secure.into_iter().flat_map(|secure| log_in(ports, secure)));
    environment
}

/// TLS alone on the port, and one user.
fn log_in(ports: Ports, secure: &Secure) -> [(&'static str, String); 10] {
    [
        ("QUARKUS_HTTP_SSL_PORT", ports.registry().to_string()),
        ("QUARKUS_HTTP_INSECURE_REQUESTS", "disabled".to_owned()),
        ("QUARKUS_HTTP_SSL_CERTIFICATE_FILES", secure.file("server.pem")),
        ("QUARKUS_HTTP_SSL_CERTIFICATE_KEY_FILES", secure.file("server.key")),
        ("QUARKUS_HTTP_AUTH_BASIC", "true".to_owned()),
        ("QUARKUS_HTTP_AUTH_PERMISSION_ALL_PATHS", "/apis/*".to_owned()),
        ("QUARKUS_HTTP_AUTH_PERMISSION_ALL_POLICY", "authenticated".to_owned()),
        ("QUARKUS_SECURITY_USERS_EMBEDDED_PLAIN_TEXT", "true".to_owned()),
        // The name in capitals is the user's, `admin`.
        ("QUARKUS_SECURITY_USERS_EMBEDDED_USERS_ADMIN", secure.admin_password().to_owned()),
        ("QUARKUS_SECURITY_USERS_EMBEDDED_ROLES_ADMIN", "sr-admin".to_owned()),
    ]
}

/// Sets the global compatibility level if it is another; a fresh registry checks nothing.
pub(crate) fn enforce_compatibility(peers: Peers<'_>) -> Result<(), Error> {
    let path = format!("{API}/config");
    let ask = |method, json| probe::http(peers.ports.registry(), method, &path, json, peers.secure);
    let set = |answer: &Answer| answer.status == 200 && answer.body.contains(&format!("\"{COMPATIBILITY}\""));
    let refused = |answer: io::Result<Answer>| Error::Registry {
        answer: answer
            .map_or_else(|error| error.to_string(), |answer| format!("{} {}", answer.status, answer.body)),
    };
    if ask("GET", None).is_ok_and(|answer| set(&answer)) {
        return Ok(());
    }
    let body = format!("{{\"compatibility\":\"{COMPATIBILITY}\"}}");
    match ask("PUT", Some(&body)) {
        Ok(answer) if set(&answer) => Ok(()),
        other => Err(refused(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_listeners_and_the_database_are_on_the_loopback_address() -> Result<(), Error> {
        let environment = environment(Peers { ports: Ports::from_base(4000)?, secure: None });
        let value =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert_eq!(value("QUARKUS_HTTP_HOST"), Some("127.0.0.1"));
        assert_eq!(value("QUARKUS_MANAGEMENT_HOST"), Some("127.0.0.1"));
        assert_eq!(value("QUARKUS_MANAGEMENT_PORT"), Some("4003"));
        assert_eq!(value("APICURIO_DATASOURCE_URL"), Some("jdbc:postgresql://127.0.0.1:4004/registry"));
        Ok(())
    }
}
