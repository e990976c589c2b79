//! Reads a window's messages as of its offset and prepares what a digest is made of: redacted, marked, ranked.
//!
//! Invariant: the context is a function of the request and the answer; every message of the window is in it, unless
//! it would not fit the wire, and then `left_out` says how many are not.

mod begun;
mod choice;
mod duplicates;
pub mod history;
mod links;
mod message;
mod rank;
mod stats;
#[cfg(test)]
mod tests;

use choice::choose;
use history::Background;
use processor::{
    BeforeAsOf, Earlier, EarlierAsOf, Event, Lookup, MessagesAsOf, Outcome, Port, PortSpec, Reject, Request,
    Response, STARTED, Step,
};
use schemas::{
    ContextMessage, DigestBlocked, DigestContextPrepared, DigestGenerateRequested, HistoryMatch, Message,
    WindowRef,
};
use serde::Deserialize;
use std::collections::BTreeSet;
use text::Language;

const PREPARED: Port<DigestContextPrepared> = Port::new("prepared");
const BLOCKED: Port<DigestBlocked> = Port::new("blocked");

/// The Lookup, and how much it takes in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextBuilder {
    /// Tokens of messages that a prompt may hold, by estimate. Default 12,000: leaves room for the answer in the
    /// smallest context windows in use.
    pub token_budget: usize,
    /// Bytes of an encoded context, by estimate. Default 7 MiB: the stages add to it, records end at 8 MiB.
    pub bytes_max: usize,
    /// How many messages are named as the most important. Default 20.
    pub top_ranked_max: usize,
}

impl Default for ContextBuilder {
    fn default() -> Self {
        Self { token_budget: 12_000, bytes_max: 7 * 1024 * 1024, top_ranked_max: 20 }
    }
}

/// What is prepared, while its history is looked up.
#[derive(Debug)]
pub struct Cursor {
    context: DigestContextPrepared,
    /// Once they are known: for each subject, earlier messages that may be about the same.
    candidates: Option<Vec<Vec<Message>>>,
}

impl Lookup for ContextBuilder {
    const NAME: &'static str = "context_builder";
    type In = DigestGenerateRequested;
    type Cursor = Option<Box<Cursor>>;

    fn ports(&self) -> Vec<PortSpec> {
        vec![STARTED.spec(), PREPARED.spec(), BLOCKED.spec()]
    }

    fn begin(&self, event: &Event<DigestGenerateRequested>) -> Step<Self::Cursor> {
        let DigestGenerateRequested { tenant_id, group_id, window, .. } = &event.value;
        if window.window_start >= window.window_end {
            let detail = format!("window from {} to {} is empty", window.window_start, window.window_end);
            return Step::Done(Err(Reject::new("bad_window", detail)));
        }
        let request = MessagesAsOf {
            tenant_id: tenant_id.clone(),
            group_id: group_id.clone(),
            start_ms: window.window_start,
            end_ms: window.window_end,
            partition: window.source_partition,
            offset: window.source_offset,
            whole: !window.is_asked(),
        };
        Step::Ask(None, vec![Request::Messages(request)])
    }

    fn resume(
        &self,
        event: &Event<DigestGenerateRequested>,
        cursor: Self::Cursor,
        responses: Vec<Response>,
    ) -> Step<Self::Cursor> {
        begun::told(&event.value, self.answered(event, cursor, responses))
    }
}

impl ContextBuilder {
    fn answered(
        &self,
        event: &Event<DigestGenerateRequested>,
        cursor: Option<Box<Cursor>>,
        responses: Vec<Response>,
    ) -> Step<Option<Box<Cursor>>> {
        let count = responses.len();
        let mut responses = responses.into_iter();
        let reject = |reason, why: String| Step::Done(Err(Reject::new(reason, why)));
        match (cursor, responses.next(), responses.next()) {
            (None, Some(Response::Messages(messages)), None)
                if messages.is_empty() && event.value.window.is_asked() =>
            {
                Step::Done(Ok(Outcome::Emit(vec![BLOCKED.emit(empty(&event.value))])))
            }
            (None, Some(Response::Messages(messages)), None) => match self.prepare(&event.value, messages) {
                Ok(context) => {
                    let question = Request::Earlier(earlier(&context));
                    Step::Ask(Some(Box::new(Cursor { context, candidates: None })), vec![question])
                }
                Err(reject) => Step::Done(Err(reject)),
            },
            // What is left of a window would be told as if it were all of it.
            (None, Some(Response::Taken), None) => Step::Done(Ok(Outcome::drop("past_retention"))),
            (_, Some(Response::NoSuchOffset(why)), None) => reject("no_such_offset", why),
            (_, Some(Response::Unreadable(why)), None) => reject("unreadable_messages", why),
            (Some(cursor), Some(Response::Earlier(earlier)), None) => with_earlier(cursor.context, earlier),
            (Some(cursor), Some(Response::Before(before)), None) => {
                let found = related(&cursor.context, cursor.candidates.as_deref(), &before);
                prepared(cursor.context, schemas::history::OK, found)
            }
            _ => reject("unexpected_answer", format!("{count} answers to one question")),
        }
    }
}

/// What the past of the group is asked for.
fn earlier(context: &DigestContextPrepared) -> EarlierAsOf {
    let subjects = history::subjects(&context.messages);
    EarlierAsOf {
        tenant_id: context.tenant_id.clone(),
        group_id: context.group_id.clone(),
        before_ms: context.window.window_start,
        partition: context.window.source_partition,
        offset: context.window.source_offset,
        texts: subjects.iter().map(|message| message.text.clone()).collect(),
    }
}

/// Asks for the group's common words where something near may be about the same; most windows end here.
fn with_earlier(context: DigestContextPrepared, earlier: Earlier) -> Step<Option<Box<Cursor>>> {
    let near = match earlier {
        Earlier::Off => return prepared(context, schemas::history::OFF, Vec::new()),
        Earlier::Unavailable => return prepared(context, schemas::history::UNAVAILABLE, Vec::new()),
        Earlier::Found(near) => near,
    };
    let subjects = history::subjects(&context.messages).into_iter().zip(near);
    let candidates: Vec<Vec<Message>> =
        subjects.map(|(subject, near)| history::candidates(subject, near)).collect();
    if candidates.iter().all(Vec::is_empty) {
        return prepared(context, schemas::history::OK, Vec::new());
    }
    let question = BeforeAsOf {
        tenant_id: context.tenant_id.clone(),
        group_id: context.group_id.clone(),
        before_id: context.messages.iter().map(|message| message.id).min().unwrap_or_default(),
        partition: context.window.source_partition,
        offset: context.window.source_offset,
        texts_max: history::BACKGROUND_MAX,
    };
    Step::Ask(
        Some(Box::new(Cursor { context, candidates: Some(candidates) })),
        vec![Request::Before(question)],
    )
}

/// What of the candidates is about the same, judged by how the group's people write.
fn related(
    context: &DigestContextPrepared,
    candidates: Option<&[Vec<Message>]>,
    before: &[String],
) -> Vec<HistoryMatch> {
    let background = Background::of(before.iter().map(String::as_str));
    let subjects = history::subjects(&context.messages).into_iter().zip(candidates.unwrap_or_default());
    let mut matches: Vec<HistoryMatch> =
        subjects.flat_map(|(subject, near)| history::related(subject, near, &background)).collect();
    matches.sort_by(|a, b| b.score.total_cmp(&a.score));
    matches
}

/// The context with what the past has of it.
fn prepared(
    mut context: DigestContextPrepared,
    status: &str,
    matches: Vec<HistoryMatch>,
) -> Step<Option<Box<Cursor>>> {
    status.clone_into(&mut context.history);
    context.history_matches = matches;
    Step::Done(Ok(Outcome::Emit(vec![PREPARED.emit(context)])))
}

impl ContextBuilder {
    fn prepare(
        &self,
        request: &DigestGenerateRequested,
        read: Vec<Message>,
    ) -> Result<DigestContextPrepared, Reject> {
        let window = &request.window;
        if read.is_empty() {
            let (expected, offset) = (window.message_count, window.source_offset);
            let detail = format!("window of {expected} messages has none in the store as of offset {offset}");
            return Err(Reject::new("empty_window", detail));
        }
        let window = counted(window, &read);
        let mut stats = stats::of_source(&read, window.message_count);
        let (mut messages, redacted) = message::prepare(read);
        stats.insert("redacted".to_owned(), redacted);
        let message_total = i32::try_from(messages.len()).unwrap_or(i32::MAX);
        let language = language(&window.settings.language, &messages);
        message::name_deleted(&mut messages, language);
        let lemmas = message::lemmas(&messages);
        duplicates::mark(&mut messages);
        rank::rank(&mut messages, &lemmas);
        stats::add_of_context(&mut stats, &messages);
        let duplicates_removed = messages.iter().filter(|m| m.duplicate_of.is_some()).count();
        let left_out = self.fit(&mut messages);
        if left_out > 0 {
            stats.insert("left_out".to_owned(), left_out as i64);
        }
        self.mark_budget(&mut messages);
        stats.insert("in_budget".to_owned(), messages.iter().filter(|m| m.in_budget).count() as i64);
        Ok(DigestContextPrepared {
            tenant_id: request.tenant_id.clone(),
            group_id: request.group_id.clone(),
            window_id: request.window_id.clone(),
            version: request.version.clone(),
            trace_id: request.trace_id.clone(),
            window,
            delivery_channel: request.delivery_channel.clone(),
            language: language.code().to_owned(),
            message_total,
            duplicates_removed: i32::try_from(duplicates_removed).unwrap_or(i32::MAX),
            top_ranked: self.top_ranked(&messages),
            stats,
            messages,
            history: schemas::history::OFF.to_owned(),
            history_matches: Vec::new(),
        })
    }

    /// Leaves out the least important messages of a context that would not fit the wire: how many.
    fn fit(&self, messages: &mut Vec<ContextMessage>) -> usize {
        let bytes: Vec<usize> = messages.iter().map(message::encoded_bytes).collect();
        if bytes.iter().sum::<usize>() <= self.bytes_max {
            return 0;
        }
        let all = messages.len();
        let mut kept = choose(messages, &bytes, self.bytes_max, |_| true).into_iter();
        messages.retain(|_| kept.next().unwrap_or(false));
        let ids: BTreeSet<i64> = messages.iter().map(|message| message.id).collect();
        for message in messages.iter_mut() {
            message.duplicate_of = message.duplicate_of.filter(|original| ids.contains(original));
        }
        all - messages.len()
    }

    fn mark_budget(&self, messages: &mut [ContextMessage]) {
        let tokens: Vec<usize> = messages.iter().map(message::prompt_tokens).collect();
        let worth_it = |message: &ContextMessage| message.duplicate_of.is_none() && !message.text.is_empty();
        let chosen = choose(messages, &tokens, self.token_budget, worth_it);
        for (message, chosen) in messages.iter_mut().zip(chosen) {
            message.in_budget = chosen;
        }
    }

    fn top_ranked(&self, messages: &[ContextMessage]) -> Vec<i64> {
        let originals = choice::by_rank(messages).into_iter().map(|index| &messages[index]);
        let originals = originals.filter(|message| message.duplicate_of.is_none());
        originals.take(self.top_ranked_max).map(|message| message.id).collect()
    }
}

/// The window; of one that somebody asks for, whoever reads it counts what it holds.
fn counted(window: &WindowRef, read: &[Message]) -> WindowRef {
    if !window.is_asked() {
        return window.clone();
    }
    let authors = read.iter().filter_map(|message| message.author.as_ref().map(|author| &author.id));
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    WindowRef {
        message_count: count(read.len()),
        participant_count: count(authors.collect::<BTreeSet<_>>().len()),
        ..window.clone()
    }
}

/// Somebody asked about a time in which nobody wrote, or nobody whose messages are left.
fn empty(request: &DigestGenerateRequested) -> DigestBlocked {
    DigestBlocked {
        tenant_id: request.tenant_id.clone(),
        group_id: request.group_id.clone(),
        window_id: request.window_id.clone(),
        version: request.version.clone(),
        trace_id: request.trace_id.clone(),
        reason: "empty_window".to_owned(),
        quality_score: None,
        missing_scopes: Vec::new(),
        window: request.window.clone(),
        weaknesses: Vec::new(),
    }
}

/// The language wished for, or that of the window: a message alone is too short to tell.
fn language(wished: &str, messages: &[ContextMessage]) -> Language {
    Language::parse(wished).unwrap_or_else(|| {
        let people = messages.iter().filter(|message| !message.is_bot);
        text::detect(people.map(|message| message.text.as_str()))
    })
}
