//! What the code promises to whoever adds to it: every rule is registered, explained and held by cases, its page is
//! current, and arrows point one way.
//!
//! With `UPDATE=1` the pages under `docs/rules/` are written anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toolbelt_core::output;
use toolbelt_core::policy::Policy;
use toolbelt_core::rules::options::{OptionDefault, RuleOption};
use toolbelt_core::rules::{self, Rule};

/// The folders of rules, each named after the subject that its rules judge.
const FOLDERS: &[(&str, &[&Rule])] = &[
    ("package", rules::package::RULES),
    ("blob", rules::blob::RULES),
    ("release", rules::release::RULES),
    ("policy", rules::policy::RULES),
];

/// What a rule's page says, in this order.
const SECTIONS: &[&str] = &["What it detects", "Why it matters", "Example", "Fix", "Limits", "References"];

/// The Security Toolbelt's threats.
const THREATS: &[u32] = &[
    1100, 1110, 1120, 1121, 1122, 1123, 1124, 1130, 1140, 1200, 1210, 1220, 1230, 1300, 1310, 1320, 1330, 1340,
    1350, //
    2100, 2110, 2120, 2130, 2140, 2150, 2200, 2210, 2220, 2230, 2300, 2340, //
    3100, 3110, 3120, 3130, 3140, 3150, //
    4100, 4110, 4120, 4130, 4140, 4200, 4300, 4310, 4320, 4330, 4340, 4350, 4360, 4370, //
    5100, 5110, 5120, 5130, 5200, 5300, 5400, 5410, 5420, 5430,
];

/// What lies at the top of the repository. Hidden entries belong to the tools that read them.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "cargo-toolbelt",
    "docs",
    "git-toolbelt",
    "target",
    "tests",
    "toolbelt-core",
    "toolbelt.toml",
];

/// Which modules of the library the files of a folder must not name: an arrow never points back.
const ARROWS: &[(&str, &[&str])] = &[
    ("subject", &["source", "rules", "audit", "report", "policy", "output", "ops", "evidence", "store"]),
    ("source", &["rules", "audit", "policy", "output", "ops", "evidence", "store"]),
    ("rules", &["source", "audit", "report", "policy", "output", "ops", "evidence", "store"]),
    ("policy", &["source", "audit", "output", "ops", "evidence", "store"]),
    ("output", &["source", "audit", "policy", "evidence", "store"]),
    ("evidence", &["source", "rules", "audit", "report", "policy", "output", "ops", "store"]),
    ("store", &["rules", "audit", "report", "policy", "output", "ops"]),
];

/// What the library leaves to the binaries.
const NOT_IN_CORE: &[&str] = &[
    "clap::",
    "println!",
    "eprintln!",
    "print!(",
    "eprint!(",
    "std::env",
    "env::var",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
];

/// Where the library may do so all the same: file, what, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("source/http.rs", "Instant::now", "a time limit over several attempts needs to know how much of it is left"),
    ("source/index/sparse.rs", "Instant::now", "a time limit over many requests needs to know how much of it is left"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace('\r', "")
}

/// Names in a folder, sorted; none if it is not there.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Files with this extension in a folder, without it.
fn stems(folder: &Path, extension: &str) -> BTreeSet<String> {
    names(folder).iter().filter_map(|name| name.strip_suffix(extension).map(str::to_owned)).collect()
}

#[track_caller]
fn none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_a_pair_of_files_and_a_line_in_rules() {
    let source = root().join("toolbelt-core/src/rules");
    let folders: BTreeSet<String> = names(&source).into_iter().filter(|name| source.join(name).is_dir()).collect();
    assert_eq!(folders, FOLDERS.iter().map(|(folder, _)| (*folder).to_owned()).collect());
    for (folder, rules) in FOLDERS {
        let place = source.join(folder);
        let registered: BTreeSet<String> = rules.iter().map(|rule| rule.id.replace('-', "_")).collect();
        assert_eq!(stems(&place, ".md"), registered, "explanations in {folder}, and its RULES");
        let holds_rule = |stem: &String| read(&place.join(format!("{stem}.rs"))).contains("pub static RULE: Rule");
        let written: BTreeSet<String> = stems(&place, ".rs").into_iter().filter(holds_rule).collect();
        assert_eq!(written, registered, "rules in {folder}, and its RULES");
        for rule in *rules {
            let explanation = read(&place.join(format!("{}.md", rule.id.replace('-', "_"))));
            assert_eq!(rule.explanation.replace('\r', ""), explanation, "{} explains itself by another file", rule.id);
        }
    }
    let listed: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    let known: Vec<&str> = FOLDERS.iter().flat_map(|(_, rules)| rules.iter().map(|rule| rule.id)).collect();
    assert_eq!(listed, known);
}

#[test]
fn ids_are_sorted_unique_and_kebab_case() {
    for (folder, rules) in FOLDERS {
        assert!(rules.is_sorted_by(|one, next| one.id < next.id), "{folder} is not sorted by id");
    }
    let ids: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id is there twice");
    none("not kebab-case", &ids.iter().filter(|id| !is_kebab_case(id)).map(|id| (*id).to_owned()).collect::<Vec<_>>());
}

fn is_kebab_case(word: &str) -> bool {
    word.split('-')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

#[test]
fn summaries_are_lower_case_phrases() {
    let is_phrase = |text: &str| !text.is_empty() && !text.ends_with('.') && !text.contains('\n');
    let starts_lower = |text: &str| {
        // A word of its own spelling, such as SPDX, keeps it.
        let word = text.split_whitespace().next().unwrap_or_default();
        !word.starts_with(char::is_uppercase) || word.chars().filter(|letter| letter.is_uppercase()).count() > 1
    };
    let about = rules::all().flat_map(|rule| rule.options.iter().map(|option| option.about));
    let texts = rules::all().map(|rule| rule.summary).chain(about);
    let wrong: Vec<String> = texts.filter(|text| !is_phrase(text) || !starts_lower(text)).map(str::to_owned).collect();
    none("not a lower-case phrase without a full stop", &wrong);
}

#[test]
fn explanations_have_their_sections_and_name_the_language_of_code() {
    let mut wrong = Vec::new();
    for rule in rules::all() {
        let mut sections = Vec::new();
        let mut in_code = false;
        for line in rule.explanation.lines() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                in_code = !in_code;
                if in_code && language.trim().is_empty() {
                    // Rustdoc would compile it as Rust.
                    wrong.push(format!("{}: a block of code has no language", rule.id));
                }
            } else if !in_code && let Some(title) = line.strip_prefix("# ") {
                sections.push(title);
            }
        }
        if in_code {
            wrong.push(format!("{}: a block of code does not end", rule.id));
        }
        if sections != SECTIONS {
            wrong.push(format!("{}: the sections are {sections:?}", rule.id));
        }
    }
    none("explanations", &wrong);
}

#[test]
fn threats_are_known_and_ascending() {
    for rule in rules::all() {
        assert!(!rule.threats.is_empty(), "{} answers no threat", rule.id);
        let numbers = rule.threats.iter().map(|threat| threat.strip_prefix("TBT-").unwrap().parse::<u32>().unwrap());
        let numbers: Vec<u32> = numbers.collect();
        assert!(numbers.iter().all(|number| THREATS.contains(number)), "{}: {numbers:?}", rule.id);
        assert!(numbers.is_sorted_by(|one, next| one < next), "{}: {numbers:?}", rule.id);
        assert!(rule.cwe.is_sorted_by(|one, next| one < next), "{}: {:?}", rule.id, rule.cwe);
    }
}

#[test]
fn options_are_kebab_case_and_take_their_own_defaults() {
    for rule in rules::all() {
        let mut names = BTreeSet::new();
        for option in rule.options {
            assert!(is_kebab_case(option.name), "{}: {}", rule.id, option.name);
            assert!(!["level", "weaker", "uses", "targets"].contains(&option.name), "{}: {}", rule.id, option.name);
            assert!(names.insert(option.name), "{}: {} twice", rule.id, option.name);
            let text = format!("version = 1\n[rules]\n{} = {{ {} = {} }}\n", rule.id, option.name, default(option));
            assert!(Policy::parse("toolbelt.toml", &text).is_ok(), "{text}");
        }
    }
}

/// As a policy writes it.
fn default(option: &RuleOption) -> String {
    match option.default {
        OptionDefault::Days(days) => format!("\"{days}d\""),
        OptionDefault::Count(count) => count.to_string(),
        OptionDefault::List(list) | OptionDefault::Packages(list) => format!("{list:?}"),
    }
}

#[test]
fn every_rule_has_a_case_that_fires_and_one_that_stays_quiet() {
    let cases = root().join("tests/rules");
    let mut wrong = Vec::new();
    for (folder, rules) in FOLDERS {
        let ids: BTreeSet<String> = rules.iter().map(|rule| rule.id.to_owned()).collect();
        let strange = names(&cases.join(folder)).into_iter().filter(|name| !ids.contains(name));
        wrong.extend(strange.map(|name| format!("{folder}/{name} is no rule")));
        for rule in *rules {
            let place = cases.join(folder).join(rule.id);
            let mut kinds = BTreeSet::new();
            for case in names(&place) {
                let expected = read(&place.join(&case).join("expected.txt"));
                let kind = kind(&expected, rule.id);
                if !case.starts_with(kind) {
                    wrong.push(format!("{folder}/{}/{case}: the name should begin with `{kind}`", rule.id));
                }
                kinds.insert(kind);
            }
            for kind in ["fires", "quiet"] {
                if !kinds.contains(kind) {
                    wrong.push(format!("{folder}/{}: no case `{kind}…`", rule.id));
                }
            }
        }
    }
    none("cases", &wrong);
}

/// What a rule does in a case: it fires, could not look at something, or stays quiet.
fn kind(expected: &str, rule: &str) -> &'static str {
    let says = |word: &str| expected.lines().any(|line| line.starts_with(&format!("{word} {rule} ")));
    if says("finding") || says("exempted") {
        "fires"
    } else if says("not-checked") {
        "not-checked"
    } else {
        "quiet"
    }
}

#[test]
fn pages_of_rules_are_current() {
    let folder = root().join("docs/rules");
    let mut pages = BTreeMap::new();
    for rule in rules::all() {
        let mut page = Vec::new();
        output::rules::write_page(rule, &mut page).unwrap();
        pages.insert(format!("{}.md", rule.id), String::from_utf8(page).unwrap());
    }
    let mut index = Vec::new();
    output::rules::write_index(&rules::all().collect::<Vec<_>>(), &mut index).unwrap();
    pages.insert("README.md".to_owned(), String::from_utf8(index).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for stale in names(&folder).iter().filter(|name| !pages.contains_key(*name)) {
            fs::remove_file(folder.join(stale)).unwrap();
        }
        for (name, page) in &pages {
            fs::write(folder.join(name), page).unwrap();
        }
    }
    assert_eq!(names(&folder), pages.keys().cloned().collect(), "UPDATE=1 writes the pages");
    let old: Vec<String> =
        pages.iter().filter(|(name, page)| read(&folder.join(name)) != **page).map(|(name, _)| name.clone()).collect();
    none("not what the rules say (UPDATE=1 writes them)", &old);
}

/// The library's files, by their path below `src`, without comments and tests.
fn library() -> Vec<(String, String)> {
    let source = root().join("toolbelt-core/src");
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for name in names(&source.join(&folder)) {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if source.join(&path).is_dir() {
                folders.push(path);
            } else if Path::new(&path).extension().is_some_and(|extension| extension == "rs") {
                let text = read(&source.join(&path));
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
                let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                found.push((path, lines.join("\n")));
            }
        }
    }
    found
}

/// The modules of the library that a text names: `crate::this`, and each of `crate::{these, and::those}`.
fn modules(code: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for (at, start) in code.match_indices("crate::") {
        let rest = &code[at + start.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(first_word(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = 0;
        for (at, sign) in group.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    found.extend(first_word(group[item..at].trim_start()));
                    item = at + 1;
                    if sign == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

fn first_word(text: &str) -> Option<&str> {
    let end = text.find(|sign: char| !sign.is_alphanumeric() && sign != '_').unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

#[test]
fn groups_of_modules_are_read_too() {
    let code = "use crate::{audit, source::{http, names}, ops::Step};\nfn f(_: &crate::policy::Policy) {}\n";
    assert_eq!(modules(code), BTreeSet::from(["audit", "ops", "policy", "source"]));
}

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for (path, code) in library() {
        let stage = path.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let Some((_, forbidden)) = ARROWS.iter().find(|(folder, _)| *folder == stage) else { continue };
        let named = modules(&code);
        wrong.extend(forbidden.iter().filter(|module| named.contains(**module)).map(|to| format!("{path} -> {to}")));
    }
    none("arrows that point back", &wrong);
}

#[test]
fn core_leaves_the_clock_the_environment_and_the_terminal_to_the_binaries() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for (path, code) in library() {
        for needle in NOT_IN_CORE.iter().filter(|needle| code.contains(**needle)) {
            match EXCEPTIONS.iter().find(|(file, what, _)| *file == path && what == needle) {
                Some(exception) => drop(used.insert(exception)),
                None => wrong.push(format!("{path}: {needle}")),
            }
        }
    }
    none("not for the library", &wrong);
    assert_eq!(used.len(), EXCEPTIONS.len(), "an exception is not needed any more");
    let manifest = read(&root().join("toolbelt-core/Cargo.toml"));
    assert!(!manifest.lines().any(|line| line.starts_with("clap")), "the library has no clap");
}

#[test]
fn the_top_of_the_repository_holds_what_the_architecture_says() {
    let top = names(&root()).into_iter().filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()));
    none("not at the top", &top.collect::<Vec<_>>());
}
