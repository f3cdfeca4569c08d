//! What programs and libraries in machine code begin with.

/// What sort of machine code a content is, by its first bytes and, where those are common words, by what they point to.
pub(super) fn kind(bytes: &[u8]) -> Option<&'static str> {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    match bytes.get(..4)? {
        // Class 1 or 2 (32 or 64 bits), byte order 1 or 2: the ELF header's e_ident.
        [0x7f, b'E', b'L', b'F'] => matches!(bytes.get(4)?, 1 | 2).then_some("ELF"),
        [b'M', b'Z', ..] => {
            let header = usize::try_from(word(0x3c)?).ok()?;
            (bytes.get(header..header.checked_add(4)?)? == b"PE\0\0").then_some("PE")
        }
        [0xfe, 0xed, 0xfa, 0xce | 0xcf] | [0xce | 0xcf, 0xfa, 0xed, 0xfe] => Some("Mach-O"),
        // Both a Java class and a Mach-O file for several architectures: a class has its version there, at least 45, the
        // other the number of architectures.
        [0xca, 0xfe, 0xba, 0xbe] => Some(if word(4)?.swap_bytes() < 45 { "Mach-O" } else { "Java class" }),
        // Version 1 of modules, version 13 of components.
        [0, b'a', b's', b'm'] => [1, 0x1_000d].contains(&word(4)?).then_some("WebAssembly"),
        b"dex\n" => Some("Android DEX"),
        [b'B', b'C', 0xc0, 0xde] => Some("LLVM bitcode"),
        b"!<ar" => {
            (bytes.starts_with(b"!<arch>\n") && !bytes[8..].starts_with(b"debian-binary")).then_some("ar archive")
        }
        // The number of the format, then CR LF so that no line ending survives a copy as text, then flags: 0 to 3.
        [low, high, b'\r', b'\n'] => {
            let version = u16::from_le_bytes([*low, *high]);
            let known = (3300..4000).contains(&version) && word(4)? <= 3 || version == 62211;
            (known && bytes.len() > 16).then_some("Python bytecode")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn formats_are_told_by_their_headers() {
        let mut pe = vec![0; 0x48];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x40;
        pe[0x40..0x44].copy_from_slice(b"PE\0\0");
        let python = [&3531_u16.to_le_bytes()[..], b"\r\n", &[0; 16]].concat();
        for (bytes, expected) in [
            (&b"\x7fELF\x02\x01\x01"[..], "ELF"),
            (&pe, "PE"),
            (b"\xcf\xfa\xed\xfe\x07", "Mach-O"),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", "Mach-O"),
            (b"\xca\xfe\xba\xbe\0\0\0\x41", "Java class"),
            (b"\0asm\x01\0\0\0", "WebAssembly"),
            (b"!<arch>\nfoo.o/", "ar archive"),
            (&python, "Python bytecode"),
        ] {
            assert_eq!(kind(bytes), Some(expected));
        }
    }

    #[test]
    fn what_only_begins_like_them_is_none() {
        for text in [
            &b""[..],
            b"MZ",
            b"MZ is a name",
            b"\x7fELF",
            b"\0asm",
            b"!<arch>\ndebian-binary",
            b"ab\r\ncdefghijklmnopqrst",
        ] {
            assert_eq!(kind(text), None, "{text:?}");
        }
        let mut far = vec![b'M', b'Z'];
        far.resize(0x40, 0xff);
        assert_eq!(kind(&far), None);
    }
}
