//! The CPU backend: programs to machine code by Cranelift, one function for a whole program with
//! its loops, calling the SIMD kernels of `probpipe-kernels` and faer. It knows nothing of
//! derivatives or distributions; fusion and memory are planned by `probpipe-lowering`.

mod caller;
mod crossing;
#[cfg(all(test, target_arch = "x86_64", unix))]
mod door_tests;
mod eager;
mod emit;
mod executable;
mod isa;
mod jit;
mod lanes;
mod ledger;
mod library;
mod plan;
mod profile;
mod reduction;
mod reuse;
mod segments;
mod short;
mod shortage;
mod symbols;
mod threads;
mod tuning;
mod wide;

pub use executable::CpuExecutable;
pub use probpipe_lowering::Work;

use probpipe_lowering::{Options, lower};
use probpipe_trace::{Backend, Caps, Executable, LaneForm, Result, Rounding, Verified, rounding};

/// The CPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

/// Products of a matrix and a vector with fewer multiplications are kernels of the program's own,
/// which keep small operands in registers; a call of a kernel for products takes about 10 ns.
const MATVEC: usize = 256;

impl Cpu {
    /// How graphs are lowered for this backend.
    pub fn options() -> Options {
        Options { alignment: 64, library_matvec: Some(MATVEC), ..Options::default() }
    }

    /// How much the program of a graph does, on a device on which lanes with loops of their own run
    /// so; here in groups, which threads divide.
    ///
    /// # Errors
    /// As those of its compilation.
    pub fn work(&self, graph: Verified<'_>, lanes: LaneForm) -> Result<Work> {
        let mut work = lower(graph, &Cpu::options())?.work(lanes);
        if lanes == LaneForm::Grouped {
            work.alone /= rayon::current_num_threads() as f64;
        }
        Ok(work)
    }

    /// The compiled program of a graph, which rounds as [`rounding`] says.
    pub fn executable(&self, graph: Verified<'_>) -> Result<CpuExecutable> {
        let contract = rounding() == Rounding::Contracted;
        CpuExecutable::new(lower(graph, &Options { contract, ..Cpu::options() })?)
    }
}

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn caps(&self) -> Caps {
        Caps { lanes: LaneForm::Grouped, ..Caps::everything(self.name()) }
    }

    fn compile(&self, graph: Verified<'_>) -> Result<Box<dyn Executable>> {
        Ok(Box::new(Cpu.executable(graph)?))
    }
}
