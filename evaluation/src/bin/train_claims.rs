//! Writes the weights of decisions and actions: `train_claims <data folder> <folder of labels> <file to write>`.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [data, labels, file] = words.as_slice() else {
        eprintln!("usage: train_claims <data folder> <folder of labels> <file to write>");
        return ExitCode::from(2);
    };
    let trained = match evaluation::training::claims::claims(Path::new(data), Path::new(labels)) {
        Ok(trained) => trained,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    eprint!("{}", trained.figures);
    match std::fs::write(file, trained.weights) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("could not write {file}: {error}");
            ExitCode::FAILURE
        }
    }
}
