//! The bill of materials of the program that is shipped: every crate that is linked into `creditbank`, as CycloneDX 1.6.
//!
//! It says nothing of when or where it was made, so the same sources give the same bytes. C and C++ come inside of crates
//! whose names end in `-sys`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::step::output;
use crate::{cargo, machine};

/// What is shipped.
const PROGRAM: &str = "creditbank";

/// Writes the bill to a file.
pub(crate) fn write(path: &Path) -> Result<()> {
    let mut metadata = cargo::bare();
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    metadata.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let metadata = serde_json::from_str(&output(&mut metadata)?)?;
    let lock = std::fs::read_to_string(machine::root().join("Cargo.lock"))?;
    let bill = bill(&metadata, &checksums(&lock))?;
    let text = format!("{}\n", serde_json::to_string_pretty(&bill)?);
    std::fs::write(path, text).with_context(|| path.display().to_string())?;
    let components = bill["components"].as_array().map_or(0, Vec::len);
    println!("{components} components of {PROGRAM}: {}", path.display());
    Ok(())
}

/// SHA-256 of the packages, by name and version.
fn checksums(lock: &str) -> BTreeMap<(&str, &str), &str> {
    lock.split("[[package]]")
        .filter_map(|package| {
            let value = |name: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(name))?;
                Some(line.trim_matches('"'))
            };
            Some((
                (value("name = ")?, value("version = ")?),
                value("checksum = ")?,
            ))
        })
        .collect()
}

fn bill(metadata: &Value, checksums: &BTreeMap<(&str, &str), &str>) -> Result<Value> {
    let packages = list(metadata, "packages");
    let packages: BTreeMap<&str, &Value> = packages.iter().map(|it| (text(it, "id"), it)).collect();
    let nodes = list(&metadata["resolve"], "nodes");
    let links: BTreeMap<&str, BTreeSet<&str>> = nodes
        .iter()
        .map(|it| (text(it, "id"), linked(it)))
        .collect();
    let program = packages.iter().find(|(_, it)| text(it, "name") == PROGRAM);
    let program = *program.context("the program is a package")?.0;
    let mut reached = BTreeSet::from([program]);
    let mut open = vec![program];
    while let Some(id) = open.pop() {
        for next in links.get(id).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    let described = |id: &&str| component(packages[id], checksums);
    let dependencies = reached.iter().map(|id| {
        let on = links.get(id).into_iter().flatten();
        json!({ "ref": reference(packages[id]), "dependsOn": on.map(|it| reference(packages[it])).collect::<Vec<_>>() })
    });
    let mut main = component(packages[program], checksums);
    main["type"] = json!("application");
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": main },
        "components": reached.iter().filter(|id| **id != program).map(described).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

/// What a package needs to be built and run; what only its tests need is not linked.
fn linked(node: &Value) -> BTreeSet<&str> {
    let is_linked = |it: &&Value| {
        list(it, "dep_kinds")
            .iter()
            .any(|kind| kind["kind"] != "dev")
    };
    let dependencies = list(node, "deps").iter().filter(is_linked);
    dependencies.map(|it| text(it, "pkg")).collect()
}

fn component(package: &Value, checksums: &BTreeMap<(&str, &str), &str>) -> Value {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(package),
        "name": name,
        "version": version,
        "purl": reference(package),
    });
    if let Some(licence) = package["license"].as_str() {
        // Older crates write MIT/Apache-2.0.
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    if let Some(checksum) = checksums.get(&(name, version)) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

/// The package's URL (purl).
fn reference(package: &Value) -> String {
    let version = text(package, "version").replace('+', "%2B");
    format!("pkg:cargo/{}@{version}", text(package, "name"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_listed_and_what_only_tests_need_is_not() {
        let package = |name: &str| json!({ "id": name, "name": name, "version": "1.0.0+a", "license": "MIT/Apache-2.0" });
        let dep = |name: &str, kind: Option<&str>| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [package("creditbank"), package("linked"), package("builds"), package("tests"), package("other")],
            "resolve": { "nodes": [
                { "id": "creditbank", "deps": [dep("linked", None), dep("tests", Some("dev"))] },
                { "id": "linked", "deps": [dep("builds", Some("build"))] },
            ] },
        });
        let lock = "[[package]]\nname = \"linked\"\nversion = \"1.0.0+a\"\nsource = \"x\"\nchecksum = \"ab\"\n";
        let bill = bill(&metadata, &checksums(lock)).unwrap();
        let names: Vec<_> = list(&bill, "components")
            .iter()
            .map(|it| text(it, "name"))
            .collect();
        assert_eq!(names, ["builds", "linked"]);
        let linked = &bill["components"][1];
        assert_eq!(linked["purl"], "pkg:cargo/linked@1.0.0%2Ba");
        assert_eq!(linked["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(linked["hashes"][0]["content"], "ab");
    }
}
