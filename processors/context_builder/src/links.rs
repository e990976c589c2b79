//! Links of a message: the addresses in its text, and the targets of its text links.
//!
//! Invariant: every link has a scheme or host that people can open; each is masked, and named once, in order.

use schemas::Entity;
use text::{TokenKind, tokenize};

/// What a link begins with; other schemes run code or name accounts.
const BEGINNINGS: [&str; 5] = ["http://", "https://", "ftp://", "www.", "t.me/"];

/// The links of a masked text and of its entities.
pub(crate) fn links(masked_text: &str, entities: &[Entity]) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    let in_text = tokenize(masked_text).into_iter().filter(|token| token.kind == TokenKind::Address);
    let in_text = in_text.map(|token| masked_text[token.range].to_owned());
    let targets = entities.iter().filter_map(|entity| entity.url.as_deref());
    for link in in_text.chain(targets.map(|url| text::pii::mask(url.trim()).into_owned())) {
        if is_link(&link) && !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

fn is_link(text: &str) -> bool {
    let begins = |beginning: &str| {
        text.len() > beginning.len()
            && text.as_bytes()[..beginning.len()].eq_ignore_ascii_case(beginning.as_bytes())
    };
    BEGINNINGS.iter().any(|beginning| begins(beginning)) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Entity {
        Entity { kind: "text_link".to_owned(), offset: 0, length: 1, url: Some(url.to_owned()) }
    }

    #[test]
    fn links_of_text_and_entities_are_named_once() {
        let entities =
            [target("https://b.example/x"), target("https://a.example"), target("javascript:alert(1)")];
        assert_eq!(
            links("see https://a.example, www.c.example. or x@d.example", &entities),
            ["https://a.example", "www.c.example", "https://b.example/x"]
        );
        assert_eq!(links("nothing", &[target("tg://user?id=1"), target("")]), [""; 0]);
    }
}
