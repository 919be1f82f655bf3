//! Ctrl-C: the first ends runs in order, the second the process. The handler is set once for the
//! process, by the first run that wants it; while there is no such run it ends the process, as
//! without it. A process that has a handler of its own keeps it.

#[cfg(feature = "terminal")]
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Runs that are under way and want to be ended in order.
static RUNS: AtomicUsize = AtomicUsize::new(0);
static PRESSED: AtomicBool = AtomicBool::new(false);

/// A run that listens, or one that does not.
#[derive(Debug)]
pub(super) struct Interrupts {
    on: bool,
}

impl Interrupts {
    pub fn new(on: bool) -> Interrupts {
        if on {
            if RUNS.fetch_add(1, Ordering::SeqCst) == 0 {
                PRESSED.store(false, Ordering::SeqCst);
            }
            handle();
        }
        Interrupts { on }
    }

    /// Whether the run is to end.
    pub fn pressed(&self) -> bool {
        self.on && PRESSED.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        if self.on {
            RUNS.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(feature = "terminal")]
fn handle() {
    static ONCE: Once = Once::new();
    let pressed = || {
        if RUNS.load(Ordering::SeqCst) == 0 || PRESSED.swap(true, Ordering::SeqCst) {
            // As a shell has it for a process that the signal ended.
            std::process::exit(130);
        }
        eprintln!("ending the run after this block; ctrl-C again ends the process");
    };
    // An error is another handler, which is right to stay.
    ONCE.call_once(|| drop(ctrlc::try_set_handler(pressed)));
}

#[cfg(not(feature = "terminal"))]
fn handle() {}
