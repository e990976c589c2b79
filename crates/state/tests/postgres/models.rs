//! Calls to models: what a month may use, and a user in a day, is held to exactly, an answer and its price are one row each or none, and a call
//! whose process died is told as unknown.

use crate::database::Database;
use state::{Error, KeptAnswer, LlmBounds, LlmCall, LlmEnd, LlmReserved, LlmTicket, QuestionHash, Store};

const QUESTION: QuestionHash = [7; 32];

pub(crate) fn call(tokens: i64) -> LlmCall<'static> {
    LlmCall {
        tenant_id: "t",
        group_id: "g",
        stage: "writer",
        prompt: "writer/1",
        provider: "pro",
        model: "large",
        user_id: "",
        payer: "operator",
        question: &QUESTION,
        tokens,
        expires_in_s: 60.0,
    }
}

const USED: LlmEnd<'static> = LlmEnd {
    failed: None,
    is_unknown: false,
    tokens_in: 30,
    tokens_out: 10,
    cost_micros: 125,
    currency: "USD",
};

const FREE: LlmBounds = LlmBounds { monthly_tokens: None, daily_requests: 1_000 };

/// The row of a call that may be made.
async fn reserve(store: &Store, call: &LlmCall<'_>, most: Option<i64>) -> Result<Option<LlmTicket>, Error> {
    match store.reserve_llm_call(call, LlmBounds { monthly_tokens: most, ..FREE }).await? {
        LlmReserved::Row(ticket) => Ok(Some(ticket)),
        LlmReserved::OverMonth | LlmReserved::OverDay => Ok(None),
    }
}

#[tokio::test]
async fn calls_at_once_do_not_exceed_the_month_together() {
    let Some(database) = Database::new("models_quota").await else { return };
    let store = &database.store;
    let asked = call(40);
    let reserved = futures_util::future::join_all((0..8).map(|_| reserve(store, &asked, Some(100)))).await;
    let reserved: Vec<_> = reserved.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(reserved.len(), 2, "80 of 100 tokens");
    store
        .end_llm_call(&asked, reserved[0], &LlmEnd { tokens_in: 5, tokens_out: 5, ..USED }, None)
        .await
        .unwrap();
    assert!(reserve(store, &asked, Some(100)).await.unwrap().is_some(), "what was not used is free again");
    assert!(reserve(store, &asked, Some(100)).await.unwrap().is_none());
    let other = LlmCall { provider: "base", ..asked };
    assert!(reserve(store, &other, Some(100)).await.unwrap().is_some(), "each provider has its own");
    database.drop().await;
}

#[tokio::test]
async fn a_user_asks_so_often_in_a_day_at_all_providers_and_pays_for_more() {
    let Some(database) = Database::new("models_user").await else { return };
    let store = &database.store;
    let bounds = LlmBounds { monthly_tokens: None, daily_requests: 3 };
    let of_ann = LlmCall { user_id: "ann", ..call(40) };
    let other = LlmCall { provider: "base", ..of_ann };
    let asked = [&of_ann, &other].into_iter().cycle().take(8);
    let reserved =
        futures_util::future::join_all(asked.map(|call| store.reserve_llm_call(call, bounds))).await;
    let is_row = |reserved: &LlmReserved| matches!(reserved, LlmReserved::Row(_));
    let rows = reserved.iter().flatten().filter(|reserved| is_row(reserved)).count();
    assert_eq!(rows, 3, "{reserved:?}");
    assert_eq!(store.reserve_llm_call(&of_ann, bounds).await.unwrap(), LlmReserved::OverDay);
    let paid = LlmCall { payer: "user", ..of_ann };
    for (free, why) in [
        (paid, "who pays is not counted"),
        (LlmCall { user_id: "bo", ..of_ann }, "each has a day of his own"),
        (LlmCall { user_id: "", ..of_ann }, "nobody asked"),
        (LlmCall { tenant_id: "u", ..of_ann }, "another tenant's"),
    ] {
        assert!(is_row(&store.reserve_llm_call(&free, bounds).await.unwrap()), "{why}");
    }
    let yesterday = "UPDATE llm_requests SET created_at_ms = created_at_ms - 86400000";
    let sql = format!("ALTER TABLE llm_requests NO FORCE ROW LEVEL SECURITY; {yesterday}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut database.owner().await).await.unwrap();
    assert!(is_row(&store.reserve_llm_call(&of_ann, bounds).await.unwrap()), "a new day");
    database.drop().await;
}

#[tokio::test]
async fn an_answer_is_kept_with_its_price_by_tenant_question_and_model() {
    let Some(database) = Database::new("models_kept").await else { return };
    let store = &database.store;
    let asked = call(40);
    let id = reserve(store, &asked, None).await.unwrap().unwrap();
    store.end_llm_call(&asked, id, &USED, Some("{}")).await.unwrap();
    let models = ["large".to_owned(), "small".to_owned()];
    let known = store.known_answer("t", &QUESTION, &models).await.unwrap();
    let kept = KeptAnswer { model: "large".to_owned(), text: "{}".to_owned(), tokens: 40, cost_micros: 125 };
    assert_eq!(known, Some(kept));
    for (tenant, question, models) in
        [("u", QUESTION, &models[..]), ("t", [8; 32], &models[..]), ("t", QUESTION, &models[1..])]
    {
        assert_eq!(store.known_answer(tenant, &question, models).await.unwrap(), None, "{tenant} {models:?}");
    }
    database.drop().await;
}

#[tokio::test]
async fn a_call_that_broke_off_is_unknown_at_once_and_counts_as_reserved_until_it_expires() {
    let Some(database) = Database::new("models_broken").await else { return };
    let store = &database.store;
    let broken = LlmEnd { failed: Some("silent"), is_unknown: true, tokens_in: 0, tokens_out: 0, ..USED };
    let asked = call(40);
    let ticket = reserve(store, &asked, Some(100)).await.unwrap().unwrap();
    store.end_llm_call(&asked, ticket, &broken, None).await.unwrap();
    assert!(reserve(store, &call(61), Some(100)).await.unwrap().is_none(), "it may have been paid for");
    let costs = store.llm_costs("t", (0, 4_102_444_800_000)).await.unwrap();
    let told: Vec<_> =
        costs.iter().map(|cost| (cost.state.as_str(), cost.calls, cost.tokens_reserved)).collect();
    assert_eq!(told, [("unknown", 1, 40)]);
    let past = "UPDATE llm_requests SET expires_at = now() - interval '1 second'";
    let sql = format!("ALTER TABLE llm_requests NO FORCE ROW LEVEL SECURITY; {past}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut database.owner().await).await.unwrap();
    assert!(reserve(store, &call(61), Some(100)).await.unwrap().is_some(), "as one of a dead process");
    database.drop().await;
}

#[tokio::test]
async fn what_a_dead_process_left_is_told_as_unknown_and_ends_once() {
    let Some(database) = Database::new("models_unknown").await else { return };
    let store = &database.store;
    let lost = LlmCall { expires_in_s: 0.0, ..call(40) };
    reserve(store, &lost, None).await.unwrap();
    let settled = reserve(store, &call(40), None).await.unwrap().unwrap();
    store.end_llm_call(&call(40), settled, &USED, None).await.unwrap();
    let again = LlmEnd { failed: Some("timeout"), tokens_in: 0, ..USED };
    store.end_llm_call(&call(40), settled, &again, None).await.unwrap();
    let costs = store.llm_costs("t", (0, 4_102_444_800_000)).await.unwrap();
    let told: Vec<_> = costs
        .iter()
        .map(|cost| (cost.state.as_str(), cost.calls, cost.tokens_in + cost.tokens_out, cost.tokens_reserved))
        .collect();
    assert_eq!(told, [("unknown", 1, 0, 40), ("settled", 1, 40, 0)]);
    assert!(reserve(store, &call(100), Some(140)).await.unwrap().is_some(), "an expired one is free again");
    database.drop().await;
}

#[tokio::test]
async fn a_question_is_claimed_by_one_at_a_time_until_it_is_released_or_not_renewed() {
    let Some(database) = Database::new("models_claims").await else { return };
    let store = &database.store;
    let claim = async |tenant: &'static str, holder: &'static str, for_s: f64| {
        store.claim_question(tenant, &QUESTION, (holder, for_s)).await.unwrap()
    };
    let at_once = ["a", "b", "c", "d"].map(|holder| claim("t", holder, 60.0));
    let claimed = futures_util::future::join_all(at_once).await;
    assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1, "{claimed:?}");
    let holder = ["a", "b", "c", "d"][claimed.iter().position(|claimed| *claimed).unwrap()];
    assert!(claim("t", holder, 60.0).await, "renewed");
    assert!(!claim("t", "e", 60.0).await);
    assert!(claim("u", "e", 60.0).await, "another tenant's");
    assert!(store.claim_question("t", &[8; 32], ("e", 60.0)).await.unwrap(), "another question");
    store.release_question("t", &QUESTION, "e").await.unwrap();
    assert!(!claim("t", "e", 60.0).await, "it was not the holder's to release");
    store.release_question("t", &QUESTION, holder).await.unwrap();
    assert!(claim("t", "e", 0.0).await);
    assert!(claim("t", "f", 60.0).await, "it has expired");
    assert!(!claim("t", "e", 60.0).await, "and is another's now");
}

#[tokio::test]
async fn answered_calls_of_a_stage_and_group_are_told_with_their_times() {
    let Some(database) = Database::new("models_answered").await else { return };
    let store = &database.store;
    let (mine, other) = (call(40), LlmCall { group_id: "h", ..call(40) });
    let answered = reserve(store, &mine, None).await.unwrap().unwrap();
    store.end_llm_call(&mine, answered, &USED, None).await.unwrap();
    let failed = reserve(store, &mine, None).await.unwrap().unwrap();
    store.end_llm_call(&mine, failed, &LlmEnd { failed: Some("timeout"), ..USED }, None).await.unwrap();
    let of_other = reserve(store, &other, None).await.unwrap().unwrap();
    store.end_llm_call(&other, of_other, &USED, None).await.unwrap();
    reserve(store, &mine, None).await.unwrap();
    let all = (0, i64::MAX);
    let calls = store.answered_calls(("t", "g", "writer"), all).await.unwrap();
    assert_eq!(calls.iter().map(|call| call.tokens).collect::<Vec<_>>(), [40]);
    assert!(calls[0].asked_at_ms > 1_700_000_000_000 && calls[0].answered_at_ms >= calls[0].asked_at_ms);
    for (of, times) in [
        (("t", "g", "topic"), all),
        (("u", "g", "writer"), all),
        (("t", "g", "writer"), (0, calls[0].asked_at_ms - 1)),
        (("t", "g", "writer"), (calls[0].asked_at_ms + 1, i64::MAX)),
    ] {
        assert_eq!(store.answered_calls(of, times).await.unwrap(), [], "{of:?} {times:?}");
    }
    database.drop().await;
}
