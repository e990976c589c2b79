//! Slack's text: what stands in angle brackets becomes what people see, with its places marked.

use super::users::Users;
use ingest::RichText;

/// A text as people see it.
pub(super) fn read(text: &str, users: &Users) -> RichText {
    let mut rich = RichText::default();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rich.push(&unescaped(&rest[..start]), None, None);
        rest = &rest[start..];
        let Some(end) = rest.find('>') else { break };
        token(&mut rich, &rest[1..end], users);
        rest = &rest[end + 1..];
    }
    rich.push(&unescaped(rest), None, None);
    rich
}

/// `@U123`, `#C123|general`, `!here`, `https://example.org|here`
fn token(rich: &mut RichText, token: &str, users: &Users) {
    let (target, label) =
        token.split_once('|').map_or((token, None), |(target, label)| (target, Some(label)));
    let label = label.filter(|label| !label.is_empty()).map(unescaped);
    if let Some(id) = target.strip_prefix('@') {
        let name = users.name(id).map(str::to_owned).or(label).unwrap_or_else(|| id.to_owned());
        return rich.push(&format!("@{}", name.trim_start_matches('@')), Some("mention"), None);
    }
    if let Some(id) = target.strip_prefix('#') {
        return rich.push(&format!("#{}", label.as_deref().unwrap_or(id)), None, None);
    }
    if let Some(command) = target.strip_prefix('!') {
        let name = command.split('^').next().unwrap_or(command);
        let told = label.unwrap_or_else(|| format!("@{name}"));
        return rich.push(&told, None, None);
    }
    let target = unescaped(target);
    for (scheme, kind) in [("mailto:", "email"), ("tel:", "phone")] {
        if let Some(address) = target.strip_prefix(scheme) {
            return rich.push(label.as_deref().unwrap_or(address), Some(kind), None);
        }
    }
    match label.filter(|label| *label != target) {
        Some(label) => rich.push(&label, Some("text_link"), Some(target)),
        None => rich.push(&target, Some("link"), None),
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
