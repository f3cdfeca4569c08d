//! A machine with a cargo of its own: a folder, a `CARGO_HOME` in it, and registries on the loopback.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use toolbelt_core::source::cargo_config::CargoConfig;
use toolbelt_core::source::http::{Http, Settings as HttpSettings};
use toolbelt_core::source::registry::api::{Api, Target};
use toolbelt_core::source::registry::readback::Reader;
use toolbelt_core::source::registry::token::Token;
use toolbelt_core::source::registry::upload::Upload;
use toolbelt_core::subject::digest::Sha256Digest;

use crate::publish_registry::{PublishRegistry, Settings, read_upload};

/// The variable with the token for [`Machine::registry`].
pub(crate) const TOKEN: (&str, &str) = ("CARGO_REGISTRIES_LOOPBACK_TOKEN", "secret");

pub(crate) struct Machine {
    pub(crate) folder: TempDir,
    /// What configuration calls `loopback`, and what stands for crates.io when something is read.
    pub(crate) registry: PublishRegistry,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), "")
    }

    /// With a registry of these manners, and more lines of configuration.
    pub(crate) fn with(settings: Settings, more: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap(), registry: PublishRegistry::start(settings) };
        let registry = &machine.registry;
        let config = format!("{}{}{more}", registry.named("loopback"), registry.in_place_of_crates_io());
        machine.write("home/config.toml", &config);
        machine
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        std::fs::write(self.path(path), text).unwrap();
    }

    /// A library `work/NAME` with nothing but what a registry wants to know, and these lines of its manifest.
    pub(crate) fn library(&self, name: &str, version: &str, more: &str) {
        let manifest = format!(
            "[package]\nname = '{name}'\nversion = '{version}'\nedition = '2021'\ndescription = 'd'\nlicense = 'MIT'\n{more}"
        );
        self.write(&format!("work/{name}/Cargo.toml"), &manifest);
        self.write(&format!("work/{name}/src/lib.rs"), "//! Nothing.\n");
    }

    /// The variables of a run: enough to find programs, and these.
    pub(crate) fn variables(&self, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let kept = ["PATH", "HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "USERPROFILE", "SYSTEMROOT", "TEMP"];
        let mut variables: BTreeMap<String, String> =
            kept.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
        variables.insert("CARGO_HOME".to_owned(), self.path("home").to_string_lossy().into_owned());
        variables.insert("CARGO_TERM_COLOR".to_owned(), "never".to_owned());
        variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        variables
    }

    /// Runs cargo in a folder, with these variables.
    pub(crate) fn cargo(&self, folder: &str, arguments: &[&str], more: &[(&str, &str)]) -> Output {
        Command::new(cargo())
            .args(arguments)
            .current_dir(self.path(folder))
            .env_clear()
            .envs(self.variables(more))
            .output()
            .unwrap()
    }

    /// Runs cargo, which has to succeed.
    #[track_caller]
    pub(crate) fn succeed(&self, folder: &str, arguments: &[&str]) -> String {
        let output = self.cargo(folder, arguments, &[TOKEN]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "cargo {arguments:?} in {folder}: {errors}");
        errors
    }

    /// Starts cargo and does not wait for it.
    pub(crate) fn start(&self, folder: &str, arguments: &[&str]) -> Child {
        Command::new(cargo())
            .args(arguments)
            .current_dir(self.path(folder))
            .env_clear()
            .envs(self.variables(&[TOKEN]))
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Waits until something is so.
    pub(crate) fn until(is_so: impl Fn() -> bool) {
        let mut waits = 0;
        while !is_so() {
            assert!(waits < 3000, "it never comes to be so");
            std::thread::sleep(Duration::from_millis(20));
            waits += 1;
        }
    }

    /// Packages `work/NAME` with cargo.
    pub(crate) fn package(&self, name: &str, version: &str) -> Vec<u8> {
        self.succeed(&format!("work/{name}"), &["package", "--quiet", "--no-verify", "--registry", "loopback"]);
        std::fs::read(self.path(&format!("work/{name}/target/package/{name}-{version}.crate"))).unwrap()
    }

    pub(crate) fn config(&self, variables: &BTreeMap<String, String>) -> CargoConfig {
        CargoConfig::read(&self.path("work"), &self.path("home"), variables).unwrap()
    }

    pub(crate) fn target(&self) -> Target {
        Target::find(&self.config(&BTreeMap::new()), "loopback").unwrap()
    }

    pub(crate) fn api(&self) -> Api {
        Api::open(&online(), &self.target(), Some(&token())).unwrap()
    }

    /// A `.crate` of an empty library that is ready to be sent.
    pub(crate) fn upload(&self, name: &str, version: &str) -> Upload {
        self.library(name, version, "");
        let archive = self.package(name, version);
        Upload::new(name, version, &archive, digest(&archive), &self.target().registry).unwrap()
    }
}

/// Reads a registry without a token.
pub(crate) fn reader<'a>(http: &'a Http, api: &'a Api) -> Reader<'a> {
    Reader { http, api, token: None }
}

pub(crate) fn online() -> Http {
    Http::new(&HttpSettings::default()).unwrap()
}

pub(crate) fn token() -> Token {
    Token::new(TOKEN.1).unwrap()
}

pub(crate) fn digest(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(bytes).into())
}

pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// The `.crate` in an upload.
pub(crate) fn archive_of(upload: &[u8]) -> Vec<u8> {
    read_upload(upload).unwrap().1
}

/// An empty folder below the machine's.
pub(crate) fn scratch(machine: &Machine) -> PathBuf {
    tempfile::tempdir_in(Path::new(machine.folder.path())).unwrap().keep()
}
