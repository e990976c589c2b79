//! What a model is asked, in the words of the prompts beside this package; their versions are part of every answer's name.
//!
//! Invariant: the same window gives the same questions, byte by byte; what people wrote stands between marks that none of
//! them can know, and nowhere else.

use crate::part::{Parts, Shown};
use llm::guard::{Schema, SchemaError};
use processor::ModelQuestion;
use schemas::{DigestStageCompleted, run_id};
use std::{collections::BTreeMap, fmt::Write, sync::OnceLock};

/// A versioned prompt: a changed file takes a new number, so that answers to the old one stay its own.
#[derive(Debug)]
pub(crate) struct Prompt {
    /// Name and version.
    pub(crate) name: &'static str,
    pub(crate) system: &'static str,
    /// JSON Schema of the answer.
    pub(crate) schema: &'static str,
    /// The same, read once.
    read: OnceLock<Result<Schema, SchemaError>>,
}

/// About a part of the window: all versions, the first is the default. They ask for answers of one form.
pub(crate) static PARTS: [Prompt; 2] = [
    Prompt {
        name: "part/1",
        system: include_str!("../prompts/part-1.txt"),
        schema: include_str!("../prompts/part-1.schema.json"),
        read: OnceLock::new(),
    },
    Prompt {
        name: "part/2",
        system: include_str!("../prompts/part-2.txt"),
        schema: include_str!("../prompts/part-1.schema.json"),
        read: OnceLock::new(),
    },
];
/// About the lines that several parts gave.
pub(crate) static SUMMARY: Prompt = Prompt {
    name: "summary/1",
    system: include_str!("../prompts/summary-1.txt"),
    schema: include_str!("../prompts/summary-1.schema.json"),
    read: OnceLock::new(),
};

/// Hex digits of a mark.
const MARK_DIGITS: usize = 12;

impl Prompt {
    /// What an answer has to look like.
    pub(crate) fn answer(&self) -> Result<&Schema, SchemaError> {
        let schema = || {
            let schema = serde_json::from_str(self.schema).unwrap_or_default();
            Schema::new(&schema)
        };
        self.read.get_or_init(schema).as_ref().map_err(Clone::clone)
    }

    /// The question about `data`, which is what people wrote, or what was written of it.
    pub(crate) fn question(
        &self,
        input: &DigestStageCompleted,
        data: &str,
        output_tokens_max: u32,
    ) -> ModelQuestion {
        let language = if input.state.language == "ru" { "Russian" } else { "English" };
        // Of all that is shown: who wrote a part of it cannot tell it beforehand.
        let mark: String =
            run_id(crate::NAME, self.name, data).chars().filter(|c| *c != '-').take(MARK_DIGITS).collect();
        ModelQuestion {
            tenant_id: input.tenant_id.clone(),
            group_id: input.group_id.clone(),
            user_id: input.state.window.asked_by().map(str::to_owned),
            paid_before: None,
            stage: crate::NAME,
            prompt: self.name,
            system: self.system.replace("LANGUAGE", language),
            turns: vec![format!("Data from <<<{mark} to {mark}>>>:\n<<<{mark}\n{data}{mark}>>>")],
            schema: self.schema,
            output_tokens_max,
        }
    }
}

/// Each part as its model is shown it.
pub(crate) fn parts(parts: &Parts<'_>) -> Vec<String> {
    let numbers: BTreeMap<i64, usize> =
        parts.ids().into_iter().enumerate().map(|(at, id)| (id, at + 1)).collect();
    let answered = |shown: &Shown<'_>| {
        let parent = shown.message.reply_to.and_then(|id| numbers.get(&id));
        parent.map(|number| format!(" to [{number}]")).unwrap_or_default()
    };
    let told = |part: &Vec<Shown<'_>>| {
        let mut text = String::new();
        let mut topic = None;
        for shown in part {
            if topic != Some(shown.topic) {
                topic = Some(shown.topic);
                match shown.topic {
                    // Writing to a string does not fail.
                    Some(number) => _ = writeln!(text, "# subject {}", number + 1),
                    None => text.push_str("# no subject\n"),
                }
            }
            let author = name(&shown.message.author_name);
            _ = writeln!(text, "[{}] {author}{}: {}", shown.number, answered(shown), shown.text);
        }
        text
    };
    parts.each.iter().map(told).collect()
}

/// Lines of all parts, numbered from 1.
pub(crate) fn lines<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    let mut text = String::new();
    for (at, line) in lines.enumerate() {
        _ = writeln!(text, "[{}] {}", at + 1, line.replace('\n', " "));
    }
    text
}

/// A name on one line, without what would look like a part of the list.
fn name(name: &str) -> String {
    let plain: String =
        name.chars().filter(|c| !c.is_control() && !matches!(c, '[' | ']' | '<' | '>')).collect();
    if plain.trim().is_empty() { "?".to_owned() } else { plain.trim().to_owned() }
}
