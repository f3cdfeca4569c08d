//! Bills of materials of real workspaces: the packages and features are those that `cargo tree` has, the bytes are the same
//! wherever the workspace lies, and nothing tells where that is.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it could not look at"
)]

mod support {
    pub(crate) mod cargo_scene;
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;
use support::cargo_scene::{CargoScene, digest, environment, host, write};
use toolbelt_core::ops::sbom::{self, Documents, Request};
use toolbelt_core::subject::bill_of_materials::{BillOfMaterials, Component, Origin};
use toolbelt_core::subject::digest::Sha256Digest;
use toolbelt_core::subject::feature_resolution::{Features, Tests};
use toolbelt_core::subject::package::DependencyKind;

/// A workspace that holds everything that is easily got wrong.
const WORKSPACE: &str = "[workspace]\nmembers = [\"app\", \"library\", \"derive\"]\nresolver = \"RESOLVER\"\n\
                         [workspace.package]\nlicense = \"MIT/Apache-2.0\"\nversion = \"0.3.0\"\nedition = \"2021\"\n";

const APP: &str = "[package]\nname = \"app\"\nversion.workspace = true\nedition.workspace = true\nlicense.workspace = true\n\
                   description = \"An application\\n  in two lines\"\nbuild = \"build.rs\"\n\
                   [features]\ndefault = [\"shared/one\"]\nextra = [\"dep:optional\", \"weak?/more\"]\nweak = [\"dep:weak\"]\n\
                   [dependencies]\nlibrary = { path = \"../library\" }\nderive = { path = \"../derive\" }\n\
                   alpha = \"1\"\nalpha-next = { package = \"alpha\", version = \"2\" }\nshared = \"1\"\n\
                   optional = { version = \"1\", optional = true }\nweak = { version = \"1\", optional = true }\n\
                   [target.'cfg(windows)'.dependencies]\nfor-windows = \"1\"\n\
                   [target.'cfg(target_os = \"haiku\")'.dependencies]\nfor-haiku = \"1\"\n\
                   [target.'cfg(all(unix, not(made_up_flag)))'.dependencies]\nfor-unix = \"1\"\n\
                   [build-dependencies]\nfor-build = \"1\"\nshared = { version = \"1\", features = [\"two\"] }\n\
                   [dev-dependencies]\nfor-tests = \"1\"\nshared = { version = \"1\", features = [\"three\"] }\n";

const LIBRARY: &str = "[package]\nname = \"library\"\nversion = \"0.2.0\"\nedition = \"2021\"\nlicense-file = \"../LICENSE.txt\"\n\
                       [dependencies]\nshared = { version = \"1\", default-features = false }\n\
                       [features]\nmuch = [\"shared/four\", \"alpha\"]\n\
                       [dependencies.alpha]\nversion = \"1\"\noptional = true\n\
                       [dev-dependencies]\nfor-tests = \"1\"\n";

const DERIVE: &str = "[package]\nname = \"derive\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n\
                      [dependencies]\nfor-macros = \"1\"\nshared = { version = \"1\", features = [\"five\"] }\n";

fn scene(resolver: &str) -> CargoScene {
    let workspace = WORKSPACE.replace("RESOLVER", resolver);
    let scene = CargoScene::new(&[
        ("Cargo.toml", &workspace),
        ("LICENSE.txt", "all of it"),
        ("app/Cargo.toml", APP),
        ("app/src/main.rs", "fn main() {}"),
        ("app/build.rs", "fn main() {}"),
        ("library/Cargo.toml", LIBRARY),
        ("library/src/lib.rs", ""),
        ("derive/Cargo.toml", DERIVE),
        ("derive/src/lib.rs", ""),
    ]);
    let edition = "edition = \"2021\"\nlicense = \"MIT\"\n";
    scene.vendor("alpha", "1.4.0", &format!("{edition}repository = \"https://me:secret@example.org/alpha\"\n"));
    scene.vendor("alpha", "2.0.0-rc.1+build", &format!("{edition}links = \"alpha\"\nbuild = \"src/lib.rs\"\n"));
    scene.vendor("alpha", "2.1.0", edition);
    let features = "[features]\ndefault = [\"base\"]\nbase = []\none = []\ntwo = [\"deep\"]\nthree = []\nfour = []\nfive = []\n\
                    [dependencies]\ndeep = { version = \"1\", optional = true }\n";
    scene.vendor("shared", "1.0.0", &format!("{edition}{features}"));
    scene.vendor("deep", "1.0.0", &format!("{edition}[target.'cfg(windows)'.dependencies]\nfor-windows = \"1\"\n"));
    scene.vendor("optional", "1.0.0", &format!("{edition}[dependencies]\nalpha = \"1\"\n"));
    scene.vendor("weak", "1.0.0", &format!("{edition}[features]\nmore = [\"dep:deep\"]\n[dependencies]\ndeep = {{ version = \"1\", optional = true }}\n"));
    scene.vendor(
        "for-haiku",
        "1.0.0",
        &format!("{edition}[dependencies]\nshared = {{ version = \"1\", features = [\"four\"] }}\n"),
    );
    for name in ["for-windows", "for-unix", "for-build", "for-tests", "for-macros"] {
        scene.vendor(name, "1.0.0", edition);
    }
    scene.lock();
    scene
}

fn request(scene: &CargoScene, package: &str) -> Request {
    Request {
        environment: scene.environment(),
        manifest_path: None,
        package: Some(package.to_owned()),
        features: Features::Default(Vec::new()),
        targets: Vec::new(),
        tests: Tests::LeftOut,
        offline: true,
        time: None,
    }
}

/// Name and version of each package, with the features that it is built with: more than one set if it is built twice.
type Packages = BTreeMap<(String, String), BTreeSet<String>>;

fn packages(bill: &BillOfMaterials) -> Packages {
    let mut packages = Packages::new();
    for component in &bill.components {
        let usage = &component.usage;
        let sets = std::iter::once(&usage.features).chain(&usage.features_at_build_time);
        let sets = sets.map(|features| features.iter().cloned().collect::<Vec<_>>().join(","));
        packages.entry((component.name.clone(), component.version.clone())).or_default().extend(sets);
    }
    packages
}

/// The same as `cargo tree` has it.
fn tree(directory: &Path, request: &Request) -> Packages {
    let mut arguments = vec!["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p}|{f}", "--edges"];
    arguments.push(match request.tests {
        Tests::LeftOut => "normal,build",
        Tests::Included => "normal,build,dev",
    });
    arguments.extend(request.package.iter().flat_map(|name| ["--package", name]));
    let named = match &request.features {
        Features::All => {
            arguments.push("--all-features");
            String::new()
        }
        Features::Default(named) => named.join(","),
        Features::Only(named) => {
            arguments.push("--no-default-features");
            named.join(",")
        }
    };
    arguments.extend(["--features", &named]);
    let targets = if request.targets.is_empty() { vec!["all".to_owned()] } else { request.targets.clone() };
    arguments.extend(targets.iter().flat_map(|target| ["--target", target]));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(&arguments).current_dir(directory).env_clear().envs(&request.environment.variables);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let mut packages = Packages::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        // Lines between packages say what kind the next ones are.
        let Some((package, features)) = line.rsplit_once('|') else { continue };
        let mut words = package.split(' ');
        let name = words.next().unwrap().to_owned();
        let version = words.next().unwrap().trim_start_matches('v').to_owned();
        packages.entry((name, version)).or_default().insert(features.trim_end_matches(" (*)").to_owned());
    }
    packages
}

/// Ways of choosing features of a package: each by itself, and all of them.
fn choices(named: &[&str]) -> Vec<Features> {
    let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
    let mut choices = vec![Features::Default(Vec::new()), Features::Only(Vec::new()), Features::All];
    choices.extend(named.iter().map(|name| Features::Default(vec![name.clone()])));
    choices.extend((named.len() > 1).then_some(Features::Only(named)));
    choices
}

#[test]
fn packages_and_features_are_those_of_cargo_tree() {
    let targets =
        [vec![host()], vec!["x86_64-pc-windows-msvc".to_owned(), "wasm32-unknown-unknown".to_owned()], vec![]];
    for resolver in ["1", "2"] {
        let scene = scene(resolver);
        for (package, named) in [("app", &["extra", "weak"][..]), ("library", &["much"]), ("derive", &[])] {
            for features in choices(named) {
                for targets in targets.clone() {
                    let request = Request { features: features.clone(), targets, ..request(&scene, package) };
                    let bill = sbom::run(&request).unwrap();
                    let (ours, theirs) = (packages(&bill), tree(&scene.project(), &request));
                    let what = format!("resolver {resolver}, {package}, {features:?}, {:?}", request.targets);
                    if request.targets.is_empty() {
                        // Without a target cargo tree shows what is built twice as if it were built once.
                        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{what}");
                    } else {
                        assert_eq!(ours, theirs, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_tests_need_is_there_on_request() {
    let scene = scene("2");
    let request = Request { tests: Tests::Included, targets: vec![host()], ..request(&scene, "app") };
    let with = sbom::run(&request).unwrap();
    let names = |bill: &BillOfMaterials| bill.components.iter().map(|c| c.name.clone()).collect::<BTreeSet<_>>();
    assert_eq!(names(&with), tree(&scene.project(), &request).into_keys().map(|(name, _)| name).collect());
    assert_eq!(find(&with, "for-tests", "1.0.0").usage.kind, DependencyKind::Dev);
    let without = sbom::run(&Request { tests: Tests::LeftOut, ..request }).unwrap();
    assert!(!names(&without).contains("for-tests"));
    assert!(!find(&without, "shared", "1.0.0").usage.features.contains("three"), "only tests ask for it");
}

#[test]
fn own_packages_are_those_of_cargo_tree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for package in ["cargo-toolbelt", "git-toolbelt", "toolbelt-core"] {
        let request = Request {
            environment: environment(&root),
            manifest_path: None,
            package: Some(package.to_owned()),
            features: Features::Default(Vec::new()),
            targets: vec![host()],
            tests: Tests::LeftOut,
            offline: true,
            time: None,
        };
        match sbom::run(&request) {
            Ok(bill) => assert_eq!(packages(&bill), tree(&root, &request), "{package}"),
            Err(error) if error.to_string().contains("--offline") => println!("skipped: {error}"),
            Err(error) => panic!("{package}: {error}"),
        }
    }
}

#[track_caller]
fn find<'a>(bill: &'a BillOfMaterials, name: &str, version: &str) -> &'a Component {
    bill.components.iter().find(|component| (&*component.name, &*component.version) == (name, version)).unwrap()
}

#[test]
fn components_say_where_they_come_from_and_what_they_are_for() {
    let scene = scene("2");
    let bill = sbom::run(&request(&scene, "app")).unwrap();
    let root = &bill.components[bill.root];
    assert_eq!((&*root.name, &*root.purl), ("app", "pkg:cargo/app@0.3.0"));
    assert_eq!(root.description.as_deref(), Some("An application in two lines"));
    assert_eq!(root.license.as_ref().unwrap().expression(), Some("MIT OR Apache-2.0"), "inherited, in today's words");
    assert_eq!((root.digest, root.origin), (None, Origin::Directory));
    let old = find(&bill, "alpha", "1.4.0");
    assert_eq!(old.digest, Sha256Digest::parse(&digest("alpha", "1.4.0")));
    assert_eq!(old.repository.as_ref().unwrap().as_str(), "https://example.org/alpha");
    assert_eq!(old.download.as_deref(), Some("https://static.crates.io/crates/alpha/1.4.0/download"));
    assert_eq!(find(&bill, "alpha", "2.1.0").purl, "pkg:cargo/alpha@2.1.0", "under another name, in another version");
    let kind = |name| find(&bill, name, "1.0.0").usage.kind;
    assert_eq!(kind("for-build"), DependencyKind::Build);
    assert_eq!(kind("for-macros"), DependencyKind::Build, "it runs in the compiler");
    assert_eq!(find(&bill, "derive", "0.1.0").usage.kind, DependencyKind::Build);
    assert_eq!(kind("for-windows"), DependencyKind::Normal);
    assert!(find(&bill, "for-windows", "1.0.0").is_conditional);
    let shared = find(&bill, "shared", "1.0.0");
    assert_eq!((shared.usage.kind, shared.is_conditional), (DependencyKind::Normal, false));
    assert_eq!(shared.usage.features, ["base", "default", "four", "one"].map(str::to_owned).into());
    let built_twice = shared.usage.features_at_build_time.as_ref().unwrap();
    assert_eq!(*built_twice, ["base", "deep", "default", "five", "one", "two"].map(str::to_owned).into());
    assert!(bill.components.iter().all(|component| component.name != "for-tests"));
}

#[test]
fn the_packaged_crate_is_named_by_its_digest() {
    let scene = scene("2");
    let mut bill = sbom::run(&request(&scene, "library")).unwrap();
    bill.components[bill.root].digest = Sha256Digest::parse(&"ab".repeat(32));
    let documents = Documents::from(&bill);
    let cyclonedx: Value = serde_json::from_slice(&documents.cyclonedx).unwrap();
    assert_eq!(cyclonedx["metadata"]["component"]["hashes"][0]["content"], "ab".repeat(32));
    assert_eq!(
        cyclonedx["metadata"]["component"]["licenses"][0]["license"]["name"],
        "see the file LICENSE.txt in the package"
    );
}

#[test]
fn git_packages_have_their_commit_and_no_path() {
    let scene = CargoScene::new(&[("src/lib.rs", "")]);
    let package = "[package]\nname = \"from-git\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    if !scene.git(&[("Cargo.toml", package), ("src/lib.rs", "")]) {
        println!("skipped: there is no git");
        return;
    }
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n";
    let manifest = format!("{manifest}from-git = {{ git = \"{}\" }}\n", scene.git_url());
    write(&scene.project().join("Cargo.toml"), &manifest);
    scene.lock();
    let bill = sbom::run(&request(&scene, "app")).unwrap();
    let component = find(&bill, "from-git", "1.0.0");
    assert_eq!((component.origin, &*component.purl), (Origin::Git, "pkg:cargo/from-git@1.0.0"));
    assert_silent(&bill, &scene);
}

/// Nothing tells where the scene is.
#[track_caller]
fn assert_silent(bill: &BillOfMaterials, scene: &CargoScene) {
    let documents = Documents::from(bill);
    let folder = scene.folder().file_name().unwrap().to_str().unwrap();
    for document in [&documents.cyclonedx, &documents.spdx] {
        let text = std::str::from_utf8(document).unwrap();
        assert!(!text.contains(folder) && !text.contains("file:") && !text.contains("/tmp"), "{text}");
    }
}

#[test]
fn the_same_workspace_elsewhere_gives_the_same_bytes() {
    let (one, other) = (scene("2"), scene("2"));
    let time = Some(Timestamp::from_second(1_795_341_600).unwrap());
    for time in [None, time] {
        let written = |scene| {
            let bill = sbom::run(&Request { time, ..request(scene, "app") }).unwrap();
            assert_silent(&bill, scene);
            Documents::from(&bill)
        };
        let first = written(&one);
        assert_eq!(first, written(&other));
        let cyclonedx: Value = serde_json::from_slice(&first.cyclonedx).unwrap();
        let spdx: Value = serde_json::from_slice(&first.spdx).unwrap();
        assert_eq!(cyclonedx["metadata"]["timestamp"].as_str(), time.map(|_| "2026-11-22T10:00:00Z"));
        let created = if time.is_some() { "2026-11-22T10:00:00Z" } else { "1970-01-01T00:00:00Z" };
        assert_eq!(spdx["@graph"][0]["created"], created);
    }
}

#[test]
fn another_content_has_another_serial_number() {
    let scene = scene("2");
    let serial = |features| {
        let bill = sbom::run(&Request { features, ..request(&scene, "app") }).unwrap();
        let document: Value = serde_json::from_slice(&Documents::from(&bill).cyclonedx).unwrap();
        document["serialNumber"].as_str().unwrap().to_owned()
    };
    assert_ne!(serial(Features::Default(Vec::new())), serial(Features::All));
}

#[test]
fn both_documents_list_the_same_packages_and_edges() {
    let scene = scene("2");
    let bill = sbom::run(&request(&scene, "app")).unwrap();
    let documents = Documents::from(&bill);
    let cyclonedx: Value = serde_json::from_slice(&documents.cyclonedx).unwrap();
    let spdx: Value = serde_json::from_slice(&documents.spdx).unwrap();
    let graph = spdx["@graph"].as_array().unwrap();
    let of_type = |kind: &str| graph.iter().filter(|element| element["type"] == kind).collect::<Vec<_>>();
    let purls = of_type("software_Package")
        .iter()
        .map(|package| package["software_packageUrl"].as_str().unwrap())
        .collect::<BTreeSet<_>>();
    let components = cyclonedx["components"].as_array().unwrap().iter().chain([&cyclonedx["metadata"]["component"]]);
    assert_eq!(purls, components.map(|component| component["purl"].as_str().unwrap()).collect());
    let after = |id: &Value| id.as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let mut spdx_edges = BTreeSet::new();
    for relationship in of_type("LifecycleScopedRelationship") {
        let to = relationship["to"].as_array().unwrap().iter().filter(|id| id.as_str().unwrap().contains('#'));
        spdx_edges.extend(to.map(|to| (after(&relationship["from"]), after(to))));
    }
    let mut cyclonedx_edges = BTreeSet::new();
    for dependency in cyclonedx["dependencies"].as_array().unwrap() {
        let from = dependency["ref"].as_str().unwrap();
        let to = dependency["dependsOn"].as_array().unwrap().iter();
        cyclonedx_edges.extend(to.map(|to| (from.to_owned(), to.as_str().unwrap().to_owned())));
    }
    assert!(spdx_edges.len() > 10);
    assert_eq!(spdx_edges, cyclonedx_edges);
}

#[test]
fn what_cannot_be_answered_is_an_error_with_a_way_out() {
    let scene = scene("2");
    let error = |request: &Request| {
        let error = sbom::run(request).unwrap_err();
        (error.to_string(), error.hint())
    };
    let valid = request(&scene, "app");
    let (message, hint) = error(&Request { package: None, ..valid.clone() });
    assert_eq!(message, "the workspace has several packages: `app`, `derive`, `library`");
    assert_eq!(hint, Some("`-p NAME` says which one"));
    let (message, _) = error(&Request { package: Some("alpha".to_owned()), ..valid.clone() });
    assert_eq!(message, "the workspace has no package `alpha`, but: `app`, `derive`, `library`");
    let (message, _) = error(&Request { features: Features::Default(vec!["nonsense".to_owned()]), ..valid.clone() });
    assert!(message.contains("nonsense"), "{message}");
    let (message, _) = error(&Request { targets: vec!["no-such-target".to_owned()], ..valid.clone() });
    assert!(message.contains("no-such-target"), "{message}");
    std::fs::remove_file(scene.project().join("Cargo.lock")).unwrap();
    let (message, hint) = error(&valid);
    assert!(message.starts_with("`cargo metadata` failed: ") && message.contains("--locked"), "{message}");
    assert!(hint.unwrap().contains("cargo generate-lockfile"));
}
