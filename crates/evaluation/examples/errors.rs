use evaluation::telegram;
use schemas::ContextMessage;
use thread_builder::*;
fn main() {
    let all = telegram::load(std::path::Path::new("/work/shared/data")).unwrap();
    let held = &all[all.len() - all.len() / 5..];
    let hidden: Vec<ContextMessage> = held.iter().map(|m| ContextMessage { reply_to: None, ..m.clone() }).collect();
    let refs: Vec<&ContextMessage> = hidden.iter().collect();
    let mut linker = Linker::new(&refs);
    eprintln!("{:?}", linker.habit());
    let model = Model::trained(linker.habit());
    let place: std::collections::BTreeMap<i64, usize> = held.iter().enumerate().map(|(i, m)| (m.id, i)).collect();
    let mut top = [0; 4]; let mut n = 0; let mut cat = std::collections::BTreeMap::new();
    for (i, m) in held.iter().enumerate() {
        let mut c = linker.candidates();
        let chosen = choose(&model, &c).and_then(|(at, _)| c[at].parent);
        c.retain(|x| x.parent.is_some());
        if let Some(g) = m.reply_to.and_then(|t| place.get(&t)).copied() {
            n += 1;
            let mut s: Vec<(f64, usize)> = c.iter().map(|x| (model.score(&x.features), x.parent.unwrap())).collect();
            s.sort_by(|a, b| b.0.total_cmp(&a.0));
            let rank = s.iter().position(|x| x.1 == g).unwrap_or(99);
            for k in 0..4 { if rank <= k { top[k] += 1 } }
            if rank > 0 && !s.is_empty() {
                let p = s[0].1;
                let same_run = held[p].author_id == held[g].author_id && (p.min(g)..=p.max(g)).all(|k| held[k].author_id == held[g].author_id);
                let k = if rank == 99 { "gold not a candidate" } else if same_run { "same run" } else if held[p].author_id == held[g].author_id { "same author" } else if held[g].author_id == m.author_id { "gold own" } else if p > g { "chose nearer" } else { "chose farther" };
                *cat.entry(k).or_insert(0) += 1;
                if chosen.is_none() { *cat.entry("(also start)").or_insert(0) += 1; }
                if held[g].text.is_empty() { *cat.entry("(gold without text)").or_insert(0) += 1; }
                *cat.entry(if i - g > 10 {"(dist>10)"} else {"(dist<=10)"}).or_insert(0) += 1;
            } else { *cat.entry(if chosen.is_none() {"right but start"} else {"right"}).or_insert(0) += 1; }
        }
        linker.accept(chosen);
    }
    eprintln!("{n} top {:?} {cat:?}", top.map(|t| t as f64 / n as f64));
}
