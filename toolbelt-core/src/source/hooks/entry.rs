//! Entries in the files of other hook managers: what is written there, and where.
//!
//! The files are edited as text, so that comments and layout stay. What is laid out in a way that is not known is left
//! alone, and said.

use super::block;
use super::shim::missing;
use crate::subject::hook::Hook;

/// The name of our entries.
const NAME: &str = "toolbelt";

/// Why there is no place for an entry.
pub(super) type NoPlace = &'static str;

/// `.pre-commit-config.yaml` with hooks of ours, at the start of the list of repositories.
pub(super) fn pre_commit(text: &str, hooks: &[Hook]) -> Result<String, NoPlace> {
    let text = without(text);
    let (line, rest) = key(&text, "repos", 0).ok_or("it has no `repos:`")?;
    if !rest.is_empty() {
        return Err("its `repos` is not a list with one entry a line");
    }
    let indent =
        first_child(&text, line.end).filter(|child| child.text.starts_with('-')).map_or(0, |child| child.indent);
    let mut lines = vec!["- repo: local".to_owned(), "  hooks:".to_owned()];
    for hook in hooks {
        let name = hook.as_str();
        // It is given the files, of which only the one of a message is for us.
        let passes = *hook == Hook::CommitMsg;
        let entry = format!(
            "sh -c 'command -v git-toolbelt >/dev/null 2>&1 || {{ echo \"{}\"; exit 0; }}; exec git-toolbelt hook {name} -- \"$@\"' --",
            missing(*hook)
        );
        lines.extend([
            format!("  - id: {NAME}-{name}"),
            format!("    name: {NAME} {name}"),
            format!("    entry: {}", yaml_quoted(&entry)),
            "    language: system".to_owned(),
            "    always_run: true".to_owned(),
            format!("    pass_filenames: {passes}"),
            "    require_serial: true".to_owned(),
            "    verbose: true".to_owned(),
            format!("    stages: [{name}]"),
        ]);
    }
    Ok(block::insert(&text, line.end, &" ".repeat(indent), &lines))
}

/// `lefthook.yml` with a command, or a job, of ours in each of these hooks.
pub(super) fn lefthook(text: &str, hooks: &[Hook]) -> Result<String, NoPlace> {
    let mut text = without(text);
    if !is_plain(&text, 0) {
        return Err(NOT_PLAIN);
    }
    for hook in hooks {
        text = lefthook_one(&text, *hook)?;
    }
    Ok(text)
}

/// What a manager runs for us, by its configuration; without the arguments.
pub(super) fn command(text: &str, hook: Hook) -> Option<String> {
    let lines = block::lines(text);
    let mut commands =
        lines.iter().filter_map(|line| line.strip_prefix("run: ").or_else(|| line.strip_prefix("entry: ")));
    let command = commands.find(|command| command.contains(&call(hook)))?;
    let command = command.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
    Some(command.strip_suffix(" {0}").map_or(command.clone(), str::to_owned))
}

/// Whether the keys of one indentation in these lines are written in the way that is known here: without quotes, blanks
/// before the colon, and merges, behind which a key may be that is not seen.
fn is_plain(text: &str, indent: usize) -> bool {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.trim_start().starts_with('#'));
    lines.enumerate().all(|(number, line)| {
        let content = line.trim_start();
        let is_merge =
            content.trim_start_matches("- ").strip_prefix("<<").is_some_and(|rest| rest.trim_start().starts_with(':'));
        if is_merge || line.len() - content.len() != indent {
            return !is_merge;
        }
        let is_start = content == "---" && number == 0;
        let is_item = content == "-" || content.starts_with("- ");
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let is_key = content
            .split_once(':')
            .is_some_and(|(key, rest)| is_word(key) && (rest.is_empty() || rest.starts_with(' ')));
        is_start || is_item || is_key
    })
}

/// Why nothing is put into a configuration of lefthook.
const NOT_PLAIN: NoPlace = "it has keys that are in quotes, merged or not written plainly";

fn lefthook_one(text: &str, hook: Hook) -> Result<String, NoPlace> {
    let name = hook.as_str();
    let run = format!(
        "command -v git-toolbelt >/dev/null 2>&1 || {{ echo \"{}\" >&2; exit 0; }}; git-toolbelt hook {name} -- {{0}}",
        missing(hook)
    );
    let mut command = vec![format!("run: {}", yaml_quoted(&run))];
    if matches!(hook, Hook::PrePush) {
        command.push("use_stdin: true".to_owned());
    }
    let indented = |lines: &[String], by: usize| -> Vec<String> {
        lines.iter().map(|line| format!("{}{line}", " ".repeat(by))).collect()
    };
    let mut named = vec![format!("{NAME}:")];
    named.extend(indented(&command, 2));
    let Some((line, rest)) = key(text, name, 0) else {
        let mut lines = vec![format!("{name}:"), "  commands:".to_owned()];
        lines.extend(indented(&named, 4));
        return Ok(block::insert(text, text.len(), "", &lines));
    };
    if !rest.is_empty() {
        return Err("one of its hooks is not laid out with one entry a line");
    }
    let child = first_child(text, line.end).filter(|child| child.indent > 0);
    let Some(child) = child else { return Err("one of its hooks is empty") };
    let end = end_of(text, line.end, child.indent);
    let inside = &text[..end];
    if !is_plain(&text[line.end..end], child.indent) {
        return Err(NOT_PLAIN);
    }
    if ["skip", "only"].iter().any(|key| key_from(inside, key, child.indent, line.end).is_some()) {
        return Err("one of its hooks runs at times only");
    }
    for (part, is_list) in [("commands", false), ("jobs", true)] {
        let Some((at, rest)) = key_from(inside, part, child.indent, line.end) else { continue };
        if !rest.is_empty() {
            return Err("one of its hooks is not laid out with one entry a line");
        }
        let Some(first) = first_child(inside, at.end) else { return Err("one of its hooks is empty") };
        if is_list {
            let mut lines = vec![format!("- name: {NAME}")];
            lines.extend(indented(&command, 2));
            return Ok(block::insert(text, at.end, &" ".repeat(first.indent), &lines));
        }
        return Ok(block::insert(text, at.end, &" ".repeat(first.indent), &named));
    }
    let mut lines = vec!["commands:".to_owned()];
    lines.extend(indented(&named, 2));
    Ok(block::insert(text, line.end, &" ".repeat(child.indent), &lines))
}

/// A script of husky with lines of ours at its start, behind `#!`.
///
/// Standard input is kept for what follows, as it came. Lines end with a comment, so that they still mean the same where the
/// lines of the file end, or a checkout makes them end, as those of Windows: a shell takes the carriage return for a letter.
pub(super) fn husky(text: &str, hook: Hook) -> String {
    let text = without(text);
    let name = hook.as_str();
    let has_input = matches!(hook, Hook::PrePush | Hook::PreReceive);
    let mut lines = Vec::new();
    if has_input {
        lines.extend([
            "toolbelt_input=$(mktemp) && cat >\"$toolbelt_input\" || exit 1".to_owned(),
            // Read twice, and gone as soon as it is open.
            "exec 8<\"$toolbelt_input\" 9<\"$toolbelt_input\"".to_owned(),
            "rm -f \"$toolbelt_input\"".to_owned(),
        ]);
    }
    lines.extend([
        "if command -v git-toolbelt >/dev/null 2>&1; then".to_owned(),
        format!("    git-toolbelt hook {name} -- \"$@\"{} || exit $?", if has_input { " <&8" } else { "" }),
        "else".to_owned(),
        format!("    echo \"{}\" >&2", missing(hook)),
        "fi".to_owned(),
        "[ -z \"$TOOLBELT_CANARY\" ] || exit 0".to_owned(),
    ]);
    if has_input {
        lines.push("exec <&9 8<&- 9<&-".to_owned());
    }
    let lines: Vec<String> = lines.into_iter().map(|line| line + " #").collect();
    let at = if text.starts_with("#!") { text.find('\n').map_or(text.len(), |end| end + 1) } else { 0 };
    block::insert(&text, at, "", &lines)
}

/// The configuration of git with a hook of its own for each of these.
///
/// Git adds the arguments behind the command, which therefore ends with ours.
pub(super) fn configuration(text: &str, hooks: &[Hook]) -> String {
    let text = configuration_without(text).unwrap_or_else(|| text.to_owned());
    let mut lines = Vec::new();
    for hook in hooks {
        let name = hook.as_str();
        let otherwise = match hook {
            Hook::PreReceive => "exit 1",
            _ => "exit 0",
        };
        let command = format!(
            "command -v git-toolbelt >/dev/null 2>&1 || {{ echo \"{}\" >&2; {otherwise}; }}; git-toolbelt hook {name} --",
            missing(*hook)
        );
        lines.extend([
            format!("[hook \"{NAME}-{name}\"]"),
            format!("\tevent = {name}"),
            format!("\tcommand = {}", double_quoted(&command)),
        ]);
    }
    block::insert(&text, text.len(), "", &lines)
}

/// The configuration of git with another folder for hooks.
pub(super) fn hooks_path(text: &str, folder: &str) -> String {
    let text = configuration_without(text).unwrap_or_else(|| text.to_owned());
    let lines = ["[core]".to_owned(), format!("\thooksPath = {}", double_quoted(folder))];
    block::insert(&text, text.len(), "", &lines)
}

/// The configuration of git without what is ours; none if nothing of it is.
///
/// Git itself puts new keys into the last section of their name, which may be ours: what is among our lines and not from us
/// stays, and the head of the section with it.
pub(super) fn configuration_without(text: &str) -> Option<String> {
    let mut rest = text.to_owned();
    let mut is_found = false;
    while let Some(range) = block::find(&rest) {
        let mut kept = of_others(&rest[range.clone()], &rest[range.end..]);
        if !kept.is_empty() && !rest[..range.start].is_empty() && !rest[..range.start].ends_with('\n') {
            kept.insert_str(0, block::line_end(text));
        }
        rest.replace_range(range, &kept);
        is_found = true;
    }
    is_found.then_some(rest)
}

/// What is from others among our lines in git's configuration, given what follows.
fn of_others(lines: &str, after: &str) -> String {
    let mut kept = String::new();
    let mut head = None;
    let mut is_ours = false;
    for line in lines.split_inclusive('\n') {
        let content = line.trim();
        if content.is_empty() || block::is_mark(content) {
            continue;
        }
        if content.starts_with('[') {
            is_ours = content.starts_with(&format!("[hook \"{NAME}-"));
            head = Some(line);
        } else if !is_ours && !is_hooks_path(content) {
            kept.extend(head.take());
            kept.push_str(line);
        }
    }
    let mut after = after.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    if after.next().is_some_and(|line| !line.starts_with('[')) {
        kept.extend(head);
    }
    kept
}

/// Whether our lines in git's configuration name this folder.
pub(super) fn names_hooks_path(text: &str, folder: &str) -> bool {
    block::has(text, &format!("hooksPath = {}", double_quoted(folder)))
}

/// Whether a line names the folder of hooks of the repository's own.
fn is_hooks_path(line: &str) -> bool {
    let Some((key, value)) = line.split_once('=') else { return false };
    let value = value.trim().trim_matches('"').replace("\\\\", "/");
    key.trim().eq_ignore_ascii_case("hooksPath") && value.ends_with("/toolbelt/hooks")
}

/// What every entry for a hook has in it.
pub(super) fn call(hook: Hook) -> String {
    format!("git-toolbelt hook {} --", hook.as_str())
}

/// The name by which git's configuration knows our hook.
pub(super) fn configured_name(hook: Hook) -> String {
    format!("{NAME}-{}", hook.as_str())
}

fn without(text: &str) -> String {
    block::remove(text).unwrap_or_else(|| text.to_owned())
}

/// As YAML, in single quotes.
fn yaml_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What git's configuration knows in double quotes, and how it is written there: "Syntax" in git-config(1). The backslash
/// comes first, as the others are written with one.
const ESCAPES: [(char, &str); 5] = [('\\', "\\\\"), ('"', "\\\""), ('\n', "\\n"), ('\t', "\\t"), ('\u{8}', "\\b")];

/// In double quotes, as git's configuration has them.
fn double_quoted(text: &str) -> String {
    format!("\"{}\"", ESCAPES.iter().fold(text.to_owned(), |text, (sign, written)| text.replace(*sign, written)))
}

/// A line of YAML that has something in it.
struct Line {
    indent: usize,
    text: String,
}

/// The line of a key with this indentation, from its start to behind its end, and what is behind the colon.
fn key(text: &str, name: &str, indent: usize) -> Option<(std::ops::Range<usize>, String)> {
    key_from(text, name, indent, 0)
}

fn key_from(text: &str, name: &str, indent: usize, from: usize) -> Option<(std::ops::Range<usize>, String)> {
    let mut start = from;
    for line in text[from..].split_inclusive('\n') {
        let content = line.trim_end();
        let is_here = content.len() - content.trim_start().len() == indent && !content.trim_start().starts_with('\t');
        let rest = content.trim_start().strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
        if let Some(rest) = rest.filter(|_| is_here) {
            let rest = rest.split(" #").next().unwrap_or_default().trim();
            // A line without an end could be followed by nothing.
            return line.ends_with('\n').then(|| (start..start + line.len(), rest.to_owned()));
        }
        start += line.len();
    }
    None
}

/// The first line with something in it behind a line.
fn first_child(text: &str, from: usize) -> Option<Line> {
    let lines = text[from..].lines().map(str::trim_end);
    let mut lines = lines.filter(|line| !line.trim_start().is_empty() && !line.trim_start().starts_with('#'));
    let first = lines.next()?;
    let text = first.trim_start();
    Some(Line { indent: first.len() - text.len(), text: text.to_owned() })
}

/// Where the lines end that are indented by at least so much.
fn end_of(text: &str, from: usize, indent: usize) -> usize {
    let mut at = from;
    for line in text[from..].split_inclusive('\n') {
        let content = line.trim();
        let depth = line.len() - line.trim_start().len();
        if !content.is_empty() && !content.starts_with('#') && depth < indent {
            break;
        }
        at += line.len();
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(with: &str, before: &str) {
        assert_eq!(block::remove(with).unwrap(), before, "{with}");
    }

    #[test]
    fn an_entry_of_pre_commit_comes_first_in_the_list_and_is_indented_like_it() {
        for (before, indent) in [
            ("repos:\n- repo: x\n  hooks: []\n", ""),
            ("# a\r\nrepos:\r\n  # b\r\n  - repo: x\r\n", "  "),
            ("default_stages: [pre-commit]\nrepos: # list\n    - repo: x", "    "),
        ] {
            let with = pre_commit(before, &[Hook::PreCommit, Hook::CommitMsg]).unwrap();
            assert!(with.contains(&format!("\n{indent}- repo: local")), "{with}");
            assert!(with.contains(&format!("{indent}    stages: [commit-msg]")), "{with}");
            undone(&with, before);
            assert_eq!(pre_commit(&with, &[Hook::PreCommit, Hook::CommitMsg]).unwrap(), with, "twice is once");
        }
        for none in ["", "repos: []\n", "repos: [{repo: x}]\n", "x: 1\n", "  repos:\n", "repos:"] {
            assert!(pre_commit(none, &[Hook::PreCommit]).is_err(), "{none}");
        }
    }

    #[test]
    fn an_entry_of_lefthook_joins_what_is_there() {
        let commands =
            "pre-commit:\n  parallel: true\n  commands:\n    lint:\n      run: a\npre-push:\n  jobs:\n    - run: b\n";
        let with = lefthook(commands, &[Hook::PreCommit, Hook::PrePush]).unwrap();
        assert!(with.contains("  commands:\n    # toolbelt begin"), "{with}");
        assert!(with.contains("    toolbelt:\n      run: 'command"), "{with}");
        assert!(with.contains("    - name: toolbelt\n      run: 'command"), "{with}");
        assert!(with.contains("      use_stdin: true\n    # toolbelt end\n    - run: b\n"), "{with}");
        undone(&with, commands);
        let scripts = "pre-commit:\n  scripts:\n    x.sh:\n      runner: sh\n";
        let with = lefthook(scripts, &[Hook::PreCommit, Hook::CommitMsg]).unwrap();
        assert!(with.contains("  commands:\n    toolbelt:\n      run:"), "{with}");
        undone(&with, scripts);
        for none in [
            "pre-commit: {}\n",
            "pre-commit:\n",
            "pre-commit:\n  commands: {a: {run: b}}\n",
            "\"pre-commit\":\n  commands:\n    a:\n      run: b\n",
            "'pre-commit':\n  commands:\n    a:\n      run: b\n",
            "pre-commit :\n  commands:\n    a:\n      run: b\n",
            "? pre-commit\n: commands:\n    a:\n      run: b\n",
            "pre-commit:\n  \"commands\":\n    a:\n      run: b\n",
            "x: &x\n  commands:\n    a:\n      run: b\npre-commit:\n  <<: *x\n  parallel: true\n",
            "x: &x\n  pre-commit:\n    commands:\n      a:\n        run: b\n<<: *x\n",
            "{\"pre-commit\": {\"commands\": {}}}\n",
            "pre-commit:\n  skip: true\n  commands:\n    a:\n      run: b\n",
            "a: 1\n---\npre-commit:\n  commands:\n    a:\n      run: b\n",
        ] {
            assert!(lefthook(none, &[Hook::PreCommit]).is_err(), "{none}");
        }
        for some in ["---\npre-commit:\n  jobs:\n  - run: b\n", "skip_output:\n- meta # x\n\n# y\ncolors: false\n"] {
            undone(&lefthook(some, &[Hook::PreCommit]).unwrap(), some);
        }
    }

    #[test]
    fn lines_in_a_script_stand_behind_its_first() {
        for before in ["npm test\n", "#!/usr/bin/env sh\n. x\nnpm test", "", "#!/bin/sh", "npm test\r\n"] {
            let with = husky(before, Hook::PrePush);
            assert!(
                before.is_empty()
                    || with.starts_with(before.lines().next().filter(|line| line.starts_with('#')).unwrap_or(""))
            );
            undone(&with, before);
            assert_eq!(husky(&with, Hook::PrePush), with);
        }
    }

    #[test]
    fn a_hook_in_the_configuration_of_git_ends_with_our_command() {
        let before = "[core]\n\tbare = false\n";
        let with = configuration(before, &[Hook::PreCommit, Hook::PrePush]);
        assert!(with.contains("[hook \"toolbelt-pre-push\"]\n\tevent = pre-push\n"), "{with}");
        assert!(with.contains("git-toolbelt hook pre-push --\"\n"), "{with}");
        undone(&with, before);
        assert_eq!(configuration_without(&with).unwrap(), before);
    }

    #[test]
    fn what_git_adds_to_a_section_of_ours_stays() {
        let ours = "\thooksPath = \"/r/.git/toolbelt/hooks\"\n";
        for before in ["[core]\n\tbare = false\n", "", "[core]\r\n\tbare = false\r\n", "[user]\n\tname = a"] {
            let with = hooks_path(before, "/r/.git/toolbelt/hooks");
            assert_eq!(configuration_without(&with).unwrap(), before);
            let other = with.clone() + "\n[user]\n\temail = b\n";
            assert_eq!(configuration_without(&other).unwrap(), format!("{before}\n[user]\n\temail = b\n"));
        }
        let before = "[core]\n\tbare = false\n";
        let with = hooks_path(before, "/r/.git/toolbelt/hooks");
        let kept = format!("{before}[core]\n\tautocrlf = input\n");
        let inside = with.replace(ours, &format!("{ours}\tautocrlf = input\n"));
        assert_eq!(configuration_without(&inside).unwrap(), kept);
        assert_eq!(configuration_without(&(with.clone() + "\tautocrlf = input\n")).unwrap(), kept);
        // Somebody has another folder now.
        let changed = with.replace(ours, "\thooksPath = .githooks\n");
        assert_eq!(configuration_without(&changed).unwrap(), format!("{before}[core]\n\thooksPath = .githooks\n"));
        // Who moved on wrote the rest into a section that had no end of line.
        let with = hooks_path("[user]\n\tname = a", "/r/.git/toolbelt/hooks");
        let inside = with.replace(ours, &format!("{ours}\tautocrlf = input\n"));
        let kept = "[user]\n\tname = a\n[core]\n\tautocrlf = input\n";
        assert_eq!(configuration_without(&inside).unwrap(), kept);
    }

    #[test]
    fn a_folder_of_hooks_is_named_as_git_reads_it() {
        let with = hooks_path("[core]\n", "/a \"b\\n\nc\t\u{8}/toolbelt/hooks");
        assert!(with.contains("\n\thooksPath = \"/a \\\"b\\\\n\\nc\\t\\b/toolbelt/hooks\"\n"), "{with}");
        assert_eq!(configuration_without(&with).unwrap(), "[core]\n");
    }
}
