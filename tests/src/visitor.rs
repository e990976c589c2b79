//! Somebody who looks at the console, with what a browser would keep: cookies, and the token of a page's forms.

use crate::door::{Answer, Door};
use std::{cell::RefCell, collections::BTreeMap, fmt::Write};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const TOKEN: &str = "name=\"form_token\" value=\"";

/// A visitor of a gateway's console.
#[derive(Debug)]
pub struct Visitor<'a> {
    door: &'a Door,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl<'a> Visitor<'a> {
    /// Somebody without a session.
    pub fn new(door: &'a Door) -> Self {
        Self { door, cookies: RefCell::default() }
    }

    /// Somebody who has logged in with a key.
    ///
    /// # Errors
    /// The key is refused.
    pub fn with_key(door: &'a Door, key: &str) -> anyhow::Result<Self> {
        let visitor = Self::new(door);
        let answer = visitor.log_in(key, "/console")?;
        anyhow::ensure!(answer.status == 303, "could not log in: {answer:?}");
        Ok(visitor)
    }

    /// Sends the form to log in.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn log_in(&self, key: &str, next: &str) -> anyhow::Result<Answer> {
        let form = self.get("/console/login")?;
        self.send("/console/login", &[("key", key), ("next", next), ("form_token", &token(&form))])
    }

    /// Looks at a page.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call(&format!("GET {path}"), &[], "")
    }

    /// Looks at a page that has to be there.
    ///
    /// # Errors
    /// The answer is not 200.
    pub fn page(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.get(path)?;
        anyhow::ensure!(answer.status == 200, "GET {path}: {answer:?}");
        Ok(answer.body)
    }

    /// Sends a form as it is.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        self.call(&format!("POST {path}"), &[FORM], &pairs.join("&"))
    }

    /// Sends a form with the token that a page of this session has.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let form = token(&self.get("/console")?);
        self.send(path, &[fields, &[("form_token", &form)]].concat())
    }

    /// A cookie; empty where there is none.
    pub fn cookie(&self, name: &str) -> String {
        self.cookies.borrow().get(name).cloned().unwrap_or_default()
    }

    fn call(&self, line: &str, headers: &[(&str, &str)], body: &str) -> anyhow::Result<Answer> {
        let pairs: Vec<String> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = pairs.join("; ");
        let answer = self.door.call(line, &[headers, &[("Cookie", cookies.as_str())]].concat(), body)?;
        if let Some((name, value)) =
            answer.header("set-cookie").split(';').next().and_then(|it| it.split_once('='))
        {
            self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(answer)
    }
}

/// The token that the forms of a page carry; empty where it has none.
fn token(page: &Answer) -> String {
    let rest = page.body.split_once(TOKEN).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}
