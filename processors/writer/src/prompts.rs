//! Which version of a prompt is asked with, and what operators see of prompts.
//!
//! Invariant: the choice is a function of the settings and the tenant; the name of the prompt stands in every run that was
//! made with it.

use crate::prompt::{PARTS, Prompt, SUMMARY};
use std::collections::BTreeSet;

/// A prompt as the program has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptText {
    /// Name and version, as in `part/1`.
    pub name: &'static str,
    /// What the model is told to do; `LANGUAGE` stands for the digest's.
    pub system: &'static str,
    /// JSON Schema of the answer.
    pub schema: &'static str,
    /// Whether a [`Choice`] is made between it and others.
    pub is_choice: bool,
}

/// All prompts, by name and version.
pub fn prompts() -> Vec<PromptText> {
    let text = |prompt: &Prompt, is_choice| {
        let Prompt { name, system, schema, .. } = *prompt;
        PromptText { name, system, schema, is_choice }
    };
    let parts = PARTS.iter().map(|prompt| text(prompt, true));
    parts.chain([text(&SUMMARY, false)]).collect()
}

/// Which of the prompts about a part is used for whom. Default: the first, for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    name: usize,
    canary: Option<(usize, BTreeSet<String>)>,
}

impl Default for Choice {
    fn default() -> Self {
        Self::FIRST
    }
}

/// A prompt that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no prompt {name:?} for parts of a window; there are {}", known())]
pub struct UnknownPrompt {
    name: String,
}

fn known() -> String {
    PARTS.iter().map(|prompt| prompt.name).collect::<Vec<_>>().join(", ")
}

impl Choice {
    /// The first, for everybody.
    pub(crate) const FIRST: Self = Self { name: 0, canary: None };

    /// The prompt of this name for everybody, and the canary's for its tenants.
    ///
    /// # Errors
    /// A name that is not there.
    pub fn new((name, canary): (Option<&str>, Option<(&str, &[String])>)) -> Result<Self, UnknownPrompt> {
        let canary = canary.map(|(name, tenants)| Ok((at(name)?, tenants.iter().cloned().collect())));
        Ok(Self { name: name.map(at).transpose()?.unwrap_or_default(), canary: canary.transpose()? })
    }

    /// The prompt for a tenant.
    pub(crate) fn of(&self, tenant_id: &str) -> &'static Prompt {
        let canary = self.canary.as_ref().filter(|(_, tenants)| tenants.contains(tenant_id));
        &PARTS[canary.map_or(self.name, |(name, _)| *name)]
    }

    /// The name of the prompt for everybody, and of the canary's with its tenants.
    pub fn names(&self) -> (&'static str, Option<(&'static str, &BTreeSet<String>)>) {
        let canary = self.canary.as_ref().map(|(name, tenants)| (PARTS[*name].name, tenants));
        (PARTS[self.name].name, canary)
    }
}

fn at(name: &str) -> Result<usize, UnknownPrompt> {
    let unknown = || UnknownPrompt { name: name.to_owned() };
    PARTS.iter().position(|prompt| prompt.name == name).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_for_its_tenants_and_the_choice_for_everybody_else() {
        let tenants = ["acme".to_owned()];
        let choice = Choice::new((None, Some(("part/2", &tenants)))).unwrap();
        assert_eq!([choice.of("acme").name, choice.of("other").name], ["part/2", "part/1"]);
        let all = Choice::new((Some("part/2"), None)).unwrap();
        assert_eq!(all.of("acme").name, "part/2");
        assert_eq!(Choice::default().of("acme").name, "part/1");
    }

    #[test]
    fn a_prompt_that_is_not_there_is_named_with_those_that_are() {
        for name in ["part/9", "summary/1", ""] {
            let error = Choice::new((Some(name), None)).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{name:?}")) && error.ends_with("there are part/1, part/2"),
                "{error}"
            );
        }
        assert!(Choice::new((None, Some(("part/0", &[])))).is_err());
    }

    #[test]
    fn every_prompt_has_a_name_of_its_own_and_a_schema_that_reads() {
        let all = prompts();
        let names: BTreeSet<&str> = all.iter().map(|prompt| prompt.name).collect();
        assert_eq!(names.len(), all.len());
        for prompt in PARTS.iter().chain([&SUMMARY]) {
            assert!(prompt.answer().is_ok() && prompt.system.contains("LANGUAGE"), "{}", prompt.name);
        }
    }
}
