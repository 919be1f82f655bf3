//! Memory of large buffers that are gone, kept for the next ones. The system gives fresh pages one
//! fault at a time, which costs more than most work that is done in them; allocators give buffers
//! of this size back to the system as soon as they are free.
//!
//! Kept is never more than the large buffers that are alive hold, or [`FLOOR`] where that is more;
//! what was put away first goes first.

use crate::error::{Error, ErrorKind, Result};
use bytemuck::{Pod, Zeroable};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One cache line. Buffers are made of lines so that they are 64-byte aligned, which makes
/// 512-bit vector code up to 1.5 times faster than data at `Vec`'s natural alignment.
#[derive(Clone, Copy, Zeroable, Pod, Debug, Default)]
#[repr(C, align(64))]
pub struct Line([u64; 8]);

/// Smaller buffers are the allocator's business. From here on glibc may give them back to the
/// system when they are free, which it does or does not as the rest of its heap lies: a call on
/// 400 KB took 10 us or 100.
const LARGE: usize = (128 << 10) / size_of::<Line>();
/// Most buffers that are kept, so that looking for one takes no time.
const MOST: usize = 256;
/// What may be kept however little is alive.
const FLOOR: usize = (128 << 20) / size_of::<Line>();

/// The buffers that are kept, oldest first.
static KEPT: Mutex<VecDeque<Vec<Line>>> = Mutex::new(VecDeque::new());
/// Lines of the large buffers that are alive.
static ALIVE: AtomicUsize = AtomicUsize::new(0);

fn kept() -> MutexGuard<'static, VecDeque<Vec<Line>>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An empty vector with room for `lines` lines, for buffers to be written whole: memory of a buffer
/// that is gone where one fits. An error where the system has none.
pub fn spare_lines(lines: usize) -> Result<Vec<Line>> {
    if lines >= LARGE {
        let mut kept = kept();
        let fits = lines..=lines + lines / 4;
        let candidates = kept.iter().enumerate().filter(|(_, v)| fits.contains(&v.capacity()));
        let best = candidates.min_by_key(|(_, v)| v.capacity()).map(|(at, _)| at);
        if let Some(spare) = best.and_then(|at| kept.remove(at)) {
            return Ok(spare);
        }
    }
    let mut fresh = Vec::new();
    if fresh.try_reserve_exact(lines).is_err()
        && (release_memory() == 0 || {
            // What was kept for others may be what is missing.
            fresh.try_reserve_exact(lines).is_err()
        })
    {
        return Err(no_memory(lines.saturating_mul(size_of::<Line>())));
    }
    Ok(fresh)
}

/// The error that the system gives no memory of so many bytes.
pub(crate) fn no_memory(bytes: usize) -> Error {
    let message = format!("out of memory: the system does not give {bytes} bytes");
    Error::new(ErrorKind::Device, message).help(
        "compute in parts, with `scan` or by slices, reduce inside of `jit`, which makes no array \
         of what is only summed up, or take a narrower element type",
    )
}

/// Notes that a buffer holds this memory now.
pub(crate) fn note_alive(lines: &Vec<Line>) {
    if lines.capacity() >= LARGE {
        ALIVE.fetch_add(lines.capacity(), Ordering::Relaxed);
    }
}

/// Takes back what [`note_alive`] noted: the memory leaves its buffer, not yet to be kept.
pub(crate) fn note_gone(lines: &Vec<Line>) {
    if lines.capacity() >= LARGE {
        ALIVE.fetch_sub(lines.capacity(), Ordering::Relaxed);
    }
}

/// Keeps memory that no buffer uses any more for the next that asks [`spare_lines`].
pub fn keep_lines(mut lines: Vec<Line>) {
    if lines.capacity() < LARGE {
        return;
    }
    lines.clear();
    let limit = ALIVE.load(Ordering::Relaxed).max(FLOOR);
    // Freed after the lock is: the system takes its time.
    let mut evicted = Vec::new();
    let mut kept = kept();
    kept.push_back(lines);
    let mut total: usize = kept.iter().map(Vec::capacity).sum();
    while (total > limit || kept.len() > MOST)
        && let Some(oldest) = kept.pop_front()
    {
        total -= oldest.capacity();
        evicted.push(oldest);
    }
    drop(kept);
}

/// Gives the memory that is kept for the next large results back to the system, and says how many
/// bytes that were.
///
/// Results of 128 KiB and more are written into memory of arrays that are gone, because fresh
/// memory costs more than most work done in it. What is kept for that is never more than what the
/// large arrays that are alive hold, or 128 MiB where that is more. A program that is done with
/// large arrays for some time can call this.
///
/// ```
/// use probpipe_trace::{DType, release_memory, zeros_of};
/// drop(zeros_of(DType::F32, [1 << 20]));
/// assert!(release_memory() >= 4 << 20);
/// assert_eq!(release_memory(), 0);
/// ```
pub fn release_memory() -> usize {
    let spare = std::mem::take(&mut *kept());
    spare.iter().map(|lines| lines.capacity() * size_of::<Line>()).sum()
}
