//! Asks the providers of a stage by hand: `cargo run -p llm_client --example ask -- FILE STAGE TEXT`, where the file holds what the
//! section `llm` of the configuration holds.

use llm::{ChatRequest, Turn};
use llm_client::{Client, Unwitnessed};
use std::{error::Error, io::Write, time::Duration};

#[expect(clippy::disallowed_methods, reason = "a program of its own, which reads its keys itself")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    rustls::crypto::aws_lc_rs::default_provider().install_default().map_err(|_| "TLS is set up already")?;
    let [file, stage, text] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "usage: ask FILE STAGE TEXT")?;
    let settings = toml::from_str(&std::fs::read_to_string(file)?)?;
    let client = Client::from_settings(&settings, &variable)?.ok_or("the file has no chain")?;
    let request = ChatRequest {
        system: "Answer briefly.".to_owned(),
        user: vec![Turn::user(text)],
        schema: None,
        max_output_tokens: 500,
        temperature: None,
    };
    let mut out = std::io::stdout().lock();
    let answered = client.complete(&stage, &request, Duration::from_mins(1), &Unwitnessed).await;
    let attempts = match &answered {
        Ok(answered) => &answered.attempts,
        Err(exhausted) => &exhausted.attempts,
    };
    for attempt in attempts {
        let (provider, outcome, usage) = (&attempt.provider, attempt.outcome(), attempt.usage);
        writeln!(out, "{provider}: {outcome}, {usage:?}, {} ms", attempt.duration.as_millis())?;
    }
    writeln!(out, "{}", answered?.completion.text)?;
    Ok(())
}
