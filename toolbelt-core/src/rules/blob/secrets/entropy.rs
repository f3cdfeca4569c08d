//! How random a value is.

/// Shannon entropy of the bytes in bits for one of them, times 100: 0 for one repeated byte, 400 for even hexadecimal.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 800")]
pub fn shannon(value: &[u8]) -> u32 {
    let mut counts = [0_u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let length = value.len() as f64;
    let bits: f64 = counts.iter().filter(|&&count| count > 0).fold(0.0, |bits, &count| {
        let share = f64::from(count) / length;
        bits - share * share.log2()
    });
    (bits * 100.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_bytes_have_the_bits_of_their_number() {
        assert_eq!([shannon(b""), shannon(b"aaaa"), shannon(b"abab"), shannon(b"0123456789abcdef")], [0, 0, 100, 400]);
    }
}
