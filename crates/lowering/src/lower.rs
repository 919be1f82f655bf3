//! The lowering.

use crate::program::Program;
use probpipe_trace::{DType, Graph, Result};

/// What the device asks of a lowering.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes that one element takes in the arena.
    pub element_bytes: fn(DType) -> usize,
    /// Alignment of arena buffers in bytes.
    pub alignment: usize,
    /// Contractions with at least this many multiplications become library calls; `None` makes
    /// kernels of all.
    pub library_matmul: Option<usize>,
    /// Padding and joining up to this many elements is fused with guarded loads instead of being
    /// written piece by piece.
    pub guarded: usize,
}

/// Lowers a verified graph.
pub fn lower(_graph: &Graph, _options: &Options) -> Result<Program> {
    Err(probpipe_trace::Error::new(probpipe_trace::ErrorKind::Internal, "lowering is not there"))
}
