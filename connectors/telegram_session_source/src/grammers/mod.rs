//! The seam as grammers speaks MTProto.
//!
//! Invariant: nothing is decided here. Each request is one request, each wait and each failure is told as it is, and no update is
//! put in order: that is the engine's.

mod content;
mod hand_on;
mod login;
mod messages;
mod updates;

pub use login::TelegramLogin;

use crate::{
    peer::{Answer, Difference, PAGE, Peer, Place, Push, Request, State, Top},
    refusal::Refusal,
    sealed::SessionKey,
    source::Door,
};
use grammers_mtsender::{
    ConnectionParams, InvocationError, NoRetries, RpcError, SenderPool, SenderPoolHandle,
};
use grammers_session::{Session, SessionData, storages::MemorySession};
use grammers_tl_types::{self as tl, enums, functions, types};
use messages::Names;
use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::AbortHandle};

/// Longest wait for an answer; after that the connection is made anew.
const ANSWER_WAIT: Duration = Duration::from_mins(1);
/// Updates that may wait; what is above is dropped, said to be missed, and asked for.
const UPDATES: usize = 256;
/// Most events of an answer for a supergroup or channel: what Telegram gives to people.
const DIFFERENCE: i32 = 100;

/// Telegram, as an application reaches it.
#[derive(Debug, Clone, Copy)]
pub struct Telegram {
    api_id: i32,
}

impl Telegram {
    /// By the number of an application.
    pub fn new(api_id: i32) -> Self {
        Self { api_id }
    }
}

impl Door for Telegram {
    type Peer = Client;

    fn connect(&self, _: i64, key: SessionKey) -> (Client, mpsc::Receiver<Push>) {
        let (client, told) = Client::open(self.api_id, session_data(&key));
        let (session, pushes) = mpsc::channel(UPDATES);
        tokio::spawn(hand_on::hand_on(told, updates::pushes, session));
        (client, pushes)
    }
}

fn session_data(key: &SessionKey) -> SessionData {
    let mut data = SessionData { home_dc: key.dc, ..SessionData::default() };
    if let Some(option) = data.dc_options.get_mut(&key.dc) {
        option.auth_key = Some(*key.key);
    }
    data
}

/// One account's connection, which is made when something is asked, and made anew when it has ended.
pub(crate) struct Client {
    handle: SenderPoolHandle,
    session: Arc<MemorySession>,
    runner: AbortHandle,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.runner.abort();
    }
}

type Updates = mpsc::Receiver<grammers_session::updates::UpdatesLike>;

impl Client {
    fn open(api_id: i32, data: SessionData) -> (Self, Updates) {
        let session = Arc::new(MemorySession::from(data));
        let parameters = ConnectionParams {
            device_model: "gistmill".to_owned(),
            system_version: "server".to_owned(),
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            system_lang_code: "en".to_owned(),
            lang_code: "en".to_owned(),
            retry_policy: Box::new(NoRetries),
            updates_channel_capacity: NonZeroUsize::new(UPDATES).unwrap_or(NonZeroUsize::MIN),
            ..ConnectionParams::default()
        };
        let pool = SenderPool::with_configuration(Arc::clone(&session), api_id, parameters);
        let runner = tokio::spawn(pool.runner.run()).abort_handle();
        (Self { handle: pool.handle.thin, session, runner }, pool.updates)
    }

    fn home(&self) -> Result<i32, Refusal> {
        self.session.home_dc_id().map_err(|error| Refusal::Away(error.to_string()))
    }

    /// Asks once.
    async fn invoke<R: tl::RemoteCall>(&self, request: &R) -> Result<R::Return, Refusal> {
        let home = self.home()?;
        let answer = tokio::time::timeout(ANSWER_WAIT, self.handle.invoke_in_dc(home, request)).await;
        let Ok(answer) = answer else {
            self.handle.disconnect_from_dc(home);
            return Err(Refusal::NoAnswer(ANSWER_WAIT.as_secs()));
        };
        answer.map_err(|error| refusal(&error))
    }

    async fn dialogs(&self, places: &[Place]) -> Result<Answer, Refusal> {
        let peers = places.iter().map(|place| types::InputDialogPeer { peer: input_peer(*place) }.into());
        let request = functions::messages::GetPeerDialogs { peers: peers.collect() };
        let enums::messages::PeerDialogs::Dialogs(dialogs) = self.invoke(&request).await?;
        let enums::updates::State::State(state) = dialogs.state;
        Ok(Answer::Dialogs {
            tops: dialogs.dialogs.iter().filter_map(top).collect(),
            state: state_of(&state),
        })
    }

    async fn difference(&self, pts: i32, qts: i32, date: i32) -> Result<Answer, Refusal> {
        let request = functions::updates::GetDifference {
            pts,
            pts_limit: None,
            pts_total_limit: None,
            date,
            qts,
            qts_limit: None,
        };
        let events = |names: &Names, new, other| updates::events(names, new, other);
        let difference = match self.invoke(&request).await? {
            enums::updates::Difference::Empty(empty) => {
                let state = State { pts, qts, date: empty.date };
                Difference::Events { events: Vec::new(), state, is_last: true }
            }
            enums::updates::Difference::Difference(found) => {
                let enums::updates::State::State(state) = found.state;
                let names = Names::of(&found.users, &found.chats);
                let events = events(&names, found.new_messages, found.other_updates);
                Difference::Events { events, state: state_of(&state), is_last: true }
            }
            enums::updates::Difference::Slice(found) => {
                let enums::updates::State::State(state) = found.intermediate_state;
                let names = Names::of(&found.users, &found.chats);
                let events = events(&names, found.new_messages, found.other_updates);
                Difference::Events { events, state: state_of(&state), is_last: false }
            }
            enums::updates::Difference::TooLong(_) => Difference::TooLong(None),
        };
        Ok(Answer::Difference(difference))
    }

    async fn channel_difference(&self, place: Place, pts: i32) -> Result<Answer, Refusal> {
        let channel = types::InputChannel { channel_id: place.bare(), access_hash: place.hash };
        let request = functions::updates::GetChannelDifference {
            force: false,
            channel: channel.into(),
            filter: enums::ChannelMessagesFilter::Empty,
            pts,
            limit: DIFFERENCE,
        };
        let difference = match self.invoke(&request).await? {
            enums::updates::ChannelDifference::Empty(empty) => {
                Difference::Events { events: Vec::new(), state: empty.pts, is_last: empty.r#final }
            }
            enums::updates::ChannelDifference::Difference(found) => {
                let names = Names::of(&found.users, &found.chats);
                let events = updates::events(&names, found.new_messages, found.other_updates);
                Difference::Events { events, state: found.pts, is_last: found.r#final }
            }
            enums::updates::ChannelDifference::TooLong(found) => Difference::TooLong(top(&found.dialog)),
        };
        Ok(Answer::ChannelDifference(difference))
    }

    async fn history(&self, request: &functions::messages::GetHistory) -> Result<Answer, Refusal> {
        let (messages, users, chats) = match self.invoke(request).await? {
            enums::messages::Messages::Messages(found) => (found.messages, found.users, found.chats),
            enums::messages::Messages::Slice(found) => (found.messages, found.users, found.chats),
            enums::messages::Messages::ChannelMessages(found) => (found.messages, found.users, found.chats),
            enums::messages::Messages::NotModified(_) => (Vec::new(), Vec::new(), Vec::new()),
        };
        let names = Names::of(&users, &chats);
        Ok(Answer::History(messages.into_iter().map(|message| names.message(message)).collect()))
    }
}

impl Peer for Client {
    async fn call(&self, request: Request) -> Result<Answer, Refusal> {
        match request {
            Request::Dialogs(places) => self.dialogs(&places).await,
            Request::Difference { pts, qts, date } => self.difference(pts, qts, date).await,
            Request::ChannelDifference { place, pts } => self.channel_difference(place, pts).await,
            Request::History { place, offset_id, offset_date, add_offset, limit } => {
                let request = functions::messages::GetHistory {
                    peer: input_peer(place),
                    offset_id: i32::try_from(offset_id).unwrap_or(i32::MAX),
                    offset_date: i32::try_from(offset_date).unwrap_or(i32::MAX),
                    add_offset,
                    limit: limit.min(PAGE),
                    max_id: 0,
                    min_id: 0,
                    hash: 0,
                };
                self.history(&request).await
            }
        }
    }
}

fn input_peer(place: Place) -> enums::InputPeer {
    if place.is_channel() {
        types::InputPeerChannel { channel_id: place.bare(), access_hash: place.hash }.into()
    } else {
        types::InputPeerChat { chat_id: place.bare() }.into()
    }
}

fn state_of(state: &types::updates::State) -> State {
    State { pts: state.pts, qts: state.qts, date: state.date }
}

fn top(dialog: &enums::Dialog) -> Option<Top> {
    let enums::Dialog::Dialog(dialog) = dialog else { return None };
    Some(Top {
        chat: messages::chat_id(&dialog.peer)?,
        pts: dialog.pts,
        message: i64::from(dialog.top_message),
    })
}

/// Why a request gave nothing.
fn refusal(error: &InvocationError) -> Refusal {
    match error {
        InvocationError::Rpc(RpcError { code, name, value, .. }) => Refusal::of(*code, name, *value),
        other => Refusal::Away(other.to_string()),
    }
}
