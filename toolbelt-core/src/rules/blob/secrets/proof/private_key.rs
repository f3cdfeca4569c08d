//! Private keys: whether the key in the container can be read.

use crate::subject::sighting::Proof;

pub(super) fn prove(_value: &[u8]) -> Proof {
    Proof::None
}
