//! SIMD tile kernels and WGSL templates of probpipe.
//!
//! The elementwise functions that compiled programs call on tiles of a few hundred elements. Each
//! is one scalar formula (`math`) over an arithmetic trait (`lane`), looped over by safe code
//! (`tile`, `reduce`), compiled once per instruction set (`instances`, where the `unsafe` is) and
//! handed out as C function pointers by [`table()`]. Products of matrices and vectors (`product`)
//! are written on vectors of 64 bytes (`vector`). The same functions for GPUs are text
//! ([`wgsl`]): in single precision written by hand, in double precision printed from the formula
//! (`recorded`). This crate knows nothing of graphs, arrays or threads.
//!
//! To add a function: the formula in `math`, a row in `functions`, the WGSL of single precision in
//! `wgsl/math.wgsl`, a row in `tests/data/generate.py`; the tests then cover it. The errors
//! measured are in `docs/accuracy.md`.
#![deny(missing_docs)]

mod functions;
mod instances;
#[allow(dead_code, reason = "each target uses the fused or the plain lanes for its portable table")]
mod lane;
mod math;
mod product;
mod recorded;
mod reduce;
pub mod table;
pub mod threefry;
mod tile;
mod vector;
pub mod wgsl;

pub use math::exponential::{ExpConstants, exp_constants};
pub use table::{
    ArithmeticKernel, BinaryKernel, BinaryScalar, BinaryTile, Isa, KernelTable, ProductKernel,
    ReduceKernel, ReduceTile, ThreefryOneKeyTile, ThreefryTile, UnaryKernel, UnaryScalar,
    UnaryTile, table, table_for,
};
pub use wgsl::{
    CHOLESKY_WGSL, CUMULATIVE_WGSL, EIGH_WGSL, FACTORS_WGSL, LONG_WGSL, LU_USE_WGSL, LU_WGSL,
    MATH_WGSL, MATMUL_WGSL, QR_WGSL, SCATTER_WGSL, SORT_WGSL, SPECIAL_WGSL, STATES_WGSL, SVD_WGSL,
    TRIANGULAR_SOLVE_WGSL, WgslFn, wgsl_function, wgsl_functions, wgsl_mentions, wgsl_module,
    wgsl_names,
};
