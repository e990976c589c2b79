//! Where traces are sent, by the convention of OpenTelemetry: a base address gets the path of the signal, the address of
//! the signal is taken as it is.

/// What a base address gets.
const PATH: &str = "/v1/traces";
/// The address of traces, whole.
const OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// The base address of a collector.
const OF_ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The whole address that spans are posted to: by what is configured, else by the environment.
pub(super) fn traces_address(
    configured: Option<String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let variable = |name| variable(name).filter(|value| !value.trim().is_empty());
    match configured.filter(|address| !address.trim().is_empty()) {
        Some(base) => Some(with_path(&base)),
        None => variable(OF_TRACES).or_else(|| variable(OF_ALL).map(|base| with_path(&base))),
    }
}

fn with_path(base: &str) -> String {
    let base = base.trim().trim_end_matches('/');
    if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_address_gets_the_path_of_traces_and_a_whole_one_is_kept() {
        let none = |_: &str| None;
        let set = |address: &str| traces_address(Some(address.to_owned()), &none);
        let whole = Some("http://collector:4318/v1/traces".to_owned());
        for address in ["http://collector:4318", "http://collector:4318/", "http://collector:4318/v1/traces"]
        {
            assert_eq!(set(address), whole, "{address}");
        }
        assert_eq!(set("https://c/otlp"), Some("https://c/otlp/v1/traces".to_owned()));
        assert_eq!((set(""), traces_address(None, &none)), (None, None));
    }

    #[test]
    fn the_variables_of_opentelemetry_are_heard_the_special_one_first_and_ours_before_both() {
        let all = |name: &str| (name == OF_ALL).then(|| "http://a:4318".to_owned());
        assert_eq!(traces_address(None, &all), Some("http://a:4318/v1/traces".to_owned()));
        let both = |name: &str| {
            let address = if name == OF_TRACES { "http://b:4318/custom" } else { "http://a:4318" };
            Some(address.to_owned())
        };
        assert_eq!(traces_address(None, &both), Some("http://b:4318/custom".to_owned()));
        let ours = traces_address(Some("http://c:4318".to_owned()), &both);
        assert_eq!(ours, Some("http://c:4318/v1/traces".to_owned()));
    }
}
