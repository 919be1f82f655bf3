//! Machine code for vectors that Cranelift does not have: AVX-512.

mod assembler;
mod expressions;
mod gather;
mod instructions;
mod points;
mod quotient;
mod region;
mod spills;
mod vectors;
mod waiting;

pub(crate) use quotient::divisors;
pub(crate) use region::{Arg, Region, Sums, build, computes};

/// Whether a quotient takes longer than the five instructions on vectors that `quotient` has in its
/// place. Processors of Intel divide eight numbers in 16 cycles or more, in which they do 32
/// products; on AMD's the divider works beside the other units, and is the faster way.
fn divides_slowly() -> bool {
    static SLOWLY: OnceLock<bool> = OnceLock::new();
    #[cfg(target_arch = "x86_64")]
    let intel = || std::arch::x86_64::__cpuid(0).ebx == u32::from_le_bytes(*b"Genu");
    #[cfg(not(target_arch = "x86_64"))]
    let intel = || false;
    *SLOWLY.get_or_init(|| tuning().quotients || intel())
}

/// Parameters of a region: its arguments, the first point and the one after the last.
pub(crate) const PARAMETERS: usize = 3;

use crate::tuning::tuning;
use probpipe_kernels::{Isa, table};
use std::sync::OnceLock;

/// Whether regions can run here: on processors with AVX-512, under the calling convention that
/// regions have, unless the kernels are told to use less.
pub(crate) fn available() -> bool {
    cfg!(all(target_arch = "x86_64", unix)) && table().isa() == Isa::Avx512
}
