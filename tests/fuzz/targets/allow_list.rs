//! What accepts findings: the lists of other tools, the baseline, the key that names values, and markers on a line.

#![no_main]

mod place;

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use toolbelt_core::policy::allow_list::{AllowListFormat, AllowLists};
use toolbelt_core::policy::baseline::Baseline;
use toolbelt_core::source::git::objects::hash;
use toolbelt_core::subject::Region;
use toolbelt_core::subject::content::{ContentKind, ObjectId};
use toolbelt_core::subject::inline_marker::InlineMarker;
use toolbelt_core::subject::pattern::{Pattern, SecretKind, Shape};
use toolbelt_core::subject::sighting::{Candidate, Exposure, Observation, Place, Proof, SecretValue, Sighting};
use toolbelt_core::subject::value_key::ValueKey;

static SIGHTING: LazyLock<Sighting> = LazyLock::new(|| {
    let pattern = Pattern {
        id: "a-token".to_owned(),
        name: "token".to_owned(),
        provider: "A".to_owned(),
        rule: SecretKind::Token,
        shape: Shape::Judged,
        proof: None,
        entropy: 0,
        spans_lines: false,
        revoke: None,
    };
    let candidate = Candidate {
        pattern: Arc::new(pattern),
        value: SecretValue::new("abc"),
        name: None,
        proof: Proof::None,
        surroundings: "let key = \"…\"; // sample".to_owned(),
    };
    let place = Place {
        path: Some("src/a.rs".to_owned()),
        object: ObjectId::null(hash::Kind::Sha1),
        kind: ContentKind::Blob,
        commit: Some(ObjectId::null(hash::Kind::Sha1)),
        exposure: Exposure::Unpushed,
    };
    let region = Some(Region { line: 3, column: 1, start: 0, end: 0 });
    Sighting { observation: Observation::Secret(candidate), region, layers: Vec::new(), marker: None, place }
});

// Each text is read as every one of them: what is none of its kind may not end the program.
fuzz_target!(|text: &str| {
    let mut all = AllowLists::default();
    let mut is_accepted = false;
    for (format, path) in AllowListFormat::FILES {
        let mut lists = AllowLists::default();
        match lists.add(*format, path, text) {
            Err(error) => {
                place::of_error(text, &error);
                assert_eq!(lists, AllowLists::default(), "nothing is taken from a list that is not understood");
            }
            Ok(left) => assert!(left.iter().all(|left| left.starts_with(path)), "{left:?}"),
        }
        is_accepted |= lists.accepts(&SIGHTING).is_some();
        all.propose(&lists);
    }
    let accepted = all.accepts(&SIGHTING);
    assert_eq!(accepted.is_some(), is_accepted, "together they accept what one of them does");
    assert!(accepted.is_none_or(|accepted| accepted.by_the_change_itself));

    match Baseline::parse(Baseline::FILE, text) {
        Err(error) => place::of_error(text, &error),
        Ok(baseline) => {
            for (fingerprint, exemption) in baseline.iter() {
                assert_eq!(baseline.get(fingerprint), Some(exemption));
                place::is_in(text, &exemption.location);
            }
        }
    }
    if let Some(key) = ValueKey::parse(text) {
        assert!(key.is_real() && ValueKey::parse(&key.to_text()) == Some(key));
    }
    for line in text.lines() {
        let Some(marker) = InlineMarker::find(line.as_bytes()) else { continue };
        assert!(marker.rule.is_none_or(|rule| !rule.is_empty() && !rule.contains(char::is_whitespace)));
        assert!(!marker.reason.is_empty() && marker.reason.chars().count() <= 200);
    }
});
