//! Signs a line, to see whether it works.

use super::{Identity, State};
use crate::evidence::signature::Checked;
use crate::evidence::sshsig::{HashName, SshSig, signed_data};
use crate::ops::Environment;
use crate::ops::evidence::sign;
use crate::source::ssh::{Error, SigningKey, keygen};

/// What is signed: in a namespace of its own, so that the signature is of no use to anybody.
const NAMESPACE: &str = "toolbelt-test";
const MESSAGE: &[u8] = b"a test of `git toolbelt identity`\n";

/// Signs, checks the signature, and says whether somebody had to be there.
pub(super) fn sign(environment: &Environment, identity: &mut Identity) {
    let key = match sign::signing_key(environment, None) {
        Ok(key) => key,
        Err(error) => return identity.say("signature", State::Wrong, error.to_string()),
    };
    let signature = match signature(&key) {
        Ok(signature) => signature,
        Err(why) => return identity.say("signature", State::Wrong, why),
    };
    let is_right = match signature.signature().check(key.public(), &signature.signed_data(MESSAGE)) {
        Checked::Good => Ok(true),
        Checked::ByProgram => {
            keygen::verify(&signature.armour(), MESSAGE, key.public(), NAMESPACE, &environment.variables)
        }
        Checked::Bad | Checked::Unsupported => Ok(false),
    };
    let is_by_key = signature.key() == key.public() && signature.namespace() == NAMESPACE;
    match (is_right, signature.signature().presence()) {
        (Err(why), _) => identity.say("signature", State::Unknown, why.reason),
        (Ok(true), None) if is_by_key => identity.say("signature", State::Good, "a line was signed, and is right"),
        (Ok(true), Some(presence)) if is_by_key => {
            let (state, words) = match (presence.touched, presence.verified) {
                (true, true) => (State::Good, "the token was touched, and got its PIN or a fingerprint"),
                (true, false) => (State::Good, "the token was touched, and wants no PIN"),
                (false, true) => (State::Noted, "the token got its PIN, and was not touched"),
                (false, false) => (State::Noted, "the token signs without being touched: no second factor is present"),
            };
            identity.say("signature", state, words);
        }
        (Ok(_), _) => identity.say("signature", State::Wrong, "what was made is not a signature by the key"),
    }
}

fn signature(key: &SigningKey) -> Result<SshSig, String> {
    let signed = key.sign(&signed_data(NAMESPACE, HashName::Sha512, MESSAGE)).map_err(|error| said(&error))?;
    let parsed = match signed {
        Some(blob) => SshSig::new(key.public().clone(), NAMESPACE, blob),
        None => SshSig::parse(&key.sign_file(NAMESPACE, MESSAGE).map_err(|error| said(&error))?),
    };
    parsed.map_err(|error| error.to_string())
}

fn said(error: &Error) -> String {
    crate::ops::causes(error)
}
