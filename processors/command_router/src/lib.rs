//! Answers the commands that people write in a group's chat.
//!
//! Invariant: a command has one answer, which is a function of what came before it in the group's log.

mod state;

pub use state::GroupState;

use commands::{Name, words};
use processor::{Event, Fold, Outcome, Port, PortSpec, Reject};
use schemas::{Command, GroupCommandAnswered, GroupMessageIngested};

const ANSWERED: Port<GroupCommandAnswered> = Port::new("answered");

/// The Fold over what is written in groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandRouter;

impl Fold for CommandRouter {
    const NAME: &'static str = "command_router";
    const STATE_VERSION: u32 = 1;
    type In = GroupMessageIngested;
    type State = GroupState;

    fn ports(&self) -> Vec<PortSpec> {
        vec![ANSWERED.spec()]
    }

    fn step(&self, state: &mut GroupState, event: &Event<GroupMessageIngested>) -> Result<Outcome, Reject> {
        let record = &event.value;
        if let Some(settings) = &record.settings {
            state.adopt(settings);
        }
        state.hear(&record.messages);
        let Some(command) = &record.command else { return Ok(Outcome::absorbed()) };
        let Some(name) = Name::of(&command.name) else { return Ok(Outcome::drop("unknown_command")) };
        Ok(Outcome::Emit(vec![ANSWERED.emit(answer(state, (name, command), record))]))
    }
}

fn answer(
    state: &GroupState,
    (name, command): (Name, &Command),
    record: &GroupMessageIngested,
) -> GroupCommandAnswered {
    let language = state.language(&command.language);
    let words = words(language);
    let text = match name {
        _ if command.is_over_limit => words.too_many.to_owned(),
        Name::Start => words.start(true),
        Name::Help => words.help(),
    };
    command.answered((&record.tenant_id, &record.group_id), language.code(), text)
}

#[cfg(test)]
mod tests;
