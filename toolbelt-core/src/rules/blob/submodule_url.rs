#![doc = include_str!("submodule_url.md")]

use std::collections::BTreeSet;

use gix::config::file::{Metadata, init};
use memchr::memmem;

use super::Context;
use crate::finding::{Finding, Fix, Level, NotChecked, Outcome, Unknown};
use crate::rules::{Capability, Check, Rule, Scope, Severity};
use crate::subject::tree::{FileState, Mode, TreeChange};
use crate::subject::{LineIndex, Location, Subject};

/// The rule.
pub static RULE: Rule = Rule {
    id: "submodule-url",
    summary: "a submodule comes from where it can be replaced, or runs a command",
    capability: Capability::SecureSourceCodeManagement,
    threats: &["TBT-1100", "TBT-4200"],
    cwe: &[88, 319],
    severity: Severity::High,
    default: Level::Deny,
    weaker: Some(Level::Warn),
    scope: Scope::Deterministic,
    options: &[],
    needs: &[],
    explanation: include_str!("submodule_url.md"),
    check: Check::Tree(check),
};

/// The file that names submodules.
pub(super) const FILE: &str = ".gitmodules";

fn check(change: &TreeChange, _: &Context<'_>) -> Outcome {
    let Some(file) = change.files.iter().find(|file| file.path == FILE.as_bytes()) else { return Outcome::clean() };
    let Some(after) = file.after.as_ref().filter(|after| after.mode != Mode::Link) else { return Outcome::clean() };
    let Some(settings) = read(after) else {
        let reason = Unknown::new(format!("`{FILE}` is no configuration that git could read"));
        return NotChecked { subject: Some(Subject::blob(FILE)), reason }.into();
    };
    let before = file.before.as_ref().and_then(read).unwrap_or_default();
    settings.difference(&before).filter_map(|setting| judge(setting, &after.content)).collect()
}

/// What the file says of one submodule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Setting {
    /// The submodule's name.
    name: Vec<u8>,
    /// `url`, `path`, `update`, `branch`; `name` stands for the name itself.
    key: &'static str,
    value: Vec<u8>,
}

/// Every setting; none if the file is no configuration.
fn read(file: &FileState) -> Option<BTreeSet<Setting>> {
    let config =
        gix::config::File::from_bytes_no_includes(&file.content, Metadata::api(), init::Options::default()).ok()?;
    let mut settings = BTreeSet::new();
    for section in config.sections() {
        let header = section.header();
        let Some(name) = header.subsection_name().filter(|_| header.name().eq_ignore_ascii_case(b"submodule")) else {
            continue;
        };
        settings.insert(Setting { name: name.to_vec(), key: "name", value: name.to_vec() });
        for key in ["url", "path", "update", "branch"] {
            let values = section.values(key);
            settings.extend(values.into_iter().map(|value| Setting { name: name.to_vec(), key, value: value.into() }));
        }
    }
    Some(settings)
}

/// What is wrong with a setting.
enum Wrong {
    /// Git, or whoever hands it on, would do something else than fetch.
    Attack(&'static str),
    /// What is fetched can be replaced on the way, or is not the same for everybody.
    Weak(&'static str),
}

fn judge(setting: &Setting, text: &[u8]) -> Option<Finding> {
    let name = String::from_utf8_lossy(&setting.name).into_owned();
    let wrong = match setting.key {
        "url" => url(&setting.value)?,
        "update" if setting.value.starts_with(b"!") => Wrong::Attack("is a command"),
        "update" => return None,
        "name" | "path" => path(&setting.value)?,
        _ => option_like(&setting.value)?,
    };
    let (what, is_weaker) = match wrong {
        Wrong::Attack(what) => (what, false),
        Wrong::Weak(what) => (what, true),
    };
    let shown = if setting.key == "url" { without_credentials(&setting.value) } else { setting.value.clone() };
    let shown: String = String::from_utf8_lossy(&shown).escape_debug().take(200).collect();
    let finding =
        Finding::new(Subject::blob(FILE), format!("the {} of submodule `{name}` {what}: `{shown}`", setting.key))
            .fact("submodule", name.as_str())
            .fact("key", setting.key)
            .fact("value", shown)
            .at([location(text, &setting.value)])
            .told_apart_by(format!("{name}\0{}\0{what}", setting.key))
            .fix(match setting.key {
                "url" => Fix::new("name the repository by `https://`, `ssh://` or a path relative to this one's URL"),
                _ => Fix::new("remove it, and ask whoever wrote it what it is for"),
            });
    Some(if is_weaker { finding.weaker() } else { finding })
}

fn option_like(value: &[u8]) -> Option<Wrong> {
    value.starts_with(b"-").then_some(Wrong::Attack("would be taken for an option"))
}

fn path(value: &[u8]) -> Option<Wrong> {
    let mut parts = value.split(|byte| matches!(byte, b'/' | b'\\'));
    if value.last() == Some(&b'\r') {
        // Git once wrote it without quotes, and read it back without the end (CVE-2025-48384).
        return Some(Wrong::Attack("ends with a carriage return"));
    }
    if parts.any(|part| part == b".." || super::case_collision::is_git_folder(part)) {
        return Some(Wrong::Attack("leads out of the folder that it is for"));
    }
    option_like(value)
}

fn url(value: &[u8]) -> Option<Wrong> {
    let lower = value.to_ascii_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start.as_bytes()));
    if let Some(wrong) = option_like(value) {
        return Some(wrong);
    }
    if begins(&["ext::", "fd::"]) {
        return Some(Wrong::Attack("runs a command"));
    }
    // The host, user or path of `ssh` are handed on as arguments (CVE-2017-1000117).
    let after_scheme = memmem::find(value, b"://").map_or(&value[..0], |at| &value[at + 3..]);
    let host = after_scheme.split(|byte| *byte == b'/').next().unwrap_or_default();
    if host.split(|byte| *byte == b'@').any(|part| part.starts_with(b"-")) {
        return Some(Wrong::Attack("has a host that would be taken for an option"));
    }
    if value.iter().any(u8::is_ascii_control)
        || ["%0a", "%0d", "%00"].iter().any(|code| memmem::find(&lower, code.as_bytes()).is_some())
    {
        // Helpers that hand out passwords were told another host like this (CVE-2020-5260).
        return Some(Wrong::Attack("holds a line break"));
    }
    if begins(&["http://", "git://", "ftp://", "ftps://"]) {
        return Some(Wrong::Weak("can be replaced on the way"));
    }
    if !begins(&["ssh://"]) && memchr::memchr(b'@', host).is_some_and(|at| memchr::memchr(b':', &host[..at]).is_some())
    {
        return Some(Wrong::Weak("holds a password"));
    }
    if begins(&["file:", "/", "~", "c:", "d:"]) {
        return Some(Wrong::Weak("is a folder of one machine"));
    }
    let has_helper =
        memmem::find(value, b"::").is_some_and(|at| value[..at].iter().all(u8::is_ascii_alphanumeric) && at > 0);
    has_helper.then_some(Wrong::Weak("needs a helper that not everybody has"))
}

/// A URL without what stands before `@` in it, where that could be a secret.
fn without_credentials(url: &[u8]) -> Vec<u8> {
    let Some(start) = memmem::find(url, b"://").map(|at| at + 3) else { return url.to_vec() };
    let end = memchr::memchr(b'/', &url[start..]).map_or(url.len(), |slash| start + slash);
    match memchr::memrchr(b'@', &url[start..end]) {
        Some(at) if url[start..start + at] != *b"git" => [&url[..start], "…".as_bytes(), &url[start + at..]].concat(),
        _ => url.to_vec(),
    }
}

/// Where a value is first written as it is.
fn location(text: &[u8], value: &[u8]) -> Location {
    let written = std::str::from_utf8(text).ok().zip(memmem::find(text, value)).filter(|_| !value.is_empty());
    match written {
        Some((text, at)) => Location::within(FILE, LineIndex::new(text).region(at..at + value.len())),
        None => Location::whole_file(FILE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::options::Options;
    use crate::subject::sighting::Exposure;
    use crate::subject::tree::FileChange;

    fn said(before: Option<&str>, after: &str) -> Vec<(String, bool)> {
        let state = |text: &str| FileState { mode: Mode::File, content: text.into() };
        let file = FileChange { path: FILE.into(), before: before.map(state), after: Some(state(after)) };
        let change = TreeChange { entries: Vec::new(), files: vec![file], commit: None, exposure: Exposure::Staged };
        let outcome = check(&change, &Context { options: &Options::default() });
        outcome.findings.into_iter().map(|finding| (finding.message, finding.weaker)).collect()
    }

    fn of_url(url: &str) -> Option<bool> {
        let found = said(None, &format!("[submodule \"a\"]\n\tpath = a\n\turl = \"{url}\"\n"));
        assert!(found.len() < 2, "{found:?}");
        found.first().map(|(_, weaker)| *weaker)
    }

    #[test]
    fn urls_of_every_day_are_quiet() {
        for url in [
            "https://example.com/a.git",
            "ssh://git@example.com/a",
            "git@example.com:a/b.git",
            "../b.git",
            "./c",
            "https://git@example.com/a",
            "https://[::1]/a",
        ] {
            assert_eq!(of_url(url), None, "{url}");
        }
    }

    #[test]
    fn urls_that_run_something_are_the_strong_form() {
        for url in [
            "--upload-pack=touch x",
            "-u./x",
            "ext::sh -c x",
            "ssh://-oProxyCommand=x/y",
            "ssh://a@-x/y",
            "https://a%0ab/",
        ] {
            assert_eq!(of_url(url), Some(false), "{url}");
        }
        for url in [
            "http://example.com/a",
            "git://example.com/a",
            "file:///a",
            "/srv/a",
            "https://u:p@example.com/a",
            "hg::https://x",
        ] {
            assert_eq!(of_url(url), Some(true), "{url}");
        }
    }

    #[test]
    fn names_paths_and_updates_are_looked_at() {
        let found = said(
            None,
            "[submodule \"../../x\"]\n\tpath = -x\n\turl = https://example.com\n\tupdate = !touch y\n\tbranch = main\n",
        );
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|(_, weaker)| !weaker));
        assert_eq!(said(None, "[submodule \"a\"]\n\tpath = \"a\r\"\n").len(), 1);
    }

    #[test]
    fn what_was_there_before_is_not_new_and_passwords_are_not_shown() {
        let text = "[submodule \"a\"]\n\turl = http://user:secret@example.com/a\n";
        assert_eq!(said(Some(text), text), []);
        let found = said(None, text);
        assert!(!found[0].0.contains("secret") && !found[0].0.contains("user"), "{found:?}");
        assert!(found[0].0.contains("http://…@example.com/a"), "{found:?}");
    }
}
