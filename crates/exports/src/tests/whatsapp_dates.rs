//! Day or month first: decided from the whole file, or asked for.

use super::support::{chat, folder, ordered, read, read_at, refusal};
use crate::DateOrder;
use ingest::date::Zone;

fn days(days: &[&str]) -> String {
    days.iter().map(|day| format!("{day}, 10:00 - Ann: hi\n")).collect::<Vec<_>>().concat()
}

#[test]
fn one_date_decides_for_all() {
    let read = chat(&days(&["1/2/24", "3/2/24", "14/2/24"]));
    assert_eq!(read.times()[0], "2024-02-01T10:00:00Z");
    let read = chat(&days(&["1/2/24", "1/3/24", "1/14/24"]));
    assert_eq!(read.times()[0], "2024-01-02T10:00:00Z");
}

#[test]
fn dates_that_would_run_back_decide() {
    let read = chat(&days(&["1/2/24", "2/2/24", "1/3/24", "2/3/24", "1/4/24"]));
    assert_eq!(read.times()[0], "2024-02-01T10:00:00Z");
    assert!(read.export.notes()[1].contains("the other way the dates would run back"));
    let read = chat(&days(&["23/12/30", "23/12/31", "24/1/1"]));
    assert_eq!(read.times()[0], "2023-12-30T10:00:00Z");
}

#[test]
fn dates_that_can_be_read_both_ways_are_refused_until_it_is_said() {
    let text = days(&["01/02/24", "01/02/24", "02/02/24"]);
    let said = refusal("a.txt", text.as_bytes());
    assert!(said.contains("such as 01/02/24") && said.contains("--date-order dmy, mdy or ymd"), "{said}");
    let folder = folder(&[("a.txt", text.as_bytes())]);
    let path = folder.path().join("a.txt");
    let first = |order| read_at(&path, &ordered(order), "UTC").expect("readable");
    assert_eq!(first(DateOrder::DayMonthYear).times()[0], "2024-02-01T10:00:00Z");
    assert_eq!(first(DateOrder::MonthDayYear).times()[0], "2024-01-02T10:00:00Z");
    let [day, month] =
        [DateOrder::DayMonthYear, DateOrder::MonthDayYear].map(|order| first(order).export.identity);
    assert_ne!(day, month, "each is an import of its own");
}

#[test]
fn an_order_that_a_date_contradicts_is_refused() {
    let text = days(&["01/02/24", "14/02/24"]);
    let folder = folder(&[("a.txt", text.as_bytes())]);
    let error =
        read_at(&folder.path().join("a.txt"), &ordered(DateOrder::MonthDayYear), "UTC").expect_err("no");
    assert!(error.to_string().contains("not month, day, year (line 2: 14/02/24"), "{error}");
    let said = refusal("a.txt", days(&["14/02/24", "02/14/24"]).as_bytes());
    assert!(said.contains("no order fits every date"), "{said}");
}

#[test]
fn lines_out_of_order_are_kept() {
    let read = chat(&days(&["15.01.24", "14.01.24", "15.01.24"]));
    assert_eq!(read.times()[1], "2024-01-14T10:00:00Z");
    assert_eq!(read.messages.len(), 3);
}

#[test]
fn times_are_local_and_one_minute_keeps_its_order() {
    let text = "13.01.24, 10:00 - Ann: a\n13.01.24, 10:00 - Bob: b\n13.01.24, 10:00 - Ann: c\n31.03.24, 02:30 - Ann: d\n";
    let folder = folder(&[("a.txt", text.as_bytes())]);
    let read =
        read_at(&folder.path().join("a.txt"), &crate::Choice::default(), "Europe/Berlin").expect("readable");
    assert_eq!(
        read.times(),
        [
            "2024-01-13T09:00:00Z",
            "2024-01-13T09:00:00.001Z",
            "2024-01-13T09:00:00.002Z",
            "2024-03-31T01:30:00Z"
        ]
    );
    assert_eq!(read.zones, [Zone::Assumed; 4]);
}

#[test]
fn a_single_message_may_be_large_but_not_without_end() {
    let large = format!("13.01.24, 10:00 - Ann: {}\n13.01.24, 10:01 - Bob: hi\n", "long\n".repeat(300_000));
    let read = read("a.txt", large.as_bytes()).expect("readable");
    assert_eq!((read.lines(), read.skipped("too_large")), (vec!["Bob: hi".to_owned()], 1));
    let endless = format!("13.01.24, 10:00 - Ann: {}\n", "x".repeat(17 * 1024 * 1024));
    assert!(refusal("a.txt", endless.as_bytes()).contains("a single message of more than 16 MiB"));
}
