//! The encoding of [RFC 4251, section 5](https://www.rfc-editor.org/rfc/rfc4251#section-5): numbers in network order, and
//! strings behind their length.

/// Reads one part after the other; none where the bytes end too early.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the first byte on.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// This many bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.left.split_at_checked(count)?;
        self.left = left;
        Some(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// A number of 32 bits.
    pub fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// A string: its length, then as many bytes.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }
}

/// Adds a string.
///
/// # Panics
///
/// If it has 4 GiB or more, which nothing here has: what is encoded was bounded when it was read.
pub fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).expect("strings are bounded when they are read");
    out.extend(length.to_be_bytes());
    out.extend(string);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_as_they_were_put() {
        let mut out = Vec::new();
        put_string(&mut out, b"SSHSIG");
        put_string(&mut out, b"");
        out.extend([7, 0, 0, 1, 0]);
        let mut reader = Reader::new(&out);
        assert_eq!(reader.string(), Some(&b"SSHSIG"[..]));
        assert_eq!(reader.string(), Some(&b""[..]));
        assert_eq!((reader.byte(), reader.number()), (Some(7), Some(256)));
        assert!(reader.is_empty());
        assert_eq!((reader.byte(), reader.number(), reader.string()), (None, None, None));
    }

    #[test]
    fn a_length_beyond_the_end_is_no_string() {
        assert_eq!(Reader::new(&[0, 0, 0, 2, 1]).string(), None);
        assert_eq!(Reader::new(&[0xff; 4]).string(), None);
    }
}
