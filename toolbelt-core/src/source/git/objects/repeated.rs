//! Finds the objects that are in several packs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::odb::pack::FileData;

use super::pack::Pack;

/// For each pack, whether the object at each position of its index is also in a pack before it; empty if none is.
///
/// All indexes are sorted, so they are merged: no table of all ids is made. An index that is not sorted makes objects
/// look new that are not.
pub(super) fn find<T: FileData + Send + Sync>(packs: &[&Pack<T>]) -> Vec<Vec<bool>> {
    let mut repeated: Vec<Vec<bool>> = packs.iter().map(|_| Vec::new()).collect();
    if packs.len() < 2 {
        return repeated;
    }
    let mut heap = BinaryHeap::with_capacity(packs.len());
    for (number, pack) in packs.iter().enumerate().filter(|(_, pack)| pack.listed() > 0) {
        heap.push(Reverse((pack.id(0), number, 0)));
    }
    let mut last = None;
    while let Some(Reverse((id, number, position))) = heap.pop() {
        let pack = packs[number];
        if last == Some(id) {
            let repeated = &mut repeated[number];
            repeated.resize(pack.listed() as usize, false);
            repeated[position as usize] = true;
        }
        last = Some(id);
        if position + 1 < pack.listed() {
            heap.push(Reverse((pack.id(position + 1), number, position + 1)));
        }
    }
    repeated
}
