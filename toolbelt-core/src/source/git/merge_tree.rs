//! What git itself makes of two commits.

use super::program::Call;
use super::repository::GitRepository;
use crate::finding::{Fact, Unknown};
use crate::subject::content::ObjectId;
use crate::subject::signed_object::MergeTree;

/// Whether a merge has the tree that git makes of its parents.
///
/// What git has to write for that goes to a folder that is removed again.
pub fn compare(repository: &GitRepository, tree: ObjectId, parents: &[ObjectId]) -> Fact<MergeTree> {
    let unknown = |why: &str| Fact::Unknown(Unknown::new(why));
    let [one, other] = parents else { return unknown("a merge of more than two parents is not made anew") };
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return unknown(&format!("there is no place to make the merge anew: {error}")),
    };
    let (one, other) = (one.to_string(), other.to_string());
    let arguments = ["merge-tree", "--write-tree", "--allow-unrelated-histories", "--no-messages", &one, &other];
    let folder_path = folder.path().to_string_lossy();
    let alternates = repository.alternates();
    let variables =
        [("GIT_OBJECT_DIRECTORY", folder_path.as_ref()), ("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternates.as_str())];
    let output = match (Call { variables: &variables, ..Call::new(&arguments) }).run(repository) {
        Ok(output) => output,
        Err(error) => return unknown(&error.to_string()),
    };
    let made = output.stdout.split(|byte| *byte == b'\n').next().and_then(|line| ObjectId::from_hex(line).ok());
    match (output.status.code(), made) {
        (Some(0), Some(made)) if made == tree => Fact::Known(MergeTree::Clean),
        (Some(0 | 1), Some(_)) => Fact::Known(MergeTree::Edited),
        (Some(129), _) => {
            let why = Unknown::new("this git cannot make a merge anew without a work tree");
            Fact::Unknown(why.hint("install git 2.38 or later"))
        }
        _ => unknown("git could not make the merge anew"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sandbox::Sandbox;
    use super::*;

    fn merge_of(sandbox: &Sandbox, name: &str) -> Fact<MergeTree> {
        let tree = sandbox.id(&format!("{name}^{{tree}}"));
        let parents = sandbox.git(&["rev-parse", &format!("{name}^@")]);
        let parents: Vec<ObjectId> = parents.lines().map(|id| ObjectId::from_hex(id.as_bytes()).unwrap()).collect();
        compare(&sandbox.open(), tree, &parents)
    }

    #[test]
    fn merges_are_made_anew() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "1\n2\n3\n4\n5\n");
        sandbox.commit("base");
        sandbox.git(&["checkout", "--quiet", "-b", "topic"]);
        sandbox.write("a", "1\n2\n3\n4\nfive\n");
        sandbox.commit("topic");
        sandbox.git(&["checkout", "--quiet", "main"]);
        sandbox.write("a", "one\n2\n3\n4\n5\n");
        sandbox.commit("main");
        sandbox.git(&["merge", "--quiet", "--no-edit", "topic"]);
        sandbox.git(&["branch", "clean"]);
        sandbox.write("a", "evil\n");
        sandbox.git(&["commit", "--quiet", "--all", "--amend", "--no-edit"]);
        let count = |sandbox: &Sandbox| sandbox.git(&["count-objects"]);
        let before = count(&sandbox);
        if matches!(merge_of(&sandbox, "clean"), Fact::Unknown(_)) {
            return; // an old git
        }
        assert_eq!(merge_of(&sandbox, "clean"), Fact::Known(MergeTree::Clean));
        assert_eq!(merge_of(&sandbox, "main"), Fact::Known(MergeTree::Edited));
        assert_eq!(count(&sandbox), before, "nothing is left behind");
    }

    #[test]
    fn merges_with_conflicts_and_of_unrelated_histories() {
        let sandbox = Sandbox::new(&[]);
        sandbox.write("a", "1\n");
        sandbox.commit("one");
        sandbox.git(&["checkout", "--quiet", "--orphan", "other"]);
        sandbox.git(&["rm", "--quiet", "-rf", "."]);
        sandbox.write("b", "2\n");
        sandbox.commit("other");
        sandbox.git(&["merge", "--quiet", "--no-edit", "--allow-unrelated-histories", "main"]);
        if matches!(merge_of(&sandbox, "other"), Fact::Unknown(_)) {
            return; // an old git
        }
        assert_eq!(merge_of(&sandbox, "other"), Fact::Known(MergeTree::Clean));
        sandbox.git(&["checkout", "--quiet", "-b", "x", "main"]);
        sandbox.write("a", "x\n");
        sandbox.commit("x");
        sandbox.git(&["checkout", "--quiet", "-b", "y", "main"]);
        sandbox.write("a", "y\n");
        sandbox.commit("y");
        assert!(!sandbox.command().args(["merge", "--quiet", "x"]).output().unwrap().status.success());
        sandbox.write("a", "both\n");
        sandbox.commit("merge");
        assert_eq!(merge_of(&sandbox, "y"), Fact::Known(MergeTree::Edited));
        let tree = sandbox.id("y^{tree}");
        assert!(matches!(compare(&sandbox.open(), tree, &[tree; 3]), Fact::Unknown(_)));
        assert!(matches!(compare(&sandbox.open(), tree, &[tree; 2]), Fact::Unknown(_)));
    }
}
