//! A login as grammers speaks it, and what an account that is logged in is asked before it is read by.
//!
//! Invariant: the key of the session leaves by [`TelegramLogin::key`] alone.

use super::{Client, Updates, input_peer, messages::Names, refusal, session_data, top};
use crate::{
    login::{Account, Dialog, LoginAnswer, LoginPeer, LoginRequest},
    peer::Place,
    refusal::Refusal,
    sealed::SessionKey,
};
use grammers_crypto::two_factor_auth::{calculate_2fa, check_p_and_g};
use grammers_mtsender::{InvocationError, RpcError};
use grammers_session::{Session, SessionData, updates::UpdatesLike};
use grammers_tl_types::{self as tl, enums, functions, types};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Chats that are listed.
const DIALOGS: i32 = 100;

/// A connection by which an account is logged in, or is asked for its chats, or logged out.
pub struct TelegramLogin {
    client: Client,
    updates: Updates,
    api_id: i32,
    api_hash: SecretString,
}

impl std::fmt::Debug for TelegramLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TelegramLogin").field("api_id", &self.api_id).finish_non_exhaustive()
    }
}

impl TelegramLogin {
    /// A connection that nobody is logged in by.
    pub fn new(api_id: i32, api_hash: SecretString) -> Self {
        let (client, updates) = Client::open(api_id, SessionData::default());
        Self { client, updates, api_id, api_hash }
    }

    /// A connection of an account that is logged in.
    pub fn of(api_id: i32, key: &SessionKey) -> Self {
        let (client, updates) = Client::open(api_id, session_data(key));
        Self { client, updates, api_id, api_hash: SecretString::default() }
    }

    /// What the account is logged in by.
    ///
    /// # Errors
    /// There is none.
    pub fn key(&self) -> Result<SessionKey, Refusal> {
        let dc = self.client.home()?;
        let option = self.client.session.dc_option(dc).map_err(|error| Refusal::Away(error.to_string()))?;
        let key = option.and_then(|option| option.auth_key);
        let key = key.ok_or_else(|| Refusal::Away("no key was agreed on".to_owned()))?;
        Ok(SessionKey { dc, key: Box::new(key) })
    }

    /// Ends the session with Telegram.
    ///
    /// # Errors
    /// Telegram was not reached, or says that it is over already.
    pub async fn log_out(&self) -> Result<(), Refusal> {
        self.client.invoke(&functions::auth::LogOut {}).await.map(drop)
    }

    /// Groups and channels of the account, the newest first.
    ///
    /// # Errors
    /// Telegram was not reached, or refuses.
    pub async fn dialogs(&self) -> Result<Vec<Dialog>, Refusal> {
        let request = functions::messages::GetDialogs {
            exclude_pinned: false,
            folder_id: None,
            offset_date: 0,
            offset_id: 0,
            offset_peer: enums::InputPeer::Empty,
            limit: DIALOGS,
            hash: 0,
        };
        let (dialogs, users, chats) = match self.client.invoke(&request).await? {
            enums::messages::Dialogs::Dialogs(found) => (found.dialogs, found.users, found.chats),
            enums::messages::Dialogs::Slice(found) => (found.dialogs, found.users, found.chats),
            enums::messages::Dialogs::NotModified(_) => return Ok(Vec::new()),
        };
        Ok(listed(&dialogs, &Names::of(&users, &chats)))
    }

    /// Where a chat of those stands now.
    ///
    /// # Errors
    /// Telegram was not reached, or does not know it as one of the account's.
    pub async fn standing(&self, chat: &Dialog) -> Result<Dialog, Refusal> {
        let place = Place { chat: chat.chat, hash: chat.hash };
        let peer = types::InputDialogPeer { peer: input_peer(place) }.into();
        let request = functions::messages::GetPeerDialogs { peers: vec![peer] };
        let enums::messages::PeerDialogs::Dialogs(found) = self.client.invoke(&request).await?;
        let top = found.dialogs.iter().filter_map(top).find(|top| top.chat == chat.chat);
        let top = top.ok_or_else(|| Refusal::NoAccess("it is not among the account's chats".to_owned()))?;
        Ok(Dialog { pts: top.pts, newest: top.message, ..chat.clone() })
    }

    /// Asks, and once more at the datacenter where the account lives.
    async fn invoke<R: tl::RemoteCall>(&self, request: &R) -> Result<R::Return, Refusal> {
        let home = self.client.home()?;
        match self.client.handle.invoke_in_dc(home, request).await {
            Err(InvocationError::Rpc(RpcError { code: 303, value: Some(dc), .. })) => {
                self.move_to(i32::try_from(dc).unwrap_or(home)).await?;
                self.client.invoke(request).await
            }
            answer => answer.map_err(|error| refusal(&error)),
        }
    }

    async fn move_to(&self, dc: i32) -> Result<(), Refusal> {
        self.client.handle.disconnect_from_dc(self.client.home()?);
        let moved = self.client.session.set_home_dc_id(dc).await;
        moved.map_err(|error| Refusal::Away(error.to_string()))
    }

    async fn password(&self, password: &SecretString) -> Result<LoginAnswer, Refusal> {
        let enums::account::Password::Password(told) =
            self.client.invoke(&functions::account::GetPassword {}).await?;
        let unusable = || Refusal::Refused("the password cannot be checked by this version".to_owned());
        let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(algorithm)) =
            told.current_algo
        else {
            return Err(unusable());
        };
        if !check_p_and_g(&algorithm.p, &algorithm.g) {
            return Err(unusable());
        }
        let (srp_b, srp_id) = told.srp_b.zip(told.srp_id).ok_or_else(unusable)?;
        let (m1, a) = calculate_2fa(
            &algorithm.salt1,
            &algorithm.salt2,
            &algorithm.p,
            &algorithm.g,
            srp_b,
            told.secure_random,
            password.expose_secret(),
        );
        let proof = types::InputCheckPasswordSrp { srp_id, a: a.to_vec(), m1: m1.to_vec() };
        let request = functions::auth::CheckPassword { password: enums::InputCheckPasswordSrp::Srp(proof) };
        authorized(self.client.invoke(&request).await?)
    }

    async fn token(&self) -> Result<LoginAnswer, Refusal> {
        let request = functions::auth::ExportLoginToken {
            api_id: self.api_id,
            api_hash: self.api_hash.expose_secret().to_owned(),
            except_ids: Vec::new(),
        };
        scanned(self.client.invoke(&request).await?)
    }

    async fn send_code(&self, phone: String) -> Result<LoginAnswer, Refusal> {
        let settings = types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        };
        let request = functions::auth::SendCode {
            phone_number: phone,
            api_id: self.api_id,
            api_hash: self.api_hash.expose_secret().to_owned(),
            settings: settings.into(),
        };
        match self.invoke(&request).await? {
            enums::auth::SentCode::Code(code) => {
                Ok(LoginAnswer::Sent { hash: code.phone_code_hash, how: how(&code.r#type).to_owned() })
            }
            enums::auth::SentCode::Success(done) => authorized(done.authorization),
            enums::auth::SentCode::PaymentRequired(_) => Err(Refusal::Refused(
                "Telegram wants to be paid for a code to this number; log in by QR".to_owned(),
            )),
        }
    }
}

impl LoginPeer for TelegramLogin {
    async fn ask(&mut self, request: LoginRequest) -> Result<LoginAnswer, Refusal> {
        match request {
            LoginRequest::Token => self.token().await,
            LoginRequest::Import { dc, token } => {
                self.move_to(dc).await?;
                scanned(self.client.invoke(&functions::auth::ImportLoginToken { token }).await?)
            }
            LoginRequest::SendCode { phone } => self.send_code(phone).await,
            LoginRequest::SignIn { phone, hash, code } => {
                let request = functions::auth::SignIn {
                    phone_number: phone,
                    phone_code_hash: hash,
                    phone_code: Some(code.expose_secret().to_owned()),
                    email_verification: None,
                };
                authorized(self.client.invoke(&request).await?)
            }
            LoginRequest::Password(password) => self.password(&password).await,
        }
    }

    async fn scanned(&mut self, at_most: Duration) -> bool {
        let until = tokio::time::Instant::now() + at_most;
        while let Ok(Some(update)) = tokio::time::timeout_at(until, self.updates.recv()).await {
            if is_scanned(&update) {
                return true;
            }
        }
        tokio::time::sleep_until(until).await;
        false
    }

    fn now(&self) -> i64 {
        crate::clock::now_ms()
    }
}

fn is_scanned(update: &UpdatesLike) -> bool {
    let is_token = |update: &enums::Update| matches!(update, enums::Update::LoginToken);
    match update {
        UpdatesLike::Updates(enums::Updates::UpdateShort(short)) => is_token(&short.update),
        UpdatesLike::Updates(enums::Updates::Updates(packet)) => packet.updates.iter().any(is_token),
        UpdatesLike::Updates(enums::Updates::Combined(packet)) => packet.updates.iter().any(is_token),
        _ => false,
    }
}

fn scanned(token: enums::auth::LoginToken) -> Result<LoginAnswer, Refusal> {
    match token {
        enums::auth::LoginToken::Token(token) => {
            Ok(LoginAnswer::Token { token: token.token, ends_at: i64::from(token.expires) * 1000 })
        }
        enums::auth::LoginToken::MigrateTo(moved) => {
            Ok(LoginAnswer::Elsewhere { dc: moved.dc_id, token: moved.token })
        }
        enums::auth::LoginToken::Success(done) => authorized(done.authorization),
    }
}

fn authorized(authorization: enums::auth::Authorization) -> Result<LoginAnswer, Refusal> {
    match authorization {
        enums::auth::Authorization::Authorization(done) => match done.user {
            enums::User::User(user) => {
                let names = [user.first_name, user.last_name];
                let name: Vec<String> = names.into_iter().flatten().collect();
                Ok(LoginAnswer::In(Account { user: user.id, name: name.join(" ") }))
            }
            enums::User::Empty(user) => Ok(LoginAnswer::In(Account { user: user.id, name: String::new() })),
        },
        enums::auth::Authorization::SignUpRequired(_) => {
            Err(Refusal::Refused("PHONE_NUMBER_UNOCCUPIED".to_owned()))
        }
    }
}

fn how(kind: &enums::auth::SentCodeType) -> &'static str {
    use enums::auth::SentCodeType as T;
    match kind {
        T::App(_) => "to the account's other devices",
        T::Sms(_) | T::FragmentSms(_) | T::FirebaseSms(_) | T::SmsWord(_) | T::SmsPhrase(_) => "by SMS",
        T::Call(_) | T::FlashCall(_) | T::MissedCall(_) => "by a call",
        _ => "by mail",
    }
}

fn listed(dialogs: &[enums::Dialog], names: &Names) -> Vec<Dialog> {
    let tops = dialogs.iter().filter_map(top);
    tops.map(|top| {
        let chat = names.chat(top.chat);
        let (hash, pts, newest) = (names.hash(top.chat), top.pts, top.message);
        Dialog { chat: top.chat, title: chat.title, kind: chat.kind, hash, pts, newest }
    })
    .collect()
}
