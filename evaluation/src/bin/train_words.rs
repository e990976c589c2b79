//! Writes the list of everyday stems: `train_words <data folder> ru|en <file to write>`.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [data, language, file] = words.as_slice() else {
        eprintln!("usage: train_words <data folder> ru|en <file to write>");
        return ExitCode::from(2);
    };
    match evaluation::training::words::everyday(Path::new(data), language == "ru") {
        Ok(list) if std::fs::write(file, &list).is_ok() => ExitCode::SUCCESS,
        Ok(_) => failed("could not write the list"),
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
