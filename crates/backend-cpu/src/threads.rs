//! Threads for kernels that are worth several: parts of a fixed division are taken one by one by
//! whoever is free, the caller among them. Which thread does a part changes nothing in its result.
//!
//! The caller never waits for a thread to wake: it does what is left itself, and waits only for
//! parts that others have begun. The threads are rayon's, so that programs inside of a parallel
//! iterator share them.

use probpipe_trace::Line;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A part of a kernel: `(table, part, begin, end, scratch)`.
type PartFn = unsafe extern "C" fn(*const u64, usize, usize, usize, *mut u8);

/// Work that threads share.
struct Job {
    function: PartFn,
    table: *const u64,
    extent: usize,
    part: usize,
    parts: usize,
    scratch_bytes: usize,
    /// The next part to be taken.
    next: AtomicUsize,
    /// Parts that are done.
    done: AtomicUsize,
}

// SAFETY: the function and the table are used only while parts are left to do, and the caller of
// `run_parts` keeps both alive until all are done; the rest is atomic or never written.
unsafe impl Send for Job {}
// SAFETY: as above.
unsafe impl Sync for Job {}

thread_local! {
    /// Scratch memory of the parts that this thread does.
    static SCRATCH: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

impl Job {
    /// Does parts until none is left.
    fn work(&self) {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut at = self.next.fetch_add(1, Ordering::Relaxed);
            if at < self.parts {
                let lines = self.scratch_bytes.div_ceil(size_of::<Line>());
                if scratch.len() < lines {
                    scratch.resize(lines, Line::default());
                }
            }
            while at < self.parts {
                let begin = at * self.part;
                let end = (begin + self.part).min(self.extent);
                // SAFETY: this part is this thread's alone and not yet done, so the caller of
                // `run_parts` still waits; the scratch memory has the size asked for.
                unsafe {
                    (self.function)(self.table, at, begin, end, scratch.as_mut_ptr().cast());
                }
                self.done.fetch_add(1, Ordering::Release);
                at = self.next.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// The door: does every part of a kernel.
///
/// # Safety
/// `function` is code of a part that may run beside its other parts, `table` what it takes.
pub(crate) unsafe extern "C" fn run_parts(
    function: PartFn,
    table: *const u64,
    extent: usize,
    part: usize,
    scratch_bytes: usize,
) {
    let parts = extent.div_ceil(part);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let job = Job { function, table, extent, part, parts, scratch_bytes, next, done };
    let helpers = rayon::current_num_threads().min(parts).saturating_sub(1);
    if helpers == 0 {
        return job.work();
    }
    let job = Arc::new(job);
    for _ in 0..helpers {
        let job = job.clone();
        rayon::spawn(move || job.work());
    }
    job.work();
    let mut turns = 0_u32;
    while job.done.load(Ordering::Acquire) < parts {
        // A part takes microseconds, unless its thread lost its core.
        if turns < 1 << 12 {
            std::hint::spin_loop()
        } else {
            std::thread::yield_now()
        }
        turns += 1;
    }
}
