//! A key as somebody gives it. Invariant: it is never an argument, and a terminal does not show it.

use std::io::{self, IsTerminal, Read};

use anyhow::{Context, bail};
use console::Term;
use secrecy::{ExposeSecret, SecretString};

/// Longest key that is taken.
const BYTES_MAX: u64 = 16 << 10;

/// Reads a key from standard input; asks for it where that is a terminal.
pub(super) fn read(provider: &str) -> anyhow::Result<SecretString> {
    let text = if io::stdin().is_terminal() {
        let term = Term::stderr();
        term.write_str(&format!("key for {provider} (it is not shown): "))
            .context("could not ask for the key")?;
        term.read_secure_line().context("could not read the key")?
    } else {
        let mut text = String::new();
        let read = io::stdin().lock().take(BYTES_MAX).read_to_string(&mut text);
        read.context("could not read the key from standard input")?;
        text
    };
    checked(&text.into())
}

/// The key without what is around it.
fn checked(text: &SecretString) -> anyhow::Result<SecretString> {
    let key = text.expose_secret().trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!(
            "could not take the key: expected letters and digits on one line, on standard input or as typed"
        );
    }
    Ok(key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line_of_letters_and_the_error_does_not_hold_it() {
        assert_eq!(checked(&" sk-hunter2\n".into()).unwrap().expose_secret(), "sk-hunter2");
        for text in ["", " \n", "sk hunter2", "sk-hunter2\nsk-hunter3", "ключ"] {
            let error = format!("{:#}", checked(&text.into()).unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
