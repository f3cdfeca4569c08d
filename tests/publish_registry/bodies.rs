//! Our uploads beside those of cargo: the same bytes, for packages of every kind.

use crate::machine::{Machine, archive_of, digest};
use crate::publish_registry::{PublishRegistry, Settings};
use toolbelt_core::source::registry::upload::{Error, Upload};
use toolbelt_core::subject::package::Registry;

/// Has cargo publish `work/FOLDER` and compares its request with ours for the same `.crate`.
#[track_caller]
fn same_body(machine: &Machine, folder: &str, name: &str, version: &str) {
    machine.registry.requests();
    machine.succeed(&format!("work/{folder}"), &["publish", "--no-verify", "--registry", "loopback", "-p", name]);
    let cargos = machine.registry.uploads().remove(0);
    compare(&cargos, name, version, &machine.target().registry);
}

#[track_caller]
fn compare(cargos: &[u8], name: &str, version: &str, registry: &Registry) {
    let archive = archive_of(cargos);
    let ours = Upload::new(name, version, &archive, digest(&archive), registry).unwrap();
    let json = |body: &[u8]| String::from_utf8_lossy(&body[4..body.len() - archive.len() - 4]).into_owned();
    assert_eq!(json(ours.body()), json(cargos));
    assert!(ours.body() == cargos, "the bodies differ beyond their JSON");
}

/// Dependencies for the packages to have.
fn stocked(machine: &Machine) {
    for name in ["plain", "renamed", "chosen", "targeted", "built", "tested", "Mixed_Case"] {
        machine.registry.add_library(name, "1.2.3", "[features]\none = []\ntwo = []\ndefault = ['one']\n");
    }
    machine.registry.add_library("pre", "2.0.0-beta.1", "");
}

#[test]
fn package_that_says_little() {
    let machine = Machine::new();
    machine.library("little", "0.1.0", "");
    same_body(&machine, "little", "little", "0.1.0");
    machine.library("none", "0.1.0", "readme = false\n");
    machine.write("work/none/README.md", "not to be shown");
    same_body(&machine, "none", "none", "0.1.0");
    machine.library("built-meta", "1.0.0-rc.1+build.5", "");
    same_body(&machine, "built-meta", "built-meta", "1.0.0-rc.1+build.5");
}

#[test]
fn package_that_says_everything() {
    let machine = Machine::new();
    machine.write(
        "work/full/Cargo.toml",
        r#"
            [package]
            name = "full"
            version = "1.2.3"
            edition = "2021"
            rust-version = "1.70"
            authors = ["Ann Ünïcode <ann@example.com>", "日本 \"quoted\" \\ back"]
            description = """
  Two lines, with a tab	and an emoji 🦀
  "quoted" """
            documentation = "https://docs.example.com/full?a=b&c=d"
            homepage = "https://example.com/é"
            repository = "https://git.example.com/full"
            readme = "docs/read me.md"
            keywords = ["one", "two-three"]
            categories = ["development-tools::testing", "no-such-category"]
            license = "MIT OR Apache-2.0"
            license-file = "LICENCE"
            links = "full"
            build = "build.rs"
            exclude = ["*.tmp"]
            [badges]
            maintenance = { status = "actively-developed" }
            appveyor = { repository = "a/b", branch = "master" }
            [package.metadata.docs.rs]
            all-features = true
        "#,
    );
    machine.write("work/full/src/lib.rs", "");
    machine.write("work/full/build.rs", "fn main() {}\n");
    machine.write("work/full/LICENCE", "MIT");
    let readme = "# Full\r\n\u{feff}<b>\"x\" \\ \u{2028} \u{7f} \u{1}</b>\n\ttab 🦀\n";
    machine.write("work/full/docs/read me.md", readme);
    same_body(&machine, "full", "full", "1.2.3");
}

#[test]
fn dependencies_of_every_kind() {
    let machine = Machine::new();
    stocked(&machine);
    machine.library(
        "many",
        "0.1.0",
        r#"
            [dependencies]
            plain = "1"
            alias = { package = "renamed", version = "1.2" }
            chosen = { version = ">=1, <2", optional = true, default-features = false, features = ["two", "one"] }
            Mixed_Case = "~1.2.0"
            pre = "=2.0.0-beta.1"
            tested = { package = "tested", version = "1.*" }
            [build-dependencies]
            built = "1.2.3"
            plain = "*"
            [dev-dependencies]
            tested = { version = "^1", features = ["two"] }
            unpublished = { path = "../unpublished" }
            [target.'cfg(any(unix,target_os="wasi"))'.dependencies]
            targeted = "1"
            [target.'cfg( all( not(windows) , target_pointer_width = "64" ) )'.build-dependencies]
            targeted = { version = "1", optional = true }
            [target.x86_64-pc-windows-msvc.dependencies]
            plain = { version = "1", features = ["two"] }
            [target.x86_64-pc-windows-msvc.dev-dependencies]
            built = "1"
            [target.x86_64-pc-windows-msvc.build-dependencies]
            built = "1"
        "#,
    );
    machine.library("unpublished", "0.0.0", "");
    same_body(&machine, "many", "many", "0.1.0");
}

#[test]
fn features_with_dep_and_question_mark() {
    let machine = Machine::new();
    stocked(&machine);
    machine.library(
        "features",
        "0.1.0",
        r#"
            [dependencies]
            chosen = { version = "1", optional = true }
            alias = { package = "renamed", version = "1", optional = true }
            plain = { version = "1", optional = true, default-features = false }
            [dev-dependencies]
            unpublished = { path = "../unpublished" }
            [features]
            default = ["b", "a"]
            a = ["dep:chosen", "chosen?/one", "alias/two"]
            b = ["plain"]
            C = []
            c-plus = ["a", "unpublished/x"]
        "#,
    );
    machine.library("unpublished", "0.0.0", "[features]\nx = []\n");
    same_body(&machine, "features", "features", "0.1.0");
    // The edition that knows no implicit features.
    machine.library(
        "new",
        "0.1.0",
        "[dependencies]\nchosen = { version = '1', optional = true }\n[features]\na = ['dep:chosen']\n",
    );
    let manifest = std::fs::read_to_string(machine.path("work/new/Cargo.toml")).unwrap();
    machine.write("work/new/Cargo.toml", &manifest.replace("2021", "2024"));
    same_body(&machine, "new", "new", "0.1.0");
}

#[test]
fn files_outside_the_package_and_fields_of_the_workspace() {
    let machine = Machine::new();
    stocked(&machine);
    machine.write(
        "work/space/Cargo.toml",
        r#"
            [workspace]
            members = ["inner/*"]
            resolver = "2"
            [workspace.package]
            version = "3.1.4"
            authors = ["All <all@example.com>"]
            edition = "2021"
            rust-version = "1.75.0"
            license-file = "LICENCE.txt"
            readme = "README.md"
            repository = "https://git.example.com/space"
            keywords = ["shared"]
            categories = ["science"]
            description = "inherited"
            [workspace.dependencies]
            plain = { version = "1", features = ["one"] }
            alias = { package = "renamed", version = "1", default-features = false }
            sibling = { path = "inner/sibling", version = "3" }
        "#,
    );
    let inherited = [
        "version",
        "authors",
        "edition",
        "rust-version",
        "license-file",
        "repository",
        "keywords",
        "categories",
        "description",
    ];
    let inherited = inherited.map(|key| format!("{key}.workspace = true\n")).concat();
    machine.write("work/space/README.md", "# Of the workspace\n");
    machine.write("work/space/LICENCE.txt", "Do what you like.\n");
    let member = |name: &str, more: &str| {
        machine.write(
            &format!("work/space/inner/{name}/Cargo.toml"),
            &format!("[package]\nname = '{name}'\n{inherited}{more}"),
        );
        machine.write(&format!("work/space/inner/{name}/src/lib.rs"), "");
    };
    member("sibling", "readme.workspace = true\n");
    member(
        "member",
        "readme = '../../README.md'\n[dependencies]\nsibling.workspace = true\nplain = { workspace = true, features = ['two'] }\n\
         [target.'cfg(unix)'.dependencies]\nalias = { workspace = true, optional = true }\n",
    );
    // A path dependency becomes one on crates.io, for which the registry stands.
    same_body(&machine, "space", "sibling", "3.1.4");
    same_body(&machine, "space", "member", "3.1.4");
}

#[test]
fn dependencies_of_several_registries() {
    let other = PublishRegistry::start(Settings::default());
    other.add_empty("foreign", "1.0.0");
    let machine = Machine::with(Settings::default(), &other.named("other"));
    stocked(&machine);
    machine.registry.add_empty("own", "1.0.0");
    machine.library(
        "mixed",
        "0.1.0",
        r#"
            [dependencies]
            plain = "1"
            own = { version = "1", registry = "loopback" }
            foreign = { version = "1", registry = "other" }
        "#,
    );
    same_body(&machine, "mixed", "mixed", "0.1.0");
}

#[test]
fn publication_to_crates_io() {
    let machine = Machine::new();
    stocked(&machine);
    machine.write("home/config.toml", "");
    machine.library("public", "0.1.0", "[dependencies]\nplain = '1'\n");
    // Cargo's own tests have it take another place for crates.io.
    let index = machine.registry.index();
    let output = machine.cargo(
        "work/public",
        &["publish", "--no-verify"],
        &[("__CARGO_TEST_CRATES_IO_URL_DO_NOT_USE_THIS", &index), ("CARGO_REGISTRY_TOKEN", "secret")],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let cargos = machine.registry.uploads().remove(0);
    compare(&cargos, "public", "0.1.0", &Registry::new(Registry::CRATES_IO));
}

#[test]
fn only_the_approved_package_is_taken() {
    let machine = Machine::new();
    machine.library("one", "1.0.0", "");
    let archive = machine.package("one", "1.0.0");
    let registry = machine.target().registry;
    let new = |name: &str, version: &str, bytes: &[u8]| Upload::new(name, version, bytes, digest(bytes), &registry);
    let approved = digest(b"another");
    assert!(matches!(Upload::new("one", "1.0.0", &archive, approved, &registry), Err(Error::NotApproved { .. })));
    assert!(matches!(new("one", "1.0.1", &archive), Err(Error::Missing(path)) if path == "Cargo.toml"));
    assert!(matches!(new("one", "1.0.0", b"no archive"), Err(Error::Broken(_))));
    let files = |files: &[(&str, &str)]| crate::publish_registry::package("one", "1.0.0", files);
    let manifest = "[package]\nname = 'one'\nversion = '1.0.0'\nreadme = 'R'\n";
    let other = files(&[("Cargo.toml", &manifest.replace("'one'", "'two'"))]);
    assert!(matches!(new("one", "1.0.0", &other), Err(Error::OtherPackage { .. })));
    let bare = files(&[("Cargo.toml", manifest)]);
    assert!(matches!(new("one", "1.0.0", &bare), Err(Error::Missing(path)) if path == "R"));
    let twice = files(&[("Cargo.toml", manifest), ("R", "a"), ("R", "b")]);
    assert!(matches!(new("one", "1.0.0", &twice), Err(Error::Broken(_))));
}
