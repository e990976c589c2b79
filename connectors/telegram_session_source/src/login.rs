//! How an account is logged in: by a code that is scanned and renewed, or by phone and code; with the password where there is one.
//!
//! Invariant: the flow knows no library and no terminal. What is typed is held as a secret, and nothing of it is printed.

use crate::{peer::Place, refusal::Refusal};
use qrcode::{QrCode, render::unicode::Dense1x2};
use secrecy::SecretString;
use std::{future::Future, time::Duration};

/// Codes that are shown before it is given up: ten minutes or so.
const CODES_MAX: usize = 20;
/// Times that a code or a password may be wrong.
const TRIES_MAX: usize = 3;
/// The time that is left is shown this often.
const TICK: Duration = Duration::from_secs(1);

/// A request of a login.
#[derive(Debug)]
pub enum LoginRequest {
    /// `auth.exportLoginToken`: a code to be scanned, or what became of the last one.
    Token,
    /// `auth.importLoginToken`, at the datacenter where the account lives.
    Import {
        /// Number of the datacenter.
        dc: i32,
        /// What was told with it.
        token: Vec<u8>,
    },
    /// `auth.sendCode`.
    SendCode {
        /// Phone number.
        phone: String,
    },
    /// `auth.signIn`.
    SignIn {
        /// Phone number.
        phone: String,
        /// What was told when the code was sent.
        hash: String,
        /// The code.
        code: SecretString,
    },
    /// `auth.checkPassword`.
    Password(SecretString),
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub user: i64,
    /// What it is called.
    pub name: String,
}

/// An answer of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginAnswer {
    /// To be scanned before this time in ms.
    Token {
        /// What is scanned.
        token: Vec<u8>,
        /// When it ends.
        ends_at: i64,
    },
    /// The account lives elsewhere.
    Elsewhere {
        /// Number of the datacenter.
        dc: i32,
        /// What proves there that it was scanned.
        token: Vec<u8>,
    },
    /// A code is on its way.
    Sent {
        /// Goes with the code.
        hash: String,
        /// How it comes.
        how: String,
    },
    /// Done.
    In(Account),
}

/// A chat of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// The chat's id, as bots see it.
    pub chat: i64,
    /// What it is called.
    pub title: String,
    /// `group`, `supergroup` or `channel`.
    pub kind: String,
    /// What proves that the account knows it; 0 for a basic group.
    pub hash: i64,
    /// Count of its updates; none for a basic group.
    pub pts: Option<i32>,
    /// Id of its newest message.
    pub newest: i64,
}

impl Dialog {
    /// True for a supergroup or channel.
    pub fn is_channel(&self) -> bool {
        Place { chat: self.chat, hash: self.hash }.is_channel()
    }
}

/// A connection that nobody is logged in by yet.
pub trait LoginPeer {
    /// Asks once.
    fn ask(&mut self, request: LoginRequest) -> impl Future<Output = Result<LoginAnswer, Refusal>>;
    /// Waits at most so long for the word that a code was scanned.
    fn scanned(&mut self, at_most: Duration) -> impl Future<Output = bool>;
    /// Now, in ms.
    fn now(&self) -> i64;
}

/// Who logs in.
pub trait Person {
    /// Shows something.
    fn show(&mut self, text: &str);
    /// Shows how many seconds a code still holds, in place of the last time.
    fn left(&mut self, seconds: i64);
    /// Asks for something without showing what is typed.
    ///
    /// # Errors
    /// Nothing was typed.
    fn ask(&mut self, what: &str) -> Result<SecretString, String>;
}

/// Why nobody is logged in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Telegram says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The codes that were shown have all ended.
    #[error("no code was scanned in time; run the command again")]
    NotScanned,
    /// It was wrong as often as it may be.
    #[error("the {0} was wrong three times; run the command again, and not at once: Telegram counts")]
    Wrong(&'static str),
    /// The code has ended.
    #[error("the code holds no longer; run the command again for another one")]
    Ended,
    /// No account has this number.
    #[error("no account has this number: make one in an app of Telegram first")]
    NoAccount,
    /// Nothing was typed.
    #[error("could not read what was typed: {0}")]
    Person(String),
    /// Telegram answered something else than what was asked for.
    #[error("Telegram answers something that does not fit; is this version too old?")]
    Nonsense,
}

/// Logs in by a code that is scanned with a phone where the account is logged in.
///
/// # Errors
/// See [`LoginError`].
pub async fn by_code(peer: &mut impl LoginPeer, person: &mut impl Person) -> Result<Account, LoginError> {
    for _ in 0..CODES_MAX {
        match peer.ask(LoginRequest::Token).await {
            Ok(LoginAnswer::Token { token, ends_at }) => {
                person.show(&picture(&token)?);
                wait(peer, person, ends_at).await;
            }
            Ok(LoginAnswer::Elsewhere { dc, token }) => {
                let imported = peer.ask(LoginRequest::Import { dc, token }).await;
                return finish(imported, peer, person).await;
            }
            other => return finish(other, peer, person).await,
        }
    }
    Err(LoginError::NotScanned)
}

/// Waits until the code is scanned, or has ended.
async fn wait(peer: &mut impl LoginPeer, person: &mut impl Person, ends_at: i64) {
    loop {
        let left = (ends_at - peer.now() + 999) / 1000;
        if left <= 0 {
            return;
        }
        person.left(left);
        if peer.scanned(TICK).await {
            return;
        }
    }
}

/// The code as a picture for a terminal, and the link that it is.
fn picture(token: &[u8]) -> Result<String, LoginError> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let link = format!("tg://login?token={}", BASE64_URL_SAFE_NO_PAD.encode(token));
    let code = QrCode::new(&link).map_err(|_| LoginError::Nonsense)?;
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    Ok(format!("{picture}\nScan it in Telegram: Settings, Devices, Link Desktop Device."))
}

/// Logs in by a code that Telegram sends to the account.
///
/// # Errors
/// See [`LoginError`].
pub async fn by_phone(
    peer: &mut impl LoginPeer,
    person: &mut impl Person,
    phone: &str,
) -> Result<Account, LoginError> {
    let sent = peer.ask(LoginRequest::SendCode { phone: phone.to_owned() }).await;
    let (hash, how) = match sent {
        Ok(LoginAnswer::Sent { hash, how }) => (hash, how),
        other => return finish(other, peer, person).await,
    };
    person.show(&format!("Telegram has sent a code {how}."));
    for _ in 0..TRIES_MAX {
        let code = person.ask("Code").map_err(LoginError::Person)?;
        let request = LoginRequest::SignIn { phone: phone.to_owned(), hash: hash.clone(), code };
        match peer.ask(request).await {
            Err(Refusal::Refused(name)) if name == "PHONE_CODE_INVALID" => {
                person.show("That is not the code.");
            }
            Err(Refusal::Refused(name)) if name == "PHONE_CODE_EXPIRED" => return Err(LoginError::Ended),
            other => return finish(other, peer, person).await,
        }
    }
    Err(LoginError::Wrong("code"))
}

/// Ends a login, with the password where one is wanted.
async fn finish(
    answer: Result<LoginAnswer, Refusal>,
    peer: &mut impl LoginPeer,
    person: &mut impl Person,
) -> Result<Account, LoginError> {
    match answer {
        Ok(LoginAnswer::In(account)) => Ok(account),
        Ok(_) => Err(LoginError::Nonsense),
        Err(Refusal::PasswordNeeded) => by_password(peer, person).await,
        Err(Refusal::Refused(name)) if name == "PHONE_NUMBER_UNOCCUPIED" => Err(LoginError::NoAccount),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn by_password(peer: &mut impl LoginPeer, person: &mut impl Person) -> Result<Account, LoginError> {
    for _ in 0..TRIES_MAX {
        let password = person.ask("Password of the account (2FA)").map_err(LoginError::Person)?;
        match peer.ask(LoginRequest::Password(password)).await {
            Ok(LoginAnswer::In(account)) => return Ok(account),
            Ok(_) => return Err(LoginError::Nonsense),
            Err(Refusal::Refused(name)) if name == "PASSWORD_HASH_INVALID" => {
                person.show("That is not the password.");
            }
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Err(LoginError::Wrong("password"))
}

#[cfg(test)]
mod tests;
