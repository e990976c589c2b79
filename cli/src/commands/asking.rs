//! Whether somebody wants what is about to be done. Invariant: where nobody can answer, nobody wants it.

use std::io::{self, BufRead, IsTerminal, Write};

/// Asks only where somebody can answer.
pub(super) fn is_wanted() -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(io::stderr(), "do it? type yes: ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}
