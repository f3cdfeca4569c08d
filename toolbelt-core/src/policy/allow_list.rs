//! What other secret scanners are told to accept: it is accepted here too, and listed.
//!
//! `.gitleaksignore` names findings, `.gitleaks.toml` has allow-lists of paths, words and expressions, and
//! `.secrets.baseline` of detect-secrets names values by their SHA-1. All of them are about secrets alone.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use serde::Deserialize;

use super::table::{Document, Table, Value};
use crate::finding::{Acceptance, ExemptedBy};
use crate::subject::malformed::Malformed;
use crate::subject::sighting::{Candidate, Observation, Place, Sighting};

/// The most memory that the expressions of one file may take together: some ten bytes of text can ask for a megabyte.
const EXPRESSIONS_LIMIT: usize = 32 << 20;
/// What an expression takes beside what it counts itself.
const EXPRESSION: usize = 4 << 10;

/// A list of another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowListFormat {
    /// `.gitleaksignore`: fingerprints of findings.
    GitleaksIgnore,
    /// `.gitleaks.toml`: the configuration of gitleaks and betterleaks.
    Gitleaks,
    /// `.secrets.baseline` of detect-secrets.
    DetectSecrets,
}

impl AllowListFormat {
    /// Where each is kept, relative to the root.
    pub const FILES: &[(Self, &str)] = &[
        (Self::GitleaksIgnore, ".gitleaksignore"),
        (Self::Gitleaks, ".gitleaks.toml"),
        (Self::DetectSecrets, ".secrets.baseline"),
    ];
}

/// What other tools accept, file by file.
#[derive(Debug, Clone, Default)]
pub struct AllowLists {
    lists: Vec<AllowList>,
}

#[derive(Debug, Clone)]
struct AllowList {
    /// The file that says so.
    path: String,
    by: ExemptedBy,
    by_the_change_itself: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
enum Entry {
    /// A line of a file, in one commit or in all.
    Line { commit: Option<String>, path: String, line: u32 },
    /// A value in a file, by its SHA-1.
    Sha1 { path: String, digest: String },
    /// What one `[allowlist]` says.
    Gitleaks(Box<Gitleaks>),
}

/// An `[allowlist]` of gitleaks: it accepts what one of its conditions holds for, or all of those that it has.
#[derive(Debug, Clone, Default)]
struct Gitleaks {
    description: Option<String>,
    commits: Vec<String>,
    paths: Vec<Regex>,
    regexes: Vec<Regex>,
    stopwords: Vec<String>,
    target: Target,
    needs_all: bool,
}

/// What expressions are matched against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Target {
    #[default]
    Secret,
    Line,
}

impl PartialEq for AllowLists {
    /// Compiled expressions cannot be compared: two lists are the same when both are empty.
    fn eq(&self, other: &Self) -> bool {
        self.lists.is_empty() && other.lists.is_empty()
    }
}

impl AllowLists {
    /// Reads a list; returns what of it has no counterpart here.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is not what its tool writes.
    pub fn add(&mut self, format: AllowListFormat, path: &str, text: &str) -> Result<Vec<String>, Malformed> {
        let mut left = Vec::new();
        let (by, entries) = match format {
            AllowListFormat::GitleaksIgnore => (ExemptedBy::Baseline, ignored_findings(text, &mut left)),
            AllowListFormat::Gitleaks => (ExemptedBy::Exemption, gitleaks(path, text, &mut left)?),
            AllowListFormat::DetectSecrets => (ExemptedBy::Baseline, detect_secrets(path, text)?),
        };
        if !entries.is_empty() {
            self.lists.push(AllowList { path: path.to_owned(), by, by_the_change_itself: false, entries });
        }
        Ok(left.into_iter().map(|key| format!("{path}: {key}")).collect())
    }

    /// Adds the lists of a change: what only they accept is told as the change's own.
    pub fn propose(&mut self, change: &Self) {
        let proposed = change.lists.iter().cloned().map(|list| AllowList { by_the_change_itself: true, ..list });
        self.lists.extend(proposed);
    }

    /// What accepts this sighting, if one of the lists does.
    pub fn accepts(&self, sighting: &Sighting) -> Option<Acceptance> {
        let Observation::Secret(candidate) = &sighting.observation else { return None };
        let accepts = |list: &&AllowList| list.entries.iter().any(|entry| entry.accepts(sighting, candidate));
        let list = self.lists.iter().find(accepts)?;
        let entry = list.entries.iter().find(|entry| entry.accepts(sighting, candidate))?;
        let reason = entry.description().map_or_else(String::new, |description| format!(": {description}"));
        Some(Acceptance {
            by: list.by,
            reason: format!("listed in `{}`{reason}", list.path),
            by_the_change_itself: list.by_the_change_itself,
        })
    }
}

impl Entry {
    fn description(&self) -> Option<&str> {
        match self {
            Self::Line { .. } | Self::Sha1 { .. } => None,
            Self::Gitleaks(list) => list.description.as_deref(),
        }
    }

    fn accepts(&self, sighting: &Sighting, candidate: &Candidate) -> bool {
        let place = &sighting.place;
        match self {
            Self::Line { commit, path, line } => {
                is_at(place, path)
                    && sighting.region.as_ref().is_some_and(|region| region.line == *line)
                    && commit.as_ref().is_none_or(|commit| is_in(place, commit))
            }
            Self::Sha1 { path, digest } => is_at(place, path) && sha1(candidate.value.expose()) == *digest,
            Self::Gitleaks(list) => list.accepts(place, candidate),
        }
    }
}

impl Gitleaks {
    fn accepts(&self, place: &Place, candidate: &Candidate) -> bool {
        let value = candidate.value.expose();
        let line;
        let target = match self.target {
            Target::Secret => value,
            Target::Line => {
                line = candidate.surroundings.replacen('…', &String::from_utf8_lossy(value), 1);
                line.as_bytes()
            }
        };
        let path = place.path.as_deref().unwrap_or_default();
        let lower = value.to_ascii_lowercase();
        let has = |word: &String| memchr::memmem::find(&lower, word.to_ascii_lowercase().as_bytes()).is_some();
        let conditions = [
            (!self.commits.is_empty(), self.commits.iter().any(|commit| is_in(place, commit))),
            (!self.paths.is_empty(), !path.is_empty() && self.paths.iter().any(|regex| regex.is_match(path))),
            (!self.regexes.is_empty(), self.regexes.iter().any(|regex| regex.is_match(target))),
            (!self.stopwords.is_empty(), self.stopwords.iter().any(has)),
        ];
        let mut asked = conditions.into_iter().filter_map(|(is_asked, holds)| is_asked.then_some(holds)).peekable();
        asked.peek().is_some() && if self.needs_all { asked.all(|holds| holds) } else { asked.any(|holds| holds) }
    }
}

fn is_at(place: &Place, path: &str) -> bool {
    place.path.as_deref() == Some(path.trim_start_matches("./"))
}

/// Whether the place is in this commit, of which at least seven digits are given.
fn is_in(place: &Place, commit: &str) -> bool {
    commit.len() >= 7 && place.commit.is_some_and(|id| id.to_string().starts_with(&commit.to_ascii_lowercase()))
}

fn sha1(value: &[u8]) -> String {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(value);
    // Only a collision attack fails, and a value that is one equals nothing in a list.
    hasher.try_finalize().map_or_else(|_| String::new(), |id| id.to_string())
}

/// `commit:path:rule:line` or `path:rule:line`, with `#` comments.
fn ignored_findings(text: &str, left: &mut Vec<String>) -> Vec<Entry> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut entries = Vec::new();
    for line in lines {
        match ignored_finding(line) {
            Some(entry) => entries.push(entry),
            None => left.push(format!("`{}`", line.chars().take(80).collect::<String>())),
        }
    }
    entries
}

fn ignored_finding(line: &str) -> Option<Entry> {
    let (rest, number) = line.rsplit_once(':')?;
    let (rest, rule) = rest.rsplit_once(':')?;
    let number = number.parse().ok().filter(|_| !rule.is_empty() && !rest.is_empty())?;
    let is_commit = |word: &str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (commit, path) = match rest.split_once(':') {
        Some((commit, path)) if is_commit(commit) => (Some(commit.to_owned()), path),
        _ => (None, rest),
    };
    Some(Entry::Line { commit, path: path.trim_start_matches("./").to_owned(), line: number })
}

/// The `[allowlist]`, `[[allowlists]]` at the top; those of single rules are for rules that are not ours.
fn gitleaks(path: &str, text: &str, left: &mut Vec<String>) -> Result<Vec<Entry>, Malformed> {
    let mut root = Document { path, text }.parse()?;
    let mut tables = Vec::new();
    for key in ["allowlist", "allowlists"] {
        match root.take(key) {
            None => {}
            Some(value) if value.is_table() => tables.push(value.table()?),
            Some(value) => {
                for entry in value.values()? {
                    tables.push(entry.table()?);
                }
            }
        }
    }
    root.take("title");
    left.extend(root.take_all().into_iter().map(|(key, ..)| key));
    let mut budget = EXPRESSIONS_LIMIT;
    let entry = |table| allow_list(table, &mut budget, left).map(|list| Entry::Gitleaks(Box::new(list)));
    tables.into_iter().map(entry).collect()
}

fn allow_list(mut table: Table<'_>, budget: &mut usize, left: &mut Vec<String>) -> Result<Gitleaks, Malformed> {
    let mut list = Gitleaks {
        description: table.take_string("description")?,
        commits: table.take_strings("commits")?.unwrap_or_default(),
        paths: regexes(table.take("paths"), budget)?,
        regexes: regexes(table.take("regexes"), budget)?,
        stopwords: table.take_strings("stopwords")?.unwrap_or_default(),
        ..Gitleaks::default()
    };
    if let Some(target) = table.take_string("regexTarget")? {
        list.target = if target == "line" || target == "match" { Target::Line } else { Target::Secret };
    }
    let condition = table.take_string("condition")?.unwrap_or_default();
    list.needs_all = condition.eq_ignore_ascii_case("and") || condition == "&&";
    let rest = table.take_all();
    if rest.iter().any(|(key, ..)| key == "targetRules") {
        // It is for rules of theirs, which is less than it would accept here.
        left.push("allowlists.targetRules".to_owned());
        return Ok(Gitleaks::default());
    }
    left.extend(rest.into_iter().map(|(key, ..)| format!("allowlist.{key}")));
    Ok(list)
}

fn regexes(value: Option<Value<'_>>, budget: &mut usize) -> Result<Vec<Regex>, Malformed> {
    let values = value.map(Value::values).transpose()?.unwrap_or_default();
    let config = Regex::config().utf8_empty(false).nfa_size_limit(Some(1 << 20));
    // `\b`, `\d`, `\s` and `\w` are ASCII to gitleaks.
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let compile = |value: &Value<'_>| {
        let regex = Regex::builder().configure(config.clone()).syntax(syntax).build(&value.string()?);
        let regex = regex.map_err(|error| value.error(format!("not an expression that is understood: {error}")))?;
        let left = budget.checked_sub(regex.memory_usage() + EXPRESSION);
        *budget = left.ok_or_else(|| value.error("the expressions up to here take too much memory"))?;
        Ok(regex)
    };
    values.iter().map(compile).collect()
}

#[derive(Deserialize)]
struct Baseline {
    results: std::collections::BTreeMap<String, Vec<BaselineEntry>>,
}

#[derive(Deserialize)]
struct BaselineEntry {
    hashed_secret: String,
    /// Somebody looked at it, and it is a secret: that does not accept it.
    #[serde(default)]
    is_secret: bool,
}

fn detect_secrets(path: &str, text: &str) -> Result<Vec<Entry>, Malformed> {
    let baseline: Baseline = serde_json::from_str(text)
        .map_err(|error| Malformed::whole(path, format!("not a baseline of detect-secrets: {error}")))?;
    let entries = baseline.results.into_iter().flat_map(|(path, entries)| {
        let accepted = entries.into_iter().filter(|entry| !entry.is_secret);
        accepted.map(move |entry| Entry::Sha1 {
            path: path.replace('\\', "/").trim_start_matches("./").to_owned(),
            digest: entry.hashed_secret.to_ascii_lowercase(),
        })
    });
    Ok(entries.collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::subject::Region;
    use crate::subject::content::{ContentKind, ObjectId};
    use crate::subject::pattern::{Pattern, SecretKind, Shape};
    use crate::subject::sighting::{Exposure, Proof, SecretValue};

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn sighting(path: &str, line: u32, value: &str) -> Sighting {
        let pattern = Pattern {
            id: "a-token".to_owned(),
            name: "token".to_owned(),
            provider: "A".to_owned(),
            rule: SecretKind::Token,
            shape: Shape::Text { keywords: Vec::new(), regex: String::new() },
            proof: None,
            entropy: 0,
            spans_lines: false,
            revoke: None,
        };
        let candidate = Candidate {
            pattern: Arc::new(pattern),
            value: SecretValue::new(value),
            name: None,
            proof: Proof::None,
            surroundings: "let key = \"…\"; // sample".to_owned(),
        };
        let place = Place {
            path: Some(path.to_owned()),
            object: ObjectId::null(gix::hash::Kind::Sha1),
            kind: ContentKind::Blob,
            commit: Some(ObjectId::from_hex(COMMIT.as_bytes()).unwrap()),
            exposure: Exposure::Unpushed,
        };
        let region = Some(Region { line, column: 1, start: 0, end: 0 });
        Sighting { observation: Observation::Secret(candidate), region, layers: Vec::new(), marker: None, place }
    }

    fn list(format: AllowListFormat, text: &str) -> (AllowLists, Vec<String>) {
        let mut lists = AllowLists::default();
        let left = lists.add(format, "list", text).unwrap();
        (lists, left)
    }

    #[test]
    fn gitleaksignore_names_lines_of_files_in_commits_or_in_all() {
        let text = format!("# a comment\n{COMMIT}:src/a.rs:some-rule:3\n./b.rs:rule:7\nnonsense\n");
        let (lists, left) = list(AllowListFormat::GitleaksIgnore, &text);
        let accepts = |path, line| lists.accepts(&sighting(path, line, "v")).is_some();
        assert!(accepts("src/a.rs", 3) && accepts("b.rs", 7));
        assert!(!accepts("src/a.rs", 4) && !accepts("b.rs", 3) && !accepts("c.rs", 3));
        assert_eq!(left, ["list: `nonsense`"]);
        let (other, _) = list(AllowListFormat::GitleaksIgnore, &format!("{}:src/a.rs:r:3", "f".repeat(40)));
        assert_eq!(other.accepts(&sighting("src/a.rs", 3, "v")), None);
    }

    #[test]
    fn gitleaks_lists_accept_by_path_value_line_word_and_commit() {
        let accepts = |toml: &str| {
            list(AllowListFormat::Gitleaks, toml).0.accepts(&sighting("test/a.rs", 1, "abcExample")).is_some()
        };
        assert!(accepts("[allowlist]\npaths = ['^test/']"));
        assert!(accepts("[[allowlists]]\nregexes = ['Example$']"));
        assert!(accepts("[allowlist]\nregexTarget = 'line'\nregexes = ['sample']"));
        assert!(accepts("[allowlist]\nstopwords = ['example']"));
        assert!(accepts(&format!("[allowlist]\ncommits = ['{COMMIT}']")));
        assert!(accepts("[allowlist]\nregexes = ['(?i)\\b\\w+EXAMPLE\\b']"), "classes are ASCII");
        assert!(!accepts("[allowlist]\nregexes = ['sample']"));
        assert!(!accepts("[allowlist]\npaths = ['^src/']\ncommits = ['0123']"));
        assert!(!accepts("[allowlist]\ncondition = 'AND'\npaths = ['^test/']\nstopwords = ['other']"));
        assert!(!accepts("[allowlist]\ndescription = 'says nothing'"));
    }

    #[test]
    fn what_gitleaks_has_beyond_that_is_said() {
        let toml = "title = 't'\n[extend]\nuseDefault = true\n[[allowlists]]\ntargetRules = ['r']\npaths = ['.*']";
        let (lists, left) = list(AllowListFormat::Gitleaks, toml);
        assert_eq!(lists.accepts(&sighting("a", 1, "v")), None, "it is for one of their rules alone");
        assert_eq!(left, ["list: extend", "list: allowlists.targetRules"]);
        let broken = AllowLists::default().add(AllowListFormat::Gitleaks, "list", "[allowlist]\npaths = ['(']");
        assert!(broken.unwrap_err().to_string().starts_with("list:2:10: "));
    }

    #[test]
    fn expressions_of_a_file_are_bounded_together() {
        let read = |text: String| AllowLists::default().add(AllowListFormat::Gitleaks, "list", &text);
        let large = "'[a-z]{5000}',".repeat(300);
        let error = read(format!("[[allowlists]]\npaths = ['a']\n[[allowlists]]\nregexes = [{large}]")).unwrap_err();
        assert!(error.to_string().ends_with(": the expressions up to here take too much memory"), "{error}");
        assert!(read(format!("[allowlist]\nregexes = [{}]", "'a',".repeat(10_000))).is_err());
        assert!(read(format!("[allowlist]\nregexes = [{}]", r"'(?i)\bsample-\w+\b',".repeat(100))).is_ok());
    }

    #[test]
    fn detect_secrets_names_values_by_their_sha1() {
        // printf abc | sha1sum
        let digest = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let text = |secret: &str| {
            format!(
                r#"{{"version":"1.5.0","results":{{"src/a.rs":[{{"type":"t","hashed_secret":"{digest}","line_number":1{secret}}}]}}}}"#
            )
        };
        let (lists, _) = list(AllowListFormat::DetectSecrets, &text(""));
        assert_eq!(lists.accepts(&sighting("src/a.rs", 9, "abc")).unwrap().by, ExemptedBy::Baseline);
        assert_eq!(lists.accepts(&sighting("src/b.rs", 9, "abc")), None);
        assert_eq!(lists.accepts(&sighting("src/a.rs", 9, "abd")), None);
        let (audited, _) = list(AllowListFormat::DetectSecrets, &text(r#","is_secret":true"#));
        assert_eq!(audited.accepts(&sighting("src/a.rs", 9, "abc")), None);
        assert!(AllowLists::default().add(AllowListFormat::DetectSecrets, "list", "[]").is_err());
    }
}
