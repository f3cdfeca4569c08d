//! A table from hashes of texts to numbers of entries, as small as it gets.

/// Which entries were stored under a text.
///
/// Two texts can have the same hash, so what it answers are candidates.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Index {
    /// For each value of a hash's upper bits, where its slots start; one more at the end.
    starts: Vec<u32>,
    /// Hash in the upper half, entry in the lower; sorted by the hash's upper bits, then by entry.
    slots: Vec<u64>,
    /// How far a hash is shifted to get its upper bits.
    shift: u32,
}

impl Index {
    /// Takes slots as [`slot`] makes them, those of an earlier entry first.
    pub(super) fn new(unordered: &[u64]) -> Self {
        // About two slots to a bucket: the directory stays a quarter of the table.
        let bits = (unordered.len() / 2).max(1).ilog2().clamp(1, 24);
        let shift = 32 - bits;
        let mut starts = vec![0u32; (1usize << bits) + 1];
        for slot in unordered {
            starts[bucket(*slot, shift) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        // Placed where they belong instead of sorted; the order within a bucket stays that of the entries.
        let mut next = starts.clone();
        let mut slots = vec![0; unordered.len()];
        for slot in unordered {
            let place = &mut next[bucket(*slot, shift)];
            slots[*place as usize] = *slot;
            *place += 1;
        }
        Self { starts, slots, shift }
    }

    /// The entries stored under a text with this hash, ascending; one more than once if it was stored so.
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
pub(super) fn hash(text: &[u8]) -> u32 {
    mixed(continued(FNV_OFFSET, text))
}

/// Hashes every text that one deletion makes of this one.
pub(super) fn deletions(text: &[u8]) -> impl Iterator<Item = u32> {
    let mut before = FNV_OFFSET;
    let mut previous = None;
    text.iter().enumerate().filter_map(move |(at, byte)| {
        let hash = mixed(continued(before, &text[at + 1..]));
        before = continued(before, &text[at..=at]);
        // Of a run of equal letters, the deletion of any leaves the same.
        (previous.replace(*byte) != Some(*byte)).then_some(hash)
    })
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn continued(hash: u64, text: &[u8]) -> u64 {
    text.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// FNV's upper bits know little of the last bytes.
fn mixed(hash: u64) -> u32 {
    lower_half((hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_finds_every_entry_of_a_text_and_no_other() {
        let of = |text: &str| hash(text.as_bytes());
        let index = Index::new(&[slot(of("tokio"), 1), slot(of("serde"), 3), slot(of("serde"), 7)]);
        assert_eq!(index.get(of("serde")).collect::<Vec<_>>(), [3, 7]);
        assert_eq!(index.get(of("rand")).count(), 0);
        assert_eq!(Index::default().get(of("serde")).count(), 0);
        assert_eq!(Index::new(&[]).get(0).count(), 0);
    }

    #[test]
    fn deletions_hash_like_the_shorter_text() {
        let all: Vec<u32> = deletions(b"serde").collect();
        assert_eq!(all.len(), 5);
        assert!(all.contains(&hash(b"serd")));
        assert_eq!(deletions(b"aab").count(), 2);
    }
}
