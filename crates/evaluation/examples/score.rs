//! Prints evaluation tables: `score <data folder> <stage>..`.
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    for stage in &words[1..] {
        match evaluation::run(stage, std::path::Path::new(&words[0])) {
            Ok(report) => {
                for row in report.rows {
                    eprintln!(
                        "{:18} {:24} {:40} {:8.3} {:?}",
                        report.stage, row.dataset, row.metric, row.value, row.baseline
                    );
                }
            }
            Err(error) => eprintln!("{stage}: {error}"),
        }
    }
}
