//! Says who did what in a window: who asks, helps, starts talks, decides.
//!
//! Invariant: every known author of the window is one participant, and each role cites messages of its own
//! author.

mod cues;
mod graph;

use processor::{Reject, Stage, StageReport};
use schemas::{ContextMessage, DigestStageCompleted, DigestState, ParticipantRole, Roles, Threads};
use std::collections::BTreeMap;

/// Most messages that show a role.
const EVIDENCE_MAX: usize = 5;

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoleFinder;

impl Stage for RoleFinder {
    const NAME: &'static str = "roles";
    const CODE_VERSION: &'static str = "1";
    const SCHEMA_VERSION: i32 = 1;
    type In = DigestStageCompleted;

    fn run(&self, state: &mut DigestState) -> Result<StageReport, Reject> {
        let Some(threads) = &state.threads else {
            return Err(Reject::new("missing_artifact", "no threads in the state"));
        };
        let roles = find(&state.messages, threads);
        let people = roles.participants.iter().filter(|person| person.role != "bot").count();
        let answers: i32 = roles.participants.iter().map(|person| person.replies_received).sum();
        let report = StageReport::ok()
            .metric("participants", people as f64)
            .metric("answers_between_people", f64::from(answers));
        state.roles = Some(roles);
        Ok(report)
    }
}

/// What one person did.
#[derive(Debug, Default)]
struct Acts {
    messages: Vec<i64>,
    replies_received: usize,
    starts: Vec<i64>,
    questions: Vec<i64>,
    answers: Vec<i64>,
    decisions: Vec<i64>,
    is_bot: bool,
}

/// Participants of a window, most active first.
pub fn find(messages: &[ContextMessage], threads: &Threads) -> Roles {
    let mut ordered: Vec<&ContextMessage> = messages.iter().collect();
    ordered.sort_by_key(|message| (message.sent_at, message.id));
    ordered.dedup_by_key(|message| message.id);
    let (people, numbers) = number(&ordered);
    let by_id: BTreeMap<i64, &ContextMessage> =
        ordered.iter().map(|message| (message.id, *message)).collect();
    let who = |id: i64| by_id.get(&id).and_then(|message| numbers.get(message.author_id.as_str())).copied();
    let mut acts: Vec<Acts> = people.iter().map(|_| Acts::default()).collect();
    for message in &ordered {
        if let Some(&person) = numbers.get(message.author_id.as_str()) {
            note_message(&mut acts[person], message);
        }
    }
    let mut graph = BTreeMap::new();
    for link in &threads.links {
        let (Some(from), Some(to)) = (who(link.id), who(link.parent)) else { continue };
        if from != to {
            *graph.entry((from, to)).or_insert(0) += 1;
            acts[to].replies_received += 1;
            if by_id.get(&link.parent).is_some_and(|parent| text::is_question(&parent.text))
                && by_id.get(&link.id).is_some_and(|child| !text::is_question(&child.text))
            {
                acts[from].answers.push(link.id);
            }
        }
    }
    for thread in threads.threads.iter().filter(|thread| thread.message_ids.len() > 1) {
        if let Some(person) = who(thread.thread_id) {
            acts[person].starts.push(thread.thread_id);
        }
    }
    let centralities = graph::page_rank(people.len(), &graph);
    let mut participants: Vec<ParticipantRole> = people
        .iter()
        .zip(&acts)
        .zip(centralities)
        .map(|((message, acts), centrality)| participant(message, acts, centrality))
        .collect();
    participants
        .sort_by(|a, b| b.message_count.cmp(&a.message_count).then_with(|| a.author_id.cmp(&b.author_id)));
    Roles { participants }
}

/// The first message of each known author, and the author's number.
fn number<'a>(ordered: &[&'a ContextMessage]) -> (Vec<&'a ContextMessage>, BTreeMap<&'a str, usize>) {
    let mut people = Vec::new();
    let mut numbers = BTreeMap::new();
    for message in ordered.iter().filter(|message| !message.author_id.is_empty()) {
        numbers.entry(message.author_id.as_str()).or_insert_with(|| {
            people.push(*message);
            people.len() - 1
        });
    }
    (people, numbers)
}

fn note_message(acts: &mut Acts, message: &ContextMessage) {
    acts.messages.push(message.id);
    acts.is_bot |= message.is_bot;
    if message.duplicate_of.is_some() {
        return;
    }
    if text::is_question(&message.text) {
        acts.questions.push(message.id);
    } else if cues::is_decision(&message.text) {
        acts.decisions.push(message.id);
    }
}

fn participant(first: &ContextMessage, acts: &Acts, centrality: f64) -> ParticipantRole {
    let (role, evidence) = role(acts);
    ParticipantRole {
        author_id: first.author_id.clone(),
        name: first.author_name.clone(),
        role: role.to_owned(),
        message_count: acts.messages.len() as i32,
        replies_received: acts.replies_received as i32,
        centrality,
        message_ids: evidence.iter().take(EVIDENCE_MAX).copied().collect(),
    }
}

/// The first role that the person's acts support, and the messages that show it.
fn role(acts: &Acts) -> (&'static str, &[i64]) {
    let total = acts.messages.len();
    let often = |part: &[i64], percent: usize| part.len() * 100 >= total * percent && !part.is_empty();
    if acts.is_bot {
        ("bot", &acts.messages)
    } else if often(&acts.decisions, 20) || acts.decisions.len() >= 3 {
        ("decider", &acts.decisions)
    } else if acts.answers.len() > acts.questions.len()
        && (acts.answers.len() >= 2 || often(&acts.answers, 50))
    {
        ("helper", &acts.answers)
    } else if often(&acts.questions, 40) {
        ("asker", &acts.questions)
    } else if acts.starts.len() >= 2 && often(&acts.starts, 20) {
        ("initiator", &acts.starts)
    } else if total <= 2 && acts.replies_received == 0 {
        ("observer", &acts.messages)
    } else if total <= 4 && often(&acts.starts, 25) {
        ("initiator", &acts.starts)
    } else {
        ("contributor", &acts.messages)
    }
}

#[cfg(test)]
mod tests;
