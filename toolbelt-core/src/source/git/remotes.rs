//! Which remotes have a commit and a tag: as the last fetch left it, or by asking them.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use super::Error;
use super::program::Call;
use super::repository::GitRepository;
use crate::subject::content::ObjectId;

/// How long a remote may take to answer.
const LIMIT: Duration = Duration::from_secs(10);

/// How many remotes are asked; more are left with what the last fetch left.
const MAX_ASKED: usize = 16;

/// The branches and tags of a remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advertised {
    /// By full name; of an annotated tag the tag object.
    pub refs: BTreeMap<String, ObjectId>,
    /// What annotated tags lead to, by full name.
    pub peeled: BTreeMap<String, ObjectId>,
}

impl Advertised {
    /// What a tag (without `refs/tags/`) leads to.
    pub fn tag(&self, name: &str) -> Option<ObjectId> {
        let name = format!("refs/tags/{name}");
        self.peeled.get(&name).or_else(|| self.refs.get(&name)).copied()
    }

    fn parse(text: &str) -> Self {
        let mut advertised = Self::default();
        for (id, name) in text.lines().filter_map(|line| line.split_once('\t')) {
            let Ok(id) = ObjectId::from_hex(id.as_bytes()) else { continue };
            match name.strip_suffix("^{}") {
                Some(tag) => advertised.peeled.insert(tag.to_owned(), id),
                None => advertised.refs.insert(name.to_owned(), id),
            };
        }
        advertised
    }
}

/// The remotes that are configured, sorted.
///
/// # Errors
///
/// [`Error::Program`] if git cannot tell.
pub fn configured(repository: &GitRepository) -> Result<Vec<String>, Error> {
    let listed = Call::new(&["remote"]).succeed(repository)?;
    let mut names: Vec<String> = String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect();
    names.sort();
    Ok(names)
}

/// The remote that the current branch is of: the one that it is pushed to, then the one that it is pulled from, then
/// `origin`, then whichever there is.
pub fn preferred<'a>(repository: &GitRepository, configured: &'a [String]) -> Option<&'a String> {
    let head = Call::new(&["symbolic-ref", "--quiet", "--short", "HEAD"]).run(repository);
    let branch = head.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let config = repository.config();
    let of_branch =
        |key: &str| (!branch.is_empty()).then(|| config.string(format!("branch.{branch}.{key}").as_str())).flatten();
    let named = [of_branch("pushRemote"), config.string("remote.pushDefault"), of_branch("remote")];
    let named = named.into_iter().flatten().map(|name| name.to_string()).chain(["origin".to_owned()]);
    named.into_iter().find_map(|name| configured.iter().find(|remote| **remote == name)).or(configured.first())
}

/// The remotes whose branches, as the last fetch left them, lead to a commit.
///
/// # Errors
///
/// [`Error::Program`] if git cannot tell.
pub fn fetched(repository: &GitRepository, configured: &[String], commit: ObjectId) -> Result<Vec<String>, Error> {
    let contains = format!("--contains={commit}");
    let listed = Call::new(&["for-each-ref", "--format=%(refname)", &contains, "refs/remotes/"]).succeed(repository)?;
    let listed = String::from_utf8_lossy(&listed);
    let mut having: Vec<String> = listed.lines().filter_map(|name| remote_of(name, configured)).cloned().collect();
    having.sort();
    having.dedup();
    Ok(having)
}

/// Whether a tag leads to a commit: anybody's, as tags do not say which remote they are from.
///
/// # Errors
///
/// [`Error::Program`] if git cannot tell.
pub fn is_tagged(repository: &GitRepository, commit: ObjectId) -> Result<bool, Error> {
    let contains = format!("--contains={commit}");
    let arguments = ["for-each-ref", "--count=1", "--format=%(refname)", &contains, "refs/tags/"];
    Ok(!Call::new(&arguments).succeed(repository)?.is_empty())
}

/// The remote that a remote-tracking branch is of; names of remotes may have slashes.
fn remote_of<'a>(name: &str, configured: &'a [String]) -> Option<&'a String> {
    let below = name.strip_prefix("refs/remotes/")?;
    let of = |remote: &&String| below.strip_prefix(remote.as_str()).is_some_and(|rest| rest.starts_with('/'));
    configured.iter().filter(of).max_by_key(|remote| remote.len())
}

/// Asks remotes what they have, all at the same time; for one that does not answer, the reason.
///
/// Nobody is asked for a password, and what is asked for is listed only.
pub fn ask(repository: &GitRepository, remotes: &[String]) -> BTreeMap<String, Result<Advertised, String>> {
    let variables = quiet(repository);
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let list = |remote: &str| {
        let arguments = ["ls-remote", "--heads", "--tags", "--", remote];
        // Paths of remotes are relative to the work tree.
        let call = Call { limit: LIMIT, variables: &variables, in_work_tree: true, ..Call::new(&arguments) };
        let answer = call.succeed(repository).map_err(|error| error.to_string())?;
        Ok(Advertised::parse(&String::from_utf8_lossy(&answer)))
    };
    thread::scope(|scope| {
        let asked = remotes.iter().take(MAX_ASKED);
        let asked: Vec<_> = asked.map(|remote| (remote, scope.spawn(|| list(remote)))).collect();
        let left = || Err(format!("it is one of more than {MAX_ASKED}"));
        let mut answers: BTreeMap<_, _> = remotes.iter().map(|remote| (remote.clone(), left())).collect();
        for (remote, answer) in asked {
            answers.insert(remote.clone(), answer.join().unwrap_or_else(|_| left()));
        }
        answers
    })
}

/// Variables with which neither git nor what it calls asks a person.
fn quiet(repository: &GitRepository) -> Vec<(&'static str, String)> {
    let given = repository.variables();
    let mut variables = vec![
        ("GIT_ASKPASS", String::new()),
        ("SSH_ASKPASS_REQUIRE", "never".to_owned()),
        ("GCM_INTERACTIVE", "never".to_owned()),
    ];
    if !given.contains_key("GIT_ALLOW_PROTOCOL") {
        // Without `ext`, which would run whatever a URL says.
        variables.push(("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh".to_owned()));
    }
    let is_set = given.contains_key("GIT_SSH_COMMAND") || given.contains_key("GIT_SSH");
    let configured = || Call::new(&["config", "--get", "core.sshCommand"]).succeed(repository).is_ok();
    if !is_set && !configured() {
        variables.push(("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=8".to_owned()));
    }
    variables
}

/// Whether what a remote has leads to a commit.
///
/// A branch that was moved on since the last fetch leads to commits that are not here; it is taken to lead to what it
/// led to then.
///
/// # Errors
///
/// [`Error::Program`] if git cannot tell.
pub fn leads_to(
    repository: &GitRepository,
    remote: &str,
    advertised: &Advertised,
    commit: ObjectId,
) -> Result<bool, Error> {
    let tips = || advertised.refs.values().chain(advertised.peeled.values());
    if tips().any(|tip| *tip == commit) {
        return Ok(true);
    }
    let store = repository.store()?;
    let (known, unknown): (Vec<_>, Vec<_>) = advertised.refs.iter().partition(|(_, id)| store.has(id));
    if !known.is_empty() {
        let hex = commit.to_string();
        let hidden: Vec<String> = known.iter().map(|(_, id)| format!("^{id}\n")).collect();
        let input = format!("{hex}\n{}", hidden.concat());
        let call = Call::new(&["rev-list", "--max-count=1", "--stdin"]);
        let call = Call { input: input.into_bytes(), ..call };
        if call.succeed(repository)?.trim_ascii().is_empty() {
            return Ok(true);
        }
    }
    let branches = unknown.iter().filter_map(|(name, _)| name.strip_prefix("refs/heads/"));
    let tracking: Vec<String> = branches.map(|branch| format!("refs/remotes/{remote}/{branch}")).collect();
    if tracking.is_empty() {
        return Ok(false);
    }
    let contains = format!("--contains={commit}");
    let arguments = ["for-each-ref", "--format=%(refname)", &contains, "refs/remotes/"];
    let listed = Call::new(&arguments).succeed(repository)?;
    let listed = String::from_utf8_lossy(&listed);
    Ok(listed.lines().any(|name| tracking.iter().any(|tracking| tracking == name)))
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    /// A repository with a remote `origin` beside it that has its first commit.
    fn pushed() -> (Sandbox, Sandbox, ObjectId) {
        let sandbox = Sandbox::new(&[]);
        let first = sandbox.commit("one");
        sandbox.git(&["init", "--quiet", "--bare", "--initial-branch=main", "../remote"]);
        sandbox.git(&["remote", "add", "origin", "../remote"]);
        sandbox.git(&["push", "--quiet", "origin", "main"]);
        let remote = sandbox.beside("remote");
        (sandbox, remote, first)
    }

    fn names(remotes: &[&str]) -> Vec<String> {
        remotes.iter().map(|remote| (*remote).to_owned()).collect()
    }

    fn has(sandbox: &Sandbox, commit: ObjectId) -> bool {
        let repository = sandbox.open();
        let answers = ask(&repository, &names(&["origin"]));
        leads_to(&repository, "origin", answers["origin"].as_ref().unwrap(), commit).unwrap()
    }

    #[test]
    fn remotes_have_what_their_branches_lead_to() {
        let (sandbox, _, first) = pushed();
        let remotes = configured(&sandbox.open()).unwrap();
        assert_eq!(remotes, ["origin"]);
        let second = sandbox.commit("two");
        assert_eq!(fetched(&sandbox.open(), &remotes, first).unwrap(), ["origin"]);
        assert_eq!(fetched(&sandbox.open(), &remotes, second).unwrap(), [""; 0]);
        assert!(has(&sandbox, first) && !has(&sandbox, second));
        sandbox.git(&["push", "--quiet", "origin", "main"]);
        assert!(has(&sandbox, first) && has(&sandbox, second));
    }

    #[test]
    fn what_somebody_else_pushed_meanwhile_does_not_hide_what_was_there() {
        let (sandbox, remote, first) = pushed();
        sandbox.git(&["clone", "--quiet", "../remote", "../other"]);
        let other = sandbox.beside("other");
        other.commit("more");
        other.git(&["push", "--quiet", "origin", "main"]);
        assert_ne!(remote.id("main"), first);
        assert!(has(&sandbox, first));
        remote.git(&["update-ref", "-d", "refs/heads/main"]);
        assert!(!has(&sandbox, first), "the branch is gone");
    }

    #[test]
    fn a_remote_that_does_not_answer_has_nothing_to_say() {
        let (sandbox, remote, _) = pushed();
        std::fs::remove_dir_all(&remote.root).unwrap();
        let why = ask(&sandbox.open(), &names(&["origin"])).remove("origin").unwrap().unwrap_err();
        assert!(why.contains("does not appear to be a git repository"), "{why}");
        sandbox.git(&["remote", "add", "odd", "ext::sh -c 'touch ran; exit 1'"]);
        assert!(ask(&sandbox.open(), &names(&["odd"]))["odd"].is_err());
        assert!(!sandbox.root.join(".git/ran").exists() && !sandbox.root.join("ran").exists());
        assert_eq!(ask(&sandbox.open(), &names(&["--upload-pack=touch ran"])).len(), 1);
    }

    #[test]
    fn tags_of_a_remote_are_peeled() {
        let (sandbox, _, first) = pushed();
        sandbox.git(&["tag", "--annotate", "--message", "x", "v1"]);
        sandbox.git(&["tag", "v2"]);
        sandbox.git(&["push", "--quiet", "origin", "v1", "v2"]);
        let answers = ask(&sandbox.open(), &names(&["origin"]));
        let advertised = answers["origin"].as_ref().unwrap();
        assert_eq!(
            [advertised.tag("v1"), advertised.tag("v2"), advertised.tag("v3")],
            [Some(first), Some(first), None]
        );
    }

    #[test]
    fn the_longest_remote_that_fits_has_a_branch() {
        let remotes = names(&["a", "a/b"]);
        assert_eq!(remote_of("refs/remotes/a/b/c", &remotes).unwrap(), "a/b");
        assert_eq!(remote_of("refs/remotes/a/c", &remotes).unwrap(), "a");
        assert_eq!(remote_of("refs/remotes/ab/c", &remotes), None);
    }

    #[test]
    fn the_branch_says_which_remote_is_preferred() {
        let (sandbox, _, _) = pushed();
        let remotes = names(&["fork", "origin"]);
        assert_eq!(preferred(&sandbox.open(), &remotes).unwrap(), "origin");
        sandbox.git(&["config", "branch.main.remote", "fork"]);
        assert_eq!(preferred(&sandbox.open(), &remotes).unwrap(), "fork");
        sandbox.git(&["checkout", "--quiet", "--detach"]);
        assert_eq!(preferred(&sandbox.open(), &remotes).unwrap(), "origin");
        assert_eq!(preferred(&sandbox.open(), &remotes[..1]).unwrap(), "fork");
    }
}
