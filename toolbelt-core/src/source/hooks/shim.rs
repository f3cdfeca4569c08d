//! The script that git runs in the place of a hook.

use std::path::{Path, PathBuf};

use crate::subject::hook::Hook;

/// The format of the script. It is written anew by an install where it differs.
const VERSION: u32 = 1;
/// The second line of every version begins with this.
const MARK: &str = "# toolbelt hook ";
/// The folder, beside ours, of the hooks that were there before. They keep their names, as some look at those.
const ASIDE: &str = "before-toolbelt";

/// Where the hook is that was there before ours, or would be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Previous<'a> {
    /// In the folder [`ASIDE`] beside ours.
    Beside,
    /// In a folder that is not the repository's.
    At(&'a Path),
}

/// The script for a hook.
///
/// It only finds the program, which does the rest: the order, standard input, arguments and the exit code. Without the
/// program nothing is checked, which is said, and the previous hook runs as before: a colleague who does not have toolbelt
/// must be able to commit, and what is pushed is looked at on the other side. For pre-receive there is no other side, so
/// that it refuses.
///
/// A manager that moves our script to `HOOK.legacy` runs what was there before itself.
pub(super) fn script(hook: Hook, previous: Previous<'_>) -> String {
    let name = hook.as_str();
    let previous = match previous {
        Previous::Beside => format!("\"${{0%/*}}/{ASIDE}/{name}\""),
        Previous::At(path) => quoted(&path.to_string_lossy()),
    };
    let missing = quoted(&missing(hook));
    let without = match hook {
        Hook::PreReceive => "exit 1",
        _ => {
            "[ -z \"$TOOLBELT_CANARY\" ] || exit 1\n[ -f \"$previous\" ] && [ -x \"$previous\" ] || exit 0\nexec \"$previous\" \"$@\""
        }
    };
    format!(
        "#!/bin/sh\n{MARK}{name} {VERSION}: `git toolbelt protect uninstall` brings back what was here\n\
         previous={previous}\ncase \"$0\" in *.legacy) previous= ;; esac\n\
         if command -v git-toolbelt >/dev/null 2>&1; then\n    \
         exec git-toolbelt hook {name} --previous \"$previous\" -- \"$@\"\nfi\n\
         echo {missing} >&2\n{without}\n"
    )
}

/// Where the hook is that was there before ours.
pub(super) fn aside_of(path: &Path) -> PathBuf {
    path.with_file_name(ASIDE).join(path.file_name().unwrap_or_default())
}

/// A script that runs a hook of another folder.
pub(super) fn forward(to: &Path) -> String {
    let to = quoted(&to.to_string_lossy());
    format!(
        "#!/bin/sh\n{MARK}forward {VERSION}: `git toolbelt protect uninstall` takes it away\n\
         [ -f {to} ] && [ -x {to} ] || exit 0\nexec {to} \"$@\"\n"
    )
}

/// Whether a script is one of ours, whatever its version.
pub(super) fn is_ours(text: &[u8]) -> bool {
    text.strip_prefix(b"#!/bin/sh\n").is_some_and(|rest| rest.starts_with(MARK.as_bytes()))
}

/// Whether a script is ours for this hook.
pub(super) fn is_of(text: &[u8], hook: Hook) -> bool {
    let mark = format!("#!/bin/sh\n{MARK}{} ", hook.as_str());
    text.starts_with(mark.as_bytes())
}

/// What is said where the program is missing. No sign in it means something to a shell between quotes of either kind.
pub(super) fn missing(hook: Hook) -> String {
    let what = match hook {
        Hook::PreReceive => "nothing is taken".to_owned(),
        _ => format!("this {} was not checked", hook.stops()),
    };
    format!("toolbelt: git-toolbelt is not on PATH, {what} (cargo install git-toolbelt)")
}

/// One word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_known_as_ours() {
        for hook in Hook::ALL {
            let script = script(hook, Previous::Beside);
            assert!(is_ours(script.as_bytes()), "{script}");
        }
        assert!(is_ours(forward(Path::new("/a b/c")).as_bytes()));
        assert!(!is_ours(b"#!/bin/sh\n# toolbelt is nice\n"));
        assert!(!is_ours(b""));
    }

    #[test]
    fn paths_are_one_word() {
        assert_eq!(quoted("a'b c"), r"'a'\''b c'");
        assert!(script(Hook::PrePush, Previous::At(Path::new("/g h/pre-push"))).contains("previous='/g h/pre-push'\n"));
    }
}
