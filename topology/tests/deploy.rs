//! What `deploy` says of units, partitions and images is what the map and the list of versions say.
#![cfg(test)]

use std::{collections::BTreeSet, fs, path::Path};
use topology::{ConnectorShape, Map, ProcessorShape};

/// Sources that a command drives: nobody deploys them.
const OF_COMMANDS: [&str; 2] = ["telegram_export_source", "digest_request_source"];

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn map() -> Map {
    Map::embedded().expect("the map")
}

/// Kind and unit of each workload of a file of manifests.
fn workloads(path: &str) -> BTreeSet<(String, String)> {
    let value = |document: &str, key: &str| -> Option<String> {
        let at = document.find(key)? + key.len();
        let rest: &str = &document[at..];
        Some(rest.split([' ', ',', '\n', '}']).next()?.to_owned())
    };
    let text = text(path);
    text.split("---\n")
        .filter_map(|one| Some((value(one, "kind: ")?, value(one, "gistmill/unit: ")?)))
        .collect()
}

#[test]
fn every_unit_of_the_map_has_a_workload_of_its_kind() {
    let map = map();
    let kind = |is_stateful: bool| if is_stateful { "StatefulSet" } else { "Deployment" }.to_owned();
    let processors =
        map.processors().map(|unit| (kind(unit.shape == ProcessorShape::Fold), unit.name.clone()));
    let connectors = map.connectors().filter(|unit| !OF_COMMANDS.contains(&unit.name.as_str()));
    let connectors = connectors.map(|unit| (kind(unit.name == "file_sink"), unit.name.clone()));
    let expected: BTreeSet<(String, String)> = processors.chain(connectors).collect();
    let files = [
        "base/processors",
        "base/folds",
        "base/connectors",
        "telegram/units",
        "telegram_session/units",
        "qdrant/units",
        "webhook/units",
        "email/units",
    ];
    let found: BTreeSet<(String, String)> =
        files.iter().flat_map(|file| workloads(&format!("deploy/kubernetes/{file}.yaml"))).collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(
        missing.is_empty(),
        "in the map, without a workload in a file of deploy/kubernetes that is read here: {missing:?}"
    );
    let unknown: Vec<_> = found.difference(&expected).collect();
    assert!(unknown.is_empty(), "in deploy/kubernetes, and not in the map as that kind: {unknown:?}");
}

#[test]
fn doors_and_sessions_can_be_set_up_wherever_the_pipeline_runs() {
    let (compose, systemd) = (text("docker-compose.yml"), text("deploy/systemd/gistmill.env"));
    for setting in [
        "KEYS__MASTER",
        "EMAIL__HOST",
        "EMAIL__FROM",
        "EMAIL__USERNAME",
        "EMAIL__PASSWORD",
        "TELEGRAM_SESSION__API_ID",
        "TELEGRAM_SESSION__API_HASH",
    ] {
        assert!(compose.contains(&format!("\n      GISTMILL_{setting}:\n")), "{setting}");
        assert!(systemd.contains(&format!("\n#GISTMILL_{setting}=")), "{setting}");
    }
}

#[test]
fn scaling_ends_at_the_partition_count_of_the_input() {
    let (map, scaled) = (map(), text("deploy/kubernetes/components/autoscaling/scaled_objects.yaml"));
    let documents: Vec<&str> = scaled.split("---\n").collect();
    let is_of = |document: &&&str, unit: &str| document.contains(&format!("unit=\"{unit}\""));
    for processor in map.processors() {
        let document = documents.iter().find(|document| is_of(document, &processor.name));
        let document = document.unwrap_or_else(|| panic!("{} is not in scaled_objects.yaml", processor.name));
        let partitions = map.topic(&processor.input).expect("its input").partitions;
        assert!(document.contains(&format!("maxReplicaCount: {partitions}\n")), "{document}");
        let kind = if processor.shape == ProcessorShape::Fold { "StatefulSet" } else { "Deployment" };
        assert!(document.contains(&format!("kind: {kind}, name: {} }}", processor.name.replace('_', "-"))));
    }
    let sinks = map.connectors().filter(|connector| connector.shape == ConnectorShape::Sink);
    assert!(sinks.into_iter().any(|sink| documents.iter().any(|document| is_of(&document, &sink.name))));
}

#[test]
fn images_are_those_of_the_list() {
    let list = text("deploy/versions");
    let listed: BTreeSet<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    let mut named = BTreeSet::new();
    let files = [
        "docker-compose.yml",
        "Dockerfile",
        "deploy/kubernetes/components/unit/unit.yaml",
        "deploy/kubernetes/base/migration.yaml",
        "deploy/kubernetes/base/maintenance.yaml",
        "deploy/kubernetes/gateway/gateway.yaml",
    ];
    for file in files {
        let text = text(file);
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let images =
            lines.iter().filter_map(|line| line.strip_prefix("image: ").or(line.strip_prefix("FROM ")));
        let mut found: Vec<String> =
            images.filter_map(|image| image.split(' ').next().map(str::to_owned)).collect();
        // A patch says the path and the value on two lines.
        let patched = lines.windows(2).filter(|pair| pair[0].ends_with("/image"));
        found.extend(patched.filter_map(|pair| pair[1].strip_prefix("value: ").map(str::to_owned)));
        assert!(!found.is_empty(), "{file} names no image");
        for image in found {
            assert!(listed.contains(&*image), "{file}: {image} is not in deploy/versions");
            named.insert(image);
        }
    }
    let unused: Vec<&&str> = listed.iter().filter(|image| !named.contains(**image)).collect();
    assert!(unused.is_empty(), "in deploy/versions, and nobody names it: {unused:?}");
    let version = format!("gistmill:{}", env!("CARGO_PKG_VERSION"));
    assert!(listed.contains(&*version), "{version} is not in deploy/versions");
}

#[test]
fn maintenance_runs_each_night_where_files_lie_and_as_the_owner() {
    let job = text("deploy/kubernetes/base/maintenance.yaml");
    let files = text("deploy/kubernetes/base/connectors.yaml");
    assert!(text("deploy/kubernetes/base/kustomization.yaml").contains("\n  - maintenance.yaml\n"));
    assert!(job.contains("kind: CronJob") && job.contains("concurrencyPolicy: Forbid"));
    assert!(files.contains("metadata: { name: digests }") && job.contains("claimName: digests-file-sink-0"));
    let (mount, label) =
        ("{ name: digests, mountPath: /var/lib/gistmill }", "app.kubernetes.io/name: file-sink");
    assert!([&job, &files].iter().all(|file| file.contains(mount) && file.contains(label)));
    let (service, timer) =
        ("deploy/systemd/gistmill-maintain.service", "deploy/systemd/gistmill-maintain.timer");
    let (service, prepare) = (text(service), text("deploy/systemd/gistmill-prepare.service"));
    for command in [&job.replace("\", \"", " "), &service] {
        assert!(command.contains("--operator maintenance maintain --json"), "{command}");
    }
    let after = |unit: &str| {
        unit.split_once("\nUMask").map(|(_, rest)| rest.split("\n[").next().unwrap_or("").trim().to_owned())
    };
    assert_eq!(after(&service), after(&prepare), "as locked up as what prepares");
    assert!(text(timer).contains("Persistent=true") && text(timer).contains("WantedBy=timers.target"));
}

#[test]
fn the_gateway_is_deployed_as_it_is_run_by_hand() {
    let (pods, service) =
        (text("deploy/kubernetes/gateway/gateway.yaml"), text("deploy/systemd/gistmill-gateway.service"));
    assert!(
        pods.contains("args: [\"gateway\", \"run\"]")
            && service.contains("ExecStart=/usr/bin/gistmill gateway run\n")
    );
    assert!(text("docker-compose.yml").contains("command: [\"gateway\", \"run\"]"));
    for probe in ["/livez", "/readyz"] {
        assert!(pods.contains(&format!("path: {probe}, port: http")), "{probe}");
    }
    let after = |unit: &str| {
        unit.split_once("\nUMask").map(|(_, rest)| rest.split("\n[").next().unwrap_or("").trim().to_owned())
    };
    assert_eq!(after(&service), after(&text("deploy/systemd/gistmill@.service")), "as locked up as a unit");
}
