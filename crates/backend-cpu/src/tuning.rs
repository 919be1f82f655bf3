//! From which size on kernels run in wide vectors and on several threads. Figures found by
//! measurement; `PROBPIPE_TUNE=small` makes them so small that tests of small arrays meet both, and
//! has quotients by one number, and reading at computed indices, done as they are on processors
//! that divide or gather slowly.

use std::sync::OnceLock;

/// Limits of a process.
#[derive(Debug)]
pub(crate) struct Tuning {
    /// Points along the innermost axis from which on vector regions are used: along fewer the call
    /// costs more than it gains.
    pub(crate) region_points: usize,
    /// Work, in operations on one vector of sixteen elements or so, that is worth other threads.
    /// They take some microseconds to begin.
    pub(crate) parallel_work: usize,
    /// Whether threads are called also where they did not pay so far.
    pub(crate) always_threads: bool,
    /// Points that a part has at least.
    pub(crate) part_points: usize,
    /// What the parts of an axis that runs in tiles are a multiple of, as are full tiles: a power
    /// of two, at least 16.
    pub(crate) part_tile: usize,
    /// Whether quotients by one number are products whatever the processor.
    pub(crate) quotients: bool,
    /// Whether what is read at computed indices is read one by one whatever the processor.
    pub(crate) elements: bool,
}

const MEASURED: Tuning = Tuning {
    region_points: 48,
    parallel_work: 40_000,
    always_threads: false,
    part_points: 4096,
    part_tile: 1024,
    quotients: false,
    elements: false,
};
const SMALL: Tuning = Tuning {
    region_points: 1,
    parallel_work: 0,
    always_threads: true,
    part_points: 1,
    part_tile: 16,
    quotients: true,
    elements: true,
};

/// The limits of this process.
pub(crate) fn tuning() -> &'static Tuning {
    static CHOSEN: OnceLock<&Tuning> = OnceLock::new();
    CHOSEN.get_or_init(|| match std::env::var("PROBPIPE_TUNE").as_deref() {
        Ok("small") => &SMALL,
        _ => &MEASURED,
    })
}
