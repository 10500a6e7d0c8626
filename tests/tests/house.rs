//! The house: which crate may use which, and that the demo's data needs nothing from outside.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Crates that the rules crate must not know: they touch disk, network, clock or threads.
const IMPURE: [&str; 10] = [
    "rusqlite",
    "tokio",
    "reqwest",
    "axum",
    "uniffi",
    "getrandom",
    "chrono",
    "pocketbook",
    "pocketbook-server",
    "pocketbook-sqlite",
];

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
    packages
        .iter()
        .map(|package| {
            let all = package["dependencies"].as_array().expect("a list");
            let normal = all.iter().filter(|dependency| dependency["kind"].is_null());
            (name(package), normal.map(name).collect())
        })
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let all = dependencies();
    let uses = |name: &str, other: &str| all[name].iter().any(|dependency| dependency == other);
    for impure in IMPURE {
        assert!(
            !uses("pocketbook-records", impure),
            "the rules are pure: {impure}"
        );
    }
    assert!(
        !uses("pocketbook", "pocketbook-server"),
        "the device does not know the server"
    );
    assert!(
        !uses("pocketbook-server", "pocketbook"),
        "the server does not know the device"
    );
    assert!(
        !uses("pocketbook-sqlite", "pocketbook-records"),
        "opening files knows no records"
    );
    let with_uniffi: Vec<&String> = all
        .keys()
        .filter(|name| all[*name].iter().any(|d| d == "uniffi"))
        .collect();
    assert_eq!(
        with_uniffi,
        ["pocketbook-ffi", "uniffi-bindgen"],
        "one crate speaks to phones"
    );
    for (name, dependencies) in &all {
        let knows_tests = dependencies
            .iter()
            .any(|dependency| dependency == "pocketbook-tests");
        assert!(!knows_tests, "{name} must not use the tests");
    }
}
