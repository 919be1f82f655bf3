//! SIMD tile kernels and WGSL templates of probpipe.
//!
//! The elementwise functions that compiled programs call on tiles of a few hundred elements: each
//! is one scalar formula ([`math`]) over an arithmetic trait ([`lane`]), looped over by safe code
//! ([`tile`]), compiled once per instruction set ([`instances`]) and handed out as C function
//! pointers ([`table()`]). The same functions for GPUs are text ([`wgsl`]). This crate knows nothing
//! of graphs, arrays or threads.
#![deny(missing_docs)]

pub mod instances;
pub mod lane;
pub mod math;
pub mod reduce;
pub mod table;
pub mod threefry;
pub mod tile;
pub mod wgsl;

pub use table::{
    BinaryKernel, BinaryScalar, BinaryTile, Isa, KernelTable, ReduceKernel, ReduceTile,
    ThreefryOneKeyTile, ThreefryTile, UnaryKernel, UnaryScalar, UnaryTile, table, table_for,
};
pub use wgsl::{MATH_WGSL, WgslFn, wgsl_function, wgsl_module, wgsl_names};
