//! Releases of real repositories, packaged by the real cargo: what is the same as the commit, and what is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/project.rs"]
mod project;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use project::{MANIFEST, Project, known, revision};
use toolbelt_core::finding::Fact;
use toolbelt_core::source::release::collect::Collected;
use toolbelt_core::source::release::rebuild::rebuild;
use toolbelt_core::source::release::repackage::repackage;
use toolbelt_core::subject::package::DependencyKind;
use toolbelt_core::subject::release::{Comparison, DependencyPlace, Difference};

#[track_caller]
fn is_same(project: &Project) {
    let release = project.release();
    assert_eq!(differences(&release), [""; 0]);
    let archive = known(&release.archive);
    assert_eq!(comparison(&release).same, archive.files.len());
    assert_eq!(*known(&revision(&release).uncommitted), [""; 0]);
}

/// How a release compares with its commit.
fn comparison(collected: &Collected) -> &Comparison {
    known(&known(&collected.archive).comparison)
}

/// The differences, a line each.
fn differences(collected: &Collected) -> Vec<String> {
    let comparison = comparison(collected);
    let words = |difference: &Difference| match difference {
        Difference::NotInCommit => "not in the commit".to_owned(),
        Difference::OtherContent { path } => format!("other than {path}"),
        Difference::OtherThanRebuilt => "other than rebuilt".to_owned(),
        Difference::Missing => "missing".to_owned(),
        Difference::Irregular { what } => what.clone(),
    };
    let differences = comparison.differences.iter().map(|(path, difference)| format!("{path}: {}", words(difference)));
    let open = comparison.not_compared.iter().map(|(path, why)| format!("{path}: not compared, {why}"));
    differences.chain(open).collect()
}

#[cfg(unix)]
fn link(project: &Project, path: &str, target: &str) {
    std::os::unix::fs::symlink(target, project.root.join(path)).unwrap();
}

/// Contents by their paths in a `.crate`.
type Files = BTreeMap<String, Vec<u8>>;

/// The files of a `.crate`.
fn unpack(bytes: &[u8]) -> Files {
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), content)
    });
    entries.collect()
}

fn pack<'a>(files: impl IntoIterator<Item = (&'a String, &'a Vec<u8>)>) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn what_is_committed_is_what_is_packaged() {
    let project = Project::new();
    is_same(&project);
    let release = project.release();
    // What git itself says of each blob.
    for (path, content) in unpack(&project.package("one")) {
        let path = path.strip_prefix("one-1.0.0/").unwrap();
        if !["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"].contains(&path) {
            assert_eq!(project.git_bytes(&["show", &format!("HEAD:{path}")]), content, "{path}");
        }
    }
    let revision = revision(&release);
    assert_eq!(revision.commit, project.git(&["rev-parse", "HEAD"]));
    assert_eq!(revision.tree, project.git(&["rev-parse", "HEAD^{tree}"]));
    assert_eq!((revision.author.as_str(), known(&revision.signed_by)), ("ann@example.com", &None));
    let paths: Vec<&str> = comparison(&release).paths.iter().map(String::as_str).collect();
    assert_eq!(paths, [".gitignore", "Cargo.lock", "Cargo.toml", "src/lib.rs", "src/other.rs"]);
}

#[test]
fn packaging_twice_gives_the_same_bytes_as_the_work_tree() {
    let project = Project::new();
    let repackaged = project.rebuild("one", |request| repackage(request, &rebuild(request)));
    let repackaged = known(&repackaged);
    assert_eq!(repackaged.digests[0], repackaged.digests[1]);
    assert_eq!(repackaged.different, [""; 0]);
    assert_eq!(known(&project.rebuilt("one")).bytes, project.package("one"));
}

#[test]
fn changes_that_are_not_committed_are_found() {
    let project = Project::new();
    project.write("src/lib.rs", "//! Changed.\n");
    project.write("src/new.rs", "// New.\n");
    fs::remove_file(project.root.join("src/other.rs")).unwrap();
    let release = project.release();
    assert_eq!(
        differences(&release),
        [
            ".cargo_vcs_info.json: other than rebuilt",
            "src/lib.rs: other than src/lib.rs",
            "src/new.rs: not in the commit",
            "src/other.rs: missing",
        ]
    );
    assert_eq!(*known(&revision(&release).uncommitted), ["src/lib.rs", "src/new.rs", "src/other.rs"]);
}

#[test]
fn what_git_is_told_not_to_look_at_is_compared_all_the_same() {
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        let project = Project::new();
        project.git(&["update-index", flag, "src/lib.rs"]);
        project.write("src/lib.rs", "//! Hidden.\n");
        assert_eq!(project.git(&["status", "--porcelain"]), "", "git does not see it");
        assert_eq!(differences(&project.release()), ["src/lib.rs: other than src/lib.rs"], "{flag}");
    }
}

#[test]
fn an_ignored_file_that_is_included_is_not_in_the_commit() {
    let project = Project::new();
    project.write("Cargo.toml", format!("{MANIFEST}include = [\"src/**\", \"*.env\"]\n"));
    project.write(".gitignore", "/target\n*.env\n");
    project.commit("include");
    project.write("local.env", "TOKEN=x\n");
    let release = project.release();
    // Cargo sees it too, and says that not everything is committed.
    assert_eq!(differences(&release), [".cargo_vcs_info.json: other than rebuilt", "local.env: not in the commit"]);
    assert_eq!(*known(&revision(&release).uncommitted), ["local.env"]);
}

#[test]
fn a_crate_that_was_changed_by_hand_is_found_out() {
    let project = Project::new();
    let bytes = project.package("one");
    let changed = |change: &dyn Fn(&mut Files)| {
        let mut files = unpack(&bytes);
        change(&mut files);
        differences(&project.collect("one", &pack(&files)))
    };
    assert_eq!(changed(&|_| {}), [""; 0]);
    let path = |file: &str| format!("one-1.0.0/{file}");
    let added = changed(&|files| drop(files.insert(path("build.rs"), b"fn main() {}".to_vec())));
    assert_eq!(added, ["build.rs: not in the commit"]);
    let removed = changed(&|files| drop(files.remove(&path("src/other.rs"))));
    assert_eq!(removed, ["src/other.rs: missing"]);
    for (file, how) in [
        ("Cargo.toml", "other than rebuilt"),
        ("Cargo.lock", "other than rebuilt"),
        (".cargo_vcs_info.json", "other than rebuilt"),
        ("Cargo.toml.orig", "other than Cargo.toml"),
        ("src/lib.rs", "other than src/lib.rs"),
    ] {
        let found = changed(&|files| files.get_mut(&path(file)).unwrap().push(b'\n'));
        assert_eq!(found, [format!("{file}: {how}")]);
        let gone = changed(&|files| drop(files.remove(&path(file))));
        assert!(gone.contains(&format!("{file}: missing")), "{gone:?}");
    }
}

#[test]
fn line_ends_and_keywords_of_a_checkout_are_no_difference() {
    let project = Project::new();
    project.write(".gitattributes", "*.rs text eol=crlf\n*.md ident\n");
    project.write("README.md", "$Id$\n");
    project.commit("attributes");
    for file in ["src/lib.rs", "src/other.rs", "README.md"] {
        fs::remove_file(project.root.join(file)).unwrap();
        project.git(&["checkout", "--quiet", "--", file]);
    }
    assert!(fs::read_to_string(project.root.join("src/lib.rs")).unwrap().contains("\r\n"));
    assert!(fs::read_to_string(project.root.join("README.md")).unwrap().contains("$Id: "));
    is_same(&project);
    project.write("src/lib.rs", "//! Other.\r\n");
    assert!(differences(&project.release()).contains(&"src/lib.rs: other than src/lib.rs".to_owned()));
}

#[test]
fn what_only_this_machine_makes_of_a_file_is_a_difference() {
    let project = Project::new();
    let mut files = unpack(&project.package("one"));
    files.insert("one-1.0.0/src/lib.rs".to_owned(), b"//! EVIL.\n".to_vec());
    let crate_file = pack(&files);
    project.write(".git/info/attributes", "src/lib.rs filter=evil\n");
    project.git(&["config", "filter.evil.smudge", "printf '//! EVIL.\\n'"]);
    project.git(&["config", "filter.evil.clean", "git cat-file blob HEAD:src/lib.rs"]);
    assert_eq!(differences(&project.collect("one", &crate_file)), ["src/lib.rs: other than src/lib.rs"]);
    // A filter that the commit asks for is not run either.
    project.write(".gitattributes", "src/lib.rs filter=evil\n");
    project.git(&["add", ".gitattributes"]);
    project.git(&["commit", "--quiet", "--message", "attributes"]);
    let found = differences(&project.collect("one", &crate_file));
    let why = "the filter `evil` of its attributes may have changed it, and is not run";
    assert!(found.contains(&format!("src/lib.rs: not compared, {why}")), "{found:?}");
}

#[test]
fn a_blob_that_was_replaced_in_the_repository_stands_for_nothing() {
    let project = Project::new();
    let mut files = unpack(&project.package("one"));
    files.insert("one-1.0.0/src/lib.rs".to_owned(), b"//! EVIL.\n".to_vec());
    project.write("evil", "//! EVIL.\n");
    let evil = project.git(&["hash-object", "-w", "evil"]);
    let good = project.git(&["rev-parse", "HEAD:src/lib.rs"]);
    let object = |id: &str| project.root.join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(object(&good)).unwrap();
    fs::copy(object(&evil), object(&good)).unwrap();
    let found = differences(&project.collect("one", &pack(&files)));
    assert!(found.contains(&"src/lib.rs: not compared, its blob in the repository is damaged".to_owned()), "{found:?}");
}

#[test]
fn a_file_of_the_commit_that_a_clone_packages_otherwise_is_a_difference() {
    let project = Project::new();
    project.write(".gitattributes", "*.txt eol=crlf\n");
    project.write("src/lines.txt", "one\n");
    project.write("Cargo.toml", format!("{MANIFEST}exclude = [\"src/left-out.rs\"]\n"));
    project.write("src/left-out.rs", "// Left out.\n");
    project.commit("lines");
    // The blob itself, where a clone has other line ends.
    assert_eq!(differences(&project.release()), ["src/lines.txt: other than rebuilt"]);
    fs::remove_file(project.root.join("src/lines.txt")).unwrap();
    project.git(&["checkout", "--quiet", "--", "src/lines.txt"]);
    is_same(&project);
    let mut files = unpack(&project.package("one"));
    files.insert("one-1.0.0/src/left-out.rs".to_owned(), b"// Left out.\n".to_vec());
    assert_eq!(differences(&project.collect("one", &pack(&files))), ["src/left-out.rs: other than rebuilt"]);
}

#[test]
fn a_pointer_of_git_lfs_stands_for_the_content_that_it_names() {
    let project = Project::new();
    // As `printf 'large\n' | sha256sum` says.
    let digest = "9bfce334a37bd1bc1d36b0370195b31fe9a9389dd43d0873891a3544ef1140a1";
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 6\n");
    project.write("src/data.bin", pointer);
    project.commit("pointer");
    project.write("src/data.bin", "large\n");
    // Without the attribute it is a text that anybody would be given as it is.
    let found = differences(&project.release());
    assert!(found.contains(&"src/data.bin: other than src/data.bin".to_owned()), "{found:?}");
    project.write(".gitattributes", "*.bin filter=lfs\n");
    project.git(&["add", ".gitattributes"]);
    project.git(&["commit", "--quiet", "--message", "attribute"]);
    let found = differences(&project.release());
    assert!(!found.iter().any(|line| line.starts_with("src/data.bin")), "{found:?}");
    project.write("src/data.bin", "larger\n");
    let found = differences(&project.release());
    assert!(found.contains(&"src/data.bin: other than src/data.bin".to_owned()), "{found:?}");
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_packaged_as_what_they_lead_to() {
    let project = Project::new();
    project.write("shared/a.txt", "a\n");
    project.write("shared/b/c.txt", "c\n");
    link(&project, "src/a.txt", "../shared/a.txt");
    link(&project, "linked", "shared/b");
    project.commit("links");
    let release = project.release();
    assert!(known(&release.archive).files.contains_key("src/a.txt"));
    is_same(&project);
    project.write("shared/a.txt", "changed\n");
    let release = project.release();
    assert!(differences(&release).contains(&"src/a.txt: other than shared/a.txt".to_owned()));
    assert_eq!(*known(&revision(&release).uncommitted), ["shared/a.txt"]);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_repository_brings_what_no_commit_has() {
    let project = Project::new();
    fs::write(project.root.parent().unwrap().join("outside.txt"), "outside\n").unwrap();
    link(&project, "src/out.txt", "../../outside.txt");
    project.commit("link");
    let found = differences(&project.release());
    assert!(found.contains(&"src/out.txt: not in the commit".to_owned()), "{found:?}");
}

/// A workspace of `one`, which depends on `two`, with what they share at the top.
fn workspace() -> Project {
    let project = Project::empty();
    project.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n[workspace.package]\nversion = \"1.0.0\"\n\
         edition = \"2024\"\nlicense-file = \"LICENSE\"\nreadme = \"docs/README.md\"\ndescription = \"Shared\"\n\
         [workspace.dependencies]\nrenamed = { package = \"two\", path = \"crates/two\", version = \"1\" }\n",
    );
    project.write("LICENSE", "Do.\n");
    project.write("docs/README.md", "# Shared\n");
    let inherited = ["version", "edition", "license-file", "readme", "description"];
    let inherited: Vec<String> = inherited.iter().map(|key| format!("{key}.workspace = true\n")).collect();
    for name in ["one", "two"] {
        let package = format!("[package]\nname = \"{name}\"\n{}", inherited.concat());
        let depends = if name == "one" { "[dependencies]\nrenamed.workspace = true\n" } else { "" };
        project.write(&format!("crates/{name}/Cargo.toml"), format!("{package}{depends}"));
        project.write(&format!("crates/{name}/src/lib.rs"), "");
    }
    project.write("crates/hidden/Cargo.toml", format!("{}publish = false\n", MANIFEST.replace("one", "hidden")));
    project.write("crates/hidden/src/main.rs", "fn main() {}\n");
    project.cargo(&["generate-lockfile", "--offline"]);
    project.commit("workspace");
    project
}

#[test]
fn members_are_packaged_together_with_what_the_workspace_says() {
    let project = workspace();
    let members = project.workspace();
    let named: Vec<&str> = members.publishable().map(|member| member.name.as_str()).collect();
    assert_eq!(named, ["one", "two"]);
    is_same(&project);
    let release = project.release();
    assert_eq!(release.folder, "crates/one");
    let described = known(&release.described);
    assert_eq!(described.metadata.description.as_deref(), Some("Shared"));
    assert_eq!(described.metadata.license_file.as_deref(), Some("LICENSE"));
    assert_eq!(described.metadata.readme.as_ref().unwrap().text.as_deref(), Some("# Shared\n"));
    let [dependency] = described.dependencies.as_slice() else { panic!("{:?}", described.dependencies) };
    assert_eq!((dependency.name.as_str(), dependency.requirement.as_deref()), ("two", Some("1")));
    assert_eq!((dependency.kind, dependency.place), (DependencyKind::Normal, DependencyPlace::Path));
    let location = dependency.location.as_ref().unwrap();
    assert_eq!((location.path.as_str(), location.region.as_ref().unwrap().line), ("crates/one/Cargo.toml", 9));
    let files = &known(&release.archive).files;
    assert!(files.contains_key("LICENSE") && files.contains_key("README.md"));
}

#[test]
fn what_is_taken_from_outside_of_the_folder_is_compared_where_it_is() {
    let project = workspace();
    project.write("docs/README.md", "# Changed\n");
    let release = project.release();
    assert!(differences(&release).contains(&"README.md: other than docs/README.md".to_owned()));
    assert_eq!(*known(&revision(&release).uncommitted), ["docs/README.md"]);
}

#[test]
fn other_members_and_nested_packages_do_not_make_a_package_dirty() {
    let project = Project::new();
    project.write("nested/Cargo.toml", MANIFEST.replace("one", "nested"));
    project.write("nested/src/lib.rs", "");
    project.write("docs/notes.txt", "x");
    project.write("Cargo.toml", format!("{MANIFEST}exclude = [\"docs\"]\n[workspace]\nexclude = [\"nested\"]\n"));
    project.commit("nested");
    project.write("nested/src/lib.rs", "// Changed.\n");
    project.write("docs/notes.txt", "changed");
    fs::remove_file(project.root.join("nested/Cargo.toml")).unwrap();
    project.write("nested/Cargo.toml", MANIFEST.replace("one", "nested"));
    is_same(&project);
}

#[test]
fn a_lock_file_that_is_not_committed_is_rebuilt_from_the_one_at_hand() {
    let project = Project::new();
    project.git(&["rm", "--quiet", "--cached", "Cargo.lock"]);
    project.write(".gitignore", "/target\n/Cargo.lock\n");
    project.commit("without a lock file");
    is_same(&project);
}

#[test]
fn a_lock_file_that_is_not_current_makes_every_package_of_the_commit_dirty() {
    let project = Project::new();
    project.write("Cargo.lock", "version = 4\n");
    project.commit("stale");
    let release = project.release();
    let why = "packaging the commit alone changes a file of it, such as a lock file that is not current";
    assert_eq!(differences(&release), [format!(".cargo_vcs_info.json: not compared, {why}")]);
    assert_eq!(*known(&revision(&release).uncommitted), ["Cargo.lock"]);
}

#[test]
fn a_commit_that_cannot_be_packaged_alone_is_compared_as_far_as_it_goes() {
    let project = Project::new();
    project.write("../beside/Cargo.toml", MANIFEST.replace("one", "beside"));
    project.write("../beside/src/lib.rs", "");
    project.write("Cargo.toml", format!("{MANIFEST}[dev-dependencies]\nbeside = {{ path = \"../beside\" }}\n"));
    project.cargo(&["generate-lockfile", "--offline"]);
    project.commit("beside");
    let release = project.release();
    let Fact::Unknown(unknown) = project.rebuilt("one") else { panic!("the clone has nothing beside it") };
    assert!(unknown.reason.starts_with("`cargo package` failed: failed to "), "{}", unknown.reason);
    assert!(!unknown.reason.contains('\n'));
    let comparison = comparison(&release);
    assert_eq!((comparison.same, comparison.differences.len(), comparison.not_compared.len()), (4, 0, 3));
    let [dependency] = known(&release.described).dependencies.as_slice() else { panic!("there is one") };
    assert_eq!((dependency.kind, dependency.place), (DependencyKind::Dev, DependencyPlace::Path));
    assert_eq!(dependency.requirement, None);
}

#[test]
fn what_an_object_that_is_gone_would_say_is_left_open() {
    let project = Project::new();
    let id = project.git(&["rev-parse", "HEAD:src/lib.rs"]);
    fs::remove_file(project.root.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    let release = project.release();
    let comparison = comparison(&release);
    assert_eq!(comparison.differences.len(), 0);
    let open: Vec<&str> = comparison.not_compared.keys().map(String::as_str).collect();
    assert_eq!(open, [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml"], "the id of the rest is known");
    project.write("src/lib.rs", "//! Changed.\n");
    let release = project.release();
    assert!(known(&known(&release.archive).comparison).not_compared.contains_key("src/lib.rs"));
}

#[test]
fn submodules_are_compared_with_their_own_commit() {
    let inner = Project::empty();
    inner.write("data.txt", "inner\n");
    inner.commit("inner");
    let project = Project::new();
    project.git(&["submodule", "--quiet", "add", inner.root.to_str().unwrap(), "inner"]);
    project.commit("submodule");
    let release = project.release();
    assert!(known(&release.archive).files.contains_key("inner/data.txt"));
    assert_eq!(differences(&release), [""; 0]);
    project.write("inner/data.txt", "changed\n");
    let release = project.release();
    assert!(differences(&release).contains(&"inner/data.txt: other than inner/data.txt".to_owned()));
    assert_eq!(*known(&revision(&release).uncommitted), ["inner"]);
    let bytes = project.package("one");
    fs::remove_dir_all(project.root.join("inner")).unwrap();
    fs::remove_dir_all(project.root.join(".git/modules")).unwrap();
    let found = differences(&project.collect("one", &bytes));
    assert!(found.iter().any(|line| line.starts_with("inner/data.txt: not compared")), "{found:?}");
}

#[test]
fn clones_and_work_trees_of_every_kind_are_read() {
    let project = Project::new();
    let url = format!("file://{}", project.root.display());
    project.git(&["clone", "--quiet", "--depth=1", &url, "../shallow"]);
    project.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
    project.git(&["clone", "--quiet", "--bare", ".", "../bare.git"]);
    let bare = project.beside("bare.git");
    bare.git(&["worktree", "add", "--quiet", "../of-bare", "main"]);
    for name in ["shallow", "linked", "of-bare"] {
        let other = project.beside(name);
        is_same(&other);
        assert_eq!(revision(&other.release()).commit, project.git(&["rev-parse", "HEAD"]), "{name}");
    }
}

#[test]
fn without_a_commit_nothing_is_compared() {
    let reason = |project: &Project| match project.release().revision {
        Fact::Known(revision) => revision.commit,
        Fact::Unknown(unknown) => unknown.reason,
    };
    let unborn = Project::empty();
    unborn.write("Cargo.toml", MANIFEST);
    unborn.write("src/lib.rs", "");
    assert_eq!(reason(&unborn), "the branch has no commit yet");
    assert!(known(&unborn.release().archive).comparison.known().is_none());
    fs::remove_dir_all(unborn.root.join(".git")).unwrap();
    assert_eq!(reason(&unborn), "the package is not in the work tree of a git repository");
    let bytes = unborn.package("one");
    let second = ("one-1.0.0/src/lib.rs".to_owned(), b"x".to_vec());
    let files = unpack(&bytes);
    let twice = pack(files.iter().chain([(&second.0, &second.1)]));
    let found = differences(&unborn.collect("one", &twice));
    assert!(found.contains(&"src/lib.rs: a second file of this path".to_owned()), "{found:?}");
}

#[test]
fn cargo_names_no_commit_in_a_repository_whose_hashes_it_does_not_know() {
    let project = Project::with_format("sha256");
    project.write("Cargo.toml", MANIFEST);
    project.write("src/lib.rs", "");
    project.cargo(&["generate-lockfile", "--offline"]);
    project.commit("one");
    is_same(&project);
    let release = project.release();
    assert!(!known(&release.archive).files.contains_key(".cargo_vcs_info.json"));
    assert_eq!(revision(&release).commit.len(), 64);
    project.write("src/lib.rs", "//! Changed.\n");
    assert_eq!(differences(&project.release()), ["src/lib.rs: other than src/lib.rs"]);
}

#[test]
fn hostile_crates_are_errors_or_differences() {
    let project = Project::new();
    for bytes in [b"".as_slice(), b"not gzip", &project.package("one")[..100]] {
        let release = project.collect("one", bytes);
        assert!(release.archive.known().is_none() && release.described.known().is_none());
        assert!(release.revision.known().is_some(), "the commit is known all the same");
    }
    let files = unpack(&project.package("one"));
    let elsewhere = ("two-1.0.0/src/lib.rs".to_owned(), b"x".to_vec());
    let found = differences(&project.collect("one", &pack(files.iter().chain([(&elsewhere.0, &elsewhere.1)]))));
    assert_eq!(found, ["two-1.0.0/src/lib.rs: a path that is not one of a file in the package's folder"]);
    let mut more = project.package("one");
    let mut member = GzEncoder::new(Vec::new(), Compression::fast());
    member.write_all(b"more").unwrap();
    more.extend(member.finish().unwrap());
    assert_eq!(differences(&project.collect("one", &more)), [".: something after the end of the archive"]);
}
