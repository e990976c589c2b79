//! Which properties may be printed. Invariant: a name that is not known to be harmless is a secret, so that a property
//! of a later librdkafka, or a mistyped one, is never printed.

use rdkafka::ClientConfig;

/// Stands where a secret was.
pub(crate) const REDACTED: &str = "[redacted]";

/// Endings of names whose values are sizes, times and counts.
const HARMLESS_ENDINGS: [&str; 5] = [".ms", ".bytes", ".kbytes", ".messages", ".max"];

/// Other names whose values tell nobody how to log in. A user's name and the paths of files are no secrets: who looks
/// for the reason of a refusal needs them.
const HARMLESS: [&str; 56] = [
    "acks",
    "allow.auto.create.topics",
    "api.version.request",
    "auto.offset.reset",
    "batch.size",
    "bootstrap.servers",
    "broker.address.family",
    "broker.address.ttl",
    "check.crcs",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.level",
    "compression.type",
    "debug",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.metrics.push",
    "enable.partition.eof",
    "enable.sasl.oauthbearer.unsecure.jwt",
    "enable.ssl.certificate.verification",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "https.ca.location",
    "isolation.level",
    "log.connection.close",
    "log_level",
    "max.in.flight",
    "metadata.recovery.strategy",
    "partition.assignment.strategy",
    "partitioner",
    "queue.buffering.backpressure.threshold",
    "retries",
    "sasl.kerberos.keytab",
    "sasl.kerberos.principal",
    "sasl.kerberos.service.name",
    "sasl.mechanism",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.scope",
    "sasl.username",
    "security.protocol",
    "socket.keepalive.enable",
    "socket.max.fails",
    "socket.nagle.disable",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.cipher.suites",
    "ssl.crl.location",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.keystore.location",
    "topic.metadata.refresh.sparse",
    "transactional.id",
];

/// True when a property's value may be printed.
pub(crate) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || HARMLESS_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// `text` without the secrets of `settings`, for what librdkafka says of them.
pub(crate) fn without_secrets(text: &str, settings: &ClientConfig) -> String {
    // The map's own values are sanitised; its names are not.
    #[expect(clippy::disallowed_methods, reason = "names only")]
    let names = settings.config_map();
    let secrets = names.keys().filter(|name| !is_harmless(name)).filter_map(|name| settings.get(name));
    let scrubbed = secrets
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, REDACTED));
    without_quoted_settings(&scrubbed)
}

/// `text` without what librdkafka quotes of `sasl.oauthbearer.config`: the rest from where it stopped understanding it.
pub fn without_quoted_settings(text: &str) -> String {
    const QUOTES_FOLLOW: &str = "beginning at: ";
    match text.split_once(QUOTES_FOLLOW) {
        Some((before, _)) => format!("{before}{QUOTES_FOLLOW}{REDACTED}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_hold_a_secret_is_one() {
        let secrets = [
            "sasl.password",
            "sasl.passwrod",
            "ssl.key.password",
            "ssl.keystore.password",
            "ssl.key.pem",
            "sasl.jaas.config",
            "sasl.oauthbearer.config",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.client.credentials.client.secret",
            "sasl.oauthbearer.assertion.private.key.passphrase",
            "sasl.oauthbearer.token.endpoint.url",
            "sasl.kerberos.kinit.cmd",
            "of.a.later.version",
        ];
        assert_eq!(secrets.into_iter().filter(|name| is_harmless(name)).collect::<Vec<_>>(), [""; 0]);
        assert!(is_harmless("security.protocol") && is_harmless("session.timeout.ms"));
    }

    #[test]
    fn what_librdkafka_says_is_cleared_of_them() {
        let mut settings = ClientConfig::new();
        settings.set("sasl.password", "hunter2").set("client.id", "ann").set("ssl.key.password", "");
        assert_eq!(without_secrets("ann: no hunter2 here", &settings), "ann: no [redacted] here");
        let quoted = "Unrecognized sasl.oauthbearer.config beginning at: principal=ann secret=x";
        let cleared = "Unrecognized sasl.oauthbearer.config beginning at: [redacted]";
        assert_eq!(without_secrets(quoted, &settings), cleared);
    }
}
