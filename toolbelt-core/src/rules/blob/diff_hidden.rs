#![doc = include_str!("diff_hidden.md")]

use std::collections::{BTreeMap, HashMap, HashSet};

use gix::attrs::StateRef;
use gix::attrs::parse::Kind;
use gix::bstr::{BStr, ByteSlice as _};
use gix::glob::{Pattern, pattern::Case, wildmatch};

use super::Context;
use super::kind::{self, FileKind};
use crate::finding::{Finding, Fix, Level, Outcome};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::tree::{FileChange, FileState, Mode, TreeChange};
use crate::subject::{LineIndex, Location, Subject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "diff-hidden",
    summary: "changes to source files are kept from being shown",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1340", "TBT-2210"],
    cwe: &[],
    severity: Severity::Medium,
    default: Level::Warn,
    weaker: None,
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("diff_hidden.md"),
    check: Check::Tree(check),
};

/// The file that gives paths attributes.
pub(super) const FILE: &str = ".gitattributes";
/// More lines of one file are not looked at.
const MAX_LINES: usize = 2_000;

fn check(change: &TreeChange, _: &Context<'_>) -> Outcome {
    change.files.iter().filter(|file| is_attributes(&file.path)).flat_map(|file| judge(file, change)).collect()
}

pub(super) fn is_attributes(path: &[u8]) -> bool {
    path.strip_suffix(FILE.as_bytes()).is_some_and(|folder| folder.is_empty() || folder.ends_with(b"/"))
}

fn judge(file: &FileChange, change: &TreeChange) -> Vec<Finding> {
    let Some(after) = file.after.as_ref().filter(|after| after.mode != Mode::Link) else { return Vec::new() };
    let old: HashSet<&[u8]> = match &file.before {
        Some(FileState { content, .. }) => content.lines().map(<[u8]>::trim_ascii).collect(),
        None => HashSet::new(),
    };
    let lines: Vec<&[u8]> = after.content.lines().map(<[u8]>::trim_ascii).collect();
    let statements = statements(&after.content);
    let is_new = |statement: &Statement| lines.get(statement.line - 1).is_some_and(|line| !old.contains(line));
    if !statements.iter().any(is_new) {
        return Vec::new();
    }
    let folder = &file.path[..file.path.len() - FILE.len()];
    // By line: the files that it hides, and how.
    let mut hidden: BTreeMap<usize, (&str, Vec<String>)> = BTreeMap::new();
    for entry in &change.entries {
        let Some(below) = entry.path.strip_prefix(folder) else { continue };
        let path = String::from_utf8_lossy(&entry.path);
        if !matches!(entry.mode, Mode::File | Mode::Executable) || FileKind::of(&path) != FileKind::Code {
            continue;
        }
        // Of each attribute the last line that fits counts.
        let mut states: HashMap<&str, &Statement> = HashMap::new();
        for statement in statements.iter().filter(|statement| statement.fits(below)) {
            states.insert(statement.attribute, statement);
        }
        let mut hiding: Vec<&Statement> = states.into_values().filter(|statement| statement.hides).collect();
        hiding.sort_by_key(|statement| (statement.attribute, statement.line));
        if let Some(statement) = hiding.into_iter().find(|statement| is_new(statement))
            && !is_made_by_programs(&path, statement.attribute)
        {
            hidden.entry(statement.line).or_insert((statement.attribute, Vec::new())).1.push(path.into_owned());
        }
    }
    let text = std::str::from_utf8(&after.content).ok().map(|text| (text, LineIndex::new(text)));
    hidden
        .into_iter()
        .map(|(line, (attribute, files))| {
            let place = text.as_ref().map(|(text, index)| {
                let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
                index.region(start..start + text[start..].lines().next().unwrap_or_default().len())
            });
            finding(&String::from_utf8_lossy(&file.path), lines[line - 1], attribute, &files, place)
        })
        .collect()
}

fn finding(
    path: &str,
    line: &[u8],
    attribute: &str,
    files: &[String],
    region: Option<crate::subject::Region>,
) -> Finding {
    let line = String::from_utf8_lossy(line);
    let first = files.first().map_or("", String::as_str);
    let what = match files.len() {
        0 | 1 => format!("`{first}`"),
        count => format!("`{first}` and {} more", count - 1),
    };
    let how = match attribute {
        "filter" => "keeps the content of",
        "diff" => "keeps changes from being shown, of",
        _ => "keeps changes folded in reviews, of",
    };
    Finding::new(Subject::blob(path), format!("{how} {what}: `{line}`"))
        .fact("attribute", attribute)
        .fact("files", files.len())
        .fact("first-file", first)
        .at([Location { path: path.to_owned(), region }])
        .told_apart_by(line)
        .fix(Fix::new("narrow the pattern to files that nobody reads, or remove the line"))
}

/// What one line sets one attribute to.
#[derive(Debug)]
struct Statement {
    /// Counted from 1.
    line: usize,
    pattern: Pattern,
    /// One of those that hide: `diff`, `filter`, `linguist-generated`, `gitlab-generated`.
    attribute: &'static str,
    /// Whether what it is set to hides the file.
    hides: bool,
}

impl Statement {
    /// `path` is relative to the folder of the file.
    fn fits(&self, path: &[u8]) -> bool {
        let name = memchr::memrchr(b'/', path).map(|at| at + 1);
        let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
        self.pattern.matches_repo_relative_path(BStr::new(path), name, Some(false), Case::Sensitive, mode)
    }
}

/// What the file says of the attributes that hide.
fn statements(content: &[u8]) -> Vec<Statement> {
    let mut statements = Vec::new();
    // Names for several attributes; `binary` is built in.
    let mut macros: HashMap<String, Vec<(&'static str, bool)>> = HashMap::new();
    macros.insert("binary".to_owned(), vec![("diff", true)]);
    for (kind, assignments, line) in gix::attrs::parse(content).flatten().take(MAX_LINES) {
        let mut says: Vec<(&'static str, bool)> = Vec::new();
        for assignment in assignments.flatten() {
            let name = assignment.name.as_str();
            match (name, assignment.state) {
                (name, StateRef::Set) if macros.contains_key(name) => says.extend(&macros[name]),
                ("diff", state) => says.push(("diff", state == StateRef::Unset)),
                ("filter", StateRef::Value(driver)) => says.push(("filter", driver.as_bstr() == "lfs")),
                ("filter", _) => says.push(("filter", false)),
                ("linguist-generated", state) => says.push(("linguist-generated", is_true(state))),
                ("gitlab-generated", state) => says.push(("gitlab-generated", is_true(state))),
                _ => {}
            }
        }
        match kind {
            Kind::Macro(name) => drop(macros.insert(name.as_str().to_owned(), says)),
            Kind::Pattern(pattern) => statements.extend(says.into_iter().map(|(attribute, hides)| Statement {
                line,
                pattern: pattern.clone(),
                attribute,
                hides,
            })),
        }
    }
    statements
}

fn is_true(state: StateRef<'_>) -> bool {
    match state {
        StateRef::Set => true,
        StateRef::Value(value) => value.as_bstr() == "true",
        StateRef::Unset | StateRef::Unspecified => false,
    }
}

/// Whether nobody reads a file line by line, as its name tells: copies of others' code, and what generators write. What
/// is built into `dist` runs, but by custom is only folded.
fn is_made_by_programs(path: &str, attribute: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let is_folded = attribute.ends_with("-generated");
    let mut folders = path.split('/').rev().skip(1);
    let is_theirs = |folder: &str| {
        matches!(
            folder,
            "vendor" | "third_party" | "third-party" | "node_modules" | "__snapshots__" | "generated" | "gen"
        ) || is_folded && matches!(folder, "dist" | "build" | "lib")
    };
    let ends =
        [".min.js", ".min.css", ".pb.go", "_pb2.py", "_pb2.pyi", "_pb2_grpc.py", ".pb.cc", ".pb.h", ".g.dart", ".d.ts"];
    kind::is_lock_file(&path)
        || folders.any(is_theirs)
        || ends.iter().any(|end| path.ends_with(end))
        || ["generated", "autogen"].iter().any(|word| path.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::options::Options;
    use crate::subject::sighting::Exposure;
    use crate::subject::tree::TreeEntry;

    fn said(paths: &[&str], before: Option<&str>, path: &str, after: &str) -> Vec<String> {
        let state = |text: &str| FileState { mode: Mode::File, content: text.into() };
        let entries = paths.iter().map(|path| TreeEntry { path: (*path).into(), mode: Mode::File, is_new: false });
        let file = FileChange { path: path.into(), before: before.map(state), after: Some(state(after)) };
        let change =
            TreeChange { entries: entries.collect(), files: vec![file], commit: None, exposure: Exposure::Staged };
        check(&change, &Context { options: &Options::default() })
            .findings
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn lines_that_hide_source_files_are_found() {
        let paths = ["a.rs", "b/c.rs", "logo.png", "Cargo.lock"];
        for (text, expected) in [
            ("*.rs -diff\n", "keeps changes from being shown, of `a.rs` and 1 more: `*.rs -diff`"),
            ("# x\n/a.rs binary\n", "keeps changes from being shown, of `a.rs`: `/a.rs binary`"),
            ("b/** filter=lfs diff=lfs -text\n", "keeps the content of `b/c.rs`: `b/** filter=lfs diff=lfs -text`"),
            ("* linguist-generated\n", "keeps changes folded in reviews, of `a.rs` and 1 more: `* linguist-generated`"),
            ("[attr]quiet -diff\n*.rs quiet\n", "keeps changes from being shown, of `a.rs` and 1 more: `*.rs quiet`"),
        ] {
            assert_eq!(said(&paths, None, FILE, text), [expected]);
        }
    }

    #[test]
    fn what_hides_nothing_that_is_read_is_quiet() {
        let paths = ["a.rs", "b/c.rs", "logo.png", "Cargo.lock", "vendor/x.js", "x.pb.go", "dist/index.js"];
        for text in [
            "*.png binary\n",
            "Cargo.lock -diff linguist-generated\n",
            "*.rs diff=rust text\n",
            "* -diff\n*.* diff\n",
            "vendor/** -diff linguist-vendored\n*.pb.go -diff\n",
            "dist/** linguist-generated=true\n",
            "*.rs -linguist-generated\n",
            "*.java -diff\n",
            "* text=auto eol=lf\n",
            "/c.rs -diff\n",
        ] {
            assert_eq!(said(&paths, None, FILE, text), [] as [&str; 0], "{text}");
        }
        assert_eq!(said(&paths, Some("*.rs -diff\n"), FILE, "*.rs   -diff\n*.rs -diff\n").len(), 0);
    }

    #[test]
    fn patterns_are_relative_to_the_folder_of_the_file() {
        assert_eq!(said(&["a.rs", "b/c.rs"], None, "b/.gitattributes", "*.rs -diff\n").len(), 1);
        assert_eq!(said(&["a.rs", "b/c.rs"], None, "b/.gitattributes", "/a.rs -diff\n").len(), 0);
    }
}
