//! The arrows of ARCHITECTURE.md are law: `cargo metadata` is read and a forbidden edge fails.

use std::collections::BTreeSet;
use std::process::Command;

/// Package, and what it must not depend on.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "satchel-smart",
        &[
            "satchel-store",
            "satchel-core",
            "satchel-mock",
            "sqlx",
            "libsqlite3-sys",
            "tauri",
            "axum",
            "clap",
        ],
    ),
    (
        "satchel-store",
        &[
            "satchel-smart",
            "satchel-core",
            "satchel-mock",
            "reqwest",
            "oauth2",
            "jsonwebtoken",
            "tauri",
            "axum",
        ],
    ),
    (
        "satchel-core",
        &[
            "satchel-mock",
            "tauri",
            "axum",
            "clap",
            "sqlx",
            "reqwest",
            "oauth2",
            "jsonwebtoken",
        ],
    ),
    (
        "satchel-mock",
        &[
            "satchel-smart",
            "satchel-store",
            "satchel-core",
            "oauth2",
            "tauri",
            "sqlx",
        ],
    ),
    (
        "satchel-cli",
        &[
            "satchel-smart",
            "satchel-store",
            "satchel-mock",
            "tauri",
            "sqlx",
            "reqwest",
        ],
    ),
    (
        "satchel",
        &[
            "satchel-smart",
            "satchel-store",
            "satchel-mock",
            "sqlx",
            "reqwest",
            "oauth2",
            "axum",
        ],
    ),
];

#[test]
fn no_crate_knows_what_it_must_not_know() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    for (name, forbidden) in FORBIDDEN {
        let package = packages
            .iter()
            .find(|package| package["name"] == *name)
            .unwrap_or_else(|| panic!("{name} is a package of the workspace"));
        let uses: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .collect();
        assert!(!uses.is_empty(), "{name} lists its dependencies");
        for other in *forbidden {
            assert!(!uses.contains(other), "{name} must not depend on {other}");
        }
    }
}
