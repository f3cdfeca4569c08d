//! Checks names before they are added: what each could be taken for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Environment;
use super::knowledge::{self, Error};
use super::policy;
use crate::finding::{Finding, Outcome};
use crate::policy::decide;
use crate::report::{Coverage, Report};
use crate::rules::package::lookalike_name;
use crate::source::cache::Cache;
use crate::source::repository;
use crate::subject::names::{Names, Resemblance, is_crate_name};
use crate::subject::{Kind, Subject};

/// Which names to check, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The world it runs in.
    pub environment: Environment,
    /// The names, in the order in which they are answered.
    pub asked: Vec<String>,
    /// A list of names to use in place of the one built in.
    pub names: Option<PathBuf>,
}

/// Checks names by the rule `lookalike-name` and the repository's policy.
///
/// The coverage says how many of them are established, unknown, or none that crates.io would take.
///
/// # Errors
///
/// [`Error`] if the policy or the list of names cannot be read.
pub fn run(request: &Request) -> Result<Report, Error> {
    let environment = &request.environment;
    let root = repository::root_of(&environment.directory).unwrap_or(&environment.directory);
    let loaded = policy::load(root, None)?;
    let cache = Cache::new(environment.cache.clone());
    let known = knowledge::names(request.names.as_deref(), &cache, environment.now)?;
    let mut coverage = Coverage { saw_nothing: request.asked.is_empty(), ..Coverage::default() };
    coverage.count("names", request.asked.len());
    coverage.skipped.extend(known.skipped);
    let mut outcome = Outcome::clean();
    for (name, answer) in check(&known.names, &request.asked) {
        outcome.findings.extend(finding(name, &answer));
        match answer {
            Answer::Established { .. } => coverage.count("established", 1),
            Answer::Resembles(_) | Answer::NothingSeen => {}
            Answer::NotACrateName(_) => coverage.could_not_look(name, "crates.io takes no such name"),
        }
    }
    let decision = decide(vec![(&lookalike_name::RULE, outcome)], &loaded.policy, &coverage, environment.now);
    Ok(Report {
        tool: environment.tool.clone(),
        command: "deps names".to_owned(),
        verdict: decision.verdict,
        time: environment.now,
        findings: decision.findings,
        exempted: decision.exempted,
        not_checked: decision.not_checked,
        coverage,
        sources: vec![known.state],
        texts: loaded.texts,
    })
}

/// What is known of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It could be taken for another crate.
    Resembles(Resemblance<'a>),
    /// It is a crate with users of its own.
    Established {
        /// 1 for the most popular.
        rank: u32,
    },
    /// It resembles no crate of the list. That is not to say that there is such a crate, or that it is a good one.
    NothingSeen,
    /// crates.io takes no such name; what it could be taken for, where it looks like a crate's name.
    NotACrateName(Option<Resemblance<'a>>),
}

/// Says for each name what is known of it, in the order asked.
pub fn check<'n, 'a>(names: &'n Names, asked: &'a [String]) -> Vec<(&'a str, Answer<'n>)> {
    asked.iter().map(|name| (name.as_str(), answer(names, name))).collect()
}

/// The finding of the rule `lookalike-name` for a name without a version; none if nothing was seen.
pub fn finding(name: &str, answer: &Answer<'_>) -> Option<Finding> {
    match answer {
        Answer::Resembles(seen) | Answer::NotACrateName(Some(seen)) => {
            Some(lookalike_name::finding(subject(name), seen))
        }
        Answer::Established { .. } | Answer::NothingSeen | Answer::NotACrateName(None) => None,
    }
}

/// A package of crates.io, whatever its version.
fn subject(name: &str) -> Subject {
    let purl = is_crate_name(name).then(|| format!("pkg:cargo/{name}"));
    Subject { kind: Kind::Package, name: name.to_owned(), version: None, purl, digest: BTreeMap::new() }
}

fn answer<'n>(names: &'n Names, name: &str) -> Answer<'n> {
    let seen = lookalike_name::resemblance(names, name);
    if !is_crate_name(name) {
        return Answer::NotACrateName(seen);
    }
    match (seen, names.get(name).and_then(|entry| entry.rank)) {
        (Some(seen), _) => Answer::Resembles(seen),
        (None, Some(rank)) if names.is_established(name) => Answer::Established { rank },
        (None, _) => Answer::NothingSeen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::names::Entry;

    #[test]
    fn every_name_asked_for_has_one_answer() {
        let entry = |name, rank| Entry { name, rank: Some(rank), repository: None };
        let names = Names::new([entry("env_logger", 45), entry("serde", 9)]);
        let asked = ["envlogger", "Serde", "toolbelt", "no name", ""].map(str::to_owned);
        let answers = check(&names, &asked);
        assert_eq!(answers.len(), asked.len());
        assert!(matches!(answers[0], ("envlogger", Answer::Resembles(seen)) if seen.target.name == "env_logger"));
        assert_eq!(answers[1].1, Answer::Established { rank: 9 });
        assert_eq!(answers[2].1, Answer::NothingSeen);
        assert_eq!(answers[3].1, Answer::NotACrateName(None));
        assert_eq!(answers[4].1, Answer::NotACrateName(None));
        let finding = finding("envlogger", &answers[0].1).unwrap();
        assert_eq!(finding.message, "resembles `env_logger`, which ranks 45th: separator removed");
        assert_eq!(finding.subject.purl.as_deref(), Some("pkg:cargo/envlogger"));
        assert_eq!(finding.fix.unwrap().commands, ["cargo add env_logger"], "there is nothing to remove yet");
        assert_eq!(super::finding("toolbelt", &answers[2].1), None);
    }
}
