//! What real programs write is told for what it is: keys of openssl, ssh-keygen, gpg and keytool, made when the test runs.

#![expect(clippy::print_stdout, reason = "a test says what it could not look at")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use toolbelt_core::rules::blob::secrets::engine::Engine;
use toolbelt_core::rules::blob::secrets::{Match, key_file};
use toolbelt_core::subject::pattern::SecretKind;
use toolbelt_core::subject::sighting::Proof;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::built_in);

/// Runs a program in a folder; false, and a word about it, if it is not there or cannot do that.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("GNUPGHOME", folder.join("gnupg"));
    match command.output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            println!("skipped: {program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            false
        }
        Err(_) => {
            println!("skipped: `{program}` is not installed");
            false
        }
    }
}

/// What is found of private keys in a content: the pattern, and what is proven.
fn keys(bytes: &[u8]) -> Vec<(String, Proof)> {
    let mut found: Vec<Match> = Vec::new();
    ENGINE.scan_all(bytes, &mut found);
    found.extend(key_file::look(bytes));
    let keys = found.into_iter().filter(|found| found.candidate.pattern.rule == SecretKind::PrivateKey);
    keys.map(|found| (found.candidate.pattern.id.clone(), found.candidate.proof)).collect()
}

#[track_caller]
fn plain(bytes: &[u8], id: &str, what: &str) {
    let words = format!("it is {what} that nothing protects");
    assert_eq!(keys(bytes), [(id.to_owned(), Proof::Holds(words))]);
}

#[track_caller]
fn guarded(bytes: &[u8], id: &str, word: &str) {
    let keys = keys(bytes);
    assert!(matches!(&keys[..], [(found, Proof::Fails(why))] if found == id && why.contains(word)), "{keys:?}");
}

/// Every way in which a key in PEM is kept in other files.
fn dressed(pem: &str) -> Vec<String> {
    let lines: Vec<&str> = pem.lines().collect();
    let joined = |before: &str, after: &str, between: &str| {
        lines.iter().map(|line| format!("{before}{line}{after}")).collect::<Vec<_>>().join(between)
    };
    vec![
        pem.to_owned(),
        pem.replace('\n', "\r\n"),
        format!("text before\n\n{pem}\ntext after\n"),
        format!("{{\n  \"a\": 1,\n  \"private_key\": \"{}\\n\",\n  \"b\": 2\n}}\n", joined("", "", "\\n")),
        format!("{{\"json\":\"{{\\\"key\\\":\\\"{}\\\"}}\"}}", joined("", "", "\\\\n")),
        format!("key: |\n{}\nnext: 1\n", joined("    ", "", "\n")),
        format!("static const char *key =\n{};\n", joined("  \"", "\\n\"", "\n")),
        format!("var key = {};\n", joined("\"", "\\n\"", " +\n  ")),
        format!("key = [\n{}\n]\n", joined("    '", "',", "\n")),
        format!("// {}\n", joined("", "", "\n// ")),
        format!("KEY=\"{}\"\n", joined("", "", " ")),
        format!("<key>{pem}</key>\n"),
    ]
}

#[test]
fn keys_of_openssl() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let kinds: [(&[&str], &str); 5] = [
        (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], "an RSA key of 1024 bits"),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "an elliptic-curve key"),
        (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "an elliptic-curve key"),
        (&["-algorithm", "ED25519"], "an Ed25519 key"),
        (&["-algorithm", "X448"], "an X448 key"),
    ];
    for (arguments, what) in kinds {
        if !run(folder, "openssl", &[&["genpkey", "-out", "key.pem"][..], arguments].concat()) {
            continue;
        }
        let pem = fs::read_to_string(folder.join("key.pem")).unwrap();
        for text in dressed(&pem) {
            plain(text.as_bytes(), "pem-private-key", what);
        }
        if run(folder, "openssl", &["pkey", "-in", "key.pem", "-outform", "DER", "-out", "key.der"]) {
            plain(&fs::read(folder.join("key.der")).unwrap(), "der-private-key", what);
        }
        if run(folder, "openssl", &["pkey", "-in", "key.pem", "-traditional", "-out", "old.pem"]) {
            for text in dressed(&fs::read_to_string(folder.join("old.pem")).unwrap()) {
                plain(text.as_bytes(), "pem-private-key", what);
            }
        }
        let sealing = ["-aes256", "-passout", "pass:open sesame", "-out", "sealed.pem"];
        if run(folder, "openssl", &[&["pkey", "-in", "key.pem"][..], &sealing].concat()) {
            for text in dressed(&fs::read_to_string(folder.join("sealed.pem")).unwrap()) {
                guarded(text.as_bytes(), "pem-private-key", "passphrase");
            }
        }
        if run(folder, "openssl", &[&["pkey", "-in", "key.pem", "-traditional"][..], &sealing].concat()) {
            let sealed = fs::read(folder.join("sealed.pem")).unwrap();
            guarded(&sealed, "pem-private-key", "passphrase");
        }
        if run(folder, "openssl", &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]) {
            assert_eq!(keys(&fs::read(folder.join("public.pem")).unwrap()), []);
        }
        // One digit in the middle: the numbers of RSA do not fit any more.
        if what.contains("RSA") {
            let at = pem.len() / 2;
            let other = if pem.as_bytes()[at] == b'A' { "B" } else { "A" };
            guarded(format!("{}{other}{}", &pem[..at], &pem[at + 1..]).as_bytes(), "pem-private-key", "");
        }
    }
    let request = ["req", "-x509", "-key", "key.pem", "-subj", "/CN=a", "-out", "certificate.pem"];
    if run(
        folder,
        "openssl",
        &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem"],
    ) && run(folder, "openssl", &request)
    {
        assert_eq!(keys(&fs::read(folder.join("certificate.pem")).unwrap()), []);
        let export = ["pkcs12", "-export", "-inkey", "key.pem", "-in", "certificate.pem", "-out", "store.p12"];
        if run(folder, "openssl", &[&export[..], &["-passout", "pass:"]].concat()) {
            guarded(&fs::read(folder.join("store.p12")).unwrap(), "pkcs12-key-store", "may be empty");
        }
        if run(
            folder,
            "openssl",
            &[&export[..], &["-passout", "pass:", "-keypbe", "NONE", "-certpbe", "NONE"]].concat(),
        ) {
            plain(&fs::read(folder.join("store.p12")).unwrap(), "pkcs12-key-store", "a key in a bag");
        }
    }
}

#[test]
fn keys_of_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (kind, what) in [("ed25519", "an Ed25519 key"), ("rsa", "an RSA key"), ("ecdsa", "an ECDSA key")] {
        for (name, passphrase) in [("plain", ""), ("sealed", "open sesame")] {
            let name = format!("{kind}-{name}");
            if !run(folder, "ssh-keygen", &["-q", "-t", kind, "-N", passphrase, "-C", "me", "-f", &name]) {
                continue;
            }
            let key = fs::read_to_string(folder.join(&name)).unwrap();
            for text in dressed(&key) {
                if passphrase.is_empty() {
                    plain(text.as_bytes(), "openssh-private-key", what);
                } else {
                    guarded(text.as_bytes(), "openssh-private-key", "passphrase");
                }
            }
            assert_eq!(keys(&fs::read(folder.join(name + ".pub")).unwrap()), []);
        }
    }
}

#[test]
fn keys_of_gpg() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("gnupg")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder.join("gnupg"), fs::Permissions::from_mode(0o700)).unwrap();
    }
    for (kind, what) in [("ed25519", "an elliptic-curve key of OpenPGP"), ("rsa1024", "an RSA key of OpenPGP")] {
        for passphrase in ["", "open sesame"] {
            let name = format!("{kind}-{}", passphrase.len());
            let quiet = ["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase];
            let make = ["--quick-generate-key", &name, kind, "sign", "never"];
            let export = ["--armor", "--output", "key.asc", "--export-secret-keys", &name];
            let binary = ["--output", "key.gpg", "--export-secret-keys", &name];
            let gpg = |arguments: &[&str]| run(folder, "gpg", &[&quiet[..], arguments].concat());
            if !(gpg(&make) && gpg(&export) && gpg(&binary)) {
                continue;
            }
            for (file, id) in [("key.asc", "openpgp-secret-key"), ("key.gpg", "openpgp-secret-key-file")] {
                let key = fs::read(folder.join(file)).unwrap();
                if passphrase.is_empty() {
                    plain(&key, id, what);
                } else {
                    guarded(&key, id, "passphrase");
                }
            }
        }
    }
    run(folder, "gpgconf", &["--kill", "gpg-agent"]);
}

#[test]
fn stores_of_keytool() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let make =
        ["-genkeypair", "-keyalg", "EC", "-dname", "CN=a", "-storepass", "open sesame", "-keypass", "open sesame"];
    for (kind, id) in [("JKS", "java-key-store"), ("JCEKS", "java-key-store"), ("PKCS12", "pkcs12-key-store")] {
        if run(folder, "keytool", &[&make[..], &["-storetype", kind, "-keystore", kind]].concat()) {
            guarded(&fs::read(folder.join(kind)).unwrap(), id, "password");
        }
    }
    let access = ["-storetype", "JKS", "-storepass", "open sesame", "-noprompt"];
    let export = [&["-exportcert", "-keystore", "JKS", "-file", "certificate"][..], &access].concat();
    let import = [&["-importcert", "-keystore", "trusted", "-file", "certificate"][..], &access].concat();
    if run(folder, "keytool", &export) && run(folder, "keytool", &import) {
        assert_eq!(keys(&fs::read(folder.join("trusted")).unwrap()), []);
    }
}
