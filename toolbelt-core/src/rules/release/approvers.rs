//! Who the people behind signatures are: keys that share a principal are one person's.

use std::collections::BTreeSet;

use crate::subject::attestation::Signer;

/// A person, as far as keys and principals tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// Whom the trust root names, in lower case.
    principals: BTreeSet<String>,
    /// Fingerprints.
    keys: BTreeSet<String>,
}

impl Person {
    /// How a message names them: the first principal, else the first key.
    pub(super) fn name(&self) -> &str {
        self.principals.first().or(self.keys.first()).map_or("somebody", String::as_str)
    }

    /// Whether one of their principals is, or as a pattern covers, this address.
    pub(super) fn is_called(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        self.principals.iter().any(|principal| covers(principal, &address))
    }

    /// Whether this key, by its fingerprint, is theirs.
    pub(super) fn has_key(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    fn of(signer: &Signer) -> Self {
        let principals = signer.principals.iter().map(|principal| principal.to_lowercase()).collect();
        Self { principals, keys: BTreeSet::from([signer.key.clone()]) }
    }

    fn is_same(&self, other: &Self) -> bool {
        let same = |one: &String, other: &String| covers(one, other) || covers(other, one);
        !self.keys.is_disjoint(&other.keys)
            || self.principals.iter().any(|one| other.principals.iter().any(|other| same(one, other)))
    }

    fn merge(&mut self, other: Self) {
        self.principals.extend(other.principals);
        self.keys.extend(other.keys);
    }
}

/// The persons behind some signatures, by their names.
pub(super) fn persons<'a>(signers: impl IntoIterator<Item = &'a Signer>) -> Vec<Person> {
    let signers: BTreeSet<&Signer> = signers.into_iter().collect();
    let mut persons: Vec<Person> = Vec::new();
    for signer in signers {
        let mut person = Person::of(signer);
        // A key can join two who seemed to be different.
        while let Some(at) = persons.iter().position(|known| known.is_same(&person)) {
            person.merge(persons.swap_remove(at));
        }
        persons.push(person);
    }
    persons.sort_by(|one, other| one.principals.cmp(&other.principals).then_with(|| one.keys.cmp(&other.keys)));
    persons
}

/// Whether a principal of an `allowed_signers` file, in which `*` and `?` stand for what they do in a shell, is for this
/// one.
fn covers(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where the last star stood, and how much of the name it stands for.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(sign) if *sign == '?' || *sign == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    read = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key: &str, principals: &[&str]) -> Signer {
        Signer { principals: principals.iter().map(|name| (*name).to_owned()).collect(), key: key.to_owned() }
    }

    fn names(signers: &[Signer]) -> Vec<String> {
        persons(signers).iter().map(|person| person.name().to_owned()).collect()
    }

    #[test]
    fn keys_with_a_common_principal_are_one_persons() {
        let (one, two) = (signer("SHA256:1", &["ann@x"]), signer("SHA256:2", &["ANN@x", "ann@home"]));
        let three = signer("SHA256:3", &["bob@x"]);
        assert_eq!(names(&[one.clone(), two.clone(), three.clone()]), ["ann@home", "bob@x"]);
        let both = signer("SHA256:4", &["bob@x", "ann@x"]);
        assert_eq!(names(&[one.clone(), three, both]).len(), 1, "a key can join two");
        assert_eq!(names(&[signer("SHA256:1", &["other"]), one]).len(), 1, "one key is one person's");
    }

    #[test]
    fn a_pattern_may_be_anybody_whom_it_covers() {
        assert_eq!(names(&[signer("SHA256:1", &["*@x"]), signer("SHA256:2", &["ann@x"])]).len(), 1);
        assert_eq!(names(&[signer("SHA256:1", &["*@y"]), signer("SHA256:2", &["ann@x"])]).len(), 2);
        let [anybody] = persons(&[signer("SHA256:1", &["*@x"])]).try_into().unwrap();
        assert!(anybody.is_called("Ann@X") && !anybody.is_called("ann@y"));
    }

    #[test]
    fn stars_and_question_marks_are_those_of_a_shell() {
        for (pattern, name) in
            [("*", ""), ("*", "a"), ("a*c", "abbc"), ("a?c", "abc"), ("*@x*", "a@x.y"), ("**a", "ba")]
        {
            assert!(covers(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("", "a"), ("a", ""), ("a*c", "abb"), ("a?c", "ac"), ("?", ""), ("*b", "ba")] {
            assert!(!covers(pattern, name), "{pattern} {name}");
        }
        assert!(!covers(&"*a".repeat(1000), &"a".repeat(999)));
    }
}
