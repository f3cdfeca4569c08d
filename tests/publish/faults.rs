//! A registry in trouble, and one that lies; runs that are interrupted go on where they were.

use std::time::Duration;

use crate::publish_registry::{Duplicate, Fault, Settings};
use crate::team::{AUTHOR, Member, PACKAGES, Run, TOKEN, Team, VERSION};

/// Long enough for something to be done while an upload is not answered.
const SLOW: Duration = Duration::from_secs(2);
/// The shortest wait for the index that asks twice.
const SHORT: [&str; 2] = ["--index-wait", "1"];

fn state(name: &str, state: &str) -> (String, String) {
    (name.to_owned(), state.to_owned())
}

/// Waits until so many uploads have come in.
fn until_uploads(team: &Team, wanted: usize) {
    let (mut seen, mut waits) = (0, 0);
    while seen < wanted {
        seen += team.registry.uploads().len();
        assert!(waits < 60_000, "{seen} uploads came in");
        waits += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sees that the registry has each package once, with the bytes that lie there.
#[track_caller]
fn each_is_there_once(team: &Team, manager: &Member) {
    for name in PACKAGES {
        assert_eq!(team.registry.entry(name).lines().count(), 1, "{name}");
        assert!(
            team.registry.archive(name, VERSION).unwrap() == std::fs::read(manager.archive(name)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn run_that_was_cut_off_in_the_second_upload_is_taken_up() {
    let team = Team::new();
    let manager = team.manager();
    team.registry.fault(Fault::Slow(SLOW));
    let child = manager.start_publishing(&["--no-verify", "--index-wait", "1"]);
    until_uploads(&team, 1);
    // The first upload is on its way, so this is for the second.
    team.registry.fault(Fault::CutUpload);
    let cut = Run::from(child.wait_with_output().unwrap()).exits(2);
    assert_eq!(cut.states(), [state("one", "published"), state("two", "failed"), state("three", "judged")]);
    assert_eq!(team.registry.archive("two", VERSION), None);
    let again = manager.publish(&["--no-verify"]).exits(0);
    assert_eq!(again.states(), [state("one", "already-there"), state("two", "published"), state("three", "published")]);
    assert!(again.messages("version-taken").concat().contains("with this very content"));
    each_is_there_once(&team, &manager);
}

#[test]
fn run_that_was_killed_in_the_second_upload_is_taken_up() {
    let team = Team::new();
    let manager = team.manager();
    team.registry.fault(Fault::Slow(Duration::ZERO));
    team.registry.fault(Fault::Slow(SLOW));
    let mut child = manager.start_publishing(&["--no-verify"]);
    until_uploads(&team, 2);
    child.kill().unwrap();
    Run::from(child.wait_with_output().unwrap()).exits(-1);
    let again = manager.publish(&["--no-verify"]).exits(0);
    assert_eq!(again.states()[0], state("one", "already-there"));
    each_is_there_once(&team, &manager);
}

#[test]
fn accepted_and_not_indexed_is_an_error_until_it_is_indexed() {
    for duplicate in [Duplicate::BadRequest, Duplicate::Ok] {
        let team = Team::new_at(Settings { duplicate, token: TOKEN.to_owned(), ..Settings::default() });
        let manager = team.manager();
        team.registry.fault(Fault::NotIndexed(3));
        let run = manager.publish_one(&SHORT).exits(2);
        assert_eq!(run.states(), [state("one", "failed")]);
        let release = &run.json()["releases"][0];
        assert_eq!(release["failure"], "the registry's index does not list it yet");
        assert_eq!(release["accepted"], true);
        // Still not listed when it is looked for, so it is sent once more, and refused as a duplicate.
        manager.publish_one(&[]).exits(0);
        assert_eq!(team.registry.entry("one").lines().count(), 1);
    }
}

#[test]
fn who_waits_in_vain_is_told_to_run_it_again() {
    let team = Team::new();
    team.registry.fault(Fault::NotIndexed(1000));
    let run = team.manager().publish_one(&[&SHORT[..], &["--format", "human"]].concat()).exits(2);
    assert!(run.output.contains("hint: run the same command again"), "{}", run.output);
    let told = "one 0.2.0: accepted, and not read back: the registry's index does not list it yet";
    assert!(run.output.contains(told) && !run.output.contains("not published"), "{}", run.output);
}

#[test]
fn what_the_registry_said_is_told_where_the_index_does_not_list_it() {
    for (status, body, told) in [
        (500, "{\"errors\":[{\"detail\":\"boom\"}]}", "what came of the upload is not known: "),
        (
            400,
            "{\"errors\":[{\"detail\":\"crate version `0.2.0` is already uploaded\"}]}",
            "the registry says that it has",
        ),
    ] {
        let team = Team::new();
        team.registry.fault(Fault::Answer { status, body: body.as_bytes().to_vec() });
        let run = team.manager().publish_one(&SHORT).exits(2);
        let release = &run.json()["releases"][0];
        let failure = release["failure"].as_str().unwrap();
        assert!(failure.starts_with(&format!("the registry's index does not list it: {told}")), "{failure}");
        assert!(failure.contains("boom") || failure.contains("already uploaded"), "{failure}");
        assert_eq!((&release["state"], &release["accepted"]), (&"failed".into(), &false.into()));
    }
}

#[test]
fn answer_that_was_lost_does_not_matter() {
    let team = Team::new();
    team.registry.fault(Fault::AnswerLost);
    let run = team.manager().publish_one(&[]).exits(0);
    assert_eq!(run.states(), [state("one", "published")]);
    assert_eq!(team.registry.uploads().len(), 1);
}

#[test]
fn slow_registry_is_waited_for() {
    let team = Team::new();
    team.registry.fault(Fault::Slow(SLOW));
    team.manager().publish_one(&[]).exits(0);
    assert_eq!(team.registry.uploads().len(), 1);
}

#[test]
fn what_cargo_says_of_code_that_does_not_compile_is_told_in_lines() {
    let team = Team::releasing(|author| author.append("one/src/lib.rs", "pub fn broken() -> u32 { \"\" }\n"));
    let run = team.manager().publish(&["--dry-run", "--package", "one"]).exits(2);
    assert!(run.errors.contains("\n  error[E0308]: mismatched types\n"), "{}", run.errors);
    assert!(!run.errors.contains("\\n"), "{}", run.errors);
}

#[test]
fn refusal_is_told_in_the_words_of_the_registry() {
    let team = Team::new();
    let body = br#"{"errors":[{"detail":"the crate is too \u001b[31mred"}]}"#.to_vec();
    team.registry.fault(Fault::Answer { status: 400, body });
    let run = team.manager().publish_one(&["--format", "human"]).exits(2);
    assert!(run.output.contains("the registry refuses it: the crate is too "), "{}", run.output);
    assert!(!run.output.contains('\u{1b}'));
}

/// Publishes, and sees that it ends with an alarm that speaks of this.
#[track_caller]
fn alarm(team: &Team, expected: &str) {
    let run = team.manager().publish_one(&["--format", "human"]).exits(1);
    assert!(run.output.contains(&format!("ALARM: {expected}")), "{}", run.output);
}

#[test]
fn wrong_checksum_in_the_index_is_an_alarm() {
    let team = Team::new();
    team.registry.fault(Fault::WrongChecksum);
    alarm(&team, "the registry's index lists another `.crate`");
}

#[test]
fn download_of_other_bytes_is_an_alarm() {
    let team = Team::new();
    team.registry.fault(Fault::OtherBytes(b"something else".to_vec()));
    alarm(&team, "the registry serves another `.crate`");
}

#[test]
fn alarm_stops_what_depends_on_it() {
    let team = Team::new();
    team.registry.fault(Fault::WrongChecksum);
    let run = team.manager().publish(&["--no-verify"]).exits(1);
    assert_eq!(run.states(), [state("one", "alarm"), state("two", "judged"), state("three", "judged")]);
    assert_eq!(team.registry.uploads().len(), 1);
}

#[test]
fn index_entry_that_cannot_be_read_is_not_an_empty_one() {
    let team = Team::new();
    team.registry.fault(Fault::Index(b"<html>".to_vec()));
    team.manager().publish_one(&[]).exits(3);
    assert_eq!(team.registry.uploads().len(), 0);
}

#[test]
fn next_release_follows_the_last() {
    let team = Team::new();
    team.manager().publish_one(&[]).exits(0);
    let author = team.member(AUTHOR);
    author.write_packages("0.3.0");
    author.commit("0.3.0");
    author.git(&["push", "--quiet", "origin", "main"]);
    team.tag("0.3.0");
    team.manager().publish_one(&[]).exits(0);
    assert_eq!(team.registry.entry("one").lines().count(), 2);
}
