#![allow(missing_docs, dead_code)]
#[path = "../src/agreement.rs"] mod agreement;
#[path = "../src/matching.rs"] mod matching;
fn main() {
    let verbose = std::env::args().nth(1).as_deref() == Some("-v");
    for name in std::env::args().skip(if verbose { 2 } else { 1 }) {
        let messages = evaluation::telegram::load_file(std::path::Path::new(&name)).unwrap();
        let key: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(name.replace(".json", ".key.json")).unwrap()).unwrap();
        let mut gold = std::collections::BTreeMap::new();
        for (n, t) in key["threads"].as_array().unwrap().iter().enumerate() { for id in t["message_ids"].as_array().unwrap() { gold.insert(id.as_i64().unwrap(), n); } }
        let mut days = std::collections::BTreeMap::new();
        for m in messages { days.entry(m.sent_at / 86_400_000).or_insert_with(Vec::new).push(m); }
        let (mut pt, mut ps, mut pp) = (vec![], vec![], vec![]);
        for (d, m) in days {
            let threads = thread_builder::build(&m);
            let segments = segmenter::segment(&m, &threads);
            let topics = topic::find(&m, &segments);
            for (n, t) in threads.threads.iter().enumerate() { for id in &t.message_ids { if let Some(g) = gold.get(id) { pt.push(((d, n), *g)); } } }
            for (n, t) in segments.segments.iter().enumerate() { for id in &t.message_ids { if let Some(g) = gold.get(id) { ps.push(((d, n), *g)); } } }
            for (n, t) in topics.topics.iter().enumerate() { for id in &t.message_ids { if let Some(g) = gold.get(id) { pp.push(((d, n), *g)); } } }
            eprintln!("{name} {d}: {} messages {} threads {} segments {} topics", m.len(), threads.threads.len(), segments.segments.len(), topics.topics.len());
            if verbose { for t in topics.topics { eprintln!("  {:3} seg {:2} thr {:2} | {} | {}", t.message_ids.len(), t.segment_ids.len(), t.thread_ids.len(), t.label, t.keywords[3.min(t.keywords.len())..].join(", ")); } }
        }
        for (what, p) in [("threads", pt), ("segments", ps), ("topics", pp)] {
            let c = agreement::Contingency::of(p);
            eprintln!("{what} against key: 1-1 {:.3} 1-VI {:.3} ARI {:.3}", c.one_to_one(), c.one_minus_vi(), c.adjusted_rand());
        }
    }
}
