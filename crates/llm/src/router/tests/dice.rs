//! Several calls at once by a die, against what must hold whatever happens.

use super::*;
use proptest::prelude::*;

/// What happens to the calls, by a die.
#[derive(Debug, Clone)]
enum Turn {
    Pass(u64),
    Next(usize),
    End(usize, u8),
    GiveUp(usize),
    Hedge(usize),
    EndHedge(usize, u8),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        (0_u64..40_000).prop_map(Turn::Pass),
        (0_usize..6).prop_map(Turn::Next),
        (0_usize..6).prop_map(Turn::Next),
        (0_usize..6, 0_u8..10).prop_map(|(call, outcome)| Turn::End(call, outcome)),
        (0_usize..6).prop_map(Turn::GiveUp),
        (0_usize..6).prop_map(Turn::Hedge),
        (0_usize..6, 0_u8..10).prop_map(|(call, outcome)| Turn::EndHedge(call, outcome)),
    ];
    prop::collection::vec(turn, 0..400)
}

fn outcome(die: u8) -> Outcome {
    match die {
        0 => failed(Failure::RateLimited { retry_after: Some(at(20)) }),
        1 => failed(Failure::RateLimited { retry_after: None }),
        2 => failed(Failure::Overloaded { retry_after: Some(at(90)) }),
        3 => failed(Failure::Timeout),
        4 | 5 => failed(Failure::ServerError),
        6 => failed(Failure::Unauthorized),
        7 => failed(Failure::Truncated),
        _ => Outcome::default(),
    }
}

const REQUESTS_MAX: usize = 4;
const TOKENS: u64 = 10;
const TOKENS_MAX: u64 = 60;

/// A call, its attempts that are on their way, the second a hedge, and how often it has asked whom.
type Call = (Route, [Option<(usize, Permit)>; 2], [u32; 3]);

/// Several calls at once, and what the providers have seen of them.
struct World {
    router: Router,
    calls: Vec<Call>,
    now: Duration,
    begun: [Vec<Duration>; 3],
    blocked_until: [Duration; 3],
}

impl World {
    fn new() -> Self {
        let limited = Provider {
            max_concurrent: Some(3),
            requests_per_minute: Some(REQUESTS_MAX as u32),
            tokens_per_minute: Some(TOKENS_MAX),
            ..provider("a")
        };
        let router =
            Router::new(&[limited, provider("b"), provider("c")], &chains(&["a", "b", "c"])).unwrap();
        let begun = Default::default();
        let mut world = Self { router, calls: Vec::new(), now: at(0), begun, blocked_until: [at(0); 3] };
        world.calls = (0..6).map(|_| world.call()).collect();
        world
    }

    fn call(&self) -> Call {
        (self.router.route("writer", TOKENS, self.now + at(300)), [None, None], [0; 3])
    }

    fn turn(&mut self, turn: &Turn) {
        match turn {
            Turn::Pass(ms) => self.now += Duration::from_millis(*ms),
            Turn::Next(call) => self.next(*call),
            Turn::End(call, die) => self.end(*call, 0, *die),
            Turn::EndHedge(call, die) => self.end(*call, 1, *die),
            Turn::Hedge(call) => self.hedge(*call),
            Turn::GiveUp(call) => {
                let (_, on_their_way, _) = &mut self.calls[*call];
                let given_up: Vec<_> = on_their_way.iter_mut().filter_map(Option::take).collect();
                if !given_up.is_empty() {
                    for (_, permit) in given_up {
                        self.router.give_up(permit, self.now);
                    }
                    self.calls[*call] = self.call();
                }
            }
        }
    }

    fn end(&mut self, call: usize, at: usize, die: u8) {
        let (route, on_their_way, _) = &mut self.calls[call];
        let Some((provider, permit)) = on_their_way[at].take() else { return };
        let outcome = outcome(die);
        if let Some(wait) = outcome.failure.and_then(Failure::retry_after) {
            self.blocked_until[provider] = self.blocked_until[provider].max(self.now + wait);
        }
        self.router.end(route, permit, self.now, outcome);
        // The first good answer wins.
        if outcome.failure.is_none() {
            for (_, permit) in on_their_way.iter_mut().filter_map(Option::take) {
                self.router.give_up(permit, self.now);
            }
            // Nothing more is asked for it.
            self.calls[call] = self.call();
        }
    }

    fn hedge(&mut self, call: usize) {
        let (route, on_their_way, tries) = &mut self.calls[call];
        if on_their_way[0].is_none() || on_their_way[1].is_some() {
            return;
        }
        if let Some((provider, permit)) = self.router.hedge(route, self.now) {
            assert!(self.now >= self.blocked_until[provider], "asked before the moment it named");
            tries[provider] += 1;
            assert_eq!(tries[provider], 1, "a hedge asks whom the call has not asked");
            self.begun[provider].push(self.now);
            on_their_way[1] = Some((provider, permit));
            self.check();
        }
    }

    fn next(&mut self, call: usize) {
        let (route, on_their_way, tries) = &mut self.calls[call];
        if on_their_way.iter().any(Option::is_some) {
            return;
        }
        match self.router.next(route, self.now) {
            Step::Try(provider, permit) => {
                assert!(self.now >= self.blocked_until[provider], "asked before the moment it named");
                tries[provider] += 1;
                assert!(tries[provider] <= TRIES_MAX, "asked too often within a call");
                self.begun[provider].push(self.now);
                on_their_way[0] = Some((provider, permit));
                self.check();
            }
            Step::WaitForRoom(moment) => assert!(moment > self.now && moment <= route.deadline),
            Step::WaitUntil(moment) => {
                assert!(moment > self.now && moment < route.deadline, "waits for the past or in vain");
            }
            Step::Offline(_) => self.calls[call] = self.call(),
        }
    }

    fn check(&self) {
        let minute = self.begun[0].iter().filter(|begun| **begun + at(60) > self.now).count();
        assert!(minute <= REQUESTS_MAX && minute as u64 * TOKENS <= TOKENS_MAX, "{minute} in a minute");
        let on_their_way = || self.calls.iter().flat_map(|(_, attempts, _)| attempts.iter().flatten());
        assert!(on_their_way().filter(|(of, _)| *of == 0).count() <= 3, "more at once than it allows");
        for provider in 0..3 {
            let probes =
                on_their_way().filter(|(of, permit)| *of == provider && permit.pass == Pass::Probe).count();
            assert!(probes <= 1, "{probes} probes at once");
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_waits_rates_probes_and_tries_are_kept(turns in turns()) {
        let mut world = World::new();
        for turn in &turns {
            world.turn(turn);
        }
    }

    /// Whoever waits as told and is always answered so comes to an end.
    #[test]
    fn every_call_ends(dice in prop::collection::vec(0_u8..10, 64)) {
        let mut router = World::new().router;
        let mut route = router.route("writer", TOKENS, at(300));
        let mut now = at(0);
        let mut dice = dice.into_iter();
        let mut is_answered = false;
        loop {
            match router.next(&mut route, now) {
                Step::Try(_, permit) => {
                    let outcome = outcome(dice.next().expect("at most six attempts and the waits between"));
                    is_answered = outcome.failure.is_none();
                    router.end(&mut route, permit, now, outcome);
                    if is_answered {
                        break;
                    }
                }
                Step::WaitUntil(moment) | Step::WaitForRoom(moment) => {
                    prop_assert!(moment > now);
                    now = moment;
                }
                Step::Offline(_) => break,
            }
        }
        prop_assert!(is_answered || now <= at(300));
    }
}
