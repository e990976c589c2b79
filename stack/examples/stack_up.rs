//! Starts the stack in `.stack`, for `make demo`, which builds the rest meanwhile.

use std::{
    io::{Write, stderr},
    process::ExitCode,
};

fn main() -> ExitCode {
    let say = |text: String| drop(writeln!(stderr(), "{text}"));
    let mut progress = |progress: stack::Progress| {
        say(format!(
            "{:>7.1} s  {:<9} {}",
            progress.elapsed.as_secs_f64(),
            progress.subject,
            progress.message
        ));
    };
    match stack::up(&stack::Options::default(), &mut progress) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
