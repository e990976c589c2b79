//! What a poll or a checklist says, as the text of its message: for all who read texts.

use crate::rich_text::RichText;
use schemas::{Checklist, ChecklistItem, Media, Poll, PollOption};

/// Appends it to the text that the message has, if any.
pub fn append(text: &mut RichText, media: Option<&Media>) {
    let Some(media) = media else { return };
    let told = media.poll.as_ref().map(poll).into_iter().chain(media.checklist.as_ref().map(checklist));
    for told in told {
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push(&format!("{gap}{told}"), None, None);
    }
}

/// The question, its answers with their votes, a line each, and whether it is over.
fn poll(poll: &Poll) -> String {
    let option = |option: &PollOption| match option.votes {
        Some(votes) => format!("\n- {}: {votes}", option.text),
        None => format!("\n- {}", option.text),
    };
    let options: String = poll.options.iter().map(option).collect();
    format!("{}{options}{}", poll.question, if poll.closed { "\n[closed]" } else { "" })
}

/// The title and the items, a line each; what is done has a mark.
fn checklist(list: &Checklist) -> String {
    let item = |item: &ChecklistItem| {
        let mark = if item.done == Some(true) { "[x] " } else { "" };
        format!("\n- {mark}{}", item.text)
    };
    let items: String = list.items.iter().map(item).collect();
    format!("{}{items}", list.title)
}
