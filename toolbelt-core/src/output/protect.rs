//! What is done with hooks, for people and for programs.

use std::io;

use serde::Serialize;

use super::escape::{self, visible};
use crate::ops::protect::{Examined, Installed, Mode, Status, Step, Trial, Undone, Uninstalled, What};

/// Writes what an install did.
///
/// # Errors
///
/// Those of `out`.
pub fn write_installed(installed: &Installed, out: &mut dyn io::Write) -> io::Result<()> {
    for step in &installed.steps {
        let word = match (step.is_done, installed.mode) {
            (true, _) => "is installed",
            (false, Mode::Do) => "installed",
            (false, Mode::Say) => "would be installed",
        };
        writeln!(out, "{:<17} {word}: {}", step.hook.as_str(), place(step))?;
        more(step, installed.mode, out)?;
    }
    if installed.mode == Mode::Do {
        writeln!(out, "`git toolbelt protect doctor` proves that they fire")?;
    }
    Ok(())
}

/// Writes what an uninstall did.
///
/// # Errors
///
/// Those of `out`.
pub fn write_uninstalled(uninstalled: &Uninstalled, out: &mut dyn io::Write) -> io::Result<()> {
    if uninstalled.files.is_empty() {
        return writeln!(out, "nothing of toolbelt is installed here");
    }
    for undone in &uninstalled.files {
        let word = match (undone.what, uninstalled.mode) {
            (What::BroughtBack, Mode::Do) => "is again what it was",
            (What::BroughtBack, Mode::Say) => "would be again what it was",
            (What::Removed, Mode::Do) => "removed",
            (What::Removed, Mode::Say) => "would be removed",
            (What::LinesTakenOut, Mode::Do) => "our lines were taken out",
            (What::LinesTakenOut, Mode::Say) => "our lines would be taken out",
            (What::LeftAside, _) => {
                "left alone, as somebody has changed it; what was here before is beside it, in `before-toolbelt`"
            }
        };
        writeln!(out, "{}: {word}", visible(&undone.path.to_string_lossy()))?;
    }
    Ok(())
}

/// Writes what is installed.
///
/// # Errors
///
/// Those of `out`.
pub fn write_status(status: &Status, out: &mut dyn io::Write) -> io::Result<()> {
    for step in &status.steps {
        let word = if step.is_done { "installed" } else { "not installed" };
        writeln!(out, "{:<17} {word}: {}", step.hook.as_str(), place(step))?;
        more(step, Mode::Do, out)?;
    }
    foot(status, out)
}

/// Writes which hooks fire.
///
/// # Errors
///
/// Those of `out`.
pub fn write_examined(examined: &Examined, out: &mut dyn io::Write) -> io::Result<()> {
    for (step, trial) in examined.status.steps.iter().zip(&examined.trials) {
        let word = match trial {
            None => "not installed".to_owned(),
            Some(Trial::Seen) => "fires, and sees a token".to_owned(),
            Some(Trial::NotSeen) => "fires, but the policy does not let it see a token".to_owned(),
            Some(Trial::Silent(why)) => format!("does not fire: {}", visible(why)),
        };
        writeln!(out, "{:<17} {word} ({})", step.hook.as_str(), place(step))?;
    }
    foot(&examined.status, out)?;
    if examined.is_well() {
        return Ok(());
    }
    writeln!(out, "not all of it is well: `git toolbelt protect install` puts right what it can")
}

fn place(step: &Step) -> String {
    format!("{}, {}", step.way.as_str(), visible(&step.path.to_string_lossy()))
}

fn more(step: &Step, mode: Mode, out: &mut dyn io::Write) -> io::Result<()> {
    if let Some(previous) = &step.previous {
        let word = match (step.is_done, mode) {
            (true, _) | (false, Mode::Do) => "the hook that was there still runs",
            (false, Mode::Say) => "the hook that is there would still run",
        };
        writeln!(out, "{:<17} {word}: {}", "", visible(&previous.to_string_lossy()))?;
    }
    if let Some(note) = &step.note {
        writeln!(out, "{:<17} note: {}", "", visible(note))?;
    }
    Ok(())
}

fn foot(status: &Status, out: &mut dyn io::Write) -> io::Result<()> {
    for trouble in &status.troubles {
        writeln!(out, "{}", visible(trouble))?;
    }
    if status.is_half_done {
        writeln!(out, "an install was not finished: `git toolbelt protect install` does it")?;
    }
    let receipts = match status.receipts {
        0 => String::new(),
        1 => "; 1 tree has a receipt".to_owned(),
        count => format!("; {count} trees have a receipt"),
    };
    writeln!(out, "{}, git {}{receipts}", status.tool, status.git)
}

/// What programs get to see of an install.
#[derive(Serialize)]
struct InstallPage<'a> {
    version: u32,
    dry_run: bool,
    hooks: Vec<InstallRow<'a>>,
}

#[derive(Serialize)]
struct InstallRow<'a> {
    hook: &'static str,
    was_installed: bool,
    way: &'static str,
    path: String,
    previous: Option<String>,
    note: Option<&'a str>,
}

/// Writes what an install did as JSON.
///
/// # Errors
///
/// Those of `out`.
pub fn write_installed_json(installed: &Installed, out: &mut dyn io::Write) -> io::Result<()> {
    let row = |step| {
        let Row { hook, installed, way, path, previous, note, .. } = row(step, None);
        InstallRow { hook, was_installed: installed, way, path, previous, note }
    };
    let hooks = installed.steps.iter().map(row).collect();
    escape::write_json(&InstallPage { version: 1, dry_run: installed.mode == Mode::Say, hooks }, out)
}

/// What programs get to see of an uninstall.
#[derive(Serialize)]
struct UninstallPage {
    version: u32,
    dry_run: bool,
    files: Vec<UninstallRow>,
}

#[derive(Serialize)]
struct UninstallRow {
    path: String,
    what: &'static str,
}

/// Writes what an uninstall did as JSON.
///
/// # Errors
///
/// Those of `out`.
pub fn write_uninstalled_json(uninstalled: &Uninstalled, out: &mut dyn io::Write) -> io::Result<()> {
    let row = |undone: &Undone| {
        let what = match undone.what {
            What::BroughtBack => "brought-back",
            What::Removed => "removed",
            What::LinesTakenOut => "lines-taken-out",
            What::LeftAside => "left-aside",
        };
        UninstallRow { path: undone.path.to_string_lossy().into_owned(), what }
    };
    let files = uninstalled.files.iter().map(row).collect();
    escape::write_json(&UninstallPage { version: 1, dry_run: uninstalled.mode == Mode::Say, files }, out)
}

/// What programs get to see of hooks.
#[derive(Serialize)]
struct Page<'a> {
    version: u32,
    tool: &'a str,
    git: String,
    complete: bool,
    receipts: usize,
    troubles: &'a [String],
    hooks: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    hook: &'static str,
    installed: bool,
    way: &'static str,
    path: String,
    previous: Option<String>,
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fires: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sees: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// Writes what is installed as JSON.
///
/// # Errors
///
/// Those of `out`.
pub fn write_status_json(status: &Status, out: &mut dyn io::Write) -> io::Result<()> {
    escape::write_json(&page(status, &[]), out)
}

/// Writes which hooks fire as JSON.
///
/// # Errors
///
/// Those of `out`.
pub fn write_examined_json(examined: &Examined, out: &mut dyn io::Write) -> io::Result<()> {
    escape::write_json(&page(&examined.status, &examined.trials), out)
}

fn row<'a>(step: &'a Step, trial: Option<&'a Trial>) -> Row<'a> {
    Row {
        hook: step.hook.as_str(),
        installed: step.is_done,
        way: step.way.as_str(),
        path: step.path.to_string_lossy().into_owned(),
        previous: step.previous.as_ref().map(|path| path.to_string_lossy().into_owned()),
        note: step.note.as_deref(),
        fires: trial.map(|trial| !matches!(trial, Trial::Silent(_))),
        sees: trial.map(|trial| *trial == Trial::Seen),
        why: match trial {
            Some(Trial::Silent(why)) => Some(why),
            Some(Trial::Seen | Trial::NotSeen) | None => None,
        },
    }
}

fn page<'a>(status: &'a Status, trials: &'a [Option<Trial>]) -> Page<'a> {
    let row = |(number, step)| row(step, trials.get(number).and_then(Option::as_ref));
    Page {
        version: 1,
        tool: &status.tool,
        git: status.git.to_string(),
        complete: !status.is_half_done,
        receipts: status.receipts,
        troubles: &status.troubles,
        hooks: status.steps.iter().enumerate().map(row).collect(),
    }
}
