//! The map drawn.
#![cfg(test)]

use topology::{Map, graph, outline, page_with_graph, processors_in_order, text};

fn map() -> Map {
    Map::embedded().expect("the shipped map parses")
}

#[test]
fn processors_come_in_the_order_of_the_flow() {
    let map = map();
    let names: Vec<_> = processors_in_order(&map).iter().map(|processor| processor.name.as_str()).collect();
    let before = ["window_builder", "digest_trigger", "context_builder"];
    assert_eq!(names, before.into_iter().chain(schemas::STAGES).collect::<Vec<_>>());
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
    assert_eq!(lines[1], "telegram_export_source → group.message.ingested.v1");
    assert_eq!(lines[2], "group.message.ingested.v1 → window_builder → group.window.ready.v1");
    assert_eq!(
        lines.last(),
        Some(
            &"digest.blocked.v1, group.message.ingested.v1, digest.ready_for_delivery.v1 → postgres_sink → postgres_outbox_source"
        )
    );
}

#[test]
fn the_outline_draws_every_arrow_once_in_long_chains() {
    let outline = outline(&map());
    let lines: Vec<_> = outline.lines().collect();
    assert_eq!(lines.len(), 5, "{outline}");
    assert!(lines[1].starts_with(
        "  telegram_export_source -->|group.message.ingested.v1| window_builder -->|group.window.ready.v1| digest_trigger"
    ));
    assert!(
        lines[1]
            .ends_with("-->|digest.ready_for_delivery.v1| file_sink -. outbox .-> postgres_outbox_source")
    );
    assert!(lines.contains(&"  digest_trigger -->|digest.blocked.v1| postgres_sink"));
    let both = "  delivery_manager -->|digest.blocked.v1<br>digest.ready_for_delivery.v1| postgres_sink";
    assert!(lines.contains(&both), "{outline}");
    assert_eq!(outline.matches("-->").count() + outline.matches("-.").count(), 10 + 3 + 1 + 2);
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
fn the_readme_shows_this_map() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let Ok(page) = std::fs::read_to_string(path) else {
        println!("skipped: there is no README.md yet");
        return;
    };
    let expected = page_with_graph(&page, &map()).expect("README.md has the marks of the graph");
    assert_eq!(page, expected, "run `gistmill topology graph --write README.md`");
}
