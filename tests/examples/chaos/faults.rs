//! What is broken, and how.

use crate::{load::Load, units::Units};
use anyhow::Context;
use std::time::Duration;
use tests::{Act, Call, Die};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL at any moment.
    Kill,
    /// SIGKILL in a call: before it reaches the peer, or before its answer.
    KillInCall,
    /// The answer of the end of a transaction, or of its offsets, is lost.
    AnswerLost,
    /// SIGSTOP, up to longer than a session and a transaction may last, then SIGCONT.
    Sleep,
    /// SIGTERM.
    Terminate,
    /// SIGTERM; the next process of the unit is of the other release.
    Exchange,
    /// Another process of a unit comes, up to four, or goes by SIGKILL.
    Scale,
    /// The import is killed.
    Import,
    /// The broker is killed and started again; one of three is started at once or after its session.
    Broker,
    /// Postgres is killed and started again.
    Postgres,
    /// The registry is killed and started again.
    Registry,
    /// A unit's connections are slow.
    Latency,
    /// They give a few bytes at a time.
    Slice,
    /// They are cut.
    Reset,
    /// None is to be had.
    Down,
}

impl Fault {
    /// All of them; those that take long for everybody come once.
    pub(crate) const ALL: [Self; 24] = [
        Self::Kill,
        Self::Kill,
        Self::Kill,
        Self::KillInCall,
        Self::KillInCall,
        Self::KillInCall,
        Self::AnswerLost,
        Self::AnswerLost,
        Self::AnswerLost,
        Self::Sleep,
        Self::Sleep,
        Self::Terminate,
        Self::Terminate,
        Self::Exchange,
        Self::Exchange,
        Self::Scale,
        Self::Import,
        Self::Broker,
        Self::Postgres,
        Self::Registry,
        Self::Latency,
        Self::Slice,
        Self::Reset,
        Self::Down,
    ];

    /// By its name on the command line.
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        let names = [
            ("sigkill", Self::Kill),
            ("sigkill-in-call", Self::KillInCall),
            ("answer-lost", Self::AnswerLost),
            ("sigstop", Self::Sleep),
            ("sigterm", Self::Terminate),
            ("exchange", Self::Exchange),
            ("scale", Self::Scale),
            ("import", Self::Import),
            ("broker", Self::Broker),
            ("postgres", Self::Postgres),
            ("registry", Self::Registry),
            ("latency", Self::Latency),
            ("slice", Self::Slice),
            ("reset", Self::Reset),
            ("down", Self::Down),
        ];
        let found = names.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault);
        let known = || names.map(|(name, _)| name).join(", ");
        found.with_context(|| format!("fault {name} is unknown: all, or some of {}", known()))
    }

    /// Breaks something; what it was, or none where there was nothing to break.
    pub(crate) fn inject(
        self,
        units: &mut Units<'_>,
        load: &mut Load,
        die: &mut Die,
    ) -> anyhow::Result<Option<&'static str>> {
        let done = |done: bool, what| Ok(done.then_some(what));
        match self {
            Self::Kill => done(units.any(die).kill()?, "SIGKILL"),
            Self::KillInCall => in_call(units, die, true),
            Self::AnswerLost => in_call(units, die, false),
            Self::Sleep => {
                let time =
                    Duration::from_millis([300, 3_000, 12_000, 45_000][die.roll(4) as usize] + die.roll(500));
                done(units.any(die).sleep(time)?, "SIGSTOP")
            }
            Self::Terminate => done(units.any(die).terminate()?, "SIGTERM"),
            Self::Exchange => Ok(units.exchange(die)?.map(|is_other| {
                if is_other { "goes on as the other release" } else { "comes back from the other release" }
            })),
            Self::Scale => Ok(Some(if units.scale(die)? { "instance added" } else { "instance killed" })),
            Self::Import => done(load.kill(), "SIGKILL of an import"),
            Self::Broker => units.ground.kill_a_broker(die),
            Self::Postgres => units.ground.kill("postgres").map(|()| Some("SIGKILL of Postgres")),
            Self::Registry => units.ground.kill("registry").map(|()| Some("SIGKILL of the registry")),
            Self::Latency => {
                let latency = Duration::from_millis(5 + die.roll(400));
                units.weather(die, |front| front.slow_down(latency, 0));
                Ok(Some("latency"))
            }
            Self::Slice => {
                let bytes = 1 + die.roll(200);
                units.weather(die, |front| front.slow_down(Duration::ZERO, bytes));
                Ok(Some("bytes in pieces"))
            }
            Self::Reset => {
                units.weather(die, tests::Front::cut);
                Ok(Some("connections cut"))
            }
            Self::Down => {
                units.weather(die, |front| front.go_down(true));
                Ok(Some("peer down"))
            }
        }
    }
}

/// Lies in wait for a call of a unit: what happens in it is told by [`Units::sprung`], where one comes.
fn in_call(units: &mut Units<'_>, die: &mut Die, kills: bool) -> anyhow::Result<Option<&'static str>> {
    let calls = [Call::EndTxn, Call::TxnOffsetCommit, Call::Produce, Call::Commit];
    // A record's answer that is lost is sent again by the client: nothing to see there.
    let call = calls[die.roll(if kills { 4 } else { 2 }) as usize];
    let call = if !kills && die.roll(3) == 0 { Call::Commit } else { call };
    let unit = units.any(die);
    let Some(pid) = unit.pid()? else { return Ok(None) };
    let front = if call == Call::Commit { unit.postgres.clone() } else { unit.kafka.clone() };
    let (act, what) = match (kills, die.roll(2) == 0) {
        (true, true) => (
            Act::KillBefore(pid),
            [
                "SIGKILL before EndTxn",
                "SIGKILL before TxnOffsetCommit",
                "SIGKILL before Produce",
                "SIGKILL before COMMIT",
            ],
        ),
        (true, false) => (
            Act::KillAfter(pid),
            ["SIGKILL in EndTxn", "SIGKILL in TxnOffsetCommit", "SIGKILL in Produce", "SIGKILL in COMMIT"],
        ),
        (false, _) => (
            Act::LoseAnswer,
            [
                "answer of EndTxn lost",
                "answer of TxnOffsetCommit lost",
                "answer of Produce lost",
                "answer of COMMIT lost",
            ],
        ),
    };
    let index = calls.iter().position(|known| *known == call).unwrap_or_default();
    units.lie_in_wait((front, call), act, what[index]);
    Ok(None)
}
