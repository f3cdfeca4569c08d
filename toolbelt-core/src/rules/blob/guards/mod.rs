//! What guards a repository: hooks, CI, policies, lists of accepted findings, owners. And what makes it weaker.

mod checks;
mod lists;
mod owners;
mod settings;
mod toolbelt;

use crate::subject::tree::{FileChange, FileState, Mode};

/// A guard that is weaker than before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weakening {
    /// The file that says so.
    pub(super) path: Vec<u8>,
    /// Follows the path in a report.
    pub(super) message: String,
    /// The line after the change that brings it, counted from 0.
    pub(super) line: Option<usize>,
}

/// What sort of guard a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Steps that CI runs.
    Pipeline,
    /// A script that git runs.
    Hook,
    /// What says which hooks there are.
    Hooks,
    /// `toolbelt.toml`.
    Policy,
    /// `.toolbelt/allowed_signers`.
    Signers,
    /// Other files of `.toolbelt/`.
    Data,
    /// `deny.toml`, `audit.toml`.
    Cargo,
    /// `.gitleaks.toml`.
    Gitleaks,
    /// One accepted finding a line.
    Accepted,
    /// `.secrets.baseline`.
    Baseline,
    /// `CODEOWNERS`.
    Owners,
}

/// Whether a file is a guard.
pub(super) fn is_guard(path: &[u8]) -> bool {
    guard(path).is_some()
}

fn guard(path: &[u8]) -> Option<Guard> {
    let path = std::str::from_utf8(path).ok()?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_yaml = matches!(extension, "yml" | "yaml");
    let begins = |starts: &[&str]| starts.iter().any(|start| path.starts_with(start));
    let stem = path.trim_start_matches('.').trim_end_matches(".yaml").trim_end_matches(".yml");
    match path {
        "toolbelt.toml" => return Some(Guard::Policy),
        ".toolbelt/allowed_signers" => return Some(Guard::Signers),
        "deny.toml" | ".deny.toml" | ".cargo/deny.toml" | "audit.toml" | ".cargo/audit.toml" => {
            return Some(Guard::Cargo);
        }
        ".gitleaks.toml" | "gitleaks.toml" | ".betterleaks.toml" => return Some(Guard::Gitleaks),
        ".gitleaksignore" | ".betterleaksignore" | ".trivyignore" | ".semgrepignore" => return Some(Guard::Accepted),
        ".secrets.baseline" => return Some(Guard::Baseline),
        "CODEOWNERS"
        | ".github/CODEOWNERS"
        | "docs/CODEOWNERS"
        | ".gitlab/CODEOWNERS"
        | ".forgejo/CODEOWNERS"
        | ".gitea/CODEOWNERS" => {
            return Some(Guard::Owners);
        }
        ".travis.yml" | ".drone.yml" | ".cirrus.yml" | "Jenkinsfile" | "bors.toml" => return Some(Guard::Pipeline),
        "prek.toml" | "lefthook.toml" | ".lefthook.toml" => return Some(Guard::Hooks),
        _ => {}
    }
    if path.starts_with(".toolbelt/") {
        return Some(Guard::Data);
    }
    if begins(&[".githooks/", ".husky/"]) {
        return (!path.starts_with(".husky/_/") && !name.starts_with('.') && extension != "md").then_some(Guard::Hook);
    }
    if !is_yaml {
        return begins(&[".ci/"]).then_some(Guard::Pipeline);
    }
    let folders = &[
        ".github/workflows/",
        ".github/actions/",
        ".forgejo/",
        ".gitea/",
        ".gitlab/",
        ".circleci/",
        ".woodpecker/",
        ".buildkite/",
        ".builds/",
        ".ci/",
    ];
    match stem {
        "pre-commit-config" | "lefthook" | "overcommit" => Some(Guard::Hooks),
        "gitlab-ci" | "azure-pipelines" | "bitbucket-pipelines" | "appveyor" | "woodpecker" => Some(Guard::Pipeline),
        _ => begins(folders).then_some(Guard::Pipeline),
    }
}

/// What a change makes weaker, by path.
pub(super) fn weakened(files: &[FileChange]) -> Vec<Weakening> {
    let guards: Vec<(Guard, &FileChange)> =
        files.iter().filter_map(|file| guard(&file.path).map(|guard| (guard, file))).collect();
    let mut found = checks::weakened(&guards);
    found.extend(owners::weakened(&guards));
    for (guard, file) in &guards {
        let (before, after) = (text(file.before.as_ref()), text(file.after.as_ref()));
        let said = match (guard, &before, &after) {
            (Guard::Policy, None, Some(after)) if file.before.is_none() => toolbelt::introduced(after),
            // Pipelines and owners were looked at with all others of their kind.
            (_, None, _) | (Guard::Pipeline | Guard::Owners, ..) | (Guard::Hooks | Guard::Data, Some(_), Some(_)) => {
                Vec::new()
            }
            (_, Some(before), None)
                if was_moved(file, files) || only_accepts(*guard, file) || before.trim().is_empty() =>
            {
                Vec::new()
            }
            (_, Some(_), None) => removed(*guard),
            (Guard::Hook, ..) => not_executable(file),
            (Guard::Policy, Some(before), Some(after)) => toolbelt::weakened(before, after),
            (Guard::Signers, Some(before), Some(after)) => lists::signers(before, after),
            (Guard::Cargo, Some(before), Some(after)) => settings::cargo(before, after),
            (Guard::Gitleaks, Some(before), Some(after)) => settings::gitleaks(before, after),
            (Guard::Accepted, Some(before), Some(after)) => lists::accepted(before, after),
            (Guard::Baseline, Some(before), Some(after)) => lists::baseline(before, after),
        };
        found.extend(said.into_iter().map(|(message, line)| Weakening { path: file.path.clone(), message, line }));
    }
    found.sort();
    found.dedup();
    found
}

/// A message, and the line that brings it, counted from 0.
type Said = (String, Option<usize>);

/// A file's text; none for one that is not there, or a link.
fn text(state: Option<&FileState>) -> Option<String> {
    let state = state.filter(|state| matches!(state.mode, Mode::File | Mode::Executable))?;
    Some(String::from_utf8_lossy(&state.content).into_owned())
}

/// Whether a file of the same name or content came instead.
fn was_moved(file: &FileChange, files: &[FileChange]) -> bool {
    fn name(path: &[u8]) -> &[u8] {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let name = name.strip_prefix(b".").unwrap_or(name);
        let end = [&b".yml"[..], b".yaml", b".toml"].into_iter().find_map(|end| name.strip_suffix(end));
        end.unwrap_or(name)
    }
    files.iter().filter(|other| other.before.is_none()).any(|other| {
        other.after.as_ref().is_some_and(|after| {
            name(&other.path) == name(&file.path)
                || file.before.as_ref().is_some_and(|before| before.content == after.content)
        })
    })
}

/// Whether a file says no more than what is accepted: without it, nothing is.
fn only_accepts(guard: Guard, file: &FileChange) -> bool {
    matches!(guard, Guard::Accepted | Guard::Baseline) || file.path.ends_with(b"audit.toml")
}

fn removed(guard: Guard) -> Vec<Said> {
    let what = match guard {
        Guard::Hook => "was removed: git does not run this hook any more",
        Guard::Hooks => "was removed, with the hooks that it names",
        Guard::Policy => "was removed: every rule has its default again",
        Guard::Signers => "was removed: nothing says whose signatures count any more",
        Guard::Data => "was removed",
        Guard::Cargo | Guard::Gitleaks => "was removed, with what it denies",
        Guard::Pipeline | Guard::Owners | Guard::Accepted | Guard::Baseline => return Vec::new(),
    };
    vec![(what.to_owned(), None)]
}

/// Git runs a hook only if it may be executed; husky hands its own to a shell.
fn not_executable(file: &FileChange) -> Vec<Said> {
    let mode = |state: &Option<FileState>| state.as_ref().map(|state| state.mode);
    let lost = mode(&file.before) == Some(Mode::Executable) && mode(&file.after) == Some(Mode::File);
    if lost && file.path.starts_with(b".githooks/") {
        vec![("may not be executed any more: git does not run this hook".to_owned(), None)]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn change(path: &str, before: Option<&str>, after: Option<&str>) -> FileChange {
        let state = |text: &str| FileState { mode: Mode::File, content: text.into() };
        FileChange { path: path.into(), before: before.map(state), after: after.map(state) }
    }

    pub(super) fn messages(files: &[FileChange]) -> Vec<String> {
        weakened(files).into_iter().map(|weakening| weakening.message).collect()
    }

    #[test]
    fn guards_are_told_by_their_paths() {
        for path in [
            ".github/workflows/ci.yml",
            ".github/actions/test/action.yaml",
            ".gitlab-ci.yml",
            ".ci/run",
            ".githooks/pre-push",
            ".husky/pre-commit",
            ".pre-commit-config.yaml",
            "lefthook.yml",
            "toolbelt.toml",
            ".toolbelt/key",
            "docs/CODEOWNERS",
            ".secrets.baseline",
        ] {
            assert!(is_guard(path.as_bytes()), "{path}");
        }
        for path in [
            "README.md",
            ".github/FUNDING.yml",
            "a/toolbelt.toml",
            ".husky/_/husky.sh",
            "src/main.rs",
            ".github/workflows/README.md",
        ] {
            assert!(!is_guard(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn a_guard_that_is_gone_is_told_unless_it_was_moved() {
        let hook = Some("#!/bin/sh\nexec lint\n");
        assert_eq!(messages(&[change(".githooks/pre-push", hook, None)]).len(), 1);
        let moved = [change(".githooks/pre-push", hook, None), change(".husky/pre-push", None, hook)];
        assert_eq!(messages(&moved), [] as [&str; 0]);
        let renamed = [change("lefthook.yml", Some("a: b\n"), None), change(".lefthook.yaml", None, Some("a: c\n"))];
        assert_eq!(messages(&renamed), [] as [&str; 0]);
        assert_eq!(messages(&[change(".gitleaksignore", Some("a\n"), None)]), [] as [&str; 0]);
        assert_eq!(messages(&[change("toolbelt.toml", None, Some("version = 1\n"))]), [] as [&str; 0]);
    }

    #[test]
    fn a_hook_that_may_not_be_executed_is_told() {
        let mut file = change(".githooks/pre-push", Some("#!/bin/sh\n"), Some("#!/bin/sh\n"));
        file.before.as_mut().unwrap().mode = Mode::Executable;
        assert_eq!(messages(&[file]).len(), 1);
    }
}
