//! Signs what a run said of the commit that is checked out, for the gate that asks for it later.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::{Environment, evidence};
use crate::evidence::digest_set::DigestSet;
use crate::evidence::predicate;
use crate::evidence::predicate::test_result::{Outcome, TestResult};
use crate::evidence::statement::ResourceDescriptor;
use crate::ops::evidence::sign;
use crate::report::{Report, Verdict};
use crate::source::git::repository::GitRepository;
use crate::source::git::{self, head, status};
use crate::store::notes;
use crate::subject::digest::hex;

/// What to sign, and with what.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The world it runs in.
    pub environment: &'a Environment,
    /// What the run said; its command is the name of the test.
    pub report: &'a Report,
    /// A key in place of git's.
    pub key: Option<PathBuf>,
}

/// Evidence that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    /// `PASSED`, `WARNED` or `FAILED`.
    pub result: &'static str,
    /// The commit that it is about.
    pub commit: String,
    /// The fingerprint of the key that signed.
    pub key: String,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The evidence could not be made or kept.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// There is no commit.
    #[error("there is no commit that evidence could be about")]
    NoCommit,
    /// What was looked at is not the commit.
    #[error("nothing was signed: {} is not as the commit has it", listed(paths))]
    NotTheCommit {
        /// Paths that differ, relative to the root.
        paths: Vec<String>,
    },
    /// The run did not see everything.
    #[error("nothing was signed: the run is incomplete")]
    Incomplete,
    /// The run looked at a part of the repository.
    #[error("nothing was signed: the run looked at a part of the repository only")]
    Partial,
}

fn listed(paths: &[String]) -> String {
    let named = paths.iter().take(3).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    if paths.len() > 3 { format!("{named} and {} more", paths.len() - 3) } else { named }
}

/// Signs, and keeps the statement as a note of the commit.
///
/// # Errors
///
/// [`Error`] if the work tree is not the commit, the run saw less than everything, or nothing can be signed.
pub fn run(request: &Request<'_>) -> Result<Attested, Error> {
    let (environment, report) = (request.environment, request.report);
    let repository = GitRepository::open(&environment.directory, &environment.variables)?;
    let commit = head::head(&repository)?.ok_or(Error::NoCommit)?;
    if report.coverage.is_partial {
        return Err(Error::Partial);
    }
    let changed = status::changed(&repository, &[String::new()])?;
    if !changed.is_empty() {
        return Err(Error::NotTheCommit { paths: changed.into_iter().map(|changed| changed.path).collect() });
    }
    let subject = DigestSet::one("gitCommit", &commit.to_string()).map_err(evidence::Error::from)?;
    let subject = ResourceDescriptor::new("commit", subject);
    let result = result(report)?;
    let statement = predicate::statement(vec![subject], &result).map_err(evidence::Error::from)?;
    let key = sign::signing_key(environment, request.key.as_deref())?;
    let envelope = sign::sign(&statement, &key)?;
    notes::append(&repository, commit, &[envelope]).map_err(evidence::Error::from)?;
    let word = match result.result {
        Outcome::Passed => "PASSED",
        Outcome::Warned => "WARNED",
        Outcome::Failed => "FAILED",
    };
    Ok(Attested { result: word, commit: commit.to_string(), key: key.public().fingerprint() })
}

/// The report as the result of one test, which is called as the command is.
fn result(report: &Report) -> Result<TestResult, Error> {
    let name = || vec![report.command.clone()];
    let mut result = TestResult {
        result: Outcome::Passed,
        configuration: configuration(report),
        url: None,
        passed_tests: Vec::new(),
        warned_tests: Vec::new(),
        failed_tests: Vec::new(),
    };
    match report.verdict {
        Verdict::Incomplete => return Err(Error::Incomplete),
        Verdict::Fail => (result.result, result.failed_tests) = (Outcome::Failed, name()),
        Verdict::Pass if report.findings.is_empty() => result.passed_tests = name(),
        Verdict::Pass => (result.result, result.warned_tests) = (Outcome::Warned, name()),
    }
    Ok(result)
}

/// What the run was told: the policy.
fn configuration(report: &Report) -> Vec<ResourceDescriptor> {
    let text = report.texts.get(crate::policy::FILE);
    let digest = text.and_then(|text| DigestSet::one("sha256", &hex(&Sha256::digest(text))).ok());
    digest.map(|digest| ResourceDescriptor::new(crate::policy::FILE, digest)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::example;

    #[test]
    fn a_report_is_one_test_and_an_incomplete_one_is_none() {
        let mut report = example::report();
        report.command = "deps".to_owned();
        report.verdict = Verdict::Fail;
        assert_eq!(result(&report).unwrap().failed_tests, ["deps"]);
        report.verdict = Verdict::Pass;
        assert_eq!(result(&report).unwrap().warned_tests, ["deps"]);
        report.findings.clear();
        assert_eq!(result(&report).unwrap().passed_tests, ["deps"]);
        report.verdict = Verdict::Incomplete;
        assert!(matches!(result(&report), Err(Error::Incomplete)));
    }
}
