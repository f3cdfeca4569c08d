//! Runs `cargo package`, without any credential in reach.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::archive::Named;
use crate::source::program::{self, Program};
use crate::source::registry::clean_environment::clean_environment;

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
        let mut variables = clean_environment(self.variables);
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

#[cfg(test)]
mod tests {
    use super::*;

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
