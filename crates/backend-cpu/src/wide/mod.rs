//! Machine code for vectors that Cranelift does not have: AVX-512.

mod assembler;
mod expressions;
mod gather;
mod instructions;
mod points;
mod quotient;
mod region;
mod spills;
mod sums;
mod vectors;
mod waiting;

pub(crate) use quotient::divisors;
pub(crate) use region::{Arg, Region, Sums, build, computes};
pub(crate) use sums::sums;

/// Whether a quotient takes longer than the five instructions on vectors that `quotient` has in its
/// place. Processors of Intel divide eight numbers in 16 cycles or more, in which they do 32
/// products; on AMD's the divider works beside the other units, and is the faster way.
fn divides_slowly() -> bool {
    tuning().quotients || is_made_by("Genu")
}

/// Whether the instruction that gathers a vector takes longer than to read its elements one by one:
/// 13 cycles for eight numbers where that takes 6, on processors of AMD (Zen 5).
fn gathers_slowly() -> bool {
    tuning().elements || is_made_by("Auth")
}

/// Whether the name of the processor's maker begins so.
fn is_made_by(name: &str) -> bool {
    static MAKER: OnceLock<[u8; 4]> = OnceLock::new();
    #[cfg(target_arch = "x86_64")]
    let maker = || std::arch::x86_64::__cpuid(0).ebx.to_le_bytes();
    #[cfg(not(target_arch = "x86_64"))]
    let maker = || [0; 4];
    MAKER.get_or_init(maker) == name.as_bytes()
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
