//! Prints the weights of `segmenter` as Rust: `train_segments <data folder>`.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let Some(data) = std::env::args().nth(1) else {
        eprintln!("usage: train_segments <data folder>");
        return ExitCode::from(2);
    };
    match evaluation::training::segments::segments(Path::new(&data)) {
        Ok(weights) => {
            for weight in weights {
                eprintln!("    {weight:.3},");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
