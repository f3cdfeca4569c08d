//! Our uploads, and what a registry can do to them: whatever it answers, the index has the last word.

use std::time::Duration;

use semver::Version;
use serde_json::json;
use toolbelt_core::source::http::{Error as HttpError, Http, Settings as HttpSettings};
use toolbelt_core::source::registry::api::{Api, Error};
use toolbelt_core::source::registry::order::{Member, MemberDependency, publish_order};
use toolbelt_core::source::registry::readback::{Comparison, Patience, Reader, State};
use toolbelt_core::source::registry::token::Token;
use toolbelt_core::source::registry::upload::{Answer, LIMIT, Upload};
use toolbelt_core::subject::package::DependencyKind;

use crate::machine::{Machine, digest, online, reader, token};
use crate::publish_registry::{Duplicate, Fault, PublishRegistry, Settings, package};

const IDENTICAL: Comparison = Comparison::Identical { yanked: false };

fn one() -> Version {
    Version::new(1, 0, 0)
}

/// Sends `one` 1.0.0 to a registry of these manners, after these faults.
struct Try {
    machine: Machine,
    http: Http,
    api: Api,
    upload: Upload,
}

impl Try {
    fn new(faults: &[Fault]) -> Self {
        Self::with(Settings::default(), faults)
    }

    fn with(settings: Settings, faults: &[Fault]) -> Self {
        let machine = Machine::with(settings, "[registry]\nglobal-credential-providers = ['cargo:token']\n");
        let upload = machine.upload("one", "1.0.0");
        let (http, api) = (online(), machine.api());
        machine.registry.requests();
        for fault in faults {
            machine.registry.fault(fault.clone());
        }
        Self { machine, http, api, upload }
    }

    fn send(&self) -> Answer {
        self.upload.send(&self.http, &self.api, &token(), LIMIT)
    }

    fn compare(&self) -> Comparison {
        reader(&self.http, &self.api).compare("one", &one(), self.upload.digest())
    }

    /// Waits with pauses that take no time, and returns them with the result.
    fn wait(&self, patience: Patience) -> (Comparison, Vec<Duration>) {
        let mut pauses = Vec::new();
        let reader = reader(&self.http, &self.api);
        let result = reader.wait("one", &one(), self.upload.digest(), patience, &mut |pause| pauses.push(pause));
        (result, pauses)
    }
}

fn accepted() -> Answer {
    Answer::Accepted { warnings: Vec::new() }
}

fn is_unknown(answer: &Answer) -> bool {
    matches!(answer, Answer::Unknown { .. })
}

#[test]
fn approved_bytes_arrive_and_are_read_back() {
    let attempt = Try::new(&[]);
    assert_eq!(attempt.compare(), Comparison::Absent);
    assert_eq!(attempt.send(), accepted());
    let token = token();
    let reader = Reader { token: Some(&token), ..reader(&attempt.http, &attempt.api) };
    assert_eq!(reader.compare("one", &one(), attempt.upload.digest()), IDENTICAL);
    let requests = attempt.machine.registry.requests();
    let upload = requests.iter().find(|request| request.method == "PUT").unwrap();
    assert!(upload.body == attempt.upload.body());
    assert_eq!(upload.headers["authorization"], "secret");
    // Only the API is told the token, and no copy on the way will do.
    for request in requests.iter().filter(|request| request.method == "GET") {
        assert!(!request.headers.contains_key("authorization") && !request.headers.contains_key("if-none-match"));
        assert_eq!(request.headers["cache-control"], "no-cache");
    }
}

#[test]
fn upload_that_was_cut_is_sent_again() {
    // Small enough to be written before the answer comes, and large enough not to be.
    for size in [0, 4 << 20] {
        let mut attempt = Try::new(&[Fault::CutUpload]);
        if size > 0 {
            let manifest = "[package]\nname = 'one'\nversion = '1.0.0'\n";
            let noise: String =
                (0_u32..size).map(|at| char::from(b' ' + (at.wrapping_mul(2_654_435_761) >> 26) as u8)).collect();
            let archive = package("one", "1.0.0", &[("Cargo.toml", manifest), ("noise", &noise)]);
            let registry = attempt.machine.target().registry;
            attempt.upload = Upload::new("one", "1.0.0", &archive, digest(&archive), &registry).unwrap();
        }
        assert!(is_unknown(&attempt.send()));
        assert_eq!(attempt.compare(), Comparison::Absent);
        assert_eq!(attempt.send(), accepted());
        assert_eq!(attempt.compare(), IDENTICAL);
    }
}

#[test]
fn lost_answer_is_resumed_by_digest() {
    let attempt = Try::new(&[Fault::AnswerLost]);
    assert!(is_unknown(&attempt.send()));
    assert_eq!(attempt.compare(), IDENTICAL);
}

#[test]
fn slow_registry_hits_the_limit_and_may_have_published_all_the_same() {
    let attempt = Try::new(&[Fault::Slow(Duration::from_secs(3))]);
    let answer = attempt.upload.send(&attempt.http, &attempt.api, &token(), Duration::from_millis(300));
    assert!(matches!(&answer, Answer::Unknown { reason } if reason.starts_with("no answer within")), "{answer:?}");
    assert_eq!(attempt.compare(), Comparison::Absent);
    Machine::until(|| attempt.compare() == IDENTICAL);
}

#[test]
fn index_is_waited_for_with_growing_pauses() {
    let attempt = Try::new(&[Fault::NotIndexed(3)]);
    assert_eq!(attempt.send(), accepted());
    let (result, pauses) = attempt.wait(Patience::default());
    assert_eq!(result, IDENTICAL);
    assert_eq!(pauses, [1000, 1500, 2250].map(Duration::from_millis));
}

#[test]
fn patience_ends() {
    let attempt = Try::new(&[Fault::NotIndexed(1_000_000)]);
    assert_eq!(attempt.send(), accepted());
    let (result, pauses) = attempt.wait(Patience::default());
    assert_eq!(result, Comparison::Absent);
    let (total, longest) = (pauses.iter().sum::<Duration>(), pauses.iter().max());
    assert!(total <= Patience::default().total && total > Duration::from_mins(4), "{total:?}");
    assert_eq!(longest, Some(&Patience::default().longest));
    // Another try meets a registry that has it, and an index that does not say so.
    assert!(matches!(attempt.send(), Answer::AlreadyThere { .. }));
}

#[test]
fn wrong_checksum_in_the_index_is_an_alarm() {
    let attempt = Try::new(&[Fault::WrongChecksum]);
    assert_eq!(attempt.send(), accepted());
    let checksum = digest(b"something else");
    let expected = Comparison::Different { checksum, downloaded: None };
    assert_eq!(attempt.wait(Patience::default()), (expected, Vec::new()));
}

#[test]
fn download_of_other_bytes_is_an_alarm() {
    let attempt = Try::new(&[Fault::OtherBytes(b"other".to_vec())]);
    assert_eq!(attempt.send(), accepted());
    let checksum = attempt.upload.digest();
    assert_eq!(attempt.compare(), Comparison::Different { checksum, downloaded: Some(digest(b"other")) });
}

#[test]
fn version_of_somebody_else_is_there_and_different() {
    for duplicate in [Duplicate::Ok, Duplicate::BadRequest] {
        let attempt = Try::with(Settings { duplicate, ..Settings::default() }, &[]);
        let metadata = json!({ "name": "one", "vers": "1.0.0", "deps": [], "features": {} });
        attempt.machine.registry.add(&metadata, b"of somebody else");
        assert!(matches!(attempt.send(), Answer::AlreadyThere { .. }));
        let checksum = digest(b"of somebody else");
        assert_eq!(attempt.compare(), Comparison::Different { checksum, downloaded: None });
    }
}

#[test]
fn wrong_token_is_denied_and_nothing_is_stored() {
    let attempt = Try::new(&[]);
    let wrong = Token::new("wrong").unwrap();
    let answer = attempt.upload.send(&attempt.http, &attempt.api, &wrong, LIMIT);
    assert_eq!(answer, Answer::Denied { status: 403, detail: "authentication failed".to_owned() });
    assert_eq!(attempt.compare(), Comparison::Absent);
}

#[test]
fn token_follows_no_redirect() {
    let other = PublishRegistry::start(Settings::default());
    let place = format!("http://{}/api/v1/crates/new", other.address());
    let attempt = Try::new(&[Fault::Redirect(place)]);
    assert!(matches!(attempt.send(), Answer::Refused { status: 307, .. }));
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn registry_that_cannot_be_spoken_to_in_private_gets_no_token() {
    for api in ["http://registry.example", "ftp://127.0.0.1", "registry.example"] {
        let settings = Settings { api: Some(api.to_owned()), ..Settings::default() };
        let machine = Machine::with(settings, "");
        let error = Api::open(&online(), &machine.target(), Some(&token())).unwrap_err();
        assert!(matches!(error, Error::Unreachable(HttpError::Insecure(_))), "{error:?}");
    }
    // Nor one whose index anybody on the way could change, though configuration names it.
    let machine = Machine::new();
    machine.write("home/config.toml", "[registries.loopback]\nindex = 'sparse+http://registry.example/'\n");
    let http = Http::new(&HttpSettings { plain_hosts: vec!["registry.example".to_owned()], ..HttpSettings::default() });
    let error = Api::open(&http.unwrap(), &machine.target(), None).unwrap_err();
    assert!(matches!(error, Error::Unreachable(HttpError::Insecure(_))), "{error:?}");
}

#[test]
fn downloads_from_another_host_are_asked_without_the_token() {
    let other = PublishRegistry::start(Settings::default());
    let dl = Some(format!("http://{}/dl", other.address()));
    let attempt = Try::with(Settings { auth_required: true, dl, ..Settings::default() }, &[]);
    assert_eq!(attempt.send(), accepted());
    let token = token();
    let reader = Reader { token: Some(&token), ..reader(&attempt.http, &attempt.api) };
    let result = reader.compare("one", &one(), attempt.upload.digest());
    assert!(matches!(result, Comparison::Unknown(_)), "the other host does not have it: {result:?}");
    let requests = other.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests.iter().all(|request| !request.headers.contains_key("authorization")));
    // The registry's own index was asked with it, and without it says nothing.
    let own = attempt.machine.registry.requests();
    assert!(own.iter().any(|request| request.path == "/index/3/o/one" && request.headers["authorization"] == "secret"));
    assert!(matches!(attempt.compare(), Comparison::Unknown(_)));
}

#[test]
fn answers_are_bounded_and_malformed_ones_mean_nothing() {
    let answer = |status, body: &[u8]| Fault::Answer { status, body: body.to_vec() };
    for fault in [Fault::Huge(8 << 20), answer(200, b"<html>"), answer(200, b"{\"warnings\":3}"), answer(503, b"")] {
        let attempt = Try::new(std::slice::from_ref(&fault));
        assert!(is_unknown(&attempt.send()), "{fault:?}");
    }
    let busy = answer(429, br#"{"errors":[{"detail":"try again later"}]}"#);
    let expected = Answer::Refused { status: 429, detail: "try again later".to_owned() };
    assert_eq!(Try::new(&[busy]).send(), expected);
}

#[test]
fn index_that_lies_is_not_believed() {
    let line = |name: &str, more: &str| {
        let checksum = digest(b"x");
        format!("{{\"name\":\"{name}\",\"vers\":\"1.0.0\",\"cksum\":\"{checksum}\"{more}}}\n")
    };
    let twice = [line("one", ""), line("one", ",\"yanked\":true")].concat();
    for lie in [String::new(), "<html>".to_owned(), line("two", ""), twice, "{\"name\":\"one\"".to_owned()] {
        let attempt = Try::new(&[Fault::Index(lie.clone().into_bytes())]);
        assert!(matches!(attempt.compare(), Comparison::Unknown(_)), "{lie}");
    }
    let endless = vec![b'\n'; 33 << 20];
    let attempt = Try::new(&[Fault::Index(endless)]);
    assert!(matches!(attempt.compare(), Comparison::Unknown(_)));
}

#[test]
fn nothing_is_sent_offline() {
    let attempt = Try::new(&[]);
    let answer = attempt.upload.send(&Http::offline(), &attempt.api, &token(), LIMIT);
    assert!(matches!(answer, Answer::NotSent { .. }));
    let http = Http::offline();
    assert!(matches!(reader(&http, &attempt.api).state("one", &one()), State::Unknown(_)));
    assert_eq!(attempt.machine.registry.requests().len(), 0);
}

#[test]
fn versions_are_listed_with_yanked_ones() {
    let attempt = Try::new(&[]);
    let registry = &attempt.machine.registry;
    for version in ["0.9.0", "1.0.0+first", "1.1.0"] {
        registry.add_empty("one", version);
    }
    attempt.machine.succeed("work/one", &["yank", "one@0.9.0", "--registry", "loopback"]);
    let reader = reader(&attempt.http, &attempt.api);
    let versions = reader.versions("one").unwrap();
    let seen: Vec<_> = versions.iter().map(|one| (one.version.to_string(), one.yanked)).collect();
    assert_eq!(seen, [("0.9.0", true), ("1.0.0+first", false), ("1.1.0", false)].map(|(v, y)| (v.to_owned(), y)));
    let checksum = digest(&registry.archive("one", "0.9.0").unwrap());
    assert_eq!(versions[0].checksum, checksum);
    // The number is taken, whatever the build metadata.
    assert!(
        matches!(reader.state("one", &one()), State::Published(published) if published.version.to_string() == "1.0.0+first")
    );
    assert_eq!(reader.versions("two"), Ok(Vec::new()));
    assert!(reader.versions("../one").is_err());
}

#[test]
fn interrupted_workspace_goes_on_where_it_stopped() {
    let machine = Machine::new();
    let depends =
        |name: &str| MemberDependency { name: name.to_owned(), kind: DependencyKind::Normal, has_version: true };
    let members = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec![])].map(|(name, dependencies)| Member {
        name: name.to_owned(),
        dependencies: dependencies.into_iter().map(depends).collect(),
    });
    let order = publish_order(&members).unwrap();
    let (http, api) = (online(), machine.api());
    let uploads: Vec<Upload> = order.iter().map(|member| machine.upload(&member.name, "1.0.0")).collect();
    let reader = reader(&http, &api);
    // The first run stops after the first package.
    assert_eq!(uploads[0].name(), "c");
    assert_eq!(uploads[0].send(&http, &api, &token(), LIMIT), accepted());
    machine.registry.requests();
    for upload in &uploads {
        match reader.compare(upload.name(), &one(), upload.digest()) {
            Comparison::Identical { .. } => {}
            Comparison::Absent => assert_eq!(upload.send(&http, &api, &token(), LIMIT), accepted()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(machine.registry.uploads().len(), 2);
    assert!(uploads.iter().all(|upload| reader.compare(upload.name(), &one(), upload.digest()) == IDENTICAL));
}
