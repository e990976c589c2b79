//! What operators change is on record: who, what, of whom; no secret and no id of a person stands there, and nobody changes it.

use crate::models::MASTER;
use serde_json::Value;
use tests::{Pipeline, TENANT};

const KEY: &str = "sk-that-nobody-may-read";

#[test]
fn what_operators_change_is_on_record_by_whom_and_without_secrets() -> anyhow::Result<()> {
    let Some(pipeline) = Pipeline::start("audit")? else { return Ok(()) };
    let group = ["--tenant", TENANT, "--group", "garden"];
    let of_group = |command: &[&'static str], rest: &[&'static str]| {
        [&["--operator", "Ops"], command, &group, rest].concat()
    };
    pipeline.gistmill(&of_group(&["group", "set"], &["--hours", "24"]))?;
    pipeline.gistmill(&of_group(&["group", "set"], &["--hours", "6,24"]))?;
    // What is so already is no change.
    pipeline.gistmill(&of_group(&["group", "set"], &["--hours", "6,24"]))?;
    pipeline.gistmill(&of_group(&["group", "link"], &["--chat", "-1001234567890"]))?;
    let code = pipeline.gistmill(&of_group(&["group", "link"], &["--code"]))?;
    pipeline.gistmill(&["--operator", "Ops", "group", "unlink", "--chat", "-1001234567890"])?;
    let user =
        ["--tenant", TENANT, "--user", "quirina", "--provider", "pro", "--purpose", "digests", "--unchecked"];
    let set = [&["--operator", "Ops", "keys", "set"][..], &user].concat();
    pipeline.feed(&set, &[("GISTMILL_KEYS__MASTER", MASTER)], KEY)?;
    pipeline.gistmill(&["--operator", "Ops", "reset", "topic", "--to", "beginning", "--yes"])?;

    let listed = pipeline.gistmill(&["audit", "ls", "--json"])?;
    let rows: Vec<Value> = listed.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let by_ops: Vec<&Value> = rows.iter().filter(|row| row["actor"] == "Ops").collect();
    let actions: Vec<&str> = by_ops.iter().filter_map(|row| row["action"].as_str()).collect();
    let expected =
        ["group set", "group set", "group link", "group link code", "group unlink", "keys set", "reset"];
    assert_eq!(actions, expected, "{listed}");
    assert_eq!(
        (&by_ops[0]["before"], &by_ops[1]["before"]["window_hours"]),
        (&Value::Null, &by_ops[0]["after"]["window_hours"])
    );
    assert_eq!(by_ops[0]["subject"], "garden");
    let secrets =
        [KEY, MASTER, "quirina"].into_iter().chain(code.split_whitespace().filter(|word| word.len() > 10));
    for secret in secrets {
        assert!(!listed.contains(secret), "{secret}: {listed}");
    }
    // Nothing else is stored of this one.
    pipeline.gistmill(&["group", "set", "--tenant", "solo", "--group", "g", "--hours", "24"])?;
    let all = pipeline.gistmill(&["audit", "ls", "--json"])?;
    assert_eq!(all.lines().filter(|row| row.contains(r#""tenant_id":"solo""#)).count(), 1, "{all}");
    let of_others = pipeline.gistmill(&["audit", "ls", "--tenant", "another", "--json"])?;
    assert_eq!(of_others, "");
    pipeline.finish()
}
