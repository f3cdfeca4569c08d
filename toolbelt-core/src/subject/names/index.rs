//! A table from hashes of texts to numbers of entries, as small as it gets.

/// Which entries were stored under a text.
///
/// Two texts can have the same hash, so what it answers are candidates.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Index {
    /// For each value of a hash's upper bits, where its slots start; one more at the end.
    starts: Vec<u32>,
    /// Hash in the upper half, entry in the lower, ascending.
    slots: Vec<u64>,
    /// How far a hash is shifted to get its upper bits.
    shift: u32,
}

impl Index {
    /// Takes slots as [`slot`] makes them, in any order.
    pub(super) fn new(mut slots: Vec<u64>) -> Self {
        slots.sort_unstable();
        slots.dedup();
        slots.shrink_to_fit();
        // About two slots to a bucket: the directory stays a quarter of the table.
        let bits = (slots.len() / 2).max(1).ilog2().clamp(1, 24);
        let shift = 32 - bits;
        let mut starts = vec![0u32; (1usize << bits) + 1];
        for slot in &slots {
            starts[bucket(*slot, shift) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self { starts, slots, shift }
    }

    /// The entries stored under a text with this hash, ascending.
    pub(super) fn get(&self, hash: u32) -> impl Iterator<Item = u32> {
        let at = bucket(u64::from(hash) << 32, self.shift);
        let range = match self.starts.get(at..at + 2) {
            Some(&[start, end]) => start as usize..end as usize,
            _ => 0..0,
        };
        self.slots[range].iter().filter(move |slot| *slot >> 32 == u64::from(hash)).map(|slot| lower_half(*slot))
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.starts.len() * 4 + self.slots.len() * 8
    }
}

/// A slot for [`Index::new`].
pub(super) fn slot(hash: u32, entry: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(entry)
}

#[expect(clippy::cast_possible_truncation, reason = "the upper half is meant to go")]
fn lower_half(slot: u64) -> u32 {
    slot as u32
}

fn bucket(slot: u64, shift: u32) -> usize {
    // At most 24 bits are left.
    (slot >> 32 >> shift) as usize
}

/// Hashes a text: FNV-1a with the halves mixed.
pub(super) fn hash(parts: [&[u8]; 2]) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    // FNV's upper bits know little of the last bytes.
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    lower_half(hash >> 32)
}

/// Hashes every text that one deletion makes of this one.
pub(super) fn deletions(text: &str) -> impl Iterator<Item = u32> {
    let bytes = text.as_bytes();
    (0..bytes.len())
        // Of a run of equal letters, the deletion of any leaves the same.
        .filter(move |&at| at == 0 || bytes[at] != bytes[at - 1])
        .map(move |at| hash([&bytes[..at], &bytes[at + 1..]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_finds_every_entry_of_a_text_and_no_other() {
        let of = |text: &str| hash([text.as_bytes(), b""]);
        let index = Index::new(vec![slot(of("serde"), 7), slot(of("tokio"), 1), slot(of("serde"), 3)]);
        assert_eq!(index.get(of("serde")).collect::<Vec<_>>(), [3, 7]);
        assert_eq!(index.get(of("rand")).count(), 0);
        assert_eq!(Index::default().get(of("serde")).count(), 0);
        assert_eq!(Index::new(Vec::new()).get(0).count(), 0);
    }

    #[test]
    fn deletions_hash_like_the_shorter_text() {
        let all: Vec<u32> = deletions("serde").collect();
        assert_eq!(all.len(), 5);
        assert!(all.contains(&hash([b"serd", b""])));
        assert_eq!(deletions("aab").count(), 2);
    }
}
