//! Three processes with every unit each: joined, stopped and killed in mid-stream, they change nothing and live.

use crate::undisturbed::{export, undisturbed};
use std::time::Duration;
use tests::{
    Isolation, PATIENCE, Pipeline, Process, Readiness, assert_equal, assert_once, eventually, free_port,
    read, settle_within,
};

/// A killed instance's transactions are open until they time out.
const LONG: Duration = Duration::from_mins(3);
const SOURCE: &str = "postgres_outbox_source";

struct Instance {
    process: Process,
    port: u16,
}

impl Instance {
    fn start(pipeline: &Pipeline, name: &str) -> anyhow::Result<Self> {
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let variables = [("GISTMILL_INSTANCE", name), ("GISTMILL_HTTP__LISTEN", &*listen)];
        Ok(Self { process: pipeline.spawn(&format!("up-{name}"), &["up"], &variables)?, port })
    }

    /// What it says once it is ready.
    fn readiness(&self) -> anyhow::Result<Readiness> {
        eventually(&format!("{} is ready", self.process.name()), LONG, || {
            Ok(Readiness::at(self.port)?.filter(|found| found.is_ready))
        })
    }

    fn publishes(&self) -> anyhow::Result<bool> {
        let readiness = self.readiness()?;
        let state = readiness.of(SOURCE);
        assert!(state == "ready" || state.starts_with("standing by: another process reads"), "{state}");
        Ok(state == "ready")
    }
}

/// The one instance that publishes the outbox; the others stand by.
fn publisher(instances: &[Instance]) -> anyhow::Result<usize> {
    eventually("one of them publishes the outbox", LONG, || {
        let publish: Vec<bool> = instances.iter().map(Instance::publishes).collect::<anyhow::Result<_>>()?;
        let count = publish.iter().filter(|publishes| **publishes).count();
        Ok(publish.iter().position(|publishes| *publishes).filter(|_| count == 1))
    })
}

#[test]
fn three_instances_joined_stopped_and_killed_change_nothing_and_live() -> anyhow::Result<()> {
    let Some(calm) = undisturbed() else { return Ok(()) };
    let Some(pipeline) = Pipeline::start("instances")? else { return Ok(()) };
    let [first, second, third] = &calm.chats[..] else { panic!("three chats") };
    let import = |chat: &tests::Chat| pipeline.import(&chat.write(pipeline.directory())?, &chat.group);
    let mut instances = vec![Instance::start(&pipeline, "a")?];
    instances[0].readiness()?;

    // Two join while the first is at work.
    import(first)?;
    instances.push(Instance::start(&pipeline, "b")?);
    instances.push(Instance::start(&pipeline, "c")?);
    publisher(&instances)?;

    // The one that publishes is killed in mid-stream; the other two bring it to its end.
    import(second)?;
    let killed = instances.swap_remove(publisher(&instances)?);
    let name = killed.process.name().trim_start_matches("up-").to_owned();
    killed.process.kill()?;
    settle_within(&pipeline, &[], LONG)?;
    publisher(&instances)?;
    instances.push(Instance::start(&pipeline, &name)?);

    // The one that took over is stopped in mid-stream.
    import(third)?;
    let stopped = instances.swap_remove(publisher(&instances)?);
    let name = stopped.process.name().trim_start_matches("up-").to_owned();
    stopped.process.stop(PATIENCE)?;
    instances.push(Instance::start(&pipeline, &name)?);
    let live = settle_within(&pipeline, &[], LONG)?;
    publisher(&instances)?;

    let lag: serde_json::Value = serde_json::from_str(&pipeline.gistmill(&["lag", "--json"])?)?;
    let members = |kind: &str| -> Vec<i64> {
        lag[kind].as_array().into_iter().flatten().filter_map(|unit| unit["members"].as_i64()).collect()
    };
    assert_eq!((members("units"), members("outboxes")), (vec![3; 14], vec![3]));
    let doctor = pipeline.gistmill(&["doctor"])?;
    assert!(doctor.contains(&format!("2 standing by for {SOURCE}")), "{doctor}");
    assert_equal(&calm.seen, live.seen());
    let seen = read(&pipeline, Isolation::Committed)?;
    assert_equal(&calm.seen, &seen);
    assert_once(&seen);
    assert_eq!(export(&pipeline)?, calm.export);
    for mut instance in instances {
        assert!(instance.process.is_running()?, "{}", instance.process.log()?);
        instance.process.stop(PATIENCE)?;
    }
    pipeline.finish()
}
