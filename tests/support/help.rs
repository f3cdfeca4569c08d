//! Holds `docs/cli.md` against what the binaries say of themselves.

use super::terminal::{Scene, top, written};

/// Compares one binary's part of the page; `UPDATE=1` rewrites it.
pub(crate) fn hold(program: &str, binary: &str, commands: &[&str]) {
    let path = top().join("docs/cli.md");
    let page = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (begin, end) = (format!("<!-- begin {program} -->\n"), format!("<!-- end {program} -->"));
    let (before, rest) = page.split_once(&begin).unwrap();
    let (current, after) = rest.split_once(&end).unwrap();
    let wanted = commands.iter().map(|command| section(program, binary, command)).collect::<String>();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{begin}{wanted}{end}{after}")).unwrap();
    } else {
        assert!(current == wanted, "docs/cli.md is not current: run `UPDATE=1 cargo test --workspace the_page`");
    }
}

fn section(program: &str, binary: &str, command: &str) -> String {
    let words = command.split_whitespace();
    let output = Scene::empty().command(binary).args(words).arg("--help").output().unwrap();
    let text = written(&output);
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let title = format!("{program} {command}");
    format!("\n## `{}`\n\n```text\n{text}\n```\n", title.trim_end())
}
