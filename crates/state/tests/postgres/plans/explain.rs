//! What a plan says of how it reads tables.

use super::filled::TABLES;
use serde_json::Value;

/// Adds how a plan reads tables: index, direction, columns compared; a node without an index by its name.
pub(super) fn collect(plan: &Value, found: &mut Vec<String>) {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    if TABLES.contains(&text("Relation Name")) && text("Node Type") != "ModifyTable" {
        let back = if text("Scan Direction") == "Backward" { " backward" } else { "" };
        found.push(match text("Index Name") {
            "" => format!("{} {}", text("Node Type"), text("Relation Name")),
            index => format!("{index}{back} ({})", columns(text("Index Cond"))),
        });
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        collect(child, found);
    }
}

/// Columns of an index condition such as `((a = $1) AND (ROW(b, c) > ROW($2, $3)))`.
fn columns(condition: &str) -> String {
    let compared = condition.split(" AND ").map(|part| {
        let left = part.trim_start_matches('(').trim_start_matches("ROW(");
        left.split([')', '=', '<', '>']).next().unwrap_or_default().trim()
    });
    compared.collect::<Vec<_>>().join(", ")
}
