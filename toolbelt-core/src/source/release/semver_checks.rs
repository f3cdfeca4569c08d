//! What cargo-semver-checks says of a version.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::finding::{Fact, Unknown};
use crate::source::program::{self, Program};
use crate::source::registry::clean_environment::clean_environment;
use crate::subject::release::{SemverCheck, SemverFailure};

/// How long it may take: it compiles the documentation of two versions.
const LIMIT: Duration = Duration::from_hours(1);

/// What installs it.
const INSTALL: &str = "cargo install cargo-semver-checks --locked";

/// What it says, with its errors, of a package that has no library.
const NO_LIBRARY: &[&str] = &["nothing to semver-check", "has no lib target"];

/// What it says of a package that the registry does not have.
const NO_BASELINE: &str = "not found in registry";

/// What a version is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline<'a> {
    /// A tag or commit of the repository.
    Revision(&'a str),
    /// The greatest version on crates.io.
    Registry,
}

/// What is to be checked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The manifest of the package.
    pub manifest: &'a Path,
    /// The package's name.
    pub package: &'a str,
    /// What it is compared with.
    pub baseline: Baseline<'a>,
    /// The environment; credentials are left out.
    pub variables: &'a BTreeMap<String, String>,
}

/// Runs cargo-semver-checks, if it is installed.
///
/// It compiles both versions, which runs their build scripts.
pub fn check(request: &Request<'_>) -> Fact<SemverCheck> {
    let mut variables = clean_environment(request.variables);
    for (name, value) in [("CARGO_TERM_COLOR", "never"), ("CARGO_TERM_PROGRESS_WHEN", "never"), ("LC_ALL", "C")] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    let directory = request.manifest.parent().unwrap_or(request.manifest);
    let mut program = Program::new("cargo-semver-checks", directory, &variables)
        .arguments(["semver-checks", "check-release", "--verbose", "--color", "never", "--package", request.package])
        .arguments(["--manifest-path".as_ref(), request.manifest.as_os_str()]);
    if let Baseline::Revision(revision) = request.baseline {
        program = program.arguments(["--baseline-rev", revision]);
    }
    program.limit = LIMIT;
    match program.run() {
        Ok(output) => {
            let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
            parse(&text.concat())
        }
        Err(program::Error::Missing { .. }) => {
            Fact::Unknown(Unknown::new("cargo-semver-checks is not installed").hint(INSTALL))
        }
        Err(error) => Fact::Unknown(Unknown::new(error.to_string())),
    }
}

/// Reads what it said; its status does not tell a change that asks for a greater version from an error in all versions.
fn parse(text: &str) -> Fact<SemverCheck> {
    let Some((checks, failed)) = text.lines().find_map(counts) else { return without_counts(text) };
    let failures = failures(text);
    if failures.len() != failed {
        return Fact::Unknown(Unknown::new("cargo-semver-checks says something that is not understood"));
    }
    if checks > 0 {
        return Fact::Known(SemverCheck::Ran { checks, failures });
    }
    // A new major version may change everything, and so there is nothing to check.
    if text.lines().any(|line| words(line).next() == Some("Checking") && line.ends_with("(major change)")) {
        return Fact::Known(SemverCheck::NothingToCompare);
    }
    Fact::Unknown(Unknown::new("cargo-semver-checks ran no checks"))
}

/// What it means that nothing was counted.
fn without_counts(text: &str) -> Fact<SemverCheck> {
    if NO_LIBRARY.iter().any(|said| text.contains(said)) || text.contains(NO_BASELINE) {
        return Fact::Known(SemverCheck::NothingToCompare);
    }
    let error = text.lines().find_map(|line| line.strip_prefix("error: "));
    let error = error.unwrap_or("it said nothing of what it checked");
    Fact::Unknown(Unknown::new(format!("cargo-semver-checks failed: {error}")))
}

/// `Checked [   0.369s] 159 checks: 158 pass, 1 fail, 0 warn, 41 skip`: how many ran, and how many failed.
///
/// Where none failed, nothing is said of failures.
fn counts(line: &str) -> Option<(u32, usize)> {
    let (checks, results) = line.trim_start().strip_prefix("Checked ")?.split_once(" checks: ")?;
    let checks = checks.rsplit(' ').next()?.parse().ok()?;
    let failed = results.split(", ").find_map(|result| result.strip_suffix(" fail"));
    let failed = failed.map_or(Some(0), |count| count.parse().ok())?;
    Some((checks, failed))
}

/// `--- failure trait_missing: pub trait removed or renamed ---`: what failed, in the order in which it is told.
fn failures(text: &str) -> Vec<SemverFailure> {
    let told =
        text.lines().filter_map(|line| line.strip_prefix("--- failure ")?.strip_suffix(" ---")?.split_once(": "));
    let failure = |(lint, summary): (&str, &str)| SemverFailure {
        lint: lint.to_owned(),
        summary: summary.to_owned(),
        required: required(text, lint).to_owned(),
    };
    told.map(failure).collect()
}

/// `FAIL [   0.001s]       major        trait_missing`: what a lint asks for; the greater one where that is not told.
fn required(text: &str, lint: &str) -> &'static str {
    let told = text.lines().find(|line| words(line).next() == Some("FAIL") && words(line).next_back() == Some(lint));
    let is_minor = told.is_some_and(|line| words(line).any(|word| word == "minor"));
    if is_minor { "minor" } else { "major" }
}

fn words(line: &str) -> std::str::SplitWhitespace<'_> {
    line.split_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 0.51 writes it; the lines of single lints are its standard error, the failures its standard output.
    const FAILED: &str = "
--- failure trait_missing: pub trait removed or renamed ---

Description:
A trait cannot be imported any more.

--- failure function_must_use_added: function #[must_use] added ---

    Building one v0.1.0 (current)
    Checking one v0.1.0 -> v0.1.1 (minor change)
        PASS [   0.000s]       major        struct_missing
        FAIL [   0.001s]       major        trait_missing
        FAIL [   0.002s]       minor        function_must_use_added
     Checked [   0.369s] 159 checks: 157 pass, 2 fail, 0 warn, 41 skip

     Summary semver requires new major version: 1 major and 1 minor checks failed
    Finished [  29.307s] one
";

    fn reason(text: &str) -> String {
        match parse(text) {
            Fact::Known(check) => format!("{check:?}"),
            Fact::Unknown(unknown) => unknown.reason,
        }
    }

    #[test]
    fn failures_say_what_they_ask_for() {
        let failure = |lint: &str, summary: &str, required: &str| SemverFailure {
            lint: lint.to_owned(),
            summary: summary.to_owned(),
            required: required.to_owned(),
        };
        let failures = vec![
            failure("trait_missing", "pub trait removed or renamed", "major"),
            failure("function_must_use_added", "function #[must_use] added", "minor"),
        ];
        assert_eq!(parse(FAILED), Fact::Known(SemverCheck::Ran { checks: 159, failures }));
    }

    #[test]
    fn nothing_failed_where_no_failure_is_counted() {
        let text = "    Checking one v0.1.0 -> v0.1.1 (minor change)\n     Checked [   0.003s] 196 checks: 196 pass, 58 skip\n";
        assert_eq!(parse(text), Fact::Known(SemverCheck::Ran { checks: 196, failures: Vec::new() }));
    }

    #[test]
    fn no_check_is_no_pass() {
        let text = |change: &str| {
            format!(
                "    Checking one v1.0.0 -> v2.0.0 ({change})\n     Checked [   0.000s] 0 checks: 0 pass, 254 skip\n"
            )
        };
        assert_eq!(reason(&text("no change; assume patch")), "cargo-semver-checks ran no checks");
        assert_eq!(parse(&text("major change")), Fact::Known(SemverCheck::NothingToCompare));
    }

    #[test]
    fn what_is_not_there_is_told_from_what_failed() {
        let nothing = Fact::Known(SemverCheck::NothingToCompare);
        assert_eq!(parse("error: no crates with library targets selected, nothing to semver-check\n"), nothing);
        assert_eq!(parse("error: one not found in registry (crates.io). For workarounds\n"), nothing);
        assert_eq!(reason("error: rustdoc broke\n\nmore"), "cargo-semver-checks failed: rustdoc broke");
        assert_eq!(reason(""), "cargo-semver-checks failed: it said nothing of what it checked");
        let cut = FAILED.replace("--- failure trait_missing", "--- trait_missing");
        assert_eq!(reason(&cut), "cargo-semver-checks says something that is not understood");
    }

    #[test]
    fn a_missing_program_is_said_with_what_installs_it() {
        let variables = BTreeMap::from([("PATH".to_owned(), "/nonexistent".to_owned())]);
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let request =
            Request { manifest: &manifest, package: "one", baseline: Baseline::Registry, variables: &variables };
        let Fact::Unknown(unknown) = check(&request) else { panic!("it cannot be there") };
        assert_eq!(unknown.reason, "cargo-semver-checks is not installed");
        assert_eq!(unknown.hint.as_deref(), Some(INSTALL));
    }
}
