//! Threads for kernels that are worth several: parts of a fixed division are taken one by one by
//! whoever is free, the caller among them. Which thread does a part changes nothing in its result.
//!
//! The caller never waits for a thread to wake: it does what is left itself, and waits only for
//! parts that others have begun. Whether that pays is kept in a book (`ledger`): a thread that lost
//! its core in the middle of a part makes the caller wait. The threads are rayon's, so that
//! programs inside of a parallel iterator share them. A helper that has run out of parts looks for
//! the next job for some microseconds before it goes, since programs are called in loops and waking
//! a thread takes longer.

use crate::crossing::{Mode, enter_again};
use crate::ledger::Ledger;
use crate::tuning::tuning;
use probpipe_trace::Line;
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a helper looks for its next job.
const PATIENCE: Duration = Duration::from_micros(30);

/// The newest job, for helpers that look for one, and how many jobs there have been.
static NEWEST: Mutex<Option<Arc<Job>>> = Mutex::new(None);
static JOBS: AtomicUsize = AtomicUsize::new(0);
/// Helpers that are looking.
static LOOKING: AtomicUsize = AtomicUsize::new(0);

/// What helpers gained and cost.
static BOOK: Ledger = Ledger::new();

/// A part of a kernel or of a loop: `(table, part, begin, end, scratch)`.
pub(crate) type PartFn = unsafe extern "C" fn(*const u64, usize, usize, usize, *mut u8);

/// Work that threads share.
struct Job {
    function: PartFn,
    table: *const u64,
    extent: usize,
    part: usize,
    parts: usize,
    scratch_bytes: usize,
    /// What arithmetic does on the thread of the program.
    mode: Mode,
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
    /// Does parts until none is left; how many.
    fn work(&self) -> usize {
        let mut own = 0;
        let mut work = |scratch: &mut Vec<Line>| {
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
                own += 1;
                at = self.next.fetch_add(1, Ordering::Relaxed);
            }
        };
        // Where the part of a loop waits for other threads, this one may do parts of another job.
        let mut scratch = SCRATCH.take();
        enter_again(self.mode, || work(&mut scratch));
        SCRATCH.set(scratch);
        own
    }
}

/// Works on a job, and on those that come soon after it.
fn help(mut job: Arc<Job>) {
    loop {
        let known = JOBS.load(Ordering::Acquire);
        job.work();
        LOOKING.fetch_add(1, Ordering::Relaxed);
        let since = Instant::now();
        let mut found = JOBS.load(Ordering::Acquire) != known;
        while !found && since.elapsed() < PATIENCE {
            std::hint::spin_loop();
            found = JOBS.load(Ordering::Acquire) != known;
        }
        LOOKING.fetch_sub(1, Ordering::Relaxed);
        if !found {
            return;
        }
        match NEWEST.lock().ok().and_then(|newest| newest.clone()) {
            Some(newest) => job = newest,
            None => return,
        }
    }
}

/// Behind the door: does every part of a kernel.
///
/// # Safety
/// `function` is code of a part that may run beside its other parts, `table` what it takes.
pub(crate) unsafe fn run_parts(
    function: PartFn,
    table: *const u64,
    extent: usize,
    part: usize,
    scratch_bytes: usize,
) {
    let parts = extent.div_ceil(part);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mode = Mode::current();
    let job = Job { function, table, extent, part, parts, scratch_bytes, mode, next, done };
    let helpers = rayon::current_num_threads().min(parts).saturating_sub(1);
    if helpers == 0 {
        job.work();
        return;
    }
    let began = Instant::now();
    if !BOOK.calls_helpers() && !tuning().always_threads {
        job.work();
        return BOOK.alone(began.elapsed());
    }
    let job = Arc::new(job);
    if let Ok(mut newest) = NEWEST.lock() {
        *newest = Some(job.clone());
        JOBS.fetch_add(1, Ordering::Release);
    }
    // Those that look find the job; the others are called.
    for _ in LOOKING.load(Ordering::Relaxed)..helpers {
        let job = job.clone();
        rayon::spawn(move || help(job));
    }
    let called = Instant::now();
    let own = job.work();
    let worked = called.elapsed();
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
    BOOK.helped(began.elapsed(), worked, own, parts);
}
