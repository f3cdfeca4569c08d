//! Runs `cargo package`, without any credential in reach.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::archive::Named;
use crate::source::program::{self, Program};

/// How long cargo may take: it compiles what it packages, with all dependencies.
const LIMIT: Duration = Duration::from_hours(2);

/// How many lines of what cargo says are told when it fails.
const LINES: usize = 20;

/// How `cargo package` is run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether cargo compiles what it packaged.
    pub verify: Verify,
    /// `--locked`, `--offline`, `--frozen`, `--config …`: how cargo resolves dependencies.
    pub resolve: Vec<String>,
    /// `--features …`, `--target …`, `--jobs …`: how cargo compiles.
    pub compile: Vec<String>,
    /// `--registry`.
    pub registry: Option<String>,
    /// `--index`.
    pub index: Option<String>,
}

/// Whether cargo compiles what it packaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verify {
    /// It does, which runs build scripts and procedural macros.
    #[default]
    Yes,
    /// It does not.
    No,
}

/// Why packages could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Cargo could not be run.
    #[error(transparent)]
    Program(#[from] program::Error),
    /// Cargo ran, and failed.
    #[error("`cargo {command}` failed:\n{said}")]
    Cargo {
        /// The subcommand.
        command: &'static str,
        /// The end of what it said.
        said: String,
    },
    /// Cargo says that it made a package, and did not.
    #[error("cargo did not make `{}`", path.display())]
    NotMade {
        /// Where it should be.
        path: PathBuf,
    },
}

impl Error {
    /// What went wrong in one line: of what cargo said, the line that names the error.
    pub fn in_one_line(&self) -> String {
        match self {
            Self::Cargo { command, said } => {
                let named = said.lines().find_map(|line| line.strip_prefix("error: "));
                let line = named.or(said.lines().last()).unwrap_or("it said nothing");
                format!("`cargo {command}` failed: {line}")
            }
            Self::Program(_) | Self::NotMade { .. } => self.to_string(),
        }
    }
}

/// A run of `cargo package`.
#[derive(Debug, Clone, Copy)]
pub struct Packaging<'a> {
    /// The manifest of the workspace.
    pub manifest: &'a Path,
    /// What is packaged, all at once, so that members may depend on each other.
    pub members: &'a [Named<'a>],
    /// How.
    pub options: &'a Options,
    /// Where cargo puts what it makes.
    pub target: &'a Path,
    /// The environment; credentials are left out.
    pub variables: &'a BTreeMap<String, String>,
}

impl Packaging<'_> {
    /// Runs it, and returns the path of the `.crate` of each member, in their order.
    ///
    /// What is not committed is packaged too: that it is not committed is for rules to judge.
    ///
    /// # Errors
    ///
    /// [`Error`] if cargo cannot be run, fails, or takes longer than two hours.
    pub fn run(&self) -> Result<Vec<PathBuf>, Error> {
        self.cargo(self.members.iter().map(|member| format!("{}@{}", member.name, member.version)))?;
        let folder = self.target.join("package");
        let path = |member: &Named<'_>| {
            let path = folder.join(member.file());
            if path.is_file() { Ok(path) } else { Err(Error::NotMade { path }) }
        };
        self.members.iter().map(path).collect()
    }

    /// Packages what these name.
    pub(super) fn cargo(&self, packages: impl IntoIterator<Item = String>) -> Result<(), Error> {
        let mut variables = without_credentials(self.variables);
        for (name, value) in [("CARGO_TERM_COLOR", "never"), ("CARGO_TERM_PROGRESS_WHEN", "never")] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        let directory = self.manifest.parent().unwrap_or(self.manifest);
        let mut program = Program::new(cargo(&variables), directory, &variables).arguments(self.arguments(packages));
        program.limit = LIMIT;
        let output = program.run()?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Cargo { command: "package", said: said(&output.stderr) })
    }

    fn arguments(&self, packages: impl IntoIterator<Item = String>) -> Vec<OsString> {
        let Options { verify, resolve, compile, registry, index } = self.options;
        let mut arguments: Vec<OsString> = vec!["package".into(), "--allow-dirty".into()];
        let mut add = |flag: &str, value: OsString| arguments.extend([flag.into(), value]);
        add("--manifest-path", self.manifest.into());
        add("--target-dir", self.target.into());
        for package in packages {
            add("--package", package.into());
        }
        for (flag, value) in [("--registry", registry), ("--index", index)] {
            if let Some(value) = value {
                add(flag, value.into());
            }
        }
        arguments.extend(resolve.iter().map(OsString::from));
        match verify {
            Verify::Yes => arguments.extend(compile.iter().map(OsString::from)),
            Verify::No => arguments.push("--no-verify".into()),
        }
        arguments
    }
}

/// The cargo that runs this program, else the one that the `PATH` leads to.
pub(super) fn cargo(variables: &BTreeMap<String, String>) -> &str {
    variables.get("CARGO").filter(|path| !path.is_empty()).map_or("cargo", String::as_str)
}

/// What cargo says of its failure.
pub(super) fn said(stderr: &[u8]) -> String {
    program::last_lines(stderr, LINES)
}

/// The environment without what a registry would take for permission to publish.
pub(super) fn without_credentials(variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_credential = |name: &str| {
        let name = name.to_ascii_uppercase();
        name == "CARGO_REGISTRY_TOKEN"
            || (name.starts_with("CARGO_REGISTRIES_") && (name.ends_with("_TOKEN") || name.ends_with("_SECRET_KEY")))
            || (name.starts_with("CARGO_") && name.contains("CREDENTIAL"))
            || name == "CARGO_REGISTRY_SECRET_KEY"
            // With these two a job of GitHub Actions asks for the proof that trusted publishing exchanges for a token.
            || name.starts_with("ACTIONS_ID_TOKEN_REQUEST_")
    };
    let kept = variables.iter().filter(|(name, _)| !is_credential(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out_of_the_environment() {
        let credentials = [
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_OURS_TOKEN",
            "CARGO_REGISTRIES_OURS_CREDENTIAL_PROVIDER",
            "CARGO_REGISTRY_CREDENTIAL_PROVIDER",
            "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS",
            "CARGO_CREDENTIAL_ALIAS_X",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ];
        let kept = ["PATH", "CARGO_HOME", "CARGO_REGISTRIES_OURS_INDEX", "CARGO_REGISTRIES_CRATES_IO_PROTOCOL"];
        let all = credentials.iter().chain(&kept).map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let mut kept = kept.map(str::to_owned);
        kept.sort();
        assert_eq!(without_credentials(&all).into_keys().collect::<Vec<_>>(), kept);
    }

    #[test]
    fn the_line_that_names_the_error_stands_for_all() {
        let error = |said: &str| Error::Cargo { command: "package", said: said.to_owned() }.in_one_line();
        let said = "   Packaging one v1.0.0\nerror: no matching package named `two` found\nlocation searched: here\n";
        assert_eq!(error(said), "`cargo package` failed: no matching package named `two` found");
        assert_eq!(error("odd"), "`cargo package` failed: odd");
        assert_eq!(error(""), "`cargo package` failed: it said nothing");
    }

    #[test]
    fn flags_follow_the_options() {
        let mut options = Options { compile: vec!["--features=x".to_owned()], ..Options::default() };
        let text = |options: &Options| {
            let (manifest, target, none) = (Path::new("/w/Cargo.toml"), Path::new("/t"), BTreeMap::new());
            let packaging = Packaging { manifest, members: &[], options, target, variables: &none };
            let arguments = packaging.arguments(["one@1.0.0".to_owned()]);
            arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        let common = "package --allow-dirty --manifest-path /w/Cargo.toml --target-dir /t --package one@1.0.0";
        assert_eq!(text(&options), format!("{common} --features=x"));
        options.verify = Verify::No;
        options.registry = Some("ours".to_owned());
        options.resolve = vec!["--locked".to_owned()];
        assert_eq!(text(&options), format!("{common} --registry ours --locked --no-verify"));
    }
}
