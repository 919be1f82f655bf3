//! What a run gives.

use crate::record::Record;
use probpipe_trace::Array;

/// Draws of several chains.
#[derive(Clone, Debug)]
pub struct Draws<T> {
    /// Values of the target, each of shape `[chains, draws, ..]`.
    pub values: T,
    /// The vectors that they come from, `[chains, draws, n]`.
    pub unconstrained: Array,
    /// What is known of each step, `[chains, draws]`: `log_density`, `step_size`, and the fields of
    /// the kernel's information by their names.
    pub stats: Record,
}
