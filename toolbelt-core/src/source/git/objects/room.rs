//! How much may be held in memory, and how much may be made in all.
//!
//! A few bytes of a pack can make gigabytes: by a delta, by deflate, or by many of either. So every object asks before it
//! is made, and gets an answer that depends on nothing that the pack could lie about.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Fault, Skip};

/// What each thread may hold without asking the others, in bytes.
const FREE: usize = 32 << 20;
/// What one thread at a time may hold, in bytes: a chain of objects of the largest size, branching now and then.
const MOST: usize = 1 << 30;
/// What may be made of any packs, however small, in bytes.
const ALLOWANCE: u64 = 16 << 30;
/// What may be made of each byte of a pack on top, in bytes.
///
/// 62 are made of each of tokio's, 19 of each of ripgrep's and cargo's. More is made where a few large files change often.
const PER_BYTE: u64 = 2000;

/// The limits that all threads share.
#[derive(Debug)]
pub(super) struct Limits {
    /// The largest object, in bytes.
    largest: usize,
    /// How many bytes may still be made.
    budget: AtomicI64,
    /// Held by the one thread that holds more than [`FREE`].
    large: Mutex<()>,
}

impl Limits {
    /// Limits for packs and loose objects of so many bytes together.
    pub(super) fn new(largest: u64, stored: u64) -> Self {
        Self::with(largest, ALLOWANCE.saturating_add(stored.saturating_mul(PER_BYTE)))
    }

    /// These limits.
    pub(super) fn with(largest: u64, budget: u64) -> Self {
        Self {
            largest: usize::try_from(largest).unwrap_or(usize::MAX),
            budget: AtomicI64::new(i64::try_from(budget).unwrap_or(i64::MAX)),
            large: Mutex::new(()),
        }
    }
}

/// The memory of one thread.
#[derive(Debug)]
pub(super) struct Room<'a> {
    limits: &'a Limits,
    held: usize,
    large: Option<MutexGuard<'a, ()>>,
}

impl<'a> Room<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, held: 0, large: None }
    }

    /// Whether there is room for an object of `size` bytes beside what is held; and if so, its size.
    pub(super) fn admit(&mut self, size: u64) -> Result<usize, Fault> {
        let limits = self.limits;
        let size = usize::try_from(size).ok().filter(|&size| size <= limits.largest).ok_or(Fault::TooLarge)?;
        let wanted = self.held.saturating_add(size);
        if wanted > MOST {
            return Err(Fault::Skipped(Skip::Memory));
        }
        if wanted > FREE && self.large.is_none() {
            // Whoever has it waits for nothing but the visitor, so it comes free.
            self.large = Some(limits.large.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let cost = i64::try_from(size).unwrap_or(i64::MAX);
        if limits.budget.fetch_sub(cost, Ordering::Relaxed) < cost {
            limits.budget.fetch_add(cost, Ordering::Relaxed);
            return Err(Fault::Skipped(Skip::Budget));
        }
        Ok(size)
    }

    /// Notes that so many bytes are held from now on.
    pub(super) fn hold(&mut self, bytes: usize) {
        self.held = self.held.saturating_add(bytes);
    }

    /// Notes that so many bytes are held no more.
    pub(super) fn let_go(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// Notes that nothing is held.
    pub(super) fn clear(&mut self) {
        self.held = 0;
        self.large = None;
    }
}
