//! Which sessions are to read what, of the chats that were chosen and the accounts that are logged in.
//!
//! Invariant: pure. Whoever is left out is named.

use crate::{
    chat::Link,
    peer::{Place, Top},
    pool::Wanted,
};
use ingest::Group;
use state::{SealedKey, SessionChat, TelegramChat};
use std::collections::{BTreeMap, BTreeSet};

/// Keys of those that are logged in, by tenant and account.
pub(crate) type Keys = BTreeMap<(String, i64), SealedKey>;

/// What came of the choice.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) wanted: Vec<Wanted>,
    /// Accounts that are to read chats and are not logged in.
    pub(crate) logged_out: usize,
    /// What an operator is told, once.
    pub(crate) words: Vec<String>,
}

/// Chooses at most `sessions_max` sessions, always the same ones of the same accounts.
///
/// # Errors
/// A name in the database that names no group.
pub(crate) fn choose(chats: &[SessionChat], keys: &Keys, sessions_max: usize) -> Result<Choice, String> {
    let mut by_account: BTreeMap<(String, i64), Vec<Link>> = BTreeMap::new();
    for chat in chats {
        let account = (chat.chat.tenant_id.clone(), chat.user_id);
        by_account.entry(account).or_default().push(link(chat)?);
    }
    let mut choice = Choice::default();
    let above: Vec<i64> = by_account.keys().skip(sessions_max).map(|(_, user)| *user).collect();
    if !above.is_empty() {
        choice.words.push(format!(
            "{} sessions are not read by, since telegram_session.sessions_max is {sessions_max}: {above:?}",
            above.len()
        ));
    }
    let mut users = BTreeSet::new();
    for ((tenant_id, user), links) in by_account.into_iter().take(sessions_max) {
        let Some(key) = keys.get(&(tenant_id.clone(), user)) else {
            choice.logged_out += 1;
            choice.words.push(format!(
                "account {user} of {tenant_id} is to read chats and is not logged in: gistmill telegram session login"
            ));
            continue;
        };
        // Where an account stands is counted for the account, whoever it is logged in for.
        if !users.insert(user) {
            choice.words.push(format!(
                "account {user} is logged in for another tenant too and is not read by for {tenant_id}: log it out of one"
            ));
            continue;
        }
        choice.wanted.push(Wanted { tenant_id, user, links, login: key.id.clone() });
    }
    Ok(choice)
}

fn link(chat: &SessionChat) -> Result<Link, String> {
    let TelegramChat { chat_id, tenant_id, group_id } = &chat.chat;
    let group = Group::new(tenant_id, group_id).map_err(|error| error.to_string())?;
    Ok(Link {
        place: Place { chat: *chat_id, hash: chat.access_hash },
        group,
        id: chat.taken_at,
        history_from: chat.history_from,
        begin: Some(Top { chat: *chat_id, pts: chat.begin_pts, message: chat.begin_message }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(chat_id: i64, tenant_id: &str, user_id: i64) -> SessionChat {
        SessionChat {
            chat: TelegramChat { chat_id, tenant_id: tenant_id.to_owned(), group_id: "garden".to_owned() },
            user_id,
            access_hash: 9,
            title: "Garden".to_owned(),
            begin_pts: Some(5),
            begin_message: 3,
            history_from: None,
            taken_at: 1,
        }
    }

    fn key(tenant_id: &str, user: i64) -> ((String, i64), SealedKey) {
        let key = SealedKey {
            id: user.to_be_bytes().to_vec(),
            master_id: String::new(),
            salt: Vec::new(),
            nonce: Vec::new(),
            ciphertext: Vec::new(),
        };
        ((tenant_id.to_owned(), user), key)
    }

    fn chosen(choice: &Choice) -> Vec<(&str, i64, usize)> {
        choice.wanted.iter().map(|wanted| (&*wanted.tenant_id, wanted.user, wanted.links.len())).collect()
    }

    #[test]
    fn no_more_sessions_than_the_limit_are_read_by_and_the_others_are_named() {
        let chats = [chat(-1, "acme", 1), chat(-2, "acme", 1), chat(-3, "acme", 2), chat(-4, "beta", 3)];
        let keys = Keys::from([key("acme", 1), key("acme", 2), key("beta", 3)]);
        let all = choose(&chats, &keys, 3).expect("names");
        assert_eq!(
            (chosen(&all), &all.words),
            (vec![("acme", 1, 2), ("acme", 2, 1), ("beta", 3, 1)], &vec![])
        );
        let two = choose(&chats, &keys, 2).expect("names");
        assert_eq!(chosen(&two), [("acme", 1, 2), ("acme", 2, 1)]);
        assert_eq!(two.words, ["1 sessions are not read by, since telegram_session.sessions_max is 2: [3]"]);
    }

    #[test]
    fn an_account_that_is_not_logged_in_is_named_and_counted() {
        let choice = choose(&[chat(-1, "acme", 1), chat(-2, "acme", 2)], &Keys::from([key("acme", 2)]), 9);
        let choice = choice.expect("names");
        assert_eq!((chosen(&choice), choice.logged_out), (vec![("acme", 2, 1)], 1));
        assert!(choice.words[0].starts_with("account 1 of acme is to read chats and is not logged in"));
    }

    #[test]
    fn an_account_that_is_logged_in_for_two_tenants_is_read_by_for_one() {
        let chats = [chat(-1, "acme", 1), chat(-2, "beta", 1)];
        let both = choose(&chats, &Keys::from([key("acme", 1), key("beta", 1)]), 9).expect("names");
        assert_eq!((chosen(&both), both.words.len()), (vec![("acme", 1, 1)], 1));
        let one = choose(&chats, &Keys::from([key("beta", 1)]), 9).expect("names");
        assert_eq!(chosen(&one), [("beta", 1, 1)], "it was logged out of the first");
    }
}
