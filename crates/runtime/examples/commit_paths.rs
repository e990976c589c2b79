//! Measures three ways to commit a small transaction, one after the other on the same broker: the wrapper's own commit,
//! (A) librdkafka's commit beside a polling thread, (B) polling until nothing is in flight and then the wrapper's.
//!
//! `cargo run -p runtime --example commit_paths -- 127.0.0.1:29090 TOPIC [TRANSACTIONS]`
#![expect(unsafe_code, reason = "path A is a call that the wrapper does not offer")]

use rdkafka::{
    ClientConfig,
    config::FromClientConfig,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use std::{
    error::Error,
    io::Write,
    time::{Duration, Instant},
};

const RECORDS: u32 = 10;
const TIMEOUT: Duration = Duration::from_secs(30);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn settings(brokers: &str, id: &str, linger_ms: &str) -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings
        .set("bootstrap.servers", brokers)
        .set("transactional.id", format!("commit-paths-{id}-{}", std::process::id()))
        .set("linger.ms", linger_ms)
        .set("compression.type", "lz4")
        .set("retry.backoff.ms", "10");
    settings
}

/// Times each transaction from begin to the end of its commit, in ms.
fn time<P: Producer>(
    producer: &P,
    transactions: usize,
    send: impl Fn(&P, u32) -> Outcome<()>,
    commit: impl Fn(&P) -> Outcome<()>,
) -> Outcome<Vec<f64>> {
    producer.init_transactions(TIMEOUT)?;
    let mut times = Vec::with_capacity(transactions);
    for _ in 0..transactions {
        let began = Instant::now();
        producer.begin_transaction()?;
        (0..RECORDS).try_for_each(|record| send(producer, record))?;
        commit(producer)?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

fn quantile(times: &[f64], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or_default()
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let brokers = arguments.next().ok_or("give a broker, such as 127.0.0.1:29090")?;
    let topic = arguments.next().ok_or("give a topic to write to")?;
    let transactions = arguments.next().map_or(Ok(200), |count| count.parse())?;
    let stock = BaseProducer::from_config(&settings(&brokers, "stock", "5"))?;
    let own = BaseProducer::from_config(&settings(&brokers, "own", "0"))?;
    let native: ThreadedProducer<DefaultProducerContext> =
        ThreadedProducer::from_config(&settings(&brokers, "native", "5"))?;
    let mut out = std::io::stdout();
    let base_send = |producer: &BaseProducer, key: u32| -> Outcome<()> {
        let (key, value) = (key.to_le_bytes(), [b'x'; 250]);
        producer
            .send(BaseRecord::to(&topic).key(&key[..]).payload(&value[..]))
            .map_err(|(error, _)| error)?;
        Ok(())
    };
    let results = [
        (
            "wrapper's commit",
            time(&stock, transactions.min(50), base_send, |p| Ok(p.commit_transaction(TIMEOUT)?))?,
        ),
        (
            "A: librdkafka's commit",
            time(
                &native,
                transactions,
                |producer, key| {
                    let (key, value) = (key.to_le_bytes(), [b'x'; 250]);
                    let sent = producer.send(BaseRecord::to(&topic).key(&key[..]).payload(&value[..]));
                    sent.map_err(|(error, _)| error)?;
                    Ok(())
                },
                |producer| {
                    // SAFETY: the pointer is the live client of `producer`; an error is only looked at for null.
                    let error = unsafe {
                        rdkafka_sys::rd_kafka_commit_transaction(producer.client().native_ptr(), 30_000)
                    };
                    if error.is_null() { Ok(()) } else { Err("commit failed".into()) }
                },
            )?,
        ),
        (
            "B: own polling",
            time(&own, transactions, base_send, |producer| {
                while producer.in_flight_count() > 0 {
                    producer.poll(Duration::from_millis(1));
                }
                Ok(producer.commit_transaction(TIMEOUT)?)
            })?,
        ),
    ];
    for (name, times) in results {
        let (p50, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
        writeln!(
            out,
            "{name:24} {} transactions of {RECORDS} records: p50 {p50:.1} ms, p99 {p99:.1} ms",
            times.len()
        )?;
    }
    Ok(())
}
