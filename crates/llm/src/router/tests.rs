//! The router by tables.

mod dice;

use super::*;

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn provider(name: &str) -> Provider {
    Provider {
        name: name.to_owned(),
        max_concurrent: None,
        requests_per_minute: None,
        tokens_per_minute: None,
    }
}

fn chains(chain: &[&str]) -> BTreeMap<String, Vec<String>> {
    [("writer".to_owned(), chain.iter().map(|name| (*name).to_owned()).collect())].into()
}

fn router() -> Router {
    Router::new(&[provider("base"), provider("pro")], &chains(&["pro", "base"])).unwrap()
}

fn failed(failure: Failure) -> Outcome {
    Outcome { failure: Some(failure), ..Outcome::default() }
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
fn one_that_may_not_be_asked_is_passed_over_and_thought_no_worse_of() {
    let mut router = router();
    let mut route = router.route("writer", 10, at(60));
    let (first, permit) = tried(&mut router, &mut route, at(0));
    router.pass_over(&mut route, permit, at(0), "quota");
    let (second, permit) = tried(&mut router, &mut route, at(0));
    router.pass_over(&mut route, permit, at(0), "quota");
    assert_eq!((first, second), (1, 0));
    assert_eq!(router.next(&mut route, at(0)), Step::Offline("quota"));
    let mut other = router.route("writer", 10, at(60));
    let (first, permit) = tried(&mut router, &mut other, at(0));
    assert_eq!(first, 1, "another call may ask it");
    router.end(&mut other, permit, at(1), Outcome::default());
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
fn room_is_waited_for_a_while_and_then_the_next_is_asked() {
    let one = |name| Provider { max_concurrent: Some(1), ..provider(name) };
    let mut router = Router::new(&[one("pro"), one("base")], &chains(&["pro", "base"])).unwrap();
    let mut routes = [(); 3].map(|()| router.route("writer", 10, at(60)));
    let (first, permit) = tried(&mut router, &mut routes[0], at(0));
    assert_eq!(router.next(&mut routes[1], at(1)), Step::WaitForRoom(at(3)));
    assert_eq!(router.next(&mut routes[1], at(2)), Step::WaitForRoom(at(3)));
    let (second, _on_its_way) = tried(&mut router, &mut routes[1], at(3));
    assert_eq!((first, second), (0, 1));
    // Nobody has room: until the deadline.
    assert_eq!(router.next(&mut routes[2], at(3)), Step::WaitForRoom(at(5)));
    assert_eq!(router.next(&mut routes[2], at(5)), Step::WaitForRoom(at(60)));
    router.end(&mut routes[0], permit, at(6), Outcome::default());
    let (third, permit) = tried(&mut router, &mut routes[2], at(6));
    router.give_up(permit, at(7));
    let mut fourth = router.route("writer", 10, at(60));
    assert_eq!((third, tried(&mut router, &mut fourth, at(7)).0), (0, 0));
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
fn what_a_key_of_ones_own_meets_stands_in_nobody_elses_way() {
    for failure in
        [Failure::Unauthorized, Failure::NoCredit, Failure::RateLimited { retry_after: Some(at(30)) }]
    {
        let mut router = router();
        let mut own = router.route("writer", 10, at(60));
        let (first, permit) = tried(&mut router, &mut own, at(0));
        router.end(&mut own, permit, at(0), Outcome { has_own_key: true, ..failed(failure) });
        let (next, permit) = tried(&mut router, &mut own, at(0));
        router.give_up(permit, at(0));
        let mut other = router.route("writer", 10, at(60));
        assert_eq!((first, next, tried(&mut router, &mut other, at(0)).0), (1, 0, 1));
    }
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

#[test]
fn a_hedge_asks_the_next_that_was_not_asked_and_is_free_and_waits_for_nobody() {
    let mut router = router();
    let mut route = router.route("writer", 10, at(60));
    let (first, permit) = tried(&mut router, &mut route, at(0));
    let (second, hedge) = router.hedge(&mut route, at(1)).unwrap();
    assert_eq!((first, second), (1, 0));
    assert_eq!(router.hedge(&mut route, at(1)), None, "nobody is left");
    router.end(&mut route, hedge, at(2), failed(Failure::ServerError));
    router.end(&mut route, permit, at(2), failed(Failure::ServerError));
    assert_eq!(router.next(&mut route, at(2)), Step::Offline("server_error"), "neither is asked again");
    // One that said when it wants to be asked is not asked before, by no call.
    let mut route = router.route("writer", 10, at(60));
    let (_, permit) = tried(&mut router, &mut route, at(3));
    let (_, hedge) = router.hedge(&mut route, at(3)).unwrap();
    let later = Failure::RateLimited { retry_after: Some(at(30)) };
    router.end(&mut route, hedge, at(4), failed(later));
    router.end(&mut route, permit, at(4), Outcome::default());
    let mut route = router.route("writer", 10, at(90));
    let (_, permit) = tried(&mut router, &mut route, at(5));
    assert_eq!(router.hedge(&mut route, at(33)), None);
    let (second, hedge) = router.hedge(&mut route, at(34)).unwrap();
    assert_eq!(second, 0);
    router.give_up(hedge, at(35));
    router.end(&mut route, permit, at(35), Outcome::default());
    let mut route = router.route("writer", 10, at(40));
    let (_, permit) = tried(&mut router, &mut route, at(39));
    assert_eq!(router.hedge(&mut route, at(40)), None, "its time is up");
    router.give_up(permit, at(40));
}
