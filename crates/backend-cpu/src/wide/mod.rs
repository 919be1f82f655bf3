//! Machine code for vectors that Cranelift does not have: AVX-512.

mod assembler;
mod expressions;
mod instructions;
mod region;
mod vectors;

pub(crate) use region::{Arg, Region, Sums, build, computes};

/// Parameters of a region: its arguments, the first point and the one after the last.
pub(crate) const PARAMETERS: usize = 3;

use probpipe_kernels::{Isa, table};

/// Whether regions can run here: on processors with AVX-512, under the calling convention that
/// regions have, unless the kernels are told to use less.
pub(crate) fn available() -> bool {
    cfg!(all(target_arch = "x86_64", unix)) && table().isa() == Isa::Avx512
}
