//! What a span says of the record that the work came to. Invariant: no label of it is a text of somebody's.

use engine::shapes::Took;
use opentelemetry::KeyValue;
use processor::AnyRecord;
use schemas::{
    DigestBlocked, DigestContextPrepared, DigestDelivered, DigestGenerateRequested, DigestPersisted,
    DigestReadyForDelivery, DigestStageCompleted, GroupWindowReady, Version,
};

/// Who wrote what no model did.
const OFFLINE: &str = "offline";

/// Tenant, window, model, and whether the digest is made again. Of what is of no window, its own id.
pub(crate) fn of(output: &dyn AnyRecord) -> [KeyValue; 4] {
    let (window_id, version) = window(output).unwrap_or_else(|| (output.identity(), String::new()));
    let completed = output.as_any().downcast_ref::<DigestStageCompleted>();
    let model_id = completed.map_or(OFFLINE, |completed| &completed.model_id).to_owned();
    let is_retry = version.parse().is_ok_and(|version: Version| version.attempt > 0);
    [
        KeyValue::new("tenant_id", output.tenant_id().to_owned()),
        KeyValue::new("window_id", window_id),
        KeyValue::new("model_id", model_id),
        KeyValue::new("retry", is_retry),
    ]
}

/// How long the work waited for answers, where it has asked.
pub(crate) fn waits(Took { lookup, model, .. }: Took) -> impl Iterator<Item = KeyValue> {
    let asked =
        [("lookup_ms", lookup), ("model_ms", model)].into_iter().filter(|(_, waited)| !waited.is_zero());
    asked.map(|(name, waited)| KeyValue::new(name, i64::try_from(waited.as_millis()).unwrap_or(i64::MAX)))
}

/// The window that a record is of, and its version.
pub(crate) fn window(output: &dyn AnyRecord) -> Option<(String, String)> {
    macro_rules! of {
        ($($record:ty),*) => {
            $(if let Some(it) = output.as_any().downcast_ref::<$record>() {
                return Some((it.window_id.clone(), it.version.clone()));
            })*
        };
    }
    of!(
        DigestGenerateRequested,
        DigestContextPrepared,
        DigestStageCompleted,
        DigestReadyForDelivery,
        DigestBlocked,
        DigestPersisted,
        DigestDelivered
    );
    let ready = output.as_any().downcast_ref::<GroupWindowReady>()?;
    Some((ready.window_id.clone(), format!("{}.0", ready.revision)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{GroupMessageIngested, Record};
    use std::{fs, path::Path};

    /// An example of the contract.
    fn example<R: Record>() -> R {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/examples").join(R::TYPE);
        let mut files: Vec<_> =
            fs::read_dir(folder).expect("examples").flatten().map(|it| it.path()).collect();
        files.sort();
        let text = fs::read_to_string(files.first().expect("an example")).expect("text");
        serde_json::from_str(&text).expect("a record")
    }

    fn values(output: &dyn AnyRecord) -> [String; 3] {
        let [_, window, model, retry] = of(output);
        [window, model, retry].map(|pair| pair.value.to_string())
    }

    #[test]
    fn a_span_names_the_window_the_model_and_whether_the_digest_is_made_again() {
        let mut stage: DigestStageCompleted = example();
        stage.model_id = "gigachat-pro".to_owned();
        stage.version = "3.0".to_owned();
        assert_eq!(values(&stage), [stage.window_id.as_str(), "gigachat-pro", "false"]);
        stage.version = "3.2".to_owned();
        assert_eq!(values(&stage)[2], "true");
        let ready: GroupWindowReady = example();
        assert_eq!(values(&ready), [ready.window_id.as_str(), "offline", "false"]);
        let blocked: DigestBlocked = example();
        assert_eq!(values(&blocked)[0], blocked.window_id);
        let delivered: DigestDelivered = example();
        assert_eq!(values(&delivered)[0], delivered.window_id);
        let message: GroupMessageIngested = example();
        assert_eq!(values(&message), [&*Record::identity(&message), "offline", "false"]);
        assert_eq!(of(&message)[0].value.to_string(), message.tenant_id);
    }
}
