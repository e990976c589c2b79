//! What an element of a page is for its reader, by its classes and by what it stands in.

use html5gum::StartTag;

/// What an element holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing that is read, or only further elements.
    Other,
    /// The chat's name.
    Title,
    Message,
    ServiceBody,
    /// The time of a message, in its title.
    Date,
    FromName,
    /// Where a message was forwarded from.
    Forwarded,
    ReplyTo,
    Text,
    /// A marked place of a text.
    Mark,
    /// An attachment; what it is stands in its classes.
    Media,
    MediaTitle,
    Question,
    PollState,
    Answer,
    Votes,
    Voters,
    Reaction,
    ReactionEmoji,
    ReactionCount,
    ReactionUsers,
    /// A link to another page.
    PageLink,
}

/// Elements without an end.
const VOID: [&[u8]; 6] = [b"br", b"img", b"meta", b"link", b"input", b"hr"];

/// A start tag, as text.
pub(super) struct Tag {
    pub(super) name: Vec<u8>,
    class: String,
    start: StartTag<()>,
}

impl Tag {
    pub(super) fn new(start: StartTag<()>) -> Self {
        let class = start.attributes.get(b"class".as_slice());
        let class = class.map(|class| String::from_utf8_lossy(class).into_owned()).unwrap_or_default();
        Self { name: start.name.to_vec(), class, start }
    }

    pub(super) fn is_void(&self) -> bool {
        self.start.self_closing || VOID.contains(&self.name.as_slice())
    }

    pub(super) fn has(&self, class: &str) -> bool {
        self.class.split_ascii_whitespace().any(|one| one == class)
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = &str> {
        self.class.split_ascii_whitespace()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.start.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Its role inside an element of role `parent`; `is_in` says whether it stands anywhere in one of a role.
    pub(super) fn role(&self, parent: Role, is_in: impl Fn(Role) -> bool) -> Role {
        if is_in(Role::Text) {
            return if parent == Role::Text { Role::Mark } else { Role::Other };
        }
        if !is_in(Role::Message) {
            return self.role_in_page();
        }
        if is_in(Role::Reaction) {
            return self.role_in_reaction();
        }
        if is_in(Role::Media) {
            return self.role_in_media(parent);
        }
        match () {
            () if self.has("body") && self.has("forwarded") => Role::Forwarded,
            () if self.has("body") && self.has("details") => Role::ServiceBody,
            () if self.has("date") && self.attribute("title").is_some() => Role::Date,
            () if self.has("from_name") => Role::FromName,
            () if self.has("reply_to") => Role::ReplyTo,
            () if self.has("text") => Role::Text,
            () if self.has("reaction") => Role::Reaction,
            () if self.classes().any(is_media) => Role::Media,
            () => Role::Other,
        }
    }

    fn role_in_page(&self) -> Role {
        match () {
            () if self.has("message") && self.attribute("id").is_some() => Role::Message,
            () if self.has("text") && self.has("bold") => Role::Title,
            () if self.has("pagination") => Role::PageLink,
            () => Role::Other,
        }
    }

    fn role_in_reaction(&self) -> Role {
        match () {
            () if self.has("emoji") => Role::ReactionEmoji,
            () if self.has("count") => Role::ReactionCount,
            () if self.has("userpic") => Role::ReactionUsers,
            () => Role::Other,
        }
    }

    fn role_in_media(&self, parent: Role) -> Role {
        match () {
            () if self.has("title") => Role::MediaTitle,
            () if self.has("question") => Role::Question,
            () if self.has("answer") => Role::Answer,
            () if self.has("total") => Role::Voters,
            () if parent == Role::Answer => Role::Votes,
            () if self.has("details") && !self.has("status") => Role::PollState,
            () => Role::Other,
        }
    }
}

/// True for the class of an attachment's element; `media_wrap` is around it.
fn is_media(class: &str) -> bool {
    let is_kind = class.starts_with("media_") && class != "media_wrap";
    is_kind || matches!(class, "photo_wrap" | "video_file_wrap" | "animated_wrap" | "sticker_wrap")
}
