//! A credential provider that stands before the user's own and lets cargo publish approved bytes alone.
//!
//! Cargo tells credential providers the digest of the `.crate` that it is about to upload, and asks the next one when a
//! provider says that it has nothing. So this one says so for the approved digest, and refuses for any other: then cargo
//! never gets the token. It holds none itself.

use std::io::{self, BufRead, Read as _, Write};

use serde::Deserialize;

use super::provider::VERSION;

/// Longest request that is read.
const MAX_REQUEST: u64 = 1 << 20;

#[derive(Deserialize)]
struct Request {
    v: u32,
    kind: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    vers: String,
    #[serde(default)]
    cksum: String,
    /// What is approved: name, version, digest.
    #[serde(default)]
    args: Vec<String>,
}

/// Speaks the protocol with cargo until it hangs up: what a program does that is called with `--cargo-plugin`.
///
/// # Errors
///
/// When cargo can be neither read nor written to; then it publishes nothing.
pub fn stand(input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, r#"{{"v":[{VERSION}]}}"#)?;
    output.flush()?;
    loop {
        let mut line = Vec::new();
        if input.take(MAX_REQUEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        writeln!(output, "{}", answer(&line))?;
        output.flush()?;
    }
}

fn answer(line: &[u8]) -> String {
    let Ok(request) = serde_json::from_slice::<Request>(line) else { return refusal("the request is malformed") };
    if request.v != VERSION || request.kind != "get" {
        return refusal("this provider guards publishing alone");
    }
    match request.operation.as_str() {
        // Cargo remembers a token that it got for reading and publishes with it unasked. It gets one that is good for
        // nothing, and is told not to keep it; registries that need a real one are not guarded in this way.
        "read" => r#"{"Ok":{"kind":"get","token":"none","cache":"never","operation_independent":false}}"#.to_owned(),
        "publish" if request.args == [request.name.clone(), request.vers.clone(), request.cksum.clone()] => {
            r#"{"Err":{"kind":"not-found"}}"#.to_owned()
        }
        "publish" => refusal(&format!(
            "`{}` {} with the digest {} is not what was approved: {}",
            request.name,
            request.vers,
            request.cksum,
            request.args.join(" ")
        )),
        _ => refusal("this provider guards publishing alone"),
    }
}

fn refusal(message: &str) -> String {
    serde_json::json!({ "Err": { "kind": "other", "message": message, "caused-by": [] } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(requests: &str) -> Vec<String> {
        let mut output = Vec::new();
        stand(&mut requests.as_bytes(), &mut output).unwrap();
        String::from_utf8(output).unwrap().lines().map(str::to_owned).collect()
    }

    fn publish(cksum: &str, args: &str) -> String {
        format!(
            r#"{{"v":1,"registry":{{"index-url":"x"}},"kind":"get","operation":"publish","name":"a","vers":"1.0.0","cksum":"{cksum}","args":{args}}}"#
        )
    }

    #[test]
    fn only_the_approved_digest_passes() {
        let approved = r#"["a","1.0.0","ff"]"#;
        let lines = talk(&format!("{}\n{}\n", publish("ff", approved), publish("fe", approved)));
        assert_eq!(lines[..2], [r#"{"v":[1]}"#.to_owned(), r#"{"Err":{"kind":"not-found"}}"#.to_owned()]);
        assert!(lines[2].contains(r#""kind":"other""#), "{}", lines[2]);
        for bad in ["[]", r#"["a","1.0.0"]"#, r#"["b","1.0.0","ff"]"#, r#"["a","1.0.0","ff","x"]"#] {
            assert!(talk(&publish("ff", bad))[1].contains(r#""kind":"other""#), "{bad}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for request in [
            "x",
            "{}",
            r#"{"v":2,"kind":"get","operation":"read"}"#,
            r#"{"v":1,"kind":"login"}"#,
            r#"{"v":1,"kind":"get","operation":"yank","name":"a","vers":"1.0.0"}"#,
        ] {
            assert!(talk(request)[1].contains(r#""kind":"other""#), "{request}");
        }
    }

    #[test]
    fn token_for_reading_is_neither_real_nor_kept() {
        let lines = talk(r#"{"v":1,"registry":{"index-url":"x"},"kind":"get","operation":"read"}"#);
        assert!(lines[1].contains(r#""token":"none""#) && lines[1].contains(r#""cache":"never""#));
    }
}
