//! The map drawn.
#![cfg(test)]

use std::collections::BTreeSet;
use topology::{Map, graph, outline, page_with_graph, processors_in_order, text};

fn map() -> Map {
    Map::embedded().expect("the shipped map parses")
}

#[test]
fn processors_come_in_the_order_of_the_flow() {
    let map = map();
    let names: Vec<_> = processors_in_order(&map).iter().map(|processor| processor.name.as_str()).collect();
    let first = ["command_router", "window_builder", "digest_trigger", "context_builder", "thread_builder"];
    assert_eq!(names[..5], first);
    assert_eq!(names.last(), Some(&"delivery_manager"));
    for (at, name) in names.iter().enumerate().skip(1) {
        let input = &map.processor(name).expect("of the map").input;
        let is_before = |writer| names[..at].contains(&writer) || map.connector(writer).is_ok();
        assert!(map.writers(input).all(is_before), "{name} before its input");
    }
}

#[test]
fn the_chart_draws_every_binding_once() {
    let chart = graph(&map());
    let count = |line: &str| chart.lines().filter(|found| found.trim() == line).count();
    assert!(chart.starts_with("flowchart LR\n"));
    assert_eq!(count("m_telegram_export_source --> t_group_message_ingested_v1"), 1);
    assert_eq!(count("t_group_message_ingested_v1 --> m_window_builder"), 1);
    assert_eq!(count("m_window_builder --> t_group_window_ready_v1"), 1);
    assert_eq!(count("processors -. dead letters .-> t_digest_dlq_v1"), 1);
    assert_eq!(count("processors -. started .-> t_digest_stage_started_v1"), 1);
    assert_eq!(count("m_file_sink -. outbox .-> m_postgres_outbox_source"), 1);
    assert!(!chart.contains("m_emotion --> t_digest_dlq_v1"));
}

#[test]
fn the_text_reads_in_the_order_of_the_flow() {
    let text = text(&map());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "telegram_bot_source → group.command.answered.v1, group.message.ingested.v1");
    assert_eq!(lines[1], "telegram_export_source → group.message.ingested.v1");
    assert_eq!(lines[2], "telegram_session_source → group.message.ingested.v1");
    assert_eq!(lines[3], "digest_request_source → digest.generate.requested.v1");
    assert_eq!(lines[6], "group.message.ingested.v1 → window_builder → group.window.ready.v1");
    assert_eq!(
        lines.last(),
        Some(&"digest.blocked.v1, digest.ready_for_delivery.v1 → webhook_sink → postgres_outbox_source")
    );
}

#[test]
fn the_outline_draws_every_arrow_once_in_long_chains() {
    let outline = outline(&map());
    let lines: Vec<_> = outline.lines().collect();
    assert_eq!(lines.len(), 31, "{outline}");
    assert!(lines[1].starts_with("  telegram_bot_source -->|group.message.ingested.v1| command_router"));
    assert!(lines[2].starts_with(
        "  telegram_bot_source -->|group.message.ingested.v1| window_builder -->|group.window.ready.v1| digest_trigger"
    ));
    assert!(lines.contains(&"  telegram_export_source -->|group.message.ingested.v1| window_builder"));
    let both = "-->|digest.blocked.v1<br>digest.ready_for_delivery.v1|";
    assert!(
        lines[1].ends_with(&format!("{both} email_sink -. outbox .-> postgres_outbox_source")),
        "{outline}"
    );
    assert!(lines.contains(&"  digest_trigger -->|digest.blocked.v1| file_sink"));
    assert!(lines.contains(&"  digest_trigger -->|digest.blocked.v1| postgres_sink"));
    for sink in ["file_sink", "postgres_sink", "qdrant_sink", "telegram_sink", "webhook_sink"] {
        assert!(lines.contains(&&*format!("  delivery_manager {both} {sink}")), "{outline}");
    }
    let map = map();
    let pairs: BTreeSet<(&str, &str)> = map
        .topics()
        .flat_map(|topic| {
            map.writers(&topic.name)
                .flat_map(|writer| map.readers(&topic.name).map(move |reader| (writer, reader)))
        })
        .collect();
    assert_eq!(outline.matches("-->").count(), pairs.len());
    assert_eq!(outline.matches("-. outbox .->").count(), 6);
}

#[test]
fn a_page_gets_the_chart_between_its_marks() {
    let map = map();
    let page = page_with_graph("a\n<!-- graph -->\nold\n<!-- /graph -->\nb\n", &map).expect("has marks");
    assert!(page.starts_with("a\n<!-- graph -->\n```mermaid\nflowchart LR\n"));
    assert!(page.ends_with("```\n<!-- /graph -->\nb\n"));
    assert_eq!(page_with_graph(&page, &map).expect("has marks"), page);
    assert_eq!(page_with_graph("no marks", &map), None);
}

#[test]
fn the_architecture_shows_this_map() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md");
    let page = std::fs::read_to_string(path).expect("ARCHITECTURE.md");
    let expected = page_with_graph(&page, &map()).expect("ARCHITECTURE.md has the marks of the graph");
    assert_eq!(page, expected, "run `gistmill topology graph --write ARCHITECTURE.md`");
}
