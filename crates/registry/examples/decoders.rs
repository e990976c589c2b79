//! Times the decoder of `schemas` beside that of `schema_registry_converter`, on the same record in turn:
//! `cargo run --release -p registry --example decoders [records]`.
//!
//! Invariant: both have the schema before the clock runs, and give the same value. What is told is time on the
//! processor, which does not depend on what else the machine does.

use registry::{Client, RegistrySource};
use schema_registry_converter::async_impl::{avro::AvroDecoder, schema_registry::SrSettings};
use schemas::{Decoder, Encoder, GroupMessageIngested, Record};
use std::{
    error::Error,
    hint::black_box,
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
};

const MESSAGES: &str =
    include_str!("../../../schemas/examples/group.message.ingested.v1/messages_of_an_import.json");
const ROUND: usize = 1000;

/// A registry that gives one schema to whoever asks; its address.
fn registry() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let body = serde_json::json!({ "schema": GroupMessageIngested::AVSC }).to_string();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        listener.incoming().flatten().try_for_each(|mut stream| match stream.read(&mut [0; 4096])? {
            0 => Ok(()),
            _ => stream.write_all(answer.as_bytes()),
        })
    });
    Ok(address)
}

/// Time of this thread on a processor, in ns.
fn cpu_ns() -> Result<u64, Box<dyn Error>> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(times.split_whitespace().next().unwrap_or_default().parse()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000_usize);
    let record: GroupMessageIngested = serde_json::from_str(MESSAGES)?;
    let mut value = Vec::new();
    Encoder::new(1)?.encode(&record, &mut value)?;

    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let address = registry()?;
    let source = RegistrySource::new(Client::new(address.as_str().into())?, server.handle().clone());
    let mut ours = Decoder::<GroupMessageIngested>::new(Arc::new(source));
    let theirs = AvroDecoder::new(SrSettings::new(address));
    // On the thread that is timed.
    let here = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let converted = |value: &[u8]| -> Result<GroupMessageIngested, Box<dyn Error>> {
        Ok(apache_avro::from_value(&here.block_on(theirs.decode(Some(value)))?.value)?)
    };
    assert_eq!(ours.decode(Some(&value))?, record);
    assert_eq!(converted(&value)?, record);

    let mut spent = [0_u64; 2];
    for _ in 0..count / ROUND {
        let began = cpu_ns()?;
        for _ in 0..ROUND {
            black_box(ours.decode(Some(black_box(&value)))?);
        }
        let between = cpu_ns()?;
        for _ in 0..ROUND {
            black_box(converted(black_box(&value))?);
        }
        spent = [spent[0] + between - began, spent[1] + cpu_ns()? - between];
    }
    let [ours, theirs] = spent.map(|ns| ns as f64 / 1e9);
    writeln!(
        std::io::stdout(),
        "{} records of {} messages and {} bytes: schemas {ours:.2} s, schema_registry_converter {theirs:.2} s of \
         processor time, {:.1} times as much",
        count / ROUND * ROUND,
        record.messages.len(),
        value.len(),
        theirs / ours
    )?;
    Ok(())
}
