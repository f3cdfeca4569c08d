"""Lets other people's verifiers judge our evidence, and our verifier judge theirs.

    python tests/conformance/evidence.py path/to/cargo-toolbelt

Needs securesystemslib, cryptography and in-toto-attestation from PyPI, and OpenSSH. Keys are made for each run.
"""

import base64
import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

TOOLBELT = Path(sys.argv[1]).resolve()
FOLDER = Path(tempfile.mkdtemp())
KINDS = {"ed25519": ["ed25519"], "p256": ["ecdsa", "-b", "256"], "rsa": ["rsa", "-b", "3072"], "p384": ["ecdsa", "-b", "384"]}

SOURCE = {"uri": "git+https://example.com/foo", "digest": {"gitCommit": "ab" * 20}}
# Each as our types write them; the names of the fields are checked there.
PREDICATES = {
    "https://slsa.dev/provenance/v1": {
        "buildDefinition": {
            "buildType": "https://example.com/cargo-package/v1",
            "externalParameters": {"package": "foo"},
            "internalParameters": {"cargo": "1.95.0"},
            "resolvedDependencies": [SOURCE],
        },
        "runDetails": {
            "builder": {"id": "https://example.com/laptop", "version": {"toolbelt": "0.1.0"}},
            "metadata": {"invocationId": "7", "startedOn": "2026-11-22T10:00:00Z"},
        },
    },
    "https://slsa.dev/verification_summary/v1": {
        "verifier": {"id": "https://example.com/verifier", "version": {"toolbelt": "0.1.0"}},
        "timeVerified": "2026-11-22T10:00:00Z",
        "resourceUri": "pkg:cargo/foo@1.0.0",
        "policy": {"uri": "toolbelt.toml", "digest": {"sha256": "ab" * 32}},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_1"],
    },
    "https://in-toto.io/attestation/test-result/v0.1": {
        "result": "PASSED",
        "configuration": [{"name": "toolbelt.toml", "digest": {"gitBlob": "ab" * 20}}],
        "passedTests": ["scan"],
        "warnedTests": [],
        "failedTests": [],
    },
    "https://in-toto.io/attestation/release/v0.2": {"purl": "pkg:cargo/foo@1.0.0"},
}
# Their verification summary has one level where the specification has a list of them.
MESSAGES = {
    "https://slsa.dev/provenance/v1": provenance_pb2.Provenance,
    "https://in-toto.io/attestation/test-result/v0.1": test_result_pb2.TestResult,
}


def run(*arguments, code=0, **options):
    """Runs a command that has to end with this code, and returns what it writes."""
    done = subprocess.run([str(word) for word in arguments], cwd=FOLDER, capture_output=True, check=False, **options)
    assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout


def toolbelt(*arguments, code=0):
    environment = {**os.environ, "TOOLBELT_CACHE": str(FOLDER / "cache"), "GIT_CONFIG_GLOBAL": os.devnull}
    environment.pop("SSH_AUTH_SOCK", None)
    return run(TOOLBELT, "evidence", *arguments, code=code, env=environment)


def fingerprint(public):
    """As `ssh-keygen -l` prints it."""
    blob = base64.b64decode(public.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def sslib_key(public):
    return SSlibKey.from_crypto(serialization.load_ssh_public_key(public.encode()), fingerprint(public))


def refused(envelope, keys):
    try:
        envelope.verify(keys, 1)
    except VerificationError:
        return True
    return False


def check_dsse(document, public, kind):
    """securesystemslib takes the signature that it knows, and refuses what was changed."""
    envelope = Envelope.from_dict(copy.deepcopy(document))
    key = sslib_key(public)
    if kind in ("rsa", "p384"):
        assert list(envelope.signatures) == ["sshsig:" + key.keyid]
        return
    assert envelope.verify([key], 1) == {key.keyid: key}
    assert list(envelope.signatures) == [key.keyid, "sshsig:" + key.keyid]
    changed = copy.deepcopy(document)
    changed["payload"] = base64.b64encode(base64.b64decode(document["payload"]) + b" ").decode()
    assert refused(Envelope.from_dict(changed), [key])


def check_ssh(document, public, kind):
    """`ssh-keygen -Y verify` takes the other one as it is."""
    payload, payload_type = base64.b64decode(document["payload"]), document["payloadType"].encode()
    pae = b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(payload), payload)
    armour = next(one["sig"] for one in document["signatures"] if one["keyid"].startswith("sshsig:"))
    (FOLDER / "sig").write_bytes(base64.b64decode(armour))
    (FOLDER / "signers").write_text(f'alice namespaces="toolbelt" {public}')
    verify = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "alice", "-n", "toolbelt", "-s", "sig"]
    run(*verify, input=pae)
    run(*verify, input=pae + b" ", code=255)


def check_statement(document, predicate_type):
    """in-toto's own types read every field of the statement and of the predicates that they know."""
    payload = json.loads(base64.b64decode(document["payload"]))
    Statement.copy_from_pb(json_format.ParseDict(payload, statement_pb2.Statement())).validate()
    if predicate_type in MESSAGES:
        predicate = json_format.ParseDict(payload["predicate"], MESSAGES[predicate_type]())
        # Nothing of it was lost, so no name is unknown to them.
        kept = json_format.MessageToDict(predicate, preserving_proto_field_name=False)
        assert {**payload["predicate"], **kept} == payload["predicate"], kept


def check_ours(kind, path, public):
    (FOLDER / "signers").write_text(f"alice {public}")
    toolbelt("verify", "foo-1.0.0.crate", "--evidence", path, "--allowed-signers", "signers")
    (FOLDER / "signers").write_text(f'alice namespaces="git" {public}')
    toolbelt("verify", "foo-1.0.0.crate", "--evidence", path, "--allowed-signers", "signers", code=1)


def check_theirs(private, scheme):
    """We take what securesystemslib signs, and refuse what was changed."""
    public = private.public_key()
    text = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    key = SSlibKey.from_crypto(public, fingerprint(text))
    digest = hashlib.sha256((FOLDER / "foo-1.0.0.crate").read_bytes()).hexdigest()
    payload = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "foo", "digest": {"sha256": digest}}],
        "predicateType": "https://in-toto.io/attestation/release/v0.2",
        "predicate": {"purl": "pkg:cargo/foo@1.0.0"},
    }
    envelope = Envelope(json.dumps(payload).encode(), "application/vnd.in-toto+json", {})
    envelope.sign(CryptoSigner(private, key))
    (FOLDER / "signers").write_text(f"bob {text}")
    document = envelope.to_dict()
    for changed, code in ((False, 0), (True, 1)):
        if changed:
            document["payload"] = base64.b64encode(envelope.payload + b" ").decode()
        (FOLDER / "theirs.jsonl").write_text(json.dumps(document))
        toolbelt("verify", "foo-1.0.0.crate", "--evidence", "theirs.jsonl", "--allowed-signers", "signers", code=code)
    assert key.scheme == scheme


def main():
    (FOLDER / "foo-1.0.0.crate").write_bytes(b"not really a crate")
    count = 0
    for kind, arguments in KINDS.items():
        run("ssh-keygen", "-q", "-N", "", "-C", "", "-f", kind, "-t", *arguments)
        public = (FOLDER / f"{kind}.pub").read_text()
        for number, (predicate_type, predicate) in enumerate(PREDICATES.items()):
            (FOLDER / "predicate.json").write_text(json.dumps(predicate))
            path = f"{kind}-{number}.intoto.jsonl"
            sign = ["--predicate-type", predicate_type, "--predicate", "predicate.json", "--key", kind]
            toolbelt("sign", "foo-1.0.0.crate", *sign, "--output", path)
            document = json.loads((FOLDER / path).read_text())
            check_dsse(document, public, kind)
            check_ssh(document, public, kind)
            check_statement(document, predicate_type)
            check_ours(kind, path, public)
            count += 1
    check_theirs(ed25519.Ed25519PrivateKey.generate(), "ed25519")
    check_theirs(ec.generate_private_key(ec.SECP256R1()), "ecdsa-sha2-nistp256")
    print(f"{count} envelopes of {len(KINDS)} kinds of keys are accepted by securesystemslib, in-toto-attestation and ssh-keygen")
    print("2 envelopes of securesystemslib are accepted here")


main()
