//! The branch that a clone starts with.

use super::refs::Refs;
use super::repository::GitRepository;

/// The full names of what may be the default branch of a remote: the one that is known, else those that are usual.
///
/// `remote` and `url` are as for [`push::visit`](super::push::visit).
pub fn of_remote(repository: &GitRepository, remote: &str, url: &str) -> Vec<String> {
    let refs = Refs::open(repository);
    let patterns = super::push::followed(repository, remote, url);
    for name in names(repository, remote, url) {
        let Some(tracked) = refs.stands_for(&format!("refs/remotes/{name}/HEAD")) else { continue };
        if let Some(there) = patterns.iter().find_map(|pattern| pattern.followed(&tracked)) {
            return vec![there];
        }
    }
    usual().collect()
}

/// The full names of what may be the default branch of this repository: what `HEAD` stands for, and while that is not
/// there, those that are usual.
pub fn of_repository(repository: &GitRepository) -> Vec<String> {
    let refs = Refs::shared(repository);
    let head = refs.stands_for("HEAD");
    match head {
        Some(name) if refs.find(&name).is_ok_and(|found| found.is_some()) => vec![name],
        head => head.into_iter().chain(usual()).collect(),
    }
}

fn usual() -> impl Iterator<Item = String> {
    ["main", "master"].into_iter().map(|name| format!("refs/heads/{name}"))
}

/// The remotes that are meant: the one of this name, else those with this URL.
fn names(repository: &GitRepository, remote: &str, url: &str) -> Vec<String> {
    let mut names = vec![remote.to_owned()];
    for section in repository.config().sections_by_name("remote").into_iter().flatten() {
        let Some(name) = section.header().subsection_name() else { continue };
        let is_url = |key: &str| section.values(key).iter().any(|value| value == url);
        if name != remote && (is_url("url") || is_url("pushurl")) {
            names.push(name.to_string());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    #[test]
    fn the_default_branch_is_what_a_clone_knows() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "0");
        sandbox.commit("base");
        sandbox.git(&["branch", "-m", "trunk"]);
        let url = sandbox.root.display().to_string();
        sandbox.git(&["clone", "--quiet", &url, "../clone"]);
        let clone = sandbox.beside("clone").open();
        assert_eq!(of_remote(&clone, "origin", &url), ["refs/heads/trunk"]);
        assert_eq!(of_remote(&clone, &url, &url), ["refs/heads/trunk"]);
        assert_eq!(of_remote(&clone, "other", "elsewhere"), ["refs/heads/main", "refs/heads/master"]);
        assert_eq!(of_remote(&clone, "../..", "\n"), ["refs/heads/main", "refs/heads/master"]);
        assert_eq!(of_repository(&sandbox.open()), ["refs/heads/trunk"]);
        sandbox.git(&["checkout", "--quiet", "--detach"]);
        assert_eq!(of_repository(&sandbox.open()), ["refs/heads/main", "refs/heads/master"]);
        sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/gone"]);
        assert_eq!(of_repository(&sandbox.open()), ["refs/heads/gone", "refs/heads/main", "refs/heads/master"]);
    }

    #[test]
    fn tables_of_refs_are_asked_for_by_git() {
        let sandbox = Sandbox::new(&[]);
        let made =
            sandbox.command().args(["init", "--quiet", "--ref-format=reftable", "-b", "trunk", "../table"]).output();
        if !made.unwrap().status.success() {
            return; // this git has none
        }
        let unborn = of_repository(&sandbox.beside("table").open());
        assert_eq!(unborn, ["refs/heads/trunk", "refs/heads/main", "refs/heads/master"]);
    }
}
