//! Trains `thread_builder`: `train_threads <data folder> addressing|replying <epochs> <file to write>`.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [data, habit, epochs, file] = words.as_slice() else {
        eprintln!("usage: train_threads <data folder> addressing|replying <epochs> <file to write>");
        return ExitCode::from(2);
    };
    let epochs = epochs.parse().unwrap_or(6);
    let weights = match habit.as_str() {
        "addressing" => evaluation::training::threads::addressing(Path::new(data), epochs),
        _ => evaluation::training::threads::replying(Path::new(data), epochs),
    };
    let written = weights.map(|weights| std::fs::write(file, weights));
    match written {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error.to_string()),
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
