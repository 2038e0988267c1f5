//! Dependencies point down. What may know what stands here once, literally.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::Context;
use serde::Deserialize;

/// Of the workspace's crates, which may know which others of them.
const MAY_KNOW: [(&str, &[&str]); 21] = [
    // The words.
    ("schemas", &[]),
    // The rules and what every process needs know the words alone.
    ("domain", &["schemas"]),
    ("runtime", &["schemas"]),
    ("archive", &["schemas"]),
    ("regions", &["schemas", "runtime"]),
    // The stores.
    ("vault", &["schemas", "regions", "runtime"]),
    ("eventlog", &["schemas", "archive", "regions", "runtime"]),
    ("embedded", &["runtime"]),
    ("topic", &["schemas", "archive", "regions", "runtime"]),
    // The services. They meet in the log, in topics and by HTTP; the exceptions have reasons, below.
    ("directory", &["schemas", "domain", "eventlog", "vault", "regions", "runtime"]),
    ("router", &["schemas", "runtime", "directory"]),
    ("desk", &["schemas", "archive", "auditor", "domain", "eventlog", "vault", "regions", "runtime", "directory"]),
    ("relay", &["schemas", "eventlog", "topic", "regions", "runtime"]),
    ("projector", &["schemas", "domain", "eventlog", "vault", "topic", "regions", "runtime"]),
    ("auditor", &["schemas", "archive", "domain"]),
    ("replicator", &["schemas", "archive", "auditor", "eventlog", "vault", "topic", "regions", "runtime"]),
    (
        "restorer",
        &["schemas", "archive", "auditor", "eventlog", "vault", "regions", "runtime", "replicator", "projector"],
    ),
    ("ops-console", &["schemas", "archive", "eventlog", "regions", "runtime", "desk", "projector", "replicator"]),
    // Tests may know what they test.
    ("testkit", &["schemas", "regions", "eventlog", "vault", "runtime", "embedded", "projector", "topic"]),
    ("system-tests", &["schemas", "archive", "regions", "runtime", "domicile", "embedded", "testkit"]),
    ("model", &[]),
];

/// Who wires everything together, and who measures it.
const KNOW_ALL: [&str; 2] = ["domicile", "bench"];

const SERVICES: [&str; 9] =
    ["directory", "router", "desk", "relay", "projector", "replicator", "restorer", "auditor", "ops-console"];

/// Services that know another one, and why.
const EXCEPTIONS: [(&str, &str, &str); 10] = [
    ("router", "directory", "the client of its HTTP API, and the signed map it answers"),
    ("desk", "directory", "the client of its HTTP API: a signup claims its name"),
    ("desk", "auditor", "an auditor is given proofs and bundles by the code that makes them for anybody"),
    ("ops-console", "desk", "its pages stand in the desk's frame, and tickets come back by the one write path"),
    ("ops-console", "projector", "what operators see of read models is what the command line shows"),
    ("ops-console", "replicator", "backups are made and verified by the code that the command line uses"),
    ("replicator", "auditor", "a backup is verified by the code that auditors use"),
    ("restorer", "auditor", "what is restored is read and verified by the code that auditors use"),
    ("restorer", "replicator", "backups and archives are found where the replicator puts them"),
    ("restorer", "projector", "read models of a log that was mended are made anew"),
];

/// Crates without I/O, and what they must not know of the outside.
const PURE: [&str; 3] = ["schemas", "domain", "archive"];
const OUTSIDE: [&str; 11] =
    ["tokio", "sqlx", "axum", "hyper", "reqwest", "aws-sdk-s3", "rdkafka", "rustls", "tracing", "opentelemetry", "nix"];

/// What only a measurement may do: where it is made, and who may call it.
const ONLY_MEASURED: (&str, [&str; 3]) = (
    "app_without_access_log",
    ["services/desk/src/app.rs", "services/desk/src/lib.rs", "tests/bench/src/figures/access.rs"],
);

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

impl Package {
    /// What it is built of; what only its tests need is left out.
    fn built_of(&self) -> impl Iterator<Item = &str> {
        let built = self.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
        built.map(|dependency| dependency.name.as_str())
    }
}

fn metadata() -> anyhow::Result<Metadata> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(system_tests::repository());
    let output = cargo.output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Every breach of the tables, one line each.
fn breaches(metadata: &Metadata) -> Vec<String> {
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut breaches = Vec::new();
    for package in metadata.packages.iter().filter(|package| !KNOW_ALL.contains(&package.name.as_str())) {
        let name = package.name.as_str();
        let Some((_, may_know)) = MAY_KNOW.iter().find(|(known, _)| *known == name) else {
            breaches.push(format!("{name} is in no table"));
            continue;
        };
        for knows in package.built_of() {
            if ours.contains(knows) && !may_know.contains(&knows) {
                breaches.push(format!("{name} must not know {knows}"));
            }
            if PURE.contains(&name) && OUTSIDE.contains(&knows) {
                breaches.push(format!("{name} has no I/O and must not know {knows}"));
            }
        }
    }
    breaches
}

/// The Rust files of the product and of what measures it that hold this word.
fn naming(repository: &Path, word: &str) -> anyhow::Result<BTreeSet<String>> {
    let mut grep = Command::new("grep");
    grep.args(["-rlw", "--include=*.rs", word, "services", "tests/bench"]).current_dir(repository);
    Ok(String::from_utf8(grep.output()?.stdout)?.lines().map(str::to_owned).collect())
}

#[test]
fn only_the_bench_serves_tickets_without_a_note_of_who_read_them() -> anyhow::Result<()> {
    let (word, allowed) = ONLY_MEASURED;
    let allowed: BTreeSet<_> = allowed.map(str::to_owned).into();
    assert_eq!(naming(&system_tests::repository(), word)?, allowed);
    // And one more is found.
    let repository = system_tests::folder::Folder::new()?;
    let path = "services/domicile/src/up.rs";
    fs::create_dir_all(repository.path().join(path).parent().context("a folder")?)?;
    fs::write(repository.path().join(path), "let app = desk::app_without_access_log(desk);")?;
    assert_eq!(naming(repository.path(), word)?, [path.to_owned()].into());
    Ok(())
}

#[test]
fn dependencies_point_down() -> anyhow::Result<()> {
    assert_eq!(breaches(&metadata()?), Vec::<String>::new());
    Ok(())
}

#[test]
fn services_know_one_another_only_for_a_reason_that_still_holds() -> anyhow::Result<()> {
    let metadata = metadata()?;
    let services = metadata.packages.iter().filter(|package| SERVICES.contains(&package.name.as_str()));
    let mut known: Vec<(&str, &str)> = services
        .flat_map(|service| service.built_of().map(|knows| (service.name.as_str(), knows)))
        .filter(|(_, knows)| SERVICES.contains(knows))
        .collect();
    known.sort_unstable();
    let mut excepted = EXCEPTIONS.map(|(service, knows, _)| (service, knows));
    excepted.sort_unstable();
    assert_eq!(known, excepted, "an exception that nobody needs is to go");
    Ok(())
}

#[test]
fn a_breach_is_found() -> anyhow::Result<()> {
    let mut metadata = metadata()?;
    let domain = metadata.packages.iter_mut().find(|package| package.name == "domain").context("there is a domain")?;
    for (name, kind) in [("desk", None), ("sqlx", None), ("projector", Some("build")), ("testkit", Some("dev"))] {
        domain.dependencies.push(Dependency { name: name.to_owned(), kind: kind.map(str::to_owned) });
    }
    metadata.packages.push(Package { name: "stranger".to_owned(), dependencies: Vec::new() });
    let expected = [
        "domain must not know desk",
        "domain has no I/O and must not know sqlx",
        "domain must not know projector",
        "stranger is in no table",
    ];
    assert_eq!(breaches(&metadata), expected);
    Ok(())
}
