//! What is read, what is refused by name, and what is never shown.

use super::*;
use std::io::Write;

/// Reads a file alone: where tests run, the environment names a stack.
fn load(text: &str) -> Result<Config, ConfigError> {
    let mut file = tempfile::NamedTempFile::new().expect("temporary file");
    file.write_all(text.as_bytes()).expect("write");
    Config::read(Some(file.path()), Environment::default().source(Some(config::Map::new())))
}

#[test]
fn an_optional_connector_without_a_setting_of_its_own_does_not_run_because_telegram_does() {
    let config = load("[telegram]\ntoken = '123:secret'\n").expect("valid");
    let text = include_str!("../../../../topology/pipeline.toml").replace("webhook_sink", "pigeon_sink");
    let map = topology::Map::parse(&text).expect("a map");
    let is_used = |name: &str| config.is_used(map.connector(name).expect("of the map"));
    assert!(is_used("telegram_sink") && is_used("telegram_bot_source") && is_used("file_sink"));
    assert!(!is_used("pigeon_sink") && !is_used("telegram_session_source"), "a bot is no session");
}

#[test]
fn sessions_are_read_by_where_an_application_is_named_within_limits() {
    let config = load("[telegram_session]\napi_id = 7\napi_hash = 'hunter2'\n").expect("valid");
    let map = topology::Map::parse(include_str!("../../../../topology/pipeline.toml")).expect("a map");
    assert!(config.is_used(map.connector("telegram_session_source").expect("of the map")));
    assert!(!config.is_used(map.connector("telegram_bot_source").expect("of the map")));
    let sessions = &config.telegram_session;
    assert_eq!((sessions.sessions_max, sessions.timeout_minutes), (1_000, 15));
    assert!(!format!("{config:?}").contains("hunter2"));
    for (setting, value) in [("sessions_max", 0), ("sessions_max", 10_001), ("timeout_minutes", 0)] {
        let error =
            load(&format!("[telegram_session]\n{setting} = {value}\n")).expect_err("a limit").to_string();
        assert!(error.contains(setting), "{error}");
    }
}

#[test]
fn an_unknown_key_is_named() {
    let error = load("[kafka]\nbrokerz = 'x'\n").expect_err("unknown key").to_string();
    assert!(error.contains("brokerz") && error.contains("brokers"), "{error}");
}

#[test]
fn dotted_properties_are_kept_whole_and_secrets_hidden() {
    let config = load("[kafka.properties]\n'security.protocol' = 'SASL_SSL'\n'sasl.password' = 'hunter2'\n")
        .expect("valid");
    assert_eq!(config.kafka.properties.0["security.protocol"], "SASL_SSL");
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn properties_from_one_string() {
    let config =
        load("[kafka]\nproperties = 'security.protocol=SSL; ssl.ca.location=/a=b'\n").expect("valid");
    assert_eq!(config.kafka.properties.0["ssl.ca.location"], "/a=b");
    assert!(load("[kafka]\nproperties = 'nonsense'\n").is_err());
}

#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    let refused = [
        ("[kafka]\nbrokers = 9092", "kafka.brokers: \"9092\" is no address of a broker"),
        ("[kafka]\nbrokers = 'a:1,b'", "kafka.brokers: \"b\" is no address of a broker"),
        ("[kafka]\nbrokers = 'a:0'", "kafka.brokers: \"a:0\" is no address of a broker"),
        ("[postgres]\nurl = 'pg://ann:hunter2@h/d'", "postgres.url: expected postgres://USER"),
        ("[postgres]\nowner_url = 'hunter2'", "postgres.owner_url: expected postgres://USER"),
        ("[registry]\nurl = 'localhost:8081'", "registry.url: expected http://HOST"),
        ("[telegram]\napi = 'api.telegram.org'", "telegram.api: expected https://HOST"),
        ("[qdrant]\nurl = 'localhost:6334'", "qdrant.url: expected http://HOST:PORT"),
        ("[embedding]\nurl = 'localhost'", "embedding.url: expected https://HOST/v1"),
        ("[embedding]\ndimension = 70000", "embedding.dimension"),
        ("[[llm.providers]]\nname = 'p'\ndialect = 'openai'\nmodel = ''", "llm.providers.p.model: expected"),
        ("[llm.chains]\nwriter = ['pro']", "llm.chains.writer names \"pro\""),
        ("[telemetry]\nlog = 'inof'", "telemetry.log: \"inof\" is no level"),
        ("[telemetry]\nlog = 'runtime=loud,warn'", "telemetry.log: \"loud\" is no level"),
        ("[kafka]\nproperties = 'sasl.passwrod=hunter2'", "librdkafka has no property \"sasl.passwrod\""),
        ("[kafka.consumer_properties]\n'session.timeout.ms' = 'soon'", "does not take \"soon\""),
    ];
    for (text, named) in refused {
        let error = load(text).expect_err(text).to_string();
        assert!(error.contains(named) && !error.contains("hunter2"), "{text}: {error}");
    }
}

#[test]
fn a_password_of_the_environment_is_taken_as_it_is_written() {
    for password in ["007", "1e5", "true", "a@;%"] {
        let variables = [
            ("GISTMILL_REGISTRY__PASSWORD", password),
            ("GISTMILL_KAFKA__PAIRS", "2"),
            ("GISTMILL_TELEMETRY__JSON", "false"),
            ("GISTMILL_DIGEST__QUALITY_THRESHOLD", "0.25"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::default().source(Some(variables.into_iter().collect()));
        let config = Config::read(None, environment).expect("valid");
        let read = config.registry.password.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!(read, Some(password));
        assert_eq!((config.kafka.pairs, config.telemetry.json), (2, false));
        assert_eq!(config.digest.quality_threshold, Some(0.25));
    }
}

#[test]
fn what_is_meant_is_taken() {
    for text in [
        "[kafka]\nbrokers = 'a:1, ssl://b.c:9093,[::1]:9092'",
        "[postgres]\nurl = 'postgresql://ann:p%40;@h:1/d?sslmode=verify-full'",
        "[telemetry]\nlog = 'info,librdkafka=off,runtime=DEBUG'",
    ] {
        load(text).expect(text);
    }
}

#[test]
fn a_value_out_of_bounds_is_named() {
    let error = load("[digest]\nquality_threshold = 1.5\n").expect_err("out of bounds").to_string();
    assert!(error.contains("quality_threshold"), "{error}");
}
