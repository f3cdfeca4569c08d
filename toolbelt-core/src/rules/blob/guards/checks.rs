//! What CI and hooks run: checks that are gone, and words that let them fail.
//!
//! Lines are read, not the syntax of each system: what a line without its comment says is much the same in all of them.

use super::{Guard, Weakening, text};
use crate::subject::tree::FileChange;

/// Checks, and what a line that runs or uses one holds: any of these, lower case.
const CHECKS: &[(&str, &[&str])] = &[
    ("actionlint", &["actionlint"]),
    ("bandit", &["bandit"]),
    ("betterleaks", &["betterleaks"]),
    ("brakeman", &["brakeman"]),
    ("cargo audit", &["cargo audit", "cargo-audit", "rustsec/audit-check"]),
    ("cargo deny", &["cargo deny", "cargo-deny"]),
    ("cargo semver-checks", &["semver-checks"]),
    ("cargo vet", &["cargo vet", "cargo-vet"]),
    ("check-added-large-files", &["check-added-large-files"]),
    ("check-merge-conflict", &["check-merge-conflict"]),
    ("checkov", &["checkov"]),
    ("clippy", &["clippy"]),
    ("CodeQL", &["codeql"]),
    ("cosign verify", &["cosign verify"]),
    ("dependency-review", &["dependency-review"]),
    ("detect-private-key", &["detect-private-key"]),
    ("detect-secrets", &["detect-secrets"]),
    ("forbid-new-submodules", &["forbid-new-submodules"]),
    ("fuzzing", &["cargo fuzz", "cargo-fuzz", "clusterfuzz", "oss-fuzz", "cifuzz"]),
    ("ggshield", &["ggshield"]),
    ("git-secrets", &["git-secrets", "git secrets"]),
    ("gitleaks", &["gitleaks"]),
    ("gosec", &["gosec"]),
    ("govulncheck", &["govulncheck"]),
    ("grype", &["grype", "anchore/scan-action"]),
    ("hadolint", &["hadolint"]),
    ("harden-runner", &["harden-runner"]),
    ("kingfisher", &["kingfisher"]),
    ("Miri", &["cargo miri", "miri setup", "miri test"]),
    ("no-commit-to-branch", &["no-commit-to-branch"]),
    ("npm audit", &["npm audit", "yarn audit", "pnpm audit", "audit-ci"]),
    ("osv-scanner", &["osv-scanner"]),
    ("pip-audit", &["pip-audit"]),
    ("pre-commit", &["pre-commit run", "pre-commit/action", "prek run", "prek-action", "lefthook run"]),
    ("ripsecrets", &["ripsecrets"]),
    ("Scorecard", &["scorecard"]),
    ("semgrep", &["semgrep", "opengrep"]),
    ("ShellCheck", &["shellcheck"]),
    ("SLSA verifier", &["slsa-verifier"]),
    ("Snyk", &["snyk"]),
    ("SonarQube", &["sonar-scan", "sonarcloud", "sonarqube"]),
    ("toolbelt", &["toolbelt"]),
    ("Trivy", &["trivy"]),
    ("TruffleHog", &["trufflehog"]),
    ("zizmor", &["zizmor"]),
];

/// What stands where a check may fail, or is not run: lower case, without spaces beside the colon.
const SOFT: &[(&str, &str)] = &[
    ("continue-on-error: true", "goes on when a step fails"),
    ("allow_failure: true", "takes a failing job for a good one"),
    ("if: false", "never runs a step"),
    ("if: ${{ false }}", "never runs a step"),
    ("stages: [manual]", "runs a hook only when it is asked for"),
    ("when: manual", "runs a job only when it is asked for"),
    ("when: never", "never runs a job"),
    ("--exit-zero", "takes what a check says for good"),
    ("--soft-fail", "takes what a check says for good"),
    ("--no-verify", "goes past the hooks"),
    ("husky=0", "goes past the hooks"),
];

pub(super) fn weakened(guards: &[(Guard, &FileChange)]) -> Vec<Weakening> {
    let sides: Vec<Side<'_>> = guards
        .iter()
        .filter(|(guard, _)| matches!(guard, Guard::Pipeline | Guard::Hook | Guard::Hooks))
        .map(|(guard, file)| Side {
            guard: *guard,
            file,
            before: Script::new(text(file.before.as_ref())),
            after: Script::new(text(file.after.as_ref())),
        })
        .collect();
    let mut found = Vec::new();
    for side in sides.iter().filter(|side| side.file.before.is_some()) {
        let mut say = |message: String, line: Option<usize>| {
            found.push(Weakening { path: side.file.path.clone(), message, line });
        };
        for check in Check::all() {
            let runs = |script: &Script| script.lines.iter().any(|(_, line)| check.is_run_by(line));
            let may_run = |script: &Script| script.lines.iter().any(|(_, line)| check.may_be_run_by(line));
            // Moved to another file, it still runs.
            let moved = || sides.iter().any(|other| !runs(&other.before) && runs(&other.after));
            if runs(&side.before) && !may_run(&side.after) && !moved() {
                say(format!("does not run {} any more", check.name()), None);
            }
        }
        if side.file.after.is_none() {
            continue;
        }
        for (words, what) in SOFT {
            if let Some(line) = more(side, |line| line.contains(words)) {
                say(format!("{what}: `{words}`"), Some(line));
            }
        }
        let lets_fail = |line: &str| {
            let ends = ["|| true", "|| :", "|| exit 0", "||true", "; true", "; exit 0"];
            ends.iter().any(|end| line.trim_end_matches(['"', '\'']).ends_with(end))
                && Check::all().any(|check| check.is_run_by(line))
        };
        if let Some(line) = more(side, lets_fail) {
            say("lets a check fail: `|| true`".to_owned(), Some(line));
        }
        if let (None, Some(line)) = (side.before.ends_early(side.guard), side.after.ends_early(side.guard)) {
            say("ends before its last command: `exit`".to_owned(), Some(line));
        }
    }
    found
}

/// Commands that run tests; a line that names one surely does.
const TEST_RUNNERS: &[&str] = &[
    "bazel test",
    "bin/test",
    "bun test",
    "cargo hack test",
    "cargo nextest",
    "cargo test",
    "cross test",
    "ctest",
    "deno test",
    "dotnet test",
    "go test",
    "gradlew build",
    "gradlew check",
    "gradlew test",
    "jest",
    "make check",
    "make test",
    "meson test",
    "mvn test",
    "mvn verify",
    "mvnw test",
    "mvnw verify",
    "npm run test",
    "npm test",
    "npx playwright",
    "phpunit",
    "pnpm test",
    "pytest",
    "rake test",
    "rspec",
    "run-tests",
    "run_tests",
    "runtest",
    "swift test",
    "test.sh",
    "tests.sh",
    "tox",
    "unittest",
    "vitest",
    "yarn test",
];

/// A check, as lines tell it.
#[derive(Clone, Copy)]
enum Check {
    Named(&'static str, &'static [&'static str]),
    Tests,
}

impl Check {
    /// Every check.
    fn all() -> impl Iterator<Item = Self> {
        CHECKS.iter().map(|(name, words)| Self::Named(name, words)).chain(std::iter::once(Self::Tests))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Named(name, _) => name,
            Self::Tests => "tests",
        }
    }

    /// Whether a line surely runs it.
    fn is_run_by(self, line: &str) -> bool {
        let words = match self {
            Self::Named(_, words) => words,
            Self::Tests => TEST_RUNNERS,
        };
        words.iter().any(|word| line.contains(word))
    }

    /// Whether a line may run it: tests have many names.
    fn may_be_run_by(self, line: &str) -> bool {
        self.is_run_by(line) || matches!(self, Self::Tests) && names_tests(line)
    }
}

/// Whether a line has a word for tests.
fn names_tests(line: &str) -> bool {
    const NOT_TESTS: &[&str] = &["latest", "attest", "fastest", "greatest", "protest", "contest"];
    line.match_indices("test").any(|(at, _)| {
        let start = line[..at].rfind(|letter: char| !letter.is_ascii_alphabetic()).map_or(0, |before| before + 1);
        !NOT_TESTS.iter().any(|word| line[start..].starts_with(word))
    })
}

/// A file before and after.
struct Side<'a> {
    guard: Guard,
    file: &'a FileChange,
    before: Script,
    after: Script,
}

/// The first new line of a kind, if there are more of the kind than before.
fn more(side: &Side<'_>, is_one: impl Fn(&str) -> bool) -> Option<usize> {
    let count = |script: &Script| script.lines.iter().filter(|(_, line)| is_one(line)).count();
    if count(&side.after) <= count(&side.before) {
        return None;
    }
    // Lines are compared with the one before them, which mostly names the step.
    let context = |script: &Script| -> Vec<(String, String)> {
        let before = std::iter::once("").chain(script.lines.iter().map(|(_, line)| line.as_str()));
        before.zip(&script.lines).map(|(before, (_, line))| (before.to_owned(), line.clone())).collect()
    };
    let (old, new) = (context(&side.before), context(&side.after));
    let at = new.iter().position(|pair| is_one(&pair.1) && !old.contains(pair));
    let at = at.or_else(|| side.after.lines.iter().position(|(_, line)| is_one(line)))?;
    side.after.lines.get(at).map(|(number, _)| *number)
}

/// The lines of a file that say something: lower case, without comments and indentation, spaces made one; with their
/// numbers, counted from 0.
#[derive(Default)]
struct Script {
    lines: Vec<(usize, String)>,
    /// Those of them that are not indented.
    outermost: Vec<usize>,
}

impl Script {
    fn new(text: Option<String>) -> Self {
        let mut script = Self::default();
        for (number, line) in text.unwrap_or_default().lines().enumerate() {
            let code = without_comment(line);
            let words = code.split_ascii_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
            let words = words.trim_start_matches("- ").replace(" :", ":").replace(['"', '\''], "");
            if words.is_empty() {
                continue;
            }
            if !line.starts_with([' ', '\t']) {
                script.outermost.push(number);
            }
            script.lines.push((number, words));
        }
        script
    }

    /// The line that ends a hook although commands follow it.
    fn ends_early(&self, guard: Guard) -> Option<usize> {
        if guard != Guard::Hook {
            return None;
        }
        let last = self.lines.last()?.0;
        let ends = |(number, line): &&(usize, String)| {
            *number < last && self.outermost.contains(number) && matches!(line.as_str(), "exit" | "exit 0" | "return 0")
        };
        self.lines.iter().find(ends).map(|(number, _)| *number)
    }
}

/// A line without what follows `#` at its start or after a blank.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']));
    comment.map_or(line, |(at, _)| &line[..at])
}

#[cfg(test)]
mod tests {
    use super::super::tests::{change, messages};
    use super::*;

    const CI: &str = "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: cargo test\n      - name: Audit\n        run: cargo audit\n";

    fn after(text: &str) -> Vec<String> {
        messages(&[change(".github/workflows/ci.yml", Some(CI), Some(text))])
    }

    #[test]
    fn a_check_that_is_gone_or_a_comment_is_told() {
        assert_eq!(after(&CI.replace("run: cargo audit", "run: true")), ["does not run cargo audit any more"]);
        assert_eq!(after(&CI.replace("run: cargo audit", "# run: cargo audit")), ["does not run cargo audit any more"]);
        assert_eq!(after(&CI.replace("run: cargo test", "run: cargo build")), ["does not run tests any more"]);
        let removed = messages(&[change(".github/workflows/ci.yml", Some(CI), None)]);
        assert_eq!(removed, ["does not run cargo audit any more", "does not run tests any more"]);
    }

    #[test]
    fn a_check_that_runs_otherwise_or_elsewhere_is_quiet() {
        let quiet: [String; 0] = [];
        assert_eq!(after(&CI.replace("cargo audit", "rustsec/audit-check@v2")), quiet);
        assert_eq!(after(&CI.replace("cargo test", "./ci/run-tests.sh")), quiet);
        assert_eq!(after(&(CI.to_owned() + "      - run: gitleaks git\n")), quiet);
        let moved = [
            change(".github/workflows/ci.yml", Some(CI), Some(&CI.replace("run: cargo audit", "run: true"))),
            change(".github/workflows/audit.yml", None, Some("steps:\n  - run: cargo audit\n")),
        ];
        assert_eq!(messages(&moved), quiet);
    }

    #[test]
    fn words_that_let_a_check_fail_are_told_once_they_are_more() {
        let said = after(&CI.replace("run: cargo audit", "run: cargo audit || true"));
        assert_eq!(said, ["lets a check fail: `|| true`"]);
        let said = after(&CI.replace("run: cargo audit", "continue-on-error:  true\n        run: cargo audit"));
        assert_eq!(said, ["goes on when a step fails: `continue-on-error: true`"]);
        assert_eq!(after(&CI.replace("run: cargo audit", "if: ${{ false }}\n        run: cargo audit")).len(), 1);
        assert_eq!(after(&CI.replace("run: cargo audit", "run: cargo audit\n      - run: rm x || true")).len(), 0);
        let soft = CI.replace("run: cargo audit", "continue-on-error: true\n        run: cargo audit");
        assert_eq!(
            messages(&[change(".github/workflows/ci.yml", Some(&soft), Some(&soft.replace("Audit", "audit")))]).len(),
            0
        );
    }

    #[test]
    fn a_hook_that_ends_early_is_told() {
        let hook = "#!/bin/sh\nset -e\ngitleaks git --staged\n";
        let ended = hook.replace("set -e", "exit 0");
        assert_eq!(
            messages(&[change(".githooks/pre-commit", Some(hook), Some(&ended))]),
            ["ends before its last command: `exit`"]
        );
        let late = format!("{hook}if x; then\n  exit 0\nfi\nexit 0\n");
        assert_eq!(messages(&[change(".githooks/pre-commit", Some(hook), Some(&late))]).len(), 0);
    }

    #[test]
    fn a_word_with_test_in_it_may_be_one_but_does_not_run_any() {
        assert!(!names_tests("runs-on: ubuntu-latest") && !names_tests("actions/attest-build-provenance"));
        assert!(names_tests("./scripts/unit-tests"));
        let quiet = CI.replace("cargo test", "test -z x && twine upload -r https://test.pypi.org");
        let gone = quiet.replace("test -z x && twine upload -r https://test.pypi.org", "true");
        assert_eq!(messages(&[change(".github/workflows/ci.yml", Some(&quiet), Some(&gone))]).len(), 0);
    }
}
