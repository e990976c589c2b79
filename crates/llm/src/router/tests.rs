//! The router by tables, and by a die against what must hold whatever happens.

use super::*;
use proptest::prelude::*;

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn provider(name: &str) -> Provider {
    Provider { name: name.to_owned(), requests_per_minute: None, tokens_per_minute: None }
}

fn chains(chain: &[&str]) -> BTreeMap<String, Vec<String>> {
    [("writer".to_owned(), chain.iter().map(|name| (*name).to_owned()).collect())].into()
}

fn router() -> Router {
    Router::new(&[provider("base"), provider("pro")], &chains(&["pro", "base"])).unwrap()
}

fn failed(failure: Failure) -> Outcome {
    Outcome { failure: Some(failure), usage: None }
}

/// The provider that is asked now.
fn tried(router: &mut Router, route: &mut Route, now: Duration) -> (usize, Permit) {
    match router.next(route, now) {
        Step::Try(provider, permit) => (provider, permit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_chain_is_gone_along_in_its_order_and_ends_offline_with_the_last_reason() {
    let mut router = router();
    let mut route = router.route("writer", 10, at(60));
    let (first, permit) = tried(&mut router, &mut route, at(0));
    router.end(&mut route, permit, at(1), failed(Failure::ServerError));
    let (second, permit) = tried(&mut router, &mut route, at(1));
    router.end(&mut route, permit, at(2), failed(Failure::Refused));
    assert_eq!((first, second), (1, 0));
    assert_eq!(router.next(&mut route, at(2)), Step::Offline("refused"));
    let mut none = router.route("mood", 10, at(60));
    assert_eq!(router.next(&mut none, at(0)), Step::Offline("no_provider"));
}

#[test]
fn a_wait_that_a_provider_names_holds_for_every_call_to_the_moment() {
    let mut router = router();
    let mut route = router.route("writer", 10, at(60));
    let (_, permit) = tried(&mut router, &mut route, at(0));
    let limited = Failure::RateLimited { retry_after: Some(at(30)) };
    router.end(&mut route, permit, at(1), failed(limited));
    // Too long to wait for: the next in the chain, for this call and for others.
    let (next, permit) = tried(&mut router, &mut route, at(1));
    router.end(&mut route, permit, at(2), failed(Failure::ServerError));
    let (of_other, other) = {
        let mut other = router.route("writer", 10, at(60));
        tried(&mut router, &mut other, at(2))
    };
    router.give_up(other, at(2));
    assert_eq!((next, of_other), (0, 0));
    // Nobody else is left: it is waited for, exactly as long as it said.
    assert_eq!(router.next(&mut route, at(2)), Step::WaitUntil(at(31)));
    assert_eq!(router.next(&mut route, Duration::from_millis(30_999)), Step::WaitUntil(at(31)));
    let (again, permit) = tried(&mut router, &mut route, at(31));
    router.end(&mut route, permit, at(32), failed(limited));
    assert_eq!((again, router.next(&mut route, at(32))), (1, Step::Offline("rate_limited")));
}

#[test]
fn a_wait_beyond_the_deadline_is_not_begun_and_a_short_one_keeps_the_order() {
    let mut router = router();
    let mut route = router.route("writer", 10, at(5));
    let (_, permit) = tried(&mut router, &mut route, at(0));
    let short = Failure::Overloaded { retry_after: Some(at(1)) };
    router.end(&mut route, permit, at(0), failed(short));
    assert_eq!(router.next(&mut route, at(0)), Step::WaitUntil(at(1)));
    let (again, permit) = tried(&mut router, &mut route, at(1));
    router.end(&mut route, permit, at(1), failed(Failure::RateLimited { retry_after: Some(at(600)) }));
    let (next, permit) = tried(&mut router, &mut route, at(1));
    router.end(&mut route, permit, at(1), failed(Failure::RateLimited { retry_after: Some(at(600)) }));
    assert_eq!((again, next), (1, 0));
    assert_eq!(router.next(&mut route, at(1)), Step::Offline("rate_limited"));
    let mut late = router.route("writer", 10, at(5));
    assert_eq!(router.next(&mut late, at(5)), Step::Offline("deadline"));
}

#[test]
fn a_cut_answer_is_not_paid_for_a_second_time() {
    let mut router = router();
    let mut route = router.route("writer", 10, at(60));
    let (_, permit) = tried(&mut router, &mut route, at(0));
    router.end(&mut route, permit, at(1), failed(Failure::Truncated));
    assert_eq!(router.next(&mut route, at(1)), Step::Offline("truncated"));
}

#[test]
fn a_key_that_is_not_taken_is_not_tried_with_each_call() {
    let mut router = router();
    for call in 0..3 {
        let mut route = router.route("writer", 10, at(60));
        let (provider, permit) = tried(&mut router, &mut route, at(call));
        let is_first = call == 0;
        assert_eq!(provider, usize::from(is_first));
        let outcome = if is_first { failed(Failure::Unauthorized) } else { Outcome::default() };
        router.end(&mut route, permit, at(call), outcome);
    }
    let mut route = router.route("writer", 10, at(60));
    let (probed, _permit) = tried(&mut router, &mut route, at(30));
    assert_eq!(probed, 1);
}

#[test]
fn a_request_larger_than_a_minute_allows_goes_to_the_next() {
    let small = Provider { tokens_per_minute: Some(5), ..provider("pro") };
    let mut router = Router::new(&[provider("base"), small], &chains(&["pro", "base"])).unwrap();
    let mut route = router.route("writer", 10, at(60));
    assert_eq!(tried(&mut router, &mut route, at(0)).0, 0);
    let mut router =
        Router::new(&[Provider { tokens_per_minute: Some(5), ..provider("pro") }], &chains(&["pro"]))
            .unwrap();
    let mut route = router.route("writer", 10, at(60));
    assert_eq!(router.next(&mut route, at(0)), Step::Offline("over_rate"));
}

#[test]
fn a_chain_that_cannot_work_is_named() {
    for (names, chain, named) in [
        (["pro", "pro"], vec!["pro"], "two of [[llm.providers]]"),
        (["pro", "base"], vec!["prp"], "llm.chains.writer names \"prp\""),
        (["pro", "base"], vec!["pro", "pro"], "twice"),
    ] {
        let error = Router::new(&names.map(provider), &chains(&chain)).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

/// What happens to the calls, by a die.
#[derive(Debug, Clone)]
enum Turn {
    Pass(u64),
    Next(usize),
    End(usize, u8),
    GiveUp(usize),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = prop_oneof![
        (0_u64..40_000).prop_map(Turn::Pass),
        (0_usize..6).prop_map(Turn::Next),
        (0_usize..6).prop_map(Turn::Next),
        (0_usize..6, 0_u8..10).prop_map(|(call, outcome)| Turn::End(call, outcome)),
        (0_usize..6).prop_map(Turn::GiveUp),
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

/// A call, its attempt that is on its way, and how often it has asked whom.
type Call = (Route, Option<(usize, Permit)>, [u32; 3]);

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
        (self.router.route("writer", TOKENS, self.now + at(300)), None, [0; 3])
    }

    fn turn(&mut self, turn: &Turn) {
        match turn {
            Turn::Pass(ms) => self.now += Duration::from_millis(*ms),
            Turn::Next(call) => self.next(*call),
            Turn::End(call, die) => {
                let (route, on_its_way, _) = &mut self.calls[*call];
                let Some((provider, permit)) = on_its_way.take() else { return };
                let outcome = outcome(*die);
                if let Some(wait) = outcome.failure.and_then(Failure::retry_after) {
                    self.blocked_until[provider] = self.blocked_until[provider].max(self.now + wait);
                }
                self.router.end(route, permit, self.now, outcome);
            }
            Turn::GiveUp(call) => {
                let (_, on_its_way, _) = &mut self.calls[*call];
                if let Some((_, permit)) = on_its_way.take() {
                    self.router.give_up(permit, self.now);
                    self.calls[*call] = self.call();
                }
            }
        }
    }

    fn next(&mut self, call: usize) {
        let (route, on_its_way, tries) = &mut self.calls[call];
        if on_its_way.is_some() {
            return;
        }
        match self.router.next(route, self.now) {
            Step::Try(provider, permit) => {
                assert!(self.now >= self.blocked_until[provider], "asked before the moment it named");
                tries[provider] += 1;
                assert!(tries[provider] <= TRIES_MAX, "asked too often within a call");
                self.begun[provider].push(self.now);
                *on_its_way = Some((provider, permit));
                self.check();
            }
            Step::WaitUntil(moment) => {
                assert!(moment > self.now && moment < route.deadline, "waits for the past or in vain");
            }
            Step::Offline(_) => self.calls[call] = self.call(),
        }
    }

    fn check(&self) {
        let minute = self.begun[0].iter().filter(|begun| **begun + at(60) > self.now).count();
        assert!(minute <= REQUESTS_MAX && minute as u64 * TOKENS <= TOKENS_MAX, "{minute} in a minute");
        for provider in 0..3 {
            let on_their_way = self.calls.iter().filter_map(|(_, attempt, _)| attempt.as_ref());
            let probes =
                on_their_way.filter(|(of, permit)| *of == provider && permit.pass == Pass::Probe).count();
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
                Step::WaitUntil(moment) => {
                    prop_assert!(moment > now);
                    now = moment;
                }
                Step::Offline(_) => break,
            }
        }
        prop_assert!(is_answered || now <= at(300));
    }
}
