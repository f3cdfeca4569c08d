//! What is said of a value that looks like a secret, and what to do about it where it is: the four rules over secrets
//! say it alike.
//!
//! The value itself is in none of it.

use crate::finding::{Finding, Fix};
use crate::subject::content::ContentKind;
use crate::subject::sighting::{Candidate, Exposure, Place, Proof, Sighting};

/// Digits of an object id that people are shown.
const SHORT_ID: usize = 12;
/// Refs that are named in a fix.
const NAMED_REFS: usize = 3;
/// Characters of a name in the text that are shown.
const LONGEST_NAME: usize = 64;

/// The finding for a value, in words that fit every kind of secret: `holds a GitHub personal access token: its check
/// digits are right`.
///
/// It is in its stronger form: the rule says [`Finding::weaker`] where it is not proven.
pub fn finding(sighting: &Sighting, candidate: &Candidate) -> Finding {
    finding_of(sighting, candidate, &with_article(&candidate.pattern.name))
}

/// Like [`finding`], with a rule's own words for what it is: `a password for a database`.
pub fn finding_of(sighting: &Sighting, candidate: &Candidate, what: &str) -> Finding {
    let pattern = &candidate.pattern;
    let place = &sighting.place;
    let message = format!("{} {}", holder(place), said(what, &inside(&sighting.layers), &candidate.proof));
    let (proof, evidence) = match &candidate.proof {
        Proof::Holds(words) => ("holds", Some(words)),
        Proof::Fails(words) => ("fails", Some(words)),
        Proof::None => ("none", None),
    };
    let mut finding = Finding::new(place.subject(), message)
        .fact("pattern", pattern.id.as_str())
        .fact("provider", pattern.provider.as_str())
        .fact("proof", proof)
        .fact("exposure", exposure(&place.exposure))
        .at(sighting.location())
        .fix(fix(sighting, candidate))
        .told_apart_by(pattern.id.as_str());
    if let Some(evidence) = evidence {
        finding = finding.fact("evidence", evidence.as_str());
    }
    if let Some(name) = &candidate.name {
        finding = finding.fact("name", clipped(name));
    }
    if !sighting.layers.is_empty() {
        finding = finding.fact("layers", sighting.layers.clone());
    }
    if let Exposure::Pushed(refs) = &place.exposure {
        finding = finding.fact("refs", refs.clone());
    }
    finding
}

/// What holds it; the subject is named before.
fn holder(place: &Place) -> &'static str {
    match place.kind {
        ContentKind::Blob => "holds",
        // A message that is still a file.
        ContentKind::Commit if place.path.is_some() => "holds",
        ContentKind::Commit | ContentKind::Tag => "has a message that holds",
    }
}

/// What it is, where, and how sure that is.
fn said(what: &str, inside: &str, proof: &Proof) -> String {
    match proof {
        Proof::Holds(words) => format!("{what}{inside}: {}", clause(words)),
        Proof::Fails(words) => format!("what looks like {what}{inside}, but {}", clause(words)),
        Proof::None => format!("what looks like {what}{inside}"),
    }
}

/// Each layer in backticks, after a blank; or nothing.
fn inside(layers: &[String]) -> String {
    if layers.is_empty() {
        return String::new();
    }
    let layers: Vec<String> = layers.iter().map(|layer| format!("in `{layer}`")).collect();
    format!(" {}", layers.join(", "))
}

/// `is not encrypted` and `its check digits are right` both become sentences.
fn clause(words: &str) -> String {
    if words.starts_with("is ") || words.starts_with("has ") { format!("it {words}") } else { words.to_owned() }
}

/// `a GitHub token`, `an AWS access key`.
pub fn with_article(name: &str) -> String {
    let word = name.split([' ', '-', '.']).next().unwrap_or_default();
    let first = word.chars().next().unwrap_or_default();
    // Abbreviations are spelled: an SSH key.
    let is_spelled =
        word.len() > 1 && word.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
    let has_vowel = if is_spelled {
        matches!(first, 'A' | 'E' | 'F' | 'H' | 'I' | 'L' | 'M' | 'N' | 'O' | 'R' | 'S' | 'X')
    } else {
        matches!(first.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o')
    };
    format!("{} {name}", if has_vowel { "an" } else { "a" })
}

/// A name from the text, as far as it is shown.
pub fn clipped(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

const fn exposure(exposure: &Exposure) -> &'static str {
    match exposure {
        Exposure::WorkTree => "work-tree",
        Exposure::Staged => "staged",
        Exposure::Unpushed => "unpushed",
        Exposure::Pushed(_) => "pushed",
        Exposure::Unreachable => "unreachable",
    }
}

/// What to do about it, by how far it has come.
fn fix(sighting: &Sighting, candidate: &Candidate) -> Fix {
    let place = &sighting.place;
    match &place.exposure {
        Exposure::WorkTree => Fix::new("take it out of the file before it is committed, and read it from outside"),
        Exposure::Staged if place.kind == ContentKind::Commit => {
            Fix::new("take it out of the message, which is kept").command(commit_again(""))
        }
        Exposure::Staged => {
            let fix = Fix::new("unstage it, take it out of the file, and stage the file anew");
            match &place.path {
                Some(path) => fix.command(format!("git restore --staged -- {}", shell_word(path))),
                None => fix,
            }
        }
        Exposure::Unpushed => unpushed(place),
        Exposure::Pushed(refs) => Fix::new(format!(
            "{}; {}, so that rewriting history does not take it back",
            revoke(candidate),
            holders(refs)
        )),
        Exposure::Unreachable => Fix::new(format!(
            "{} if it was ever pushed; no ref holds it any more, and git drops it some weeks after the last reflog does",
            revoke(candidate)
        )),
    }
}

/// The command that takes up a message that a hook did not let pass; `options` are further ones, each with a blank behind.
pub fn commit_again(options: &str) -> String {
    format!("git commit {options}--edit --file=\"$(git rev-parse --git-path COMMIT_EDITMSG)\"")
}

/// Nobody else has it yet, so that rewriting the commits is enough.
fn unpushed(place: &Place) -> Fix {
    let id = place.object;
    match (place.kind, place.commit) {
        (ContentKind::Tag, _) => Fix::new("delete the tag and make it anew without it, before it is pushed"),
        (ContentKind::Commit, _) => {
            Fix::new(format!("reword commit {} before it is pushed", id.to_hex_with_len(SHORT_ID)))
                .command(format!("git rebase --interactive {id}^"))
        }
        (ContentKind::Blob, Some(commit)) => Fix::new(format!(
            "take it out of commit {}, and of those after it, before they are pushed",
            commit.to_hex_with_len(SHORT_ID)
        ))
        .command(format!("git rebase --interactive {commit}^")),
        (ContentKind::Blob, None) => Fix::new("take it out of the commits that hold it before they are pushed")
            .command(format!("git log --all --oneline --find-object={id}")),
    }
}

/// How to make it worthless.
fn revoke(candidate: &Candidate) -> String {
    match &candidate.pattern.revoke {
        Some(revoke) => format!("revoke it: {revoke}"),
        None => "revoke it where it was issued".to_owned(),
    }
}

/// Which refs have it.
fn holders(refs: &[String]) -> String {
    let named: Vec<String> = refs.iter().take(NAMED_REFS).map(|name| format!("`{name}`")).collect();
    match (named.as_slice(), refs.len()) {
        ([], _) => "a remote has it".to_owned(),
        ([one], _) => format!("{one} has it"),
        (_, count) if count > NAMED_REFS => format!("{} and {} more have it", named.join(", "), count - NAMED_REFS),
        _ => format!("{} have it", named.join(", ")),
    }
}

/// A path as one word of a command.
fn shell_word(path: &str) -> String {
    let is_plain = |sign: char| sign.is_alphanumeric() || "/._-+@%=:,".contains(sign);
    if !path.is_empty() && path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
pub(in crate::rules::blob) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::subject::Region;
    use crate::subject::content::ObjectId;
    use crate::subject::pattern::{Pattern, SecretKind, Shape};
    use crate::subject::sighting::{Observation, SecretValue};

    pub(in crate::rules::blob) const VALUE: &str = "never-to-be-shown";

    /// A value of this kind in `conf/app.toml`, staged.
    pub(in crate::rules::blob) fn seen(rule: SecretKind, name: &str, proof: Proof) -> Sighting {
        let pattern = Pattern {
            id: "example-token".to_owned(),
            name: name.to_owned(),
            provider: "Example".to_owned(),
            rule,
            shape: Shape::Text { keywords: vec!["exm_".to_owned()], regex: "exm_[a-z]+".to_owned() },
            proof: None,
            entropy: 0,
            spans_lines: false,
            revoke: Some("delete it at https://example.org/tokens".to_owned()),
        };
        let candidate = Candidate {
            pattern: Arc::new(pattern),
            value: SecretValue::new(VALUE),
            name: None,
            proof,
            surroundings: "token = …".to_owned(),
        };
        let place = Place {
            path: Some("conf/app.toml".to_owned()),
            object: ObjectId::empty_blob(gix::hash::Kind::Sha1),
            kind: ContentKind::Blob,
            commit: None,
            exposure: Exposure::Staged,
        };
        let region = Some(Region { line: 3, column: 9, start: 40, end: 57 });
        Sighting { observation: Observation::Secret(candidate), region, layers: Vec::new(), marker: None, place }
    }

    /// The finding about a sighting of a secret.
    fn about(sighting: &Sighting) -> Finding {
        let Observation::Secret(candidate) = &sighting.observation else { panic!("not a secret") };
        let finding = finding(sighting, candidate);
        assert!(!format!("{finding:?}").contains(VALUE));
        finding
    }

    fn token(proof: Proof) -> Sighting {
        seen(SecretKind::Token, "Example token", proof)
    }

    fn commit() -> ObjectId {
        ObjectId::empty_tree(gix::hash::Kind::Sha1)
    }

    #[test]
    fn the_message_says_what_it_is_where_and_how_sure_that_is() {
        let message = |sighting: &Sighting| about(sighting).message;
        let holds = token(Proof::Holds("its check digits are right".to_owned()));
        assert_eq!(message(&holds), "holds an Example token: its check digits are right");
        let fails = token(Proof::Fails("its check digits are wrong".to_owned()));
        assert_eq!(message(&fails), "holds what looks like an Example token, but its check digits are wrong");
        let mut layered = token(Proof::None);
        layered.layers = vec!["gzip".to_owned(), "tar: a/b.txt".to_owned()];
        assert_eq!(message(&layered), "holds what looks like an Example token in `gzip`, in `tar: a/b.txt`");
        let key = token(Proof::Holds("is a key that is not encrypted".to_owned()));
        assert_eq!(message(&key), "holds an Example token: it is a key that is not encrypted");
        let mut commit = token(Proof::None);
        (commit.place.kind, commit.place.path) = (ContentKind::Commit, None);
        let said = about(&commit);
        assert_eq!(said.message, "has a message that holds what looks like an Example token");
        assert_eq!((said.subject.key(), said.locations), (format!("commit:{}", commit.place.object), vec![]));
    }

    #[test]
    fn facts_and_places_are_for_machines() {
        let mut sighting = token(Proof::Fails("its check digits are wrong".to_owned()));
        sighting.place.commit = Some(commit());
        let said = about(&sighting);
        let facts: Vec<&str> = said.facts.keys().copied().collect();
        assert_eq!(facts, ["evidence", "exposure", "pattern", "proof", "provider"]);
        assert_eq!((&said.facts["proof"], &said.facts["exposure"]), (&"fails".into(), &"staged".into()));
        assert_eq!(said.locations[0].path, "conf/app.toml");
        assert_eq!(said.locations[0].region.as_ref().unwrap().line, 3);
        assert_eq!(said.subject.key(), "blob:conf/app.toml");
        assert!(said.subject.digest.contains_key("gitBlob"));
    }

    #[test]
    fn the_fix_fits_how_far_it_has_come() {
        let mut sighting = token(Proof::None);
        let mut fix = |exposure: Exposure, commit: Option<ObjectId>| {
            (sighting.place.exposure, sighting.place.commit) = (exposure, commit);
            about(&sighting).fix.unwrap()
        };
        assert_eq!(fix(Exposure::WorkTree, None).commands, [""; 0]);
        assert_eq!(fix(Exposure::Staged, None).commands, ["git restore --staged -- conf/app.toml"]);
        let rewrite = fix(Exposure::Unpushed, Some(commit()));
        assert_eq!(
            rewrite.summary,
            "take it out of commit 4b825dc642cb, and of those after it, before they are pushed"
        );
        assert_eq!(rewrite.commands, [format!("git rebase --interactive {}^", commit())]);
        assert!(fix(Exposure::Unpushed, None).commands[0].starts_with("git log --all --oneline --find-object="));
        let pushed = fix(Exposure::Pushed(vec!["refs/remotes/origin/main".to_owned()]), Some(commit())).summary;
        assert_eq!(
            pushed,
            "revoke it: delete it at https://example.org/tokens; `refs/remotes/origin/main` has it, so that rewriting \
             history does not take it back"
        );
        let many = (0..5).map(|index| format!("refs/tags/{index}")).collect();
        let many = fix(Exposure::Pushed(many), None).summary;
        assert!(many.contains("`refs/tags/0`, `refs/tags/1`, `refs/tags/2` and 2 more have it"), "{many}");
        assert!(fix(Exposure::Unreachable, None).summary.contains("if it was ever pushed"));
    }

    #[test]
    fn strange_paths_are_one_word_of_the_command() {
        assert_eq!(shell_word("a/b-c.txt"), "a/b-c.txt");
        assert_eq!(shell_word("a b; rm 'x'"), r"'a b; rm '\''x'\'''");
        assert_eq!(shell_word("$(x)"), "'$(x)'");
    }

    #[test]
    fn articles_follow_how_a_name_is_spoken() {
        for (name, article) in [
            ("GitHub token", "a"),
            ("OpenAI key", "an"),
            ("AWS key", "an"),
            ("SSH key", "an"),
            ("npm token", "a"),
            ("URL with a password", "a"),
            ("PuTTY key", "a"),
        ] {
            assert_eq!(with_article(name), format!("{article} {name}"));
        }
    }
}
