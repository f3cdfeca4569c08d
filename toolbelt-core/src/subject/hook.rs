//! The hooks of git in which toolbelt checks something, and what it can check there.

/// A hook, as [githooks(5)](https://git-scm.com/docs/githooks) calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Before a commit, unless `--no-verify` is given. Rebase, cherry-pick and revert do not run it.
    PreCommit,
    /// Before the commit of a merge that had no conflicts; after conflicts `pre-commit` runs.
    PreMergeCommit,
    /// Before `git am` commits what a patch changed.
    PreApplypatch,
    /// After the message of a commit was written.
    CommitMsg,
    /// Before anything is sent to a remote.
    PrePush,
    /// On the other side, before any ref is moved.
    PreReceive,
}

/// Something that is checked in a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookCheck {
    /// What is committed, pushed or received: secrets, and code that hides.
    Scan,
    /// The message of a commit.
    Message,
    /// The refs that are moved, and who signed what they are moved to.
    Refs,
    /// Dependencies, where a lock file or a manifest changed.
    Deps,
}

impl Hook {
    /// Every hook.
    pub const ALL: [Self; 6] =
        [Self::PreCommit, Self::PreMergeCommit, Self::PreApplypatch, Self::CommitMsg, Self::PrePush, Self::PreReceive];
    /// Those of somebody who commits and pushes.
    pub const CLIENT: [Self; 5] =
        [Self::PreCommit, Self::PreMergeCommit, Self::PreApplypatch, Self::CommitMsg, Self::PrePush];
    /// Those of a server.
    pub const SERVER: [Self; 1] = [Self::PreReceive];

    /// Its name, which is that of its file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::PreApplypatch => "pre-applypatch",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
        }
    }

    /// The hook of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.as_str() == name)
    }

    /// What can be checked in it. The first three look at one thing, the index, and so have one setting.
    pub const fn possible(self) -> &'static [HookCheck] {
        match self {
            Self::PreCommit | Self::PreMergeCommit | Self::PreApplypatch => &[HookCheck::Scan],
            Self::CommitMsg => &[HookCheck::Message],
            Self::PrePush => &[HookCheck::Scan, HookCheck::Refs, HookCheck::Deps],
            Self::PreReceive => &[HookCheck::Scan, HookCheck::Refs],
        }
    }

    /// Whether it runs before a commit is made, which is when it can still be changed.
    pub const fn is_before_commit(self) -> bool {
        match self {
            Self::PreCommit | Self::PreMergeCommit | Self::PreApplypatch | Self::CommitMsg => true,
            Self::PrePush | Self::PreReceive => false,
        }
    }

    /// What it stops, in one word.
    pub const fn stops(self) -> &'static str {
        match self {
            Self::PreCommit | Self::PreMergeCommit | Self::PreApplypatch | Self::CommitMsg => "commit",
            Self::PrePush | Self::PreReceive => "push",
        }
    }
}

impl HookCheck {
    /// The word used in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Message => "message",
            Self::Refs => "refs",
            Self::Deps => "deps",
        }
    }
}
