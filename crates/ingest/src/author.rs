//! Who wrote a message, and where it was forwarded from, as Telegram's exports tell it.

use schemas::{Author, Forward};
use text::pii;

/// The author of a message. The name is absent or empty for deleted accounts; the id is a bare number in old exports and
/// absent in the oldest.
pub fn author(name: Option<String>, id: Option<String>) -> Option<Author> {
    let name = name.filter(|name| !name.is_empty());
    let id = match id.filter(|id| !id.is_empty()) {
        Some(id) if id.bytes().all(|byte| byte.is_ascii_digit()) => format!("user{id}"),
        Some(id) => id,
        None => format!("name:{}", name.as_deref()?),
    };
    let is_bot = id.starts_with("bot") || name.as_deref().is_some_and(is_bot_name);
    let name = name.map(|name| pii::mask(&name).into_owned()).unwrap_or_default();
    Some(Author { id, name, is_bot })
}

/// Bots must have a user name that ends in "bot", and nearly all say so in their display name too, which is all an
/// export tells. `Talbot` is a surname.
fn is_bot_name(name: &str) -> bool {
    let name = name.trim_end();
    let last = name.rsplit([' ', '_', '-']).next().unwrap_or(name);
    name.ends_with("Bot") || name.ends_with("BOT") || matches!(last.to_lowercase().as_str(), "bot" | "бот")
}

/// Where a message was forwarded from. An export does not tell when it was sent there.
pub fn forward(from: Option<String>) -> Option<Forward> {
    from.filter(|from| !from.is_empty())
        .map(|from| Forward { from: pii::mask(&from).into_owned(), sent_at: None })
}

#[cfg(test)]
mod tests {
    use super::is_bot_name;

    #[test]
    fn bots_are_told_from_surnames() {
        for name in ["larkspur CI bot", "GitHubBot", "deploy_bot", "Bot", "Погодный бот", "Rose-BOT"]
        {
            assert!(is_bot_name(name), "{name}");
        }
        for name in ["Talbot", "Abbot", "Робот Вертер", "Botvinnik", "робот", ""] {
            assert!(!is_bot_name(name), "{name}");
        }
    }
}
