//! Three brokers of a test's own, each a controller too, with every partition on all of them: what the death of one of
//! them is to leave untouched.

use crate::{
    health::free_port,
    own_stack::OwnStack,
    patience::{PATIENCE, eventually},
    process::Process,
};
use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
    metadata::{Metadata, MetadataTopic},
};
use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

const COUNT: usize = 3;
const METADATA_WITHIN: Duration = Duration::from_secs(10);
/// Any will do: nobody remembers these brokers.
const CLUSTER_ID: &str = "gistmill-three-brokerA";
/// Small heaps: they share a machine with what they serve.
const JVM: [&str; 3] = ["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/// Three running brokers; killed when dropped.
#[derive(Debug)]
pub struct ThreeBrokers {
    directory: TempDir,
    java: PathBuf,
    class_path: OsString,
    ports: [(u16, u16); COUNT],
    processes: [Option<Process>; COUNT],
}

impl ThreeBrokers {
    /// Starts them with the programs of a running stack.
    ///
    /// # Errors
    /// They do not start.
    pub fn start(own: &OwnStack) -> anyhow::Result<Self> {
        let running = own.pid("kafka")?.as_raw_nonzero();
        let proc = PathBuf::from(format!("/proc/{running}"));
        let java = fs::read_link(proc.join("exe")).context("could not find the broker's program")?;
        let line = fs::read(proc.join("cmdline")).context("could not read the broker's command line")?;
        let mut words = line.split(|byte| *byte == 0).skip_while(|word| *word != b"-cp");
        let class_path = words.nth(1).context("the broker was started without a class path")?;
        let mut ports = [(0, 0); COUNT];
        for pair in &mut ports {
            *pair = (free_port()?, free_port()?);
        }
        let mut brokers = Self {
            directory: tempfile::tempdir().context("could not make a directory")?,
            java,
            class_path: OsString::from_vec(class_path.to_vec()),
            ports,
            processes: [None, None, None],
        };
        for index in 0..COUNT {
            brokers.format(index)?;
        }
        for index in 0..COUNT {
            brokers.restart(index)?;
        }
        eventually("three brokers answer", PATIENCE, || {
            brokers.metadata(|told| told.brokers().len() == COUNT)
        })?;
        Ok(brokers)
    }

    /// All of them, as clients are told.
    pub fn addresses(&self) -> String {
        self.ports.map(|(broker, _)| format!("127.0.0.1:{broker}")).join(",")
    }

    /// How many there are.
    pub const fn count() -> usize {
        COUNT
    }

    /// Kills one with SIGKILL.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self, index: usize) -> anyhow::Result<()> {
        self.processes[index].take().map_or(Ok(()), Process::kill)
    }

    /// Starts one that does not run; it is in sync some seconds later.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn restart(&mut self, index: usize) -> anyhow::Result<()> {
        let mut command = self.java();
        command.arg("kafka.Kafka").arg(self.properties(index));
        self.processes[index] =
            Some(Process::spawn(&format!("broker-{}", index + 1), command, self.directory.path())?);
        Ok(())
    }

    /// Whether each partition has all its replicas in sync, internal topics' too: only then may another one die.
    ///
    /// # Errors
    /// No client can be made.
    pub fn are_in_sync(&self) -> anyhow::Result<bool> {
        let all = |told: &Metadata| {
            told.brokers().len() == COUNT
                && told.topics().iter().flat_map(MetadataTopic::partitions).all(|partition| {
                    partition.isr().len() == partition.replicas().len() && partition.leader() >= 0
                })
        };
        Ok(self.metadata(all)?.is_some())
    }

    fn client(&self) -> anyhow::Result<BaseConsumer> {
        Ok(ClientConfig::new().set("bootstrap.servers", self.addresses()).create()?)
    }

    /// `Some` where a broker answers and says what is waited for.
    fn metadata(&self, is_met: impl Fn(&Metadata) -> bool) -> anyhow::Result<Option<()>> {
        let told = self.client()?.fetch_metadata(None, METADATA_WITHIN);
        Ok(told.is_ok_and(|told| is_met(&told)).then_some(()))
    }

    fn java(&self) -> Command {
        let mut command = Command::new(&self.java);
        command.args(JVM).arg("-cp").arg(&self.class_path).current_dir(self.directory.path());
        command
    }

    fn properties(&self, index: usize) -> PathBuf {
        self.directory.path().join(format!("broker-{}.properties", index + 1))
    }

    fn format(&self, index: usize) -> anyhow::Result<()> {
        fs::write(self.properties(index), properties(index, &self.ports, self.directory.path()))?;
        let mut format = self.java();
        format.args(["kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config"]);
        let output = format.arg(self.properties(index)).output().context("could not run the storage tool")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the storage tool ended with {}: {said}", output.status);
        Ok(())
    }
}

/// Sessions of brokers are short: a test does not wait for the leader of a partition as long as a company may.
fn properties(index: usize, ports: &[(u16, u16); COUNT], directory: &Path) -> String {
    let node = index + 1;
    let (broker, controller) = ports[index];
    let voters: Vec<String> = ports
        .iter()
        .enumerate()
        .map(|(index, (_, controller))| format!("{}@127.0.0.1:{controller}", index + 1))
        .collect();
    format!(
        "\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
unclean.leader.election.enable=false
default.replication.factor=3
min.insync.replicas=2
message.max.bytes=8388608
replica.fetch.max.bytes=8388608
offsets.topic.replication.factor=3
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
transaction.state.log.num.partitions=8
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=500
replica.lag.time.max.ms=10000
log.cleaner.dedupe.buffer.size=33554432
num.network.threads=2
num.io.threads=4
",
        voters = voters.join(","),
        data = directory.join(format!("data-{node}")).display(),
    )
}
