//! One Kafka node, broker and controller in one process. Frugal: a development stack shares its machine with a build.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use crate::Error;
use crate::error::at;
use crate::files::{absent_is_fine, write_atomically, write_private};
use crate::layout::DataDir;
use crate::part::Part;
use crate::probe::Peers;
use crate::process::Launch;
use crate::progress::Reporter;
use crate::secure::{ADMIN, Secure};
use crate::software::Software;
use crate::tool;

/// Without the broker's 300 lines of configuration at each start, which are in `server.properties` as far as they
/// differ from Kafka's defaults.
const LOG4J: &str = "\
status=warn
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{yyyy-MM-dd HH:mm:ss,SSS} %p %m (%c{1})%n%throwable
rootLogger.level=info
rootLogger.appenderRef.out.ref=out
logger.config.name=org.apache.kafka.common.config.AbstractConfig
logger.config.level=warn
";

/// Flags of every JVM here. C1 alone starts sooner, uses less memory, and cost a broker under load no throughput when
/// measured; the class data archive, which the first orderly stop writes, halves the start.
pub(crate) fn jvm_flags(heap: &str, software: &Software, part: Part) -> Vec<OsString> {
    let mut archive = OsString::from("-XX:SharedArchiveFile=");
    archive.push(software.jvm.join(format!("{part}.jsa")));
    let flags =
        ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError"];
    let mut all: Vec<OsString> = vec![format!("-Xmx{heap}").into()];
    all.extend(flags.map(Into::into));
    all.extend(["-XX:+AutoCreateSharedArchive".into(), archive]);
    all
}

/// The broker's configuration. Paths are relative to the data directory, where the broker is started.
fn properties(peers: Peers<'_>) -> String {
    let (broker, controller) = (peers.ports.kafka(), peers.ports.controller());
    let protocol = if peers.secure.is_some() { "SASL_SSL" } else { "PLAINTEXT" };
    let log_in = peers.secure.map_or_else(String::new, log_in);
    let by_certificate = |_| format!(",SSL://127.0.0.1:{}", peers.ports.kafka_by_certificate());
    let more = peers.secure.map_or_else(String::new, by_certificate);
    format!(
        "\
# Written at every start; changes made here are lost.
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners={protocol}://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}{more}
advertised.listeners={protocol}://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}{more}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:{protocol},{protocol}:{protocol},SSL:SSL
log.dirs=kafka/data
{log_in}

# Topics are made by `gistmill topology apply`, never by a typing error.
auto.create.topics.enable=false
# A message carries at most a whole window's context.
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
# A year: a group that rests for a week keeps its place.
offsets.retention.minutes=525600

# One node.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=8
group.initial.rebalance.delay.ms=0

# Frugal: a quarter of the default memory for compaction, fewer threads, fewer idle wake-ups.
log.cleaner.dedupe.buffer.size=33554432
num.network.threads=2
num.io.threads=4
metadata.max.idle.interval.ms=5000
"
    )
}

/// Log-in by password over TLS, with a certificate of the client's besides, or by a certificate alone, whose common name
/// is the user; and an authorizer that allows nothing but to the administrator, whom broker and controller log in as, too.
fn log_in(secure: &Secure) -> String {
    let (password, broker, authority) =
        (secure.admin_password(), secure.file("broker.pem"), secure.file("ca.pem"));
    let module = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{ADMIN}\" \
         password=\"{password}\" user_{ADMIN}=\"{password}\";"
    );
    format!(
        "
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={module}
listener.name.sasl_ssl.plain.sasl.jaas.config={module}
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={SCRAM}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={SCRAM}
ssl.keystore.type=PEM
ssl.keystore.location={broker}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.sasl_ssl.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
listener.name.ssl.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{ADMIN}
"
    )
}

const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required;";

/// Writes the configuration and, the first time, formats the log directory.
pub(crate) fn prepare(
    directory: &DataDir,
    peers: Peers<'_>,
    software: &Software,
    reporter: &Reporter,
) -> Result<(), Error> {
    let kafka = directory.kafka();
    write_private(&kafka.join("server.properties"), properties(peers).as_bytes())?;
    write_atomically(&kafka.join("log4j2.properties"), LOG4J.as_bytes())?;
    let formatted = kafka.join("formatted");
    if formatted.exists() {
        return Ok(());
    }
    reporter.say(Part::Kafka.name(), "formatting its log directory …");
    let data = kafka.join("data");
    absent_is_fine(fs::remove_dir_all(&data)).map_err(at("delete", &data))?;
    let mut format = Command::new(&software.java);
    format.current_dir(directory.root()).args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
    format.args(class_path(software)).arg("kafka.tools.StorageTool");
    format.args([
        "format",
        "--standalone",
        "--config",
        "kafka/server.properties",
        "--cluster-id",
        &cluster_id()?,
    ]);
    tool::run("format Kafka's log directory", &mut format, &kafka, reporter)?;
    write_atomically(&formatted, b"")
}

fn class_path(software: &Software) -> [OsString; 3] {
    let jars = software.jvm.join("kafka").join("*");
    ["-Dlog4j2.configurationFile=kafka/log4j2.properties".into(), "-cp".into(), jars.into()]
}

/// The broker, to be started after [`prepare`].
pub(crate) fn launch(directory: &DataDir, software: &Software) -> Launch {
    let mut arguments = jvm_flags("512m", software, Part::Kafka);
    arguments.extend(class_path(software));
    arguments.extend(["kafka.Kafka".into(), "kafka/server.properties".into()]);
    Launch {
        program: software.java.clone(),
        arguments,
        environment: vec![("TZ", "UTC".to_owned())],
        directory: directory.root().to_owned(),
        log: directory.log(Part::Kafka),
        account: None,
    }
}

/// A random cluster id: a stack that was reset is another cluster to everyone who remembers the old one.
fn cluster_id() -> Result<String, Error> {
    let path = "/proc/sys/kernel/random/uuid";
    let uuid = fs::read_to_string(path).map_err(at("read", path.as_ref()))?;
    let digits: Vec<u8> =
        uuid.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    let mut bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    // Kafka refuses an id that begins with a dash, which would need the highest bit.
    bytes.iter_mut().take(1).for_each(|byte| *byte &= 0x7f);
    Ok(base64_url(&bytes))
}

/// The alphabet of RFC 4648 §5 without padding, as Kafka writes ids.
fn base64_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        let digits = (0..=chunk.len()).map(move |at| ALPHABET[(bits >> (18 - 6 * at) & 63) as usize] as char);
        digits.collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::part::Ports;

    fn parsed(text: &str) -> BTreeMap<&str, &str> {
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
    }

    #[test]
    fn every_listener_is_on_the_loopback_address() -> Result<(), Error> {
        let text = properties(Peers { ports: Ports::from_base(4000)?, secure: None });
        let properties = parsed(&text);
        assert_eq!(properties["listeners"], "PLAINTEXT://127.0.0.1:4000,CONTROLLER://127.0.0.1:4001");
        assert_eq!(properties["controller.quorum.bootstrap.servers"], "127.0.0.1:4001");
        assert!(!text.contains("//:") && !text.contains("0.0.0.0"));
        Ok(())
    }

    #[test]
    fn no_property_is_set_twice_and_internal_topics_fit_one_node() -> Result<(), Error> {
        let text = properties(Peers { ports: Ports::from_base(4000)?, secure: None });
        let properties = parsed(&text);
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(properties.len(), lines);
        for (name, value) in &properties {
            if name.ends_with("replication.factor") || name.ends_with("min.isr") {
                assert_eq!(*value, "1", "{name}");
            }
        }
        Ok(())
    }

    #[test]
    fn ids_are_written_as_kafka_writes_them() -> Result<(), Error> {
        assert_eq!(base64_url(b"3x78EA5705236Cb"), "M3g3OEVBNTcwNTIzNkNi");
        assert_eq!(base64_url(&[0xfb, 0xff]), "-_8");
        assert_eq!(base64_url(b""), "");
        let id = cluster_id()?;
        assert_eq!(id.len(), 22);
        assert_ne!(id, cluster_id()?);
        Ok(())
    }
}
