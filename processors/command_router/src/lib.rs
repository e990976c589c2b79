//! Answers the commands that people write in a group's chat.
//!
//! Invariant: a command has one answer, which is a function of what came before it in the group's log.

mod state;
mod written;

pub use state::GroupState;

use commands::{Name, Told, comes_here, missed_since, muted_until, span_ms, to_person, until_asked, words};
use digest_trigger::DigestTrigger;
use processor::{Emission, Event, Fold, Outcome, Port, PortSpec, Reject};
use schemas::{
    Command, DigestGenerateRequested, GroupCommandAnswered, GroupMessageIngested, GroupSettings, WindowRef,
    by_command,
};
use text::Language;

const ANSWERED: Port<GroupCommandAnswered> = Port::new("answered");
const REQUESTED: Port<DigestGenerateRequested> = Port::new("requested");

/// The Fold over what is written in groups.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CommandRouter {
    trigger: DigestTrigger,
    threshold: f64,
}

impl CommandRouter {
    /// A router that asks for digests of those tenants alone that `trigger` would ask for, and tells `threshold` as
    /// the lowest score of a digest that is posted.
    pub fn new(trigger: DigestTrigger, threshold: f64) -> Self {
        Self { trigger, threshold }
    }
}

impl Fold for CommandRouter {
    const NAME: &'static str = "command_router";
    const STATE_VERSION: u32 = 3;
    type In = GroupMessageIngested;
    type State = GroupState;

    fn ports(&self) -> Vec<PortSpec> {
        vec![ANSWERED.spec(), REQUESTED.spec()]
    }

    fn step(&self, state: &mut GroupState, event: &Event<GroupMessageIngested>) -> Result<Outcome, Reject> {
        let record = &event.value;
        if let Some(settings) = &record.settings {
            state.adopt(settings);
        }
        state.hear(&record.messages);
        let Some(command) = &record.command else { return Ok(Outcome::absorbed()) };
        // A code is for the source alone.
        let name = Name::of(&command.name).filter(|name| *name != Name::Link);
        let Some(name) = name else { return Ok(Outcome::drop("unknown_command")) };
        if let Some(until) = muted_until(name, &command.arguments, command.asked_at)
            && !command.is_over_limit
        {
            state.mute(&command.chat, (command.asked_at, until));
        }
        let asked = Asked { event, command, state, language: state.language(&command.language) };
        Ok(Outcome::Emit(vec![self.carry_out(name, &asked)]))
    }
}

/// A command with what is known when it comes.
struct Asked<'a> {
    event: &'a Event<GroupMessageIngested>,
    command: &'a Command,
    state: &'a GroupState,
    language: Language,
}

impl CommandRouter {
    fn carry_out(&self, name: Name, asked: &Asked<'_>) -> Emission {
        let words = words(asked.language);
        match name {
            _ if asked.command.is_over_limit => asked.answer(words.too_many),
            Name::Start => asked.answer(&words.start(true)),
            Name::Settings => asked.answer(&self.told(asked)),
            // These are answered by the source, which asks Telegram about the person.
            Name::Help | Name::Link | Name::Subscribe | Name::Unsubscribe => asked.answer(&words.help()),
            Name::Digest | Name::Missed if !self.trigger.is_enabled_for(&asked.event.value.tenant_id) => {
                asked.answer(words.switched_off)
            }
            Name::Digest => match span_ms(&asked.command.arguments) {
                Some(span_ms) => {
                    let bounds = until_asked(asked.command.asked_at, span_ms);
                    asked.request(bounds, asked.command.chat.clone())
                }
                None => asked.answer(words.digest_usage),
            },
            Name::Missed => asked.missed(),
            Name::Mute | Name::Unmute => asked.answer(&asked.muting(name)),
        }
    }

    fn told(&self, asked: &Asked<'_>) -> String {
        let (settings, threshold) = (&asked.state.settings(), self.threshold);
        let Command { chat, asked_at, .. } = asked.command;
        let muted_until = asked.state.muted_until(chat, *asked_at);
        commands::settings(asked.language, &Told { settings, threshold, chat, muted_until })
    }
}

impl Asked<'_> {
    fn answer(&self, text: &str) -> Emission {
        let GroupMessageIngested { tenant_id, group_id, .. } = &self.event.value;
        let language = self.language.code();
        ANSWERED.emit(self.command.answered((tenant_id, group_id), language, text.to_owned()))
    }

    /// What is said of a chat that an administrator has muted, or not any more.
    fn muting(&self, name: Name) -> String {
        let (words, settings) = (words(self.language), self.state.settings());
        let Command { arguments, asked_at, chat, .. } = self.command;
        let said = match muted_until(name, arguments, *asked_at) {
            None => words.mute_usage,
            Some(_) if !comes_here(&settings, chat) => words.not_posted_here,
            Some(_) if name == Name::Unmute => words.unmuted,
            Some(until) => return words.muted(until, &settings.time_zone),
        };
        said.to_owned()
    }

    /// Asks for a digest of what was written since the person last wrote, for nobody else to see.
    fn missed(&self) -> Emission {
        let words = words(self.language);
        let Command { asked_by, asked_at, chat, .. } = self.command;
        match (to_person(chat, asked_by), self.state.last_written(asked_by)) {
            (None, _) => self.answer(words.missed_by_nobody),
            (_, None) => self.answer(words.missed_unknown),
            (Some(chat), Some(last)) => self.request(missed_since(last, *asked_at), chat),
        }
    }

    /// Asks for a digest of what the log holds up to the command. What it holds is counted by who reads it.
    fn request(&self, bounds: (i64, i64), chat: String) -> Emission {
        let Event { value: record, source } = self.event;
        let settings = GroupSettings {
            channels: vec![self.command.channel.clone()],
            chat: Some(chat),
            language: self.language.code().to_owned(),
            ..self.state.settings()
        };
        let who = by_command(&self.command.asked_by);
        let window = WindowRef {
            source_partition: source.partition,
            source_offset: source.offset,
            ..WindowRef::asked(bounds, &who, settings)
        };
        REQUESTED.emit(DigestGenerateRequested::asked(&record.tenant_id, &record.group_id, window, &who))
    }
}

#[cfg(test)]
mod tests;
