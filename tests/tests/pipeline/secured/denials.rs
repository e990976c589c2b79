//! Each wrong credential, and the sentence that names it with the setting to look at.

use super::{OPERATOR, PIPELINE, Trial, says};
use std::{fs::OpenOptions, io::Write, path::PathBuf};
use tests::{Properties, free_port};

/// A password that is none; not to be told either.
pub(super) const WRONG: &str = "not;the@password%";
/// How it stands in an address.
const WRONG_IN_URL: &str = "not%3Bthe%40password%25";

/// A command, with what is wrong, and what it says.
struct Denial<'a> {
    what: &'a str,
    arguments: &'a [&'a str],
    variables: Vec<(&'a str, String)>,
    said: &'a [&'a str],
}

impl Denial<'_> {
    /// The command fails and says so; what it says goes to a file that is searched for secrets.
    fn is_named(&self, trial: &Trial<'_>) -> anyhow::Result<()> {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = trial.pipeline.output(self.arguments, &variables)?;
        let said = String::from_utf8_lossy(&output.stderr);
        let file = trial.pipeline.directory().join("commands.log");
        let mut told = OpenOptions::new().create(true).append(true).open(file)?;
        writeln!(told, "{said}{}", String::from_utf8_lossy(&output.stdout))?;
        eprintln!("$ gistmill {}   # {}\n{}", self.arguments.join(" "), self.what, said.trim_end());
        assert!(!output.status.success(), "{}: it succeeds", self.what);
        for words in self.said {
            assert!(said.contains(words), "{}: {words:?} is not in {said:?}", self.what);
        }
        assert!(!said.contains("gistmill stack up"), "{}: it is told as an outage: {said}", self.what);
        Ok(())
    }
}

/// The certificate of an authority that has signed nothing.
fn other_authority(trial: &Trial<'_>) -> anyhow::Result<PathBuf> {
    let path = trial.pipeline.directory().join("other.pem");
    std::fs::write(&path, stack::secure::Authority::new("another")?.pem()?)?;
    Ok(path)
}

fn with<'a>(properties: &Properties) -> Vec<(&'a str, String)> {
    vec![("GISTMILL_KAFKA__PROPERTIES", properties.text())]
}

/// Who the client is, and how it says so.
pub(super) fn kafka_log_in(trial: &Trial<'_>) -> anyhow::Result<()> {
    let good = trial.secured.properties(OPERATOR)?;
    let administrator = trial.secured.administrator()?.with("sasl.password", WRONG);
    let cases: [(&str, Properties, &[&str]); 6] = [
        (
            "wrong password, SCRAM",
            good.clone().with("sasl.password", WRONG),
            &[
                "refused the log-in of user \"operator\" by SCRAM-SHA-256: ",
                "; check sasl.username, sasl.password",
            ],
        ),
        ("wrong password, PLAIN", administrator, &["refused the log-in of user \"admin\" by PLAIN: "]),
        (
            "no client certificate",
            good.clone().without("ssl.certificate").without("ssl.key"),
            &["did not accept this client's certificate: ", "check ssl.certificate.location (not set)"],
        ),
        (
            "wrong passphrase",
            good.clone().with("ssl.key.password", WRONG),
            &["ssl.key.location failed", "is ssl.key.password the passphrase of that key?"],
        ),
        (
            "no log-in",
            good.clone().with("security.protocol", "SSL"),
            &[
                "closed the connection at the first request, as one does that expects a log-in; set security.protocol",
            ],
        ),
        (
            "a mistyped name",
            good.without("sasl.password").with("sasl.passwrod", WRONG),
            &["librdkafka has no property \"sasl.passwrod\": correct its name in kafka.properties"],
        ),
    ];
    for (what, properties, said) in cases {
        Denial { what, arguments: &["lag"], variables: with(&properties), said }.is_named(trial)?;
    }
    Ok(())
}

/// Who the broker is.
pub(super) fn kafka_certificate(trial: &Trial<'_>) -> anyhow::Result<()> {
    let good = trial.secured.properties(OPERATOR)?;
    let other = other_authority(trial)?.display().to_string();
    let (expired, _) = trial.secured.expired();
    let port = trial.pipeline.stack.brokers.rsplit(':').next().unwrap_or_default().to_owned();
    let brokers = |address: String| vec![("GISTMILL_KAFKA__BROKERS", address)];
    let plaintext = good.clone().without("").with("security.protocol", "PLAINTEXT");
    let cases: [(&str, Vec<_>, &[&str]); 4] = [
        (
            "wrong authority",
            with(&good.with("ssl.ca.location", &other)),
            &["an authority that is not trusted here, \"gistmill stack\"; set ssl.ca.location in", &other],
        ),
        (
            "wrong host name",
            brokers(format!("localhost:{port}")),
            &["the certificate of kafka at localhost:", "is not for that host name but for 127.0.0.1; name"],
        ),
        (
            "expired certificate",
            brokers(expired.to_string()),
            &["has expired on Jan  2 00:00:00 2020 GMT; renew it on the server"],
        ),
        (
            "no TLS",
            with(&plaintext),
            &["speaks TLS, and this client does not; set security.protocol in kafka.properties to"],
        ),
    ];
    for (what, variables, said) in cases {
        Denial { what, arguments: &["lag"], variables, said }.is_named(trial)?;
    }
    Ok(())
}

pub(super) fn postgres(trial: &Trial<'_>) -> anyhow::Result<()> {
    let other = other_authority(trial)?;
    let (_, expired) = trial.secured.expired();
    let good = trial.pipeline.stack.postgres_url.clone();
    let authority = trial.secured.authority();
    let (_, password) = good.split_once("gistmill_app:").unwrap_or_default();
    let wrong = good.replacen(password.split('@').next().unwrap_or_default(), WRONG_IN_URL, 1);
    let at = good.rsplit('@').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let named = at.replace("127.0.0.1", "localhost");
    let open = good.split('?').next().unwrap_or_default();
    let cases: [(&str, String, &[&str]); 5] = [
        (
            "wrong password",
            wrong,
            &[
                "refused the log-in: password authentication failed for user \"gistmill_app\"",
                "in postgres.url",
            ],
        ),
        (
            "wrong authority",
            trial.secured.encrypted(&good, at, &other),
            &[
                "postgres at",
                "signed by an authority that is not trusted here; set sslrootcert in postgres.url",
            ],
        ),
        (
            "wrong host name",
            trial.secured.encrypted(&good, named, &authority),
            &["the certificate of postgres at localhost:", "is not for that host name but for 127.0.0.1"],
        ),
        (
            "expired certificate",
            trial.secured.encrypted(&good, expired, &authority),
            &[
                "the certificate of postgres at",
                "has expired on 2020-01-02T00:00:00Z; renew it on the server",
            ],
        ),
        ("no address", open.replace("postgres://", "pg://"), &["postgres.url: expected postgres://"]),
    ];
    for (what, url, said) in cases {
        let variables = vec![("GISTMILL_POSTGRES__URL", url)];
        Denial { what, arguments: &["digest", "ls", "--tenant", "acme"], variables, said }.is_named(trial)?;
    }
    Ok(())
}

pub(super) fn registry(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.acts_with(&trial.secured.administrator()?);
    let other = other_authority(trial)?.display().to_string();
    let (expired, _) = trial.secured.expired();
    let localhost = trial.pipeline.stack.registry_url.replace("127.0.0.1", "localhost");
    let cases: [(&str, (&str, String), &[&str]); 4] = [
        (
            "wrong password",
            ("GISTMILL_REGISTRY__PASSWORD", WRONG.to_owned()),
            &["refused the log-in of user \"admin\"", "check registry.username and registry.password"],
        ),
        (
            "wrong authority",
            ("GISTMILL_REGISTRY__CA_LOCATION", other),
            &[
                "the schema registry at",
                "set registry.ca_location to the certificate of its authority (it is /",
            ],
        ),
        (
            "wrong host name",
            ("GISTMILL_REGISTRY__URL", localhost),
            &["is not for that host name but for 127.0.0.1; name the server in registry.url"],
        ),
        (
            "expired certificate",
            ("GISTMILL_REGISTRY__URL", format!("https://{expired}/apis/ccompat/v7")),
            &["the certificate of the schema registry at", "has expired on 2020-01-02T00:00:00Z"],
        ),
    ];
    for (what, variable, said) in cases {
        let variables = vec![variable];
        Denial { what, arguments: &["topology", "plan"], variables, said }.is_named(trial)?;
    }
    Ok(())
}

/// What a unit is refused is told by its readiness and its log, and it waits.
pub(super) fn of_a_unit(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let wrong = trial.secured.properties(PIPELINE)?.with("sasl.password", WRONG);
    trial.acts_with(&wrong);
    let port = free_port()?;
    let listen = format!("127.0.0.1:{port}");
    let unit =
        trial.pipeline.spawn("refused", &["run", "segmenter"], &[("GISTMILL_HTTP__LISTEN", &listen)])?;
    let words = [
        "refused the log-in of user \"pipeline\" by SCRAM-SHA-512: ",
        "; check sasl.username, sasl.password",
    ];
    says(&unit, port, &words)?;
    unit.kill()
}
