//! What real programs pack is opened: tar, gzip, zip, bzip2 and xz, and the modules of Python.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it could not look at"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use toolbelt_core::source::content::{Limits, Opened, Opener, Why};

/// Files of several kinds; among them a long path, a path that is not ASCII, and content that does not shrink.
fn files() -> BTreeMap<String, Vec<u8>> {
    let noise = (0..20_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    BTreeMap::from([
        ("a.txt".to_owned(), b"one line\n".to_vec()),
        (format!("{}/deep.txt", ["a-folder-with-a-long-name"; 8].join("/")), b"far down\n".to_vec()),
        ("größe.txt".to_owned(), "ünï\n".repeat(5000).into_bytes()),
        ("noise.bin".to_owned(), noise),
    ])
}

fn lay_out() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files() {
        let path = folder.path().join("in").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// Runs a program in a folder; none, and a word about it, if it is not there.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    let Ok(output) = command.output() else {
        println!("skipped: `{program}` is not installed");
        return None;
    };
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// The layers and the bytes of a part.
type Shown = (Vec<String>, Vec<u8>);

fn open(bytes: &[u8]) -> (Vec<Shown>, Opened) {
    let mut parts = Vec::new();
    let opened =
        Opener::new(Limits::default()).open(bytes, &mut |part| parts.push((part.layers.to_vec(), part.bytes.to_vec())));
    (parts, opened)
}

/// Every file is handed out, under its own name, and nothing is cut.
#[track_caller]
fn holds_all(bytes: &[u8], outer: &[&str], kind: &str) {
    let (parts, opened) = open(bytes);
    assert_eq!(opened.cut, BTreeMap::new());
    for (path, content) in files() {
        let found = parts.iter().any(|(layers, bytes)| {
            let name = layers.get(outer.len()).and_then(|layer| layer.strip_prefix(kind)?.strip_prefix(": "));
            let is_named = name.is_some_and(|name| name.strip_prefix("./").unwrap_or(name) == path);
            layers[..outer.len()] == *outer && is_named && *bytes == content
        });
        let names: BTreeSet<_> = parts.iter().map(|(layers, _)| layers).collect();
        assert!(found, "{path} in {names:?}");
    }
}

#[test]
fn every_format_of_tar_is_read() {
    let folder = lay_out();
    for format in ["gnu", "oldgnu", "pax", "posix", "ustar", "v7"] {
        let mut arguments = vec!["--create", "--directory=in", "--file=-"];
        let format = format!("--format={format}");
        arguments.push(&format);
        if format.ends_with("v7") {
            // It has no room for long paths.
            arguments.push("--exclude=a-folder*");
        }
        arguments.push(".");
        let Some(archive) = run(folder.path(), "tar", &arguments) else { return };
        if format.ends_with("v7") {
            assert!(open(&archive).0.iter().any(|(layers, _)| layers == &["tar: ./a.txt"]));
            continue;
        }
        holds_all(&archive, &[], "tar");
        fs::write(folder.path().join("it.tar"), &archive).unwrap();
        let Some(packed) = run(folder.path(), "gzip", &["--stdout", "it.tar"]) else { return };
        holds_all(&packed, &["gzip"], "tar");
    }
}

#[cfg(unix)]
#[test]
fn sparse_files_in_tar_are_read() {
    use std::os::unix::fs::FileExt as _;

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let file = fs::File::create(folder.path().join("in/sparse")).unwrap();
    file.set_len(1 << 20).unwrap();
    for at in 0..40u64 {
        file.write_all_at(b"an island\n", at * 20_480).unwrap();
    }
    drop(file);
    fs::write(folder.path().join("in/zz-after"), "after\n").unwrap();
    for format in [&["--format=gnu"][..], &["--format=pax", "--sparse-version=1.0"]] {
        let arguments = [&["--create", "--sparse", "--file=-"], format, &["in/sparse", "in/zz-after"]].concat();
        let Some(archive) = run(folder.path(), "tar", &arguments) else { return };
        let (parts, opened) = open(&archive);
        assert_eq!(opened.cut, BTreeMap::new());
        let islands: usize =
            parts.iter().map(|(_, bytes)| bytes.windows(10).filter(|window| window == b"an island\n").count()).sum();
        assert_eq!(islands, 40);
        assert!(parts.iter().any(|(layers, bytes)| layers == &["tar: in/zz-after"] && bytes == b"after\n"));
    }
}

#[test]
fn what_zip_packs_is_read() {
    let folder = lay_out();
    let inside = folder.path().join("in");
    for level in ["-0", "-6", "-9"] {
        let Some(archive) = run(&inside, "zip", &["-q", "-r", level, "-", "."]) else { return };
        holds_all(&archive, &[], "zip");
    }
    let Some(archive) = run(&inside, "zip", &["-q", "-r", "-P", "secret", "-", "."]) else { return };
    let (_, opened) = open(&archive);
    assert!(!opened.cut.is_empty() && opened.cut.keys().all(|cut| cut.why == Why::Encrypted), "{:?}", opened.cut);
}

#[test]
fn what_python_packs_is_read() {
    const SCRIPT: &str = "
import gzip, io, os, sys, tarfile, zipfile, zlib
kind = sys.argv[1]
paths = sorted(os.path.relpath(os.path.join(folder, name), 'in') for folder, _, names in os.walk('in') for name in names)
out = io.BytesIO()
if kind in ('stored', 'deflated', 'zip64', 'stream'):
    class Stream(io.RawIOBase):
        def writable(self): return True
        def write(self, data): return out.write(data)
    method = zipfile.ZIP_STORED if kind == 'stored' else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(Stream() if kind == 'stream' else out, 'w', method) as archive:
        for path in paths:
            with archive.open(zipfile.ZipInfo(path) if kind == 'stored' else path, 'w', force_zip64=kind == 'zip64') as entry:
                entry.write(open('in/' + path, 'rb').read())
else:
    with tarfile.open(fileobj=out, mode='w:gz') as archive:
        for path in paths: archive.add('in/' + path, path)
sys.stdout.buffer.write(out.getvalue())
";
    let folder = lay_out();
    for kind in ["stored", "deflated", "zip64", "stream"] {
        let Some(archive) = run(folder.path(), "python3", &["-c", SCRIPT, kind]) else { return };
        holds_all(&archive, &[], "zip");
    }
    let Some(archive) = run(folder.path(), "python3", &["-c", SCRIPT, "tgz"]) else { return };
    holds_all(&archive, &["gzip"], "tar");
}

#[test]
fn what_is_not_opened_is_counted() {
    let folder = lay_out();
    for (program, what) in [("bzip2", "bzip2 files"), ("xz", "xz files"), ("zstd", "zstd files")] {
        let Some(packed) = run(folder.path(), program, &["--stdout", "in/a.txt"]) else { continue };
        let (parts, opened) = open(&packed);
        assert!(parts.is_empty());
        let cut: Vec<_> = opened.cut.keys().map(|cut| (cut.what, cut.why)).collect();
        assert_eq!(cut, [(what, Why::Format)]);
    }
}
