//! The instruction set that code is compiled for: that of this machine, or what the kernels are
//! told to use of it.

use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use probpipe_kernels::{Isa, table};
use probpipe_trace::{Error, ErrorKind, Result};
use std::fmt;
use std::sync::OnceLock;

/// An error of the code generator.
pub(crate) fn fault(what: &str, error: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Backend, format!("the cpu backend could not {what}: {error}"))
}

/// Cranelift's names for what an instruction set lacks.
fn beyond(isa: Isa) -> &'static [&'static str] {
    const AVX512: [&str; 5] =
        ["has_avx512bitalg", "has_avx512dq", "has_avx512vl", "has_avx512vbmi", "has_avx512f"];
    const ALL: [&str; 8] =
        ["has_fma", AVX512[0], AVX512[1], AVX512[2], AVX512[3], AVX512[4], "has_avx2", "has_avx"];
    match isa {
        Isa::Avx512 => &[],
        Isa::Avx2 => &AVX512,
        Isa::Portable => &ALL,
    }
}

/// Whether compiled code uses AVX, or is for a processor that has no such thing.
pub(crate) fn has_avx() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has = table().isa() != Isa::Portable && is_x86_feature_detected!("avx");
    #[cfg(not(target_arch = "x86_64"))]
    let has = true;
    has
}

/// The instruction set of this machine, found once.
pub(crate) fn isa() -> Result<OwnedTargetIsa> {
    static ISA: OnceLock<Result<OwnedTargetIsa>> = OnceLock::new();
    let make = || -> Result<OwnedTargetIsa> {
        let mut flags = settings::builder();
        let verifier = if cfg!(debug_assertions) { "true" } else { "false" };
        for (name, value) in [
            ("opt_level", "speed"),
            ("is_pic", "false"),
            ("use_colocated_libcalls", "false"),
            ("unwind_info", "false"),
            ("enable_verifier", verifier),
        ] {
            flags.set(name, value).map_err(|e| fault("configure the code generator", e))?;
        }
        let mut builder = cranelift_native::builder().map_err(|e| fault("use this machine", e))?;
        // What the kernels are told not to use, compiled code does not use either.
        for &flag in beyond(table().isa()) {
            if cfg!(target_arch = "x86_64") {
                builder.set(flag, "false").map_err(|e| fault("configure this machine", e))?;
            }
        }
        builder.finish(settings::Flags::new(flags)).map_err(|e| fault("use this machine", e))
    };
    ISA.get_or_init(make).clone()
}
