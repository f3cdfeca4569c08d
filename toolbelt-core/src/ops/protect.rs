//! Hooks that stay switched on: puts them in, says which are, proves that they fire, and takes them out.

use crate::ops::Environment;
use crate::rules::blob::secrets::examples;
use crate::source::git::repository::GitRepository;
pub use crate::source::hooks::canary::Trial;
pub use crate::source::hooks::uninstall::{Undone, What};
use crate::source::hooks::{Error, GitVersion, Ground, canary, install, uninstall};
pub use crate::source::hooks::{Step, Way};
use crate::source::receipts::Receipts;
use crate::subject::hook::Hook;

/// Which hooks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Those of somebody who commits and pushes.
    Client,
    /// Those of a server.
    Server,
}

/// Whether something is done, or only said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is done.
    Do,
    /// It is said what would be done.
    Say,
}

/// What an install did, or would do.
#[derive(Debug, Clone)]
pub struct Installed {
    /// One for each hook.
    pub steps: Vec<Step>,
    /// Whether it was done.
    pub mode: Mode,
}

/// What an uninstall did, or would do.
#[derive(Debug, Clone)]
pub struct Uninstalled {
    /// One for each file.
    pub files: Vec<Undone>,
    /// Whether it was done.
    pub mode: Mode,
}

/// Which hooks are installed, and how.
#[derive(Debug, Clone)]
pub struct Status {
    /// Binary and version.
    pub tool: String,
    /// The git on the path.
    pub git: GitVersion,
    /// Where git looks for hooks.
    pub folder: std::path::PathBuf,
    /// One for each hook of this repository.
    pub steps: Vec<Step>,
    /// Why hooks do not run though they are there, in words.
    pub troubles: Vec<String>,
    /// Whether an install was begun and not finished.
    pub is_half_done: bool,
    /// How many trees have a receipt.
    pub receipts: usize,
}

/// What came of trying the hooks.
#[derive(Debug, Clone)]
pub struct Examined {
    /// What is installed.
    pub status: Status,
    /// For each hook what came of trying it; none for those that are not installed.
    pub trials: Vec<Option<Trial>>,
}

impl Examined {
    /// Whether every hook is installed, fires and sees what it has to.
    pub fn is_well(&self) -> bool {
        !self.status.is_half_done
            && self.status.troubles.is_empty()
            && self.trials.iter().all(|trial| *trial == Some(Trial::Seen))
    }
}

/// Puts hooks in.
///
/// # Errors
///
/// [`Error`] if there is no repository, if something is in the way, or a file cannot be written.
pub fn install(environment: &Environment, side: Side, mode: Mode) -> Result<Installed, Error> {
    let ground = ground(environment)?;
    let plan = install::plan(&ground, &hooks(side))?;
    if mode == Mode::Do {
        install::apply(&ground, &plan, &environment.tool)?;
    }
    Ok(Installed { steps: plan.steps, mode })
}

/// Takes hooks out, and gives back what was there.
///
/// # Errors
///
/// [`Error`] if there is no repository or a file cannot be written.
pub fn uninstall(environment: &Environment, mode: Mode) -> Result<Uninstalled, Error> {
    let ground = ground(environment)?;
    let files = match mode {
        Mode::Do => uninstall::apply(&ground)?,
        Mode::Say => uninstall::find(&ground),
    };
    Ok(Uninstalled { files, mode })
}

/// Says what is installed.
///
/// # Errors
///
/// [`Error`] if there is no repository, or git cannot be asked.
pub fn status(environment: &Environment) -> Result<Status, Error> {
    status_of(&ground(environment)?, environment)
}

/// Tries every hook that is installed.
///
/// # Errors
///
/// As [`status`], and if the scratch files cannot be made.
pub fn doctor(environment: &Environment) -> Result<Examined, Error> {
    let ground = ground(environment)?;
    let status = status_of(&ground, environment)?;
    // A token with right check digits that was never issued: it is made anew here, so that it is in no file.
    let value = examples::expand("canary", "{base62-crc32:ghp_:30}");
    let try_one = |step: &Step| step.is_done.then(|| canary::try_hook(&ground, step, &value)).transpose();
    let trials = status.steps.iter().map(try_one).collect::<Result<_, _>>()?;
    Ok(Examined { status, trials })
}

fn status_of(ground: &Ground, environment: &Environment) -> Result<Status, Error> {
    let mut wanted = if ground.is_bare() { Vec::new() } else { hooks(Side::Client) };
    let is_server = ground.is_bare() || hooks(Side::Server).iter().any(|hook| install::is_known(ground, *hook));
    if is_server {
        wanted.extend(hooks(Side::Server));
    }
    let repository = open(environment)?;
    let mut plan = install::plan(ground, &wanted)?;
    for step in plan.steps.iter_mut().filter(|step| !step.is_done) {
        // It has its own name, and runs beside none of ours.
        step.previous = None;
    }
    Ok(Status {
        tool: environment.tool.clone(),
        git: ground.git,
        folder: ground.folder.clone(),
        steps: plan.steps,
        troubles: plan.troubles,
        is_half_done: install::is_half_done(ground),
        receipts: Receipts::of(&repository).trees().len(),
    })
}

fn hooks(side: Side) -> Vec<Hook> {
    match side {
        Side::Client => Hook::CLIENT.to_vec(),
        Side::Server => Hook::SERVER.to_vec(),
    }
}

fn ground(environment: &Environment) -> Result<Ground, Error> {
    Ground::look(open(environment)?)
}

fn open(environment: &Environment) -> Result<GitRepository, Error> {
    Ok(GitRepository::open(&environment.directory, &environment.variables)?)
}
