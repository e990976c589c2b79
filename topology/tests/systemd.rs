//! systemd itself finds nothing wrong with the units and the timer of `deploy/systemd`.
#![cfg(test)]

use std::{fs, path::Path, process::Command};

/// What every command of the units is, where it is installed.
const PROGRAM: &str = "/usr/bin/gistmill";

/// What systemd says of the units of a directory; none, said on standard error, where it is not installed.
fn said(directory: &Path) -> Option<(bool, String)> {
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no", "--recursive-errors=yes"]);
    let mut units: Vec<_> = fs::read_dir(directory).expect("units").flatten().map(|it| it.path()).collect();
    units.sort();
    // A template is looked at as one of its units.
    let instances = units.iter().map(|unit| unit.to_string_lossy().replace("@.service", "@roles.service"));
    let Ok(output) = command.args(instances).output() else {
        eprintln!("skipped: systemd-analyze is not here");
        return None;
    };
    Some((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The units, each with a program that is there and with `change` done to it.
fn units(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let made = tempfile::tempdir().expect("a directory");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd");
    for path in fs::read_dir(folder).expect("units").flatten().map(|it| it.path()) {
        let is_unit =
            path.extension().is_some_and(|extension| extension == "service" || extension == "timer");
        if is_unit {
            let name = path.file_name().expect("a name");
            let text = fs::read_to_string(&path).expect("text");
            fs::write(made.path().join(name), change(&text.replace(PROGRAM, "/bin/true"))).expect("writable");
        }
    }
    made
}

#[test]
fn nothing_is_wrong_with_the_units_and_what_is_wrong_would_be_found() {
    let Some((is_well, text)) = said(units(str::to_owned).path()) else { return };
    assert!(is_well && text.is_empty(), "{text}");
    let broken = units(|text| text.replace("OnCalendar=*-*-* 03:20:00", "OnCalendar=nightly-ish"));
    let (is_well, text) = said(broken.path()).expect("as before");
    assert!(!is_well || text.contains("nightly-ish"), "{text}");
    let misspelt = units(|text| text.replace("ProtectHome=", "ProtectHoem="));
    let (_, text) = said(misspelt.path()).expect("as before");
    assert!(text.contains("ProtectHoem"), "{text}");
}
