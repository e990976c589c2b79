//! Logins against a peer with a script.

use super::*;
use crate::refusal::End;
use secrecy::ExposeSecret;
use std::collections::VecDeque;

/// Answers in their order, and a clock that goes on by what is waited.
struct Script {
    answers: VecDeque<Result<LoginAnswer, Refusal>>,
    asked: Vec<String>,
    now: i64,
    /// When a code is scanned.
    scanned_at: i64,
}

impl LoginPeer for Script {
    async fn ask(&mut self, request: LoginRequest) -> Result<LoginAnswer, Refusal> {
        self.asked.push(match request {
            LoginRequest::Token => "token".to_owned(),
            LoginRequest::Import { dc, .. } => format!("import at {dc}"),
            LoginRequest::SendCode { phone } => format!("code to {phone}"),
            LoginRequest::SignIn { code, .. } => format!("code {}", code.expose_secret()),
            LoginRequest::Password(password) => format!("password {}", password.expose_secret()),
        });
        self.answers.pop_front().expect("an answer in the script")
    }

    async fn scanned(&mut self, at_most: Duration) -> bool {
        self.now += at_most.as_millis() as i64;
        self.now >= self.scanned_at
    }

    fn now(&self) -> i64 {
        self.now
    }
}

#[derive(Default)]
struct Typist {
    typed: VecDeque<&'static str>,
    shown: Vec<String>,
    left: Vec<i64>,
}

impl Person for Typist {
    fn show(&mut self, text: &str) {
        self.shown.push(text.to_owned());
    }

    fn left(&mut self, seconds: i64) {
        self.left.push(seconds);
    }

    fn ask(&mut self, _: &str) -> Result<SecretString, String> {
        self.typed.pop_front().map(SecretString::from).ok_or_else(|| "nothing".to_owned())
    }
}

fn script(answers: impl IntoIterator<Item = Result<LoginAnswer, Refusal>>) -> Script {
    Script { answers: answers.into_iter().collect(), asked: Vec::new(), now: 0, scanned_at: i64::MAX }
}

fn ann() -> Account {
    Account { user: 42, name: "Ann".to_owned() }
}

fn token(ends_at: i64) -> LoginAnswer {
    LoginAnswer::Token { token: vec![1, 2, 3], ends_at }
}

fn refused(name: &str) -> Result<LoginAnswer, Refusal> {
    Err(Refusal::Refused(name.to_owned()))
}

fn run<T>(login: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(login)
}

#[test]
fn a_code_is_renewed_when_it_ends_and_its_time_is_shown() {
    let mut peer = script([Ok(token(3_000)), Ok(token(6_000)), Ok(LoginAnswer::In(ann()))]);
    peer.scanned_at = 5_000;
    let mut person = Typist::default();
    assert_eq!(run(by_code(&mut peer, &mut person)), Ok(ann()));
    assert_eq!(person.left, [3, 2, 1, 3, 2]);
    assert_eq!((peer.asked.len(), person.shown.len()), (3, 2));
    let picture = &person.shown[0];
    assert!(picture.contains('█') && picture.contains("Link Desktop Device"), "{picture}");
}

#[test]
fn a_code_that_nobody_scans_is_given_up() {
    let mut peer = script((1..=20).map(|number| Ok(token(number * 30_000))));
    assert_eq!(run(by_code(&mut peer, &mut Typist::default())), Err(LoginError::NotScanned));
    assert_eq!(peer.now, 600_000);
}

#[test]
fn an_account_that_lives_elsewhere_is_followed_and_its_password_asked_for() {
    let elsewhere = Ok(LoginAnswer::Elsewhere { dc: 4, token: vec![9] });
    let answers = [
        Ok(token(30_000)),
        elsewhere,
        Err(Refusal::PasswordNeeded),
        refused("PASSWORD_HASH_INVALID"),
        Ok(LoginAnswer::In(ann())),
    ];
    let mut peer = script(answers);
    peer.scanned_at = 1_000;
    let mut person = Typist { typed: ["wrong", "right"].into(), ..Typist::default() };
    assert_eq!(run(by_code(&mut peer, &mut person)), Ok(ann()));
    assert_eq!(peer.asked, ["token", "token", "import at 4", "password wrong", "password right"]);
    assert!(person.shown.iter().all(|shown| !shown.contains("right")), "nothing that is typed is shown");
}

#[test]
fn a_code_that_was_sent_may_be_wrong_twice() {
    let sent = || Ok(LoginAnswer::Sent { hash: "h".to_owned(), how: "to the app".to_owned() });
    let wrong = || refused("PHONE_CODE_INVALID");
    let typist = || Typist { typed: ["1", "2", "3"].into(), ..Typist::default() };
    let mut peer = script([sent(), wrong(), wrong(), Ok(LoginAnswer::In(ann()))]);
    assert_eq!(run(by_phone(&mut peer, &mut typist(), "+100")), Ok(ann()));
    assert_eq!(peer.asked, ["code to +100", "code 1", "code 2", "code 3"]);
    let mut peer = script([sent(), wrong(), wrong(), wrong()]);
    assert_eq!(run(by_phone(&mut peer, &mut typist(), "+100")), Err(LoginError::Wrong("code")));
    let mut peer = script([sent(), refused("PHONE_CODE_EXPIRED")]);
    assert_eq!(run(by_phone(&mut peer, &mut typist(), "+100")), Err(LoginError::Ended));
}

#[test]
fn what_telegram_refuses_is_told_by_name() {
    for (refusal, says) in [
        (Refusal::Flood(600), "Telegram asks to wait for 600s"),
        (Refusal::Ended(End::Banned), "deleted or banned"),
        (Refusal::Refused("PHONE_NUMBER_UNOCCUPIED".to_owned()), "no account has this number"),
        (Refusal::Refused("PHONE_NUMBER_INVALID".to_owned()), "PHONE_NUMBER_INVALID"),
    ] {
        let mut peer = script([Err(refusal)]);
        let error = run(by_phone(&mut peer, &mut Typist::default(), "+1")).expect_err("refused").to_string();
        assert!(error.contains(says), "{error}");
    }
}
