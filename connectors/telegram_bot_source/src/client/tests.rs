use super::*;
use ::tests::bot_api::{BotApi, Chat, Fault, Kind, Person, TOKEN};

const CHAT: i64 = -1001;

fn bot(token: &str, api: &str) -> Bot {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    Bot::new(&Telegram { token: Some(token.into()), api: api.to_owned(), ..Telegram::default() })
        .expect("a bot")
}

/// The server has a runtime of its own, so that it is made and dropped outside this one.
fn run(test: impl AsyncFnOnce(&BotApi)) {
    let server = BotApi::start().expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(test(&server));
}

async fn poll(bot: &Bot) -> Result<Vec<Value>, CallError> {
    bot.updates(None, 100, Duration::ZERO).await
}

#[test]
fn updates_are_given_and_confirmed_by_the_next_offset() {
    run(async |server| {
        server.add_chat(Chat::new(CHAT, Kind::Supergroup, "Garden"));
        let bot = bot(TOKEN, &server.url());
        assert_eq!(bot.id(), 4_242_424_242);
        let name = Some("gist_loopback_bot".to_owned());
        assert_eq!(bot.me().await, Ok(Me { sees_all: true, name: name.clone() }));
        assert_eq!(poll(&bot).await, Ok(Vec::new()));
        server.write(CHAT, &Person::new(7, "Ann"), json!({ "text": "hi" }));
        server.update("message_reaction", json!({}));
        let updates = poll(&bot).await.expect("updates");
        assert_eq!(
            (updates.len(), &updates[0]["message"]["text"]),
            (1, &json!("hi")),
            "others are not asked for"
        );
        let next = updates[0]["update_id"].as_i64().expect("an id") + 1;
        assert_eq!(server.pending().len(), 1);
        assert_eq!(bot.updates(Some(next), 100, Duration::ZERO).await, Ok(Vec::new()));
        assert_eq!(server.pending().len(), 0);
        server.set_privacy(true);
        assert_eq!(bot.me().await, Ok(Me { sees_all: false, name }));
    });
}

#[test]
fn each_way_in_which_a_poll_fails_has_a_name_and_none_tells_the_token() {
    run(async |server| {
        let bot = bot(TOKEN, &server.url());
        let fail = async |fault: Fault| {
            server.fault("getUpdates", None, fault);
            poll(&bot).await.expect_err("a fault")
        };
        let conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
        let html = fail(Fault::Html(502)).await;
        assert_eq!(html, CallError::Nonsense(StatusCode::BAD_GATEWAY));
        assert_eq!(fail(Fault::TooMany(35)).await, CallError::TooMany(Duration::from_secs(35)));
        assert_eq!(
            fail(Fault::Refuse(409, conflict.to_owned())).await,
            CallError::OtherPoller(conflict.to_owned())
        );
        let internal = "Internal Server Error".to_owned();
        assert_eq!(fail(Fault::Refuse(500, internal.clone())).await, CallError::Refused(internal));
        assert!(matches!(fail(Fault::GarbageAfter("{".to_owned())).await, CallError::Nonsense(_)));
        let closed = fail(Fault::Close).await;
        assert!(matches!(closed, CallError::Away(_)), "{closed:?}");
        bot.call("setWebhook", &json!({ "url": "https://localhost/hook" }), Duration::ZERO)
            .await
            .expect("set");
        let webhook = poll(&bot).await.expect_err("a webhook");
        assert!(matches!(webhook, CallError::Webhook(_)), "{webhook:?}");
        server.revoke(true);
        let revoked = poll(&bot).await.expect_err("revoked");
        assert_eq!(revoked, CallError::BadToken("Unauthorized".to_owned()));
        let away = poll(&self::bot(TOKEN, "http://127.0.0.1:1")).await.expect_err("nobody listens");
        for error in [html, closed, webhook, revoked, away] {
            let shown = format!("{error} {error:?} {bot:?}");
            assert!(!shown.contains("loopback-server"), "{shown}");
        }
    });
}

#[test]
fn what_is_no_token_is_refused_at_start_and_not_told() {
    let refused = |token: Option<&str>| {
        let settings = Telegram { token: token.map(Into::into), ..Telegram::default() };
        Bot::new(&settings).expect_err("no token").to_string()
    };
    assert!(refused(None).contains("GISTMILL_TELEGRAM__TOKEN"));
    let nonsense = refused(Some("hunter2"));
    assert!(nonsense.contains("is no token") && !nonsense.contains("hunter2"), "{nonsense}");
}
