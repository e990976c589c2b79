//! Pursues a version of a delivery, one effect after the other.
//!
//! Invariant: `sending` is committed before each call. No transaction is open while a call or a limit is waited for.

use crate::{
    TelegramSink,
    answer::Answer,
    api::{Content, ReplyParameters, Request},
    failed,
    job::Job,
    only_for::OnlyFor,
    pass::{Pass, Progress},
    target::{Target, message_id},
};
use delivery::effects::{Call, CallKind, Outcome, Step, decide};
use runtime::{SinkBatch, SinkError};
use state::{Batch, DeliveryStatus, Effect, EffectState, TargetState};

/// What the ledger knows of a delivery and its target.
#[derive(Debug)]
pub(crate) struct Known {
    /// Effects; where a message is that the bot can still reach.
    pub(crate) effects: Vec<Effect>,
    pub(crate) target: TargetState,
}

impl Known {
    pub(crate) async fn of(open: &mut Batch, job: &Job<'_>) -> Result<Self, SinkError> {
        let target = open.target(&job.delivery).await.map_err(failed)?;
        let mut effects = open.effects(&job.delivery).await.map_err(failed)?;
        let is_within_reach =
            |reference: &String| message_id(reference, target.moved_to.as_deref()).is_some();
        for effect in &mut effects {
            effect.reference = effect.reference.take().filter(is_within_reach);
        }
        Ok(Self { effects, target })
    }

    fn has(&self, job: &Job<'_>, part: i32) -> bool {
        self.effects.iter().any(|it| it.version == job.delivery.version && it.part == part)
    }
}

/// How the next call differs from what the ledger asks for.
#[derive(Debug, Default)]
pub(crate) enum Turn {
    /// Not at all.
    #[default]
    AsAsked,
    /// Its entities were refused: the text alone.
    Plain,
    /// What is there can be edited no more: this is posted as an answer to it.
    Correction(Call),
}

impl TelegramSink {
    /// Does what is left to be done of a version, in the form and by the way that its target takes.
    pub(crate) async fn carry_out(
        &self,
        batch: &SinkBatch,
        (mut job, language): (Job<'_>, &str),
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        if job.is_personal() {
            job = job.into_personal(self.api.takes_ephemeral().await);
        } else if !self.api.takes_rich().await {
            job = job.into_text();
        }
        loop {
            match self.pursue(batch, &job, pass).await? {
                Progress::AsText => job = job.into_text(),
                Progress::OtherWay => job = job.by_another_way(language),
                progress => return Ok(progress),
            }
        }
    }

    /// Does what is left to be done of a version.
    pub(crate) async fn pursue(
        &self,
        batch: &SinkBatch,
        job: &Job<'_>,
        pass: &mut Pass,
    ) -> Result<Progress, SinkError> {
        let progress = self.pursue_within(batch, job, pass).await?;
        if matches!(progress, Progress::Later(_)) {
            pass.put_off(job.delivery.tenant_id, job.delivery.chat);
        }
        Ok(progress)
    }

    async fn pursue_within(
        &self,
        batch: &SinkBatch,
        job: &Job<'_>,
        pass: &Pass,
    ) -> Result<Progress, SinkError> {
        let (mut turn, mut is_admitted) = (Turn::AsAsked, false);
        loop {
            if let Some(why) = pass.refusal(job.delivery.tenant_id, job.delivery.chat) {
                return Ok(Progress::Later(why.to_owned()));
            }
            let Some(mut open) = self.open(batch).await? else { return Ok(Progress::Ended) };
            let known = Known::of(&mut open, job).await?;
            let call = match decide(&known.effects, &job.wanted(&known.effects)) {
                Step::Call(call) => call,
                Step::Lost(part) => {
                    open.abandon().await.map_err(failed)?;
                    self.settle_lost(batch, job, part).await?;
                    continue;
                }
                Step::Wait(older) => return Ok(Progress::Later(format!("version {older} is being posted"))),
                Step::Done(outcome) => return self.conclude(open, job, (outcome, &known.effects)).await,
            };
            let target = match job.target(&known.target) {
                Ok(target) => target,
                Err(why) => {
                    self.fail(&mut open, job, (call.part, call.reference()), &why).await?;
                    open.commit_without_offset().await.map_err(failed)?;
                    return Ok(Progress::Ended);
                }
            };
            if !is_admitted {
                open.abandon().await.map_err(failed)?;
                if let Err(why) = self.api.admit(&target).await {
                    return Ok(Progress::Later(why.to_owned()));
                }
                is_admitted = true;
                continue;
            }
            is_admitted = false;
            let is_plain = matches!(turn, Turn::Plain);
            let call = match std::mem::take(&mut turn) {
                Turn::Correction(correction) => correction,
                Turn::AsAsked | Turn::Plain => call,
            };
            begin(open, job, (&known, &call)).await?;
            let answer = match self.ask(job, &target, (&call, is_plain)).await {
                answer if job.has_another_way(&answer) => {
                    let not_done = (call, Answer::Later("the person cannot be reached that way".to_owned()));
                    return self.write_down(batch, job, not_done).await.map(|_| Progress::OtherWay);
                }
                Answer::Entities(why) | Answer::Refused(why) if job.rich(&call).is_some() => {
                    // Nothing was done.
                    let not_done = (call, Answer::Later(why));
                    return self.write_down(batch, job, not_done).await.map(|_| Progress::AsText);
                }
                Answer::Entities(why) if is_plain || job.post(&call).entities.is_empty() => {
                    Answer::Refused(why)
                }
                answer => answer,
            };
            turn = match self.write_down(batch, job, (call, answer)).await? {
                Ok(turn) => turn,
                Err(why) => return Ok(Progress::Later(why)),
            };
        }
    }

    async fn ask(&self, job: &Job<'_>, target: &Target, (call, is_plain): (&Call, bool)) -> Answer {
        let post = job.post(call);
        // What the ledger asks to be edited is within reach: a number, maybe after the chat's.
        let id = |reference: &String| reference.rsplit(':').next().and_then(|id| id.parse().ok());
        let (edited, answered) = match &call.kind {
            CallKind::Post { reply_to } => (None, reply_to.as_ref().and_then(id).or(job.answers)),
            CallKind::Edit { reference } | CallKind::Blank { reference } => (id(reference), None),
        };
        let reply = |message_id| ReplyParameters { message_id, allow_sending_without_reply: true };
        let message = Request {
            chat_id: &target.chat,
            message_id: edited,
            message_thread_id: target.topic.filter(|_| edited.is_none()),
            content: match job.rich(call) {
                Some(rich_message) => Content::Rich { rich_message },
                None => Content::text(&post.text, if is_plain { &[] } else { &post.entities }),
            },
            reply_parameters: answered.map(reply),
            only_for: target.person.map(OnlyFor::person),
            reply_markup: job.button.as_ref().filter(|_| call.part == 1),
        };
        self.api.put(&message).await
    }

    /// Writes down why nothing more is done, where the ledger does not say it yet.
    async fn conclude(
        &self,
        mut open: Box<Batch>,
        job: &Job<'_>,
        (outcome, effects): (Outcome, &[Effect]),
    ) -> Result<Progress, SinkError> {
        let mut own = effects.iter().filter(|it| it.version == job.delivery.version && it.part > 0);
        let mark = match outcome {
            Outcome::Superseded => DeliveryStatus::Superseded,
            Outcome::Withdrawn => DeliveryStatus::Withdrawn,
            Outcome::Held(older) => {
                let why =
                    format!("nobody knows whether version {older} was posted: see gistmill delivery ls");
                self.fail(&mut open, job, (1, None), &why).await?;
                open.commit_without_offset().await.map_err(failed)?;
                return Ok(Progress::Ended);
            }
            Outcome::Done
            | Outcome::Forgotten
            | Outcome::Unknown
            | Outcome::Failed
            | Outcome::NothingThere => return Ok(Progress::Ended),
        };
        if own.next().is_none() {
            let state = EffectState { status: mark, reference: None, error: None };
            open.put_effect(&job.delivery, &state).await.map_err(failed)?;
            open.commit_without_offset().await.map_err(failed)?;
        }
        Ok(Progress::Ended)
    }
}

/// Commits that a call is about to be made, and which parts there will be.
async fn begin(mut open: Box<Batch>, job: &Job<'_>, (known, call): (&Known, &Call)) -> Result<(), SinkError> {
    let planned = EffectState { status: DeliveryStatus::Planned, reference: None, error: None };
    for part in (1..=job.wanted.parts).filter(|part| job.wanted.may_begin && !known.has(job, *part)) {
        open.put_effect(&job.part(part), &planned).await.map_err(failed)?;
    }
    let sending = EffectState { status: DeliveryStatus::Sending, reference: call.reference(), error: None };
    open.put_effect(&job.part(call.part), &sending).await.map_err(failed)?;
    open.commit_without_offset().await.map_err(failed)
}
