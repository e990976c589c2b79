//! A unit whose user lacks one permission: topic, group, transactional id.

use super::{Trial, says};
use serde_json::Value;
use tests::{Process, User, free_port};

/// A user that has all of [`UNIT`]'s permissions but one, and what is said of it.
struct Lack {
    user: User<'static>,
    resource: &'static str,
    operation: &'static str,
    said: &'static str,
}

const UNIT: &str = "segmenter";

const fn lack(
    name: &'static str,
    (resource, operation): (&'static str, &'static str),
    said: &'static str,
) -> Lack {
    let user = User { name, password: "l;w@%=3", mechanism: "SCRAM-SHA-512" };
    Lack { user, resource, operation, said }
}

const LACKS: [Lack; 4] = [
    lack("no_input", ("topic", "read"), "could not see topic"),
    lack("no_output", ("topic", "write"), "could not see topic"),
    lack("no_group", ("group", "read"), "GroupAuthorizationFailed"),
    lack("no_id", ("transactional_id", "write"), "could not init transactions"),
];

pub(super) fn each_permission_is_named(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let mut running = Vec::new();
    for lack in &LACKS {
        running.push((lack, started(trial, lack)?));
    }
    for (lack, (process, port)) in running {
        let what = match lack.resource {
            "topic" => "on the topic",
            "group" => "on the consumer group",
            _ => "on the transactional id",
        };
        let missing =
            format!("has no ACL that allows it {what}: `gistmill topology acl` lists those that each unit");
        says(&process, port, &[lack.said, &missing])?;
        process.kill()?;
    }
    Ok(())
}

fn started(trial: &mut Trial<'_>, lack: &Lack) -> anyhow::Result<(Process, u16)> {
    let mut acls = trial.acls_of(|unit| unit == UNIT);
    let needed = acls[UNIT].as_array().map_or(0, Vec::len);
    if let Some(acls) = acls[UNIT].as_array_mut() {
        let is_it = |acl: &Value| acl["resource"] == lack.resource && acl["operation"] == lack.operation;
        acls.retain(|acl| !is_it(acl));
    }
    assert!(
        acls[UNIT].as_array().is_some_and(|left| left.len() < needed),
        "{} lacks something",
        lack.user.name
    );
    trial.secured.allow(lack.user, &acls)?;
    trial.acts_with(&trial.secured.properties(lack.user)?);
    let port = free_port()?;
    let listen = format!("127.0.0.1:{port}");
    let variables = [("GISTMILL_HTTP__LISTEN", listen.as_str()), ("GISTMILL_INSTANCE", lack.user.name)];
    Ok((trial.pipeline.spawn(lack.user.name, &["run", UNIT], &variables)?, port))
}
