//! Who may depend on whom, and who alone may name a dependency.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;

/// A package of the workspace and the names it depends on, for whatever purpose.
pub(super) struct Package {
    name: String,
    manifest: String,
    dependencies: Vec<String>,
}

/// Each of our packages and those of ours that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("merkle", &[]),
    ("store", &["domain", "merkle"]),
    ("wire", &["domain", "merkle"]),
    ("rulebook", &["domain"]),
    ("planner", &["domain"]),
    ("client", &["domain", "merkle", "wire"]),
    ("credential", &["domain"]),
    (
        "ledger",
        &[
            "client",
            "credential",
            "domain",
            "merkle",
            "planner",
            "rulebook",
            "store",
            "wire",
        ],
    ),
    ("gateway", &["client", "domain", "merkle", "wire"]),
    (
        "creditbank",
        &[
            "client", "domain", "gateway", "ledger", "merkle", "rulebook", "store", "wire",
        ],
    ),
    (
        "xtask",
        &[
            "client", "domain", "ledger", "merkle", "planner", "rulebook", "store", "wire",
        ],
    ),
];

/// Dependencies that only these packages may name.
const RESERVED: &[(&str, &[&str])] = &[
    ("rocksdb", &["store", "xtask"]),
    ("librocksdb-sys", &[]),
    ("anyhow", &["creditbank", "xtask"]),
    ("microlp", &["planner"]),
    ("tonic", &["client", "gateway", "ledger", "wire", "xtask"]),
    (
        "tokio",
        &["client", "creditbank", "gateway", "ledger", "xtask"],
    ),
    ("prost", &["client", "ledger", "wire", "xtask"]),
    ("getrandom", &["client", "gateway", "ledger"]),
];

/// Of those, what any package's tests may name: they speak with the service as a foreign client does, and attack published
/// tables with a solver.
const IN_TESTS: &[&str] = &["microlp", "prost", "tokio", "tonic"];

/// The packages in the output of `cargo metadata`.
pub(super) fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let root = metadata["workspace_root"]
        .as_str()
        .context("metadata names no root")?;
    let packages = metadata["packages"]
        .as_array()
        .context("metadata lists no packages")?;
    packages
        .iter()
        .map(|package| parse(package, root))
        .collect()
}

/// Every arrow that the plan does not have.
pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .flat_map(|package| {
            package
                .dependencies
                .iter()
                .filter_map(|to| wrong(package, to))
        })
        .collect()
}

fn parse(package: &Value, root: &str) -> Result<Package> {
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    let manifest = text(&package["manifest_path"]).context("a package has no manifest")?;
    let relative = manifest
        .strip_prefix(root)
        .unwrap_or(&manifest)
        .trim_start_matches('/');
    let dependencies = package["dependencies"]
        .as_array()
        .context("a package lists no dependencies")?;
    Ok(Package {
        name: text(&package["name"]).context("a package has no name")?,
        manifest: relative.to_owned(),
        dependencies: dependencies
            .iter()
            .filter_map(|to| text(&to["name"]).filter(|name| !may_test(to, name)))
            .collect(),
    })
}

/// Whether a dependency is for tests alone and open to all of them.
fn may_test(to: &Value, name: &str) -> bool {
    to["kind"] == "dev" && IN_TESTS.contains(&name)
}

fn wrong(package: &Package, to: &str) -> Option<Finding> {
    let from = short(&package.name);
    let found = |what: String, remedy| Some(Finding::at(&package.manifest, 1, what, remedy));
    let Some((_, may)) = ARROWS.iter().find(|(name, _)| *name == from) else {
        return found(
            format!("{from} is not in the plan"),
            "add it to ARROWS with a dated decision",
        );
    };
    let is_ours = ARROWS.iter().any(|(name, _)| *name == short(to));
    if is_ours && !may.contains(&short(to)) {
        return found(
            format!("{from} depends on {}", short(to)),
            "move the code to the side that may",
        );
    }
    let (_, owners) = RESERVED.iter().find(|(name, _)| *name == to)?;
    if owners.contains(&from) {
        return None;
    }
    found(
        format!("{from} names {to}"),
        "ask a crate that may, or move the code there",
    )
}

fn short(name: &str) -> &str {
    name.strip_prefix("creditbank-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tidy::told;

    #[test]
    fn an_arrow_outside_the_plan_is_found() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("creditbank-store", "creditbank-domain", &[]),
            (
                "creditbank-ledger",
                "rocksdb",
                &["crates/x/Cargo.toml:1: ledger names rocksdb"],
            ),
            ("creditbank-store", "rocksdb", &[]),
            (
                "creditbank-store",
                "creditbank-wire",
                &["crates/x/Cargo.toml:1: store depends on wire"],
            ),
            (
                "creditbank-domain",
                "creditbank-merkle",
                &["crates/x/Cargo.toml:1: domain depends on merkle"],
            ),
            (
                "creditbank-domain",
                "tokio",
                &["crates/x/Cargo.toml:1: domain names tokio"],
            ),
            (
                "creditbank-client",
                "creditbank-ledger",
                &["crates/x/Cargo.toml:1: client depends on ledger"],
            ),
            ("creditbank", "creditbank-ledger", &[]),
            (
                "creditbank",
                "xtask",
                &["crates/x/Cargo.toml:1: creditbank depends on xtask"],
            ),
            (
                "creditbank-common",
                "serde",
                &["crates/x/Cargo.toml:1: common is not in the plan"],
            ),
        ];
        for (from, to, expected) in cases {
            let metadata = json!({ "workspace_root": "/w", "packages": [{
                "name": from, "manifest_path": "/w/crates/x/Cargo.toml", "dependencies": [{ "name": to }],
            }]});
            assert_eq!(
                told(&check(&packages(&metadata).unwrap())),
                *expected,
                "{from} → {to}"
            );
        }
    }

    #[test]
    fn tests_may_speak_grpc_but_not_open_the_database() {
        for (to, kind, found) in [
            ("tonic", "dev", 0),
            ("tonic", "build", 1),
            ("rocksdb", "dev", 1),
        ] {
            let metadata = json!({ "workspace_root": "/w", "packages": [{
                "name": "creditbank", "manifest_path": "/w/Cargo.toml",
                "dependencies": [{ "name": to, "kind": kind }],
            }]});
            assert_eq!(
                check(&packages(&metadata).unwrap()).len(),
                found,
                "{to} for {kind}"
            );
        }
    }

    #[test]
    fn metadata_of_another_form_is_an_error() {
        assert!(packages(&json!({ "packages": [] })).is_err());
    }
}
