//! Keys that standards and tools publish for tests and examples: whoever uses one has another problem.

use sha2::{Digest as _, Sha256};

use super::Told;
use crate::subject::digest::hex;

/// What is said of such a key.
pub(super) const KNOWN: Told = Told::Guarded("it is one that is published for tests");

/// The SHA-256 of each key, in DER or as the bare number.
const KEYS: &[&str] = &[
    // RFC 8032, 7.1: the first three keys of Ed25519, bare and in PKCS#8. The first is that of RFC 8037, A.1, too.
    "644d50ab64864c20a12b3c4656d46b4a48f69ef7c47ecdc8415cd28316b22ef5",
    "3d2d9682cdba529682a152f678e25c6c29847bf2588ca4e1b3023c1579f9958d",
    "d8eca0cca720d33bf6d9a3e8057053ff6a4d19a62a9874fa7f7004ea662fb2f9",
    "06ceb2d515aec734d9d42561d1f7f467f53926837e85229814fcf218056240ae",
    "625bc4bbcb661379a43b07452461ec4d081944a4689ee14cc24c748668d116b0",
    "62499daa8abf2f6bbf41ded5f39eefaffca2abe4b3b7fff5c2ad9143f8f66598",
    // RFC 8410, 10.3: Ed25519 in PKCS#8.
    "80b885d1af82668ad76d1c5a1a916b5bfc23d247e2f7f450e45b5c1024843e96",
    // RFC 7515, A.3, and RFC 7517, A.2: P-256.
    "cfcef6cfb631f2a350b70a6ab72b20696f65f854aa3649a26b4cc1d2b0f5ce76",
    "43e4b74131385aec85e1f0764d6693ac5e7cc4977f998cc956e1241a818cfd1d",
    // Vagrant's insecure key, which every base box of it takes.
    "56fb5326a1d72a4080d4870034ecac85b4ae1159f84b9bc458d46327083921e0",
    // The first three accounts of Hardhat and Anvil.
    "59891c96881dfbcf7d2ddc270b7813e666694fbbffe8ddd2736bf91c1b0e85d4",
    "bca4c2c0761d850f0c403a699280f70f86ab6659a611ada431019203cd66098f",
    "193ae84c4c9567c25105535802f463f3f8dc420b0ce9a5b57c7931c764e623d6",
];

/// Whether a key is one of them.
pub(super) fn is_known(key: &[u8]) -> bool {
    let digest = hex(&Sha256::digest(key));
    KEYS.contains(&digest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_standard_is_known() {
        // RFC 8410, 10.3, without the words around it.
        let key =
            super::super::pem::decode(b"MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC").unwrap();
        assert!(is_known(&key));
        assert!(!is_known(&key[1..]));
        assert!(KEYS.iter().all(|digest| digest.len() == 64));
    }
}
