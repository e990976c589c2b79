//! What an answer on file saves, and what is counted of a run.

use super::*;

fn question(text: &str) -> ModelQuestion {
    ModelQuestion {
        tenant_id: TENANT.to_owned(),
        group_id: GROUP.to_owned(),
        user_id: None,
        paid_before: None,
        stage: writer::NAME,
        prompt: "part/1",
        system: "s".to_owned(),
        turns: vec![text.to_owned()],
        schema: "{}",
        output_tokens_max: 9,
    }
}

#[test]
fn answers_are_on_file_for_the_next_run_and_for_their_question_alone() {
    let path = std::env::temp_dir().join(format!("gistmill_answers_{}", std::process::id()));
    let kept = Kept { text: "so".to_owned(), model_id: "pro/small".to_owned(), tokens: 7, cost: 0.25 };
    let keys = [key("pro", &question("a")), key("pro", &question("b")), key("base", &question("a"))];
    let mut answers = Answers::open(Some(&path)).unwrap();
    answers.keep(keys[0].clone(), &kept).unwrap();
    let again = Answers::open(Some(&path)).unwrap();
    std::fs::write(&path, "{\"key\": 1}\n").unwrap();
    let broken = Answers::open(Some(&path)).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(again.known.get(&keys[0]), Some(&kept));
    assert_eq!(keys[1..].iter().find(|key| again.known.contains_key(*key)), None);
    assert!(broken.to_string().ends_with("line 1 holds no answer"), "{broken}");
}

#[test]
fn a_provider_that_the_settings_do_not_have_is_named_with_those_that_they_have() {
    let error = Model::of(&Config::default(), "pro", None).err().map(|error| error.to_string());
    assert!(
        error.as_deref().is_some_and(|error| error.starts_with("no provider is called \"pro\"")),
        "{error:?}"
    );
}

#[test]
fn percentiles_are_those_of_the_windows_that_were_asked_about() {
    let told = Told { seconds: vec![3.0, 1.0, 2.0, 4.0], ..Told::default() };
    let found = [told.percentile(50), told.percentile(95), Told::default().percentile(50)];
    assert_eq!(found.map(|seconds| seconds.to_string()), ["2", "4", "0"]);
}
