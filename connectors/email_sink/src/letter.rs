//! Letters: what is kept of one until it is sent, and how it looks then.
//!
//! Invariant: a header is one line whatever people are called; the letters of a window are one thread.

use crate::settings::Sender;
use courier::{Kind, Parcel};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use rendering::{Mail, View, mail, mail_withdrawn};
use schemas::{DigestBlocked, DigestReadyForDelivery, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use state::Due;
use std::fmt::Write;

/// Longest subject in characters: mail programs show fewer.
const SUBJECT_MAX: usize = 150;
/// Longest word of a header in bytes: it cannot be folded, and a line has 998 at most (RFC 5322, section 2.1.1).
const WORD_MAX: usize = 900;

/// What is kept until it is sent.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    subject: String,
    text: String,
    html: String,
    newer: String,
}

impl From<Mail> for Kept {
    fn from(mail: Mail) -> Self {
        let Mail { subject, text, html, newer } = mail;
        Self { subject, text, html, newer }
    }
}

/// What is sent of a digest.
pub(crate) fn digest(ready: &DigestReadyForDelivery) -> String {
    let footer = footer((&ready.tenant_id, &ready.group_id), &ready.delivery_payload.language);
    kept(mail(&View::from(ready), &footer))
}

/// What is sent of a version that was blocked.
pub(crate) fn withdrawal(blocked: &DigestBlocked) -> String {
    let footer = footer((&blocked.tenant_id, &blocked.group_id), &blocked.window.settings.language);
    kept(mail_withdrawn((&blocked.group_id, &blocked.window), &footer))
}

fn kept(mail: Mail) -> String {
    // Strings only: there is nothing that JSON could refuse.
    serde_json::to_string(&Kept::from(mail)).unwrap_or_default()
}

fn footer((tenant, group): (&str, &str), language: &str) -> String {
    if language == "ru" {
        format!(
            "Дайджест группы {tenant}/{group}. Чтобы больше не получать писем, ответьте на это письмо или отпишитесь."
        )
    } else {
        format!(
            "Digest of the group {tenant}/{group}. To get no more mail, answer this letter or unsubscribe."
        )
    }
}

/// Name of a letter, which no other has: `Message-ID` without its brackets. A recipient is in it as a hash.
pub(crate) fn message_id(
    due: &Due,
    (digest_id, version): (&str, Version),
    kind: Kind,
    domain: &str,
) -> String {
    let Version { revision, attempt } = version;
    let mut recipient = String::new();
    for byte in Sha256::digest(due.chat.as_bytes()).iter().take(8) {
        // Writing to a String cannot fail.
        write!(recipient, "{byte:02x}").unwrap_or_default();
    }
    let kind = if kind == Kind::Withdrawn { ".withdrawn" } else { "" };
    format!("{digest_id}.{revision}.{attempt}{kind}.{recipient}@{domain}")
}

/// A letter as it is sent.
///
/// # Errors
/// Why there can be none.
pub(crate) fn letter(parcel: &Parcel, sender: &Sender) -> Result<(Address, Vec<u8>), String> {
    let kept: Kept = serde_json::from_str(&parcel.payload).map_err(|error| error.to_string())?;
    let Kept { subject, text, html, newer } = kept;
    let mail = Mail { subject, text, html, newer };
    let mail = if parcel.kind == Kind::Edited { mail.noted(&mail.newer) } else { mail };
    let to: Address =
        parcel.due.chat.parse().map_err(|error| format!("the recipient is no address: {error}"))?;
    let mut builder = Message::builder()
        .from(sender.from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(one_line(&mail.subject))
        .message_id(Some(format!("<{}>", parcel.reference)))
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(header("List-Unsubscribe", unsubscribe(parcel, sender)));
    if let Some(first) = &parcel.first {
        builder = builder.in_reply_to(format!("<{first}>")).references(format!("<{first}>"));
    }
    let both = MultiPart::alternative_plain_html(mail.text, mail.html);
    let message =
        builder.multipart(both).map_err(|error| format!("the letter could not be made: {error}"))?;
    Ok((to, message.formatted()))
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// Words on one line, without what is no letter.
fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(SUBJECT_MAX).collect()
}

/// Where somebody asks for no more mail: by a letter that names the group and who asks, and at an address where there is one.
fn unsubscribe(parcel: &Parcel, sender: &Sender) -> String {
    let Parcel { due, group_id, .. } = parcel;
    let place = encoded(&format!("unsubscribe {}/{} {}", due.tenant_id, group_id, due.chat));
    // Who asks is in the letter that comes, too.
    let subject = if place.len() <= WORD_MAX { &*place } else { "unsubscribe" };
    let by_letter = format!("<mailto:{}?subject={subject}>", sender.unsubscribe);
    match &sender.unsubscribe_url {
        Some(url) => format!("{by_letter}, <{url}>"),
        None => by_letter,
    }
}

/// Percent-encoded (RFC 3986), all but unreserved characters.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
    out
}

#[cfg(test)]
mod tests;
