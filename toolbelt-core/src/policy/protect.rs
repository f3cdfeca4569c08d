//! `[protect]`: what is checked in which hook.

use std::collections::BTreeMap;

use super::table::{Table, Value};
use crate::subject::hook::{Hook, HookCheck};
use crate::subject::malformed::Malformed;

/// What the policy says of hooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Protect {
    checks: BTreeMap<Hook, Vec<HookCheck>>,
    /// What becomes of a push when something that the policy denies could not be checked.
    pub incomplete: OnIncomplete,
    /// Refs that must not lose commits, besides the remote's default branch: globs over full names.
    pub refs: Vec<String>,
}

/// What becomes of a push when the run is incomplete. A commit is never held up by that: who commits offline must be able
/// to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnIncomplete {
    /// It goes on, and is warned of.
    #[default]
    Warn,
    /// It is stopped.
    Deny,
}

/// The keys that set what is checked, with the hook whose setting they are.
const KEYS: [(&str, Hook); 4] = [
    ("pre-commit", Hook::PreCommit),
    ("commit-msg", Hook::CommitMsg),
    ("pre-push", Hook::PrePush),
    ("pre-receive", Hook::PreReceive),
];

impl Protect {
    /// What is checked in a hook: all that can be, unless the policy says otherwise.
    pub fn checks(&self, hook: Hook) -> &[HookCheck] {
        let setting = match hook {
            Hook::PreCommit | Hook::PreMergeCommit | Hook::PreApplypatch => Hook::PreCommit,
            Hook::CommitMsg | Hook::PrePush | Hook::PreReceive => hook,
        };
        self.checks.get(&setting).map_or(hook.possible(), Vec::as_slice)
    }
}

pub(super) fn parse(mut table: Table<'_>) -> Result<Protect, Malformed> {
    let mut protect = Protect::default();
    for (key, hook) in KEYS {
        if let Some(value) = table.take(key) {
            protect.checks.insert(hook, checks(value, hook)?);
        }
    }
    if let Some(value) = table.take("incomplete") {
        protect.incomplete = match value.string()?.as_str() {
            "warn" => OnIncomplete::Warn,
            "deny" => OnIncomplete::Deny,
            _ => return Err(value.error("expected `warn` or `deny`")),
        };
    }
    if let Some(value) = table.take("refs") {
        protect.refs = value.values()?.iter().map(glob).collect::<Result<_, _>>()?;
    }
    table.end(&["pre-commit", "commit-msg", "pre-push", "pre-receive", "incomplete", "refs"])?;
    Ok(protect)
}

fn checks(value: Value<'_>, hook: Hook) -> Result<Vec<HookCheck>, Malformed> {
    let check = |value: &Value<'_>| {
        let word = value.string()?;
        let known = hook.possible().iter().copied().find(|check| check.as_str() == word);
        known.ok_or_else(|| {
            let words: Vec<String> = hook.possible().iter().map(|check| format!("`{}`", check.as_str())).collect();
            value.error(format!("expected {}: `{}` checks nothing else", words.join(", "), hook.as_str()))
        })
    };
    let mut checks = value.values()?.iter().map(check).collect::<Result<Vec<_>, _>>()?;
    checks.sort_unstable();
    checks.dedup();
    Ok(checks)
}

/// A glob that can cover a ref: one that does not begin with `refs/` would protect nothing, and nobody would notice.
fn glob(value: &Value<'_>) -> Result<String, Malformed> {
    let glob = value.string()?;
    globset::Glob::new(&glob).map_err(|error| value.error(format!("not a glob: {}", error.kind())))?;
    if glob.starts_with("refs/") || glob.starts_with('*') {
        return Ok(glob);
    }
    Err(value.error("expected the full name of a ref, such as `refs/heads/main`"))
}

#[cfg(test)]
mod tests {
    use super::super::Policy;
    use super::*;

    fn read(table: &str) -> Result<Protect, String> {
        let policy = Policy::parse("toolbelt.toml", &format!("version = 1\n[protect]\n{table}"));
        policy.map(|policy| policy.protect).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_word_everything_is_checked() {
        let protect = Protect::default();
        assert_eq!(protect.checks(Hook::PreApplypatch), [HookCheck::Scan]);
        assert_eq!(protect.checks(Hook::CommitMsg), [HookCheck::Message]);
        assert_eq!(protect.checks(Hook::PrePush), [HookCheck::Scan, HookCheck::Refs, HookCheck::Deps]);
        assert_eq!(read("").unwrap(), protect);
    }

    #[test]
    fn hooks_that_look_at_the_index_share_one_setting() {
        let protect = read("pre-commit = []\npre-push = ['refs', 'scan', 'refs']").unwrap();
        assert!(protect.checks(Hook::PreMergeCommit).is_empty());
        assert_eq!(protect.checks(Hook::PrePush), [HookCheck::Scan, HookCheck::Refs]);
        assert_eq!(protect.checks(Hook::PreReceive), [HookCheck::Scan, HookCheck::Refs]);
    }

    #[test]
    fn what_protects_nothing_is_an_error_at_its_place() {
        assert_eq!(
            read("pre-receive = ['deps']").unwrap_err(),
            "toolbelt.toml:3:16: expected `scan`, `refs`: `pre-receive` checks nothing else"
        );
        assert!(read("refs = ['main']").unwrap_err().contains("the full name of a ref"));
        assert!(read("refs = ['refs/heads/[']").unwrap_err().contains("not a glob"));
        assert!(read("incomplete = 'pass'").unwrap_err().contains("expected `warn` or `deny`"));
        assert!(read("post-commit = []").unwrap_err().contains("unknown key `post-commit`"));
        assert_eq!(
            read("refs = ['refs/heads/release/*']\nincomplete = 'deny'").unwrap().incomplete,
            OnIncomplete::Deny
        );
    }
}
