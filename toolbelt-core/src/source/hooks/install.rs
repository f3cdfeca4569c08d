//! Puts hooks where git, or whoever is in charge, will find them.
//!
//! First all is worked out and nothing written. Then what will be done is written down, each file is replaced as a whole,
//! and at last it is written down that all was done. A run that was killed is repaired by the next one, or undone by an
//! uninstall.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::ground::{Charge, Ground, read};
use super::shim::{self, Previous};
use super::state::{self, State};
use super::{Error, GitVersion, Step, Way, block, entry, uninstall, write};
use crate::source::file;
use crate::subject::hook::Hook;

/// What has to be done, and what was found done.
#[derive(Debug)]
pub struct Plan {
    /// One for each hook, in the order of [`Hook::ALL`].
    pub steps: Vec<Step>,
    /// Why hooks do not run though they are there, in words.
    pub troubles: Vec<String>,
    scripts: Vec<Script>,
    files: Vec<Lines>,
}

/// A script of ours.
#[derive(Debug)]
struct Script {
    path: PathBuf,
    text: String,
    /// The name that what is there gets.
    aside: Option<PathBuf>,
}

/// A file of others with lines of ours.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    before: Option<String>,
    after: String,
    is_configuration: bool,
}

/// Works out how these hooks are installed. Those of the other side that are installed already are part of it: what
/// several hooks share, a file or a setting, is written for all of them.
///
/// # Errors
///
/// [`Error::InTheWay`] if something is there that cannot be moved, [`Error::Bare`] for hooks of commits in a bare repository,
/// [`Error::NotUnicode`] if a folder has to be named that has no name in text, [`Error::SwitchedOff`] if the repository wants
/// no hooks.
pub fn plan(ground: &Ground, hooks: &[Hook]) -> Result<Plan, Error> {
    if ground.is_bare() && hooks.iter().any(|hook| hook.is_before_commit()) {
        return Err(Error::Bare { directory: ground.repository.git_dir().to_owned() });
    }
    let mut plan = Plan { steps: Vec::new(), troubles: Vec::new(), scripts: Vec::new(), files: Vec::new() };
    let mut entries: BTreeMap<PathBuf, Vec<(Way, Hook)>> = BTreeMap::new();
    let is_off = ground.git < GitVersion::WITH_CONFIGURED_HOOKS && !ground.is_shared && ground.is_switched_off();
    if let Some(origin) = ground.origin.as_ref().filter(|_| is_off) {
        return Err(Error::SwitchedOff { path: ground.folder.clone(), origin: origin.clone() });
    }
    let hooks = with_installed(ground, hooks);
    for hook in &hooks {
        let Charge { way, path, mut note } = ground.charge(*hook);
        let mut previous = None;
        match way {
            Way::Shim => {
                previous = plan.script(&path, &shim::script(*hook, Previous::Beside))?;
                let moved = previous.as_deref().and_then(|aside| read(aside).or_else(|| read(&path)));
                if note.is_none() && moved.is_some_and(|text| looks_around(&text)) {
                    note =
                        Some("the hook that was there looks at where it lies, which is a folder deeper now".to_owned());
                }
            }
            Way::OwnFolder => {
                let there = ground.folder.join(hook.as_str());
                plan.script(&path, &shim::script(*hook, Previous::At(&there)))?;
                previous = write::is_executable(&there).then_some(there);
            }
            Way::Configuration | Way::PreCommit | Way::Lefthook | Way::Husky => {
                entries.entry(path.clone()).or_default().push((way, *hook));
            }
        }
        plan.steps.push(Step { hook: *hook, way, path, is_done: false, previous, note });
    }
    if plan.steps.iter().any(|step| step.way == Way::OwnFolder) {
        plan.own_folder(ground, &hooks)?;
    }
    for (path, hooks) in entries {
        plan.entry(ground, &path, &hooks)?;
    }
    let undone = plan.undone();
    for step in &mut plan.steps {
        let is_found = match step.way {
            Way::Configuration => true,
            Way::OwnFolder => !undone.contains(&ground.configuration()),
            Way::PreCommit | Way::Lefthook | Way::Husky | Way::Shim => ground.astray.is_none(),
        };
        step.is_done = is_found && !undone.contains(&step.path);
    }
    plan.troubles = plan.troubles(ground, &undone);
    Ok(plan)
}

impl Plan {
    /// Adds a script; returns the name that the hook which is there gets, or has, if git would run it.
    fn script(&mut self, path: &Path, text: &str) -> Result<Option<PathBuf>, Error> {
        let aside = shim::aside_of(path);
        let there = path.symlink_metadata().ok();
        let is_ours = there.is_some() && file::read(path, 1 << 20).is_ok_and(|text| shim::is_ours(&text));
        if there.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            return Err(Error::InTheWay { path: path.to_owned(), why: "it is a folder" });
        }
        let moves = there.is_some() && !is_ours;
        self.scripts.push(Script { path: path.to_owned(), text: text.to_owned(), aside: moves.then(|| aside.clone()) });
        let runs = write::is_executable(if moves { path } else { &aside });
        Ok(runs.then_some(aside))
    }

    /// A folder of hooks of the repository's own, which also runs those of the folder that it takes the place of.
    fn own_folder(&mut self, ground: &Ground, hooks: &[Hook]) -> Result<(), Error> {
        let own = state::own_hooks(&ground.repository);
        let text =
            |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| Error::NotUnicode { path: path.to_owned() });
        let (folder, _) = (text(&own)?, text(&ground.folder)?);
        for name in file::names(&ground.folder).unwrap_or_default() {
            let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            let there = ground.folder.join(&name);
            if is_name && !hooks.iter().any(|hook| hook.as_str() == name) && write::is_executable(&there) {
                self.script(&own.join(&name), &shim::forward(&there))?;
            }
        }
        let path = ground.configuration();
        let before = read(&path);
        let after = entry::hooks_path(before.as_deref().unwrap_or_default(), &folder);
        self.files.push(Lines { path, before, after, is_configuration: true });
        Ok(())
    }

    fn entry(&mut self, ground: &Ground, path: &Path, hooks: &[(Way, Hook)]) -> Result<(), Error> {
        let before = read(path);
        if before.is_none() && path.symlink_metadata().is_ok() {
            return Err(Error::InTheWay { path: path.to_owned(), why: "it is no text that can be read" });
        }
        let text = before.as_deref().unwrap_or_default();
        let named: Vec<Hook> = hooks.iter().map(|(_, hook)| *hook).collect();
        let after = match hooks.first() {
            Some((Way::PreCommit, _)) => entry::pre_commit(text, &named),
            Some((Way::Lefthook, _)) => entry::lefthook(text, &named),
            Some((Way::Husky, hook)) => Ok(entry::husky(text, *hook)),
            Some((Way::Configuration, _)) => Ok(entry::configuration(text, &named)),
            Some((Way::Shim | Way::OwnFolder, _)) | None => return Ok(()),
        };
        let after = after.map_err(|why| Error::InTheWay { path: path.to_owned(), why })?;
        let is_configuration = path == ground.configuration();
        self.files.push(Lines { path: path.to_owned(), before, after, is_configuration });
        Ok(())
    }

    /// Which hooks do not run, besides ours that are not there.
    fn troubles(&self, ground: &Ground, undone: &BTreeSet<PathBuf>) -> Vec<String> {
        if let Some(astray) = &ground.astray {
            let astray = astray.display();
            let hooks = format!("neither toolbelt's hooks nor those in `{}` run", ground.folder.display());
            return vec![format!("`core.hooksPath` is `{astray}`, where this repository is not any more: {hooks}")];
        }
        if self.steps.iter().all(|step| step.way != Way::OwnFolder) || undone.contains(&ground.configuration()) {
            return Vec::new();
        }
        let is_forward = |path: &&PathBuf| self.steps.iter().all(|step| step.path != **path);
        let scripts = self.scripts.iter().map(|script| &script.path);
        let names =
            scripts.filter(|path| is_forward(path) && undone.contains(*path)).filter_map(|path| path.file_name());
        let late =
            |name| format!("`{}` does not run here: it came after the install", ground.folder.join(name).display());
        names.map(late).collect()
    }

    /// The files that are not as they should be.
    fn undone(&self) -> BTreeSet<PathBuf> {
        let is_as_it_should_be = |script: &Script| {
            file::read(&script.path, 1 << 20).is_ok_and(|there| there == script.text.as_bytes())
                && write::is_executable(&script.path)
        };
        let scripts = self.scripts.iter().filter(|script| !is_as_it_should_be(script)).map(|script| &script.path);
        let lacks_some = |file: &&Lines| !file.before.as_ref().is_some_and(|before| block::covers(before, &file.after));
        let files = self.files.iter().filter(lacks_some).map(|file| &file.path);
        scripts.chain(files).cloned().collect()
    }
}

/// Does what was worked out; `tool` is binary and version.
///
/// # Errors
///
/// [`Error`] if a file cannot be written. What was done until then is undone by an uninstall, or completed by another try.
pub fn apply(ground: &Ground, plan: &Plan, tool: &str) -> Result<(), Error> {
    let repository = &ground.repository;
    let old = State::read(repository);
    let mut state = State::new(tool);
    state.scripts.extend(plan.scripts.iter().map(|script| script.path.clone()));
    state.files.extend(plan.files.iter().map(|file| file.path.clone()));
    // What an earlier run has created is still ours, though it is there now.
    let was_created = |path: &PathBuf| old.as_ref().is_some_and(|old| old.created.contains(path));
    let created = plan.files.iter().filter(|file| file.before.is_none() || was_created(&file.path));
    state.created.extend(created.map(|file| file.path.clone()));
    let undone = plan.undone();
    let is_ours = |path: &PathBuf| state.scripts.contains(path) || state.files.contains(path);
    let mut former = uninstall::places(ground, old.as_ref());
    former.retain(|path| !is_ours(path) && (state.shares(repository) || !state::is_shared(repository, path)));
    let mut begun = state.clone();
    if let Some(old) = &old {
        begun.scripts.extend(old.scripts.iter().cloned());
        begun.files.extend(old.files.iter().cloned());
        begun.created.extend(old.created.iter().cloned());
    }
    uninstall::sweep(ground, Some(&begun));
    begun.write(repository)?;
    for script in plan.scripts.iter().filter(|script| undone.contains(&script.path)) {
        if let Some(aside) = &script.aside {
            write::set_aside(&script.path, aside)?;
        }
        write::put_over(&script.path, script.text.as_bytes(), 0o755)?;
    }
    for file in plan.files.iter().filter(|file| undone.contains(&file.path)) {
        if file.is_configuration {
            write::replace_locked(&file.path, file.after.as_bytes())?;
        } else {
            write::replace(&file.path, file.after.as_bytes(), 0o755)?;
        }
    }
    // Another git or another manager may want it elsewhere than the one before.
    for path in former {
        uninstall::one(ground, &path, old.as_ref())?;
    }
    State { is_complete: true, ..state }.write(repository)
}

/// Whether a hook seems to look for something beside itself: the words for that in shells, Python, Ruby and Perl.
fn looks_around(text: &str) -> bool {
    ["dirname", "${0%", "BASH_SOURCE", "__dir__", "__file__", "FindBin"].iter().any(|word| text.contains(word))
}

/// Whether an install was begun and not finished.
pub fn is_half_done(ground: &Ground) -> bool {
    State::read(&ground.repository).is_some_and(|state| !state.is_complete)
}

/// Whether a hook was installed, by what was written down or is there.
pub fn is_known(ground: &Ground, hook: Hook) -> bool {
    let state = State::read(&ground.repository);
    let is_of_hook = |path: &PathBuf| path.file_name().is_some_and(|name| name == hook.as_str());
    if state.as_ref().is_some_and(|state| state.scripts.iter().any(is_of_hook)) {
        return true;
    }
    let calls = |path: PathBuf| file::read(&path, 1 << 20).is_ok_and(|text| shim::is_of(&text, hook));
    let lists = |path: PathBuf| read(&path).is_some_and(|text| block::has(&text, &entry::call(hook)));
    ground.scripts().into_iter().any(calls) || ground.files_of_others().into_iter().any(lists)
}

/// These hooks, and those of the other side that are installed.
fn with_installed(ground: &Ground, hooks: &[Hook]) -> Vec<Hook> {
    let is_client = |hook: &Hook| Hook::CLIENT.contains(hook);
    let asked = |hook: &Hook| hooks.contains(hook);
    let is_other = |hook: &Hook| hooks.first().is_some_and(|one| is_client(one) != is_client(hook));
    Hook::ALL.into_iter().filter(|hook| asked(hook) || is_other(hook) && is_known(ground, *hook)).collect()
}
