//! A login in a terminal. Invariant: what is typed is not shown.

use console::Term;
use secrecy::SecretString;
use telegram_session_source::login::Person;

/// The terminal, by standard error: standard output is for data.
pub(super) struct Screen(Term);

impl Screen {
    pub(super) fn new() -> Self {
        Self(Term::stderr())
    }

    /// The line that tells the time is gone; a terminal that cannot do that shows one line more.
    fn clear(&self) {
        drop(self.0.clear_line());
    }
}

impl Person for Screen {
    fn show(&mut self, text: &str) {
        self.clear();
        drop(self.0.write_line(text));
    }

    fn left(&mut self, seconds: i64) {
        self.clear();
        drop(self.0.write_str(&format!("It holds for {seconds} s, then another one is shown.")));
    }

    fn ask(&mut self, what: &str) -> Result<SecretString, String> {
        self.clear();
        let asked = self.0.write_str(&format!("{what} (it is not shown): "));
        let typed = asked.and_then(|()| self.0.read_secure_line()).map_err(|error| error.to_string())?;
        let typed = typed.trim();
        if typed.is_empty() { Err("nothing was typed".to_owned()) } else { Ok(typed.into()) }
    }
}
