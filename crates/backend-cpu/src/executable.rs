//! Calling compiled code: pointer tables, outputs, and arenas that calls take turns in. A call
//! does no work on graphs, hashes nothing and allocates its results only.

use crate::jit::{self, Machine};
use crate::library::with_failure;
use probpipe_lowering::{Place, Program};
use probpipe_trace::{
    ArrayType, Error, ErrorKind, Executable, HostBuffer, Line, Result, Value, Values, spare_lines,
};
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::sync::Mutex;

/// An arena that fits on the stack, so that small programs take no lock.
type SmallArena = MaybeUninit<[Line; 64]>;

/// What results hold in debug builds before they are written: NaN as floats.
fn pattern() -> Line {
    bytemuck::cast([0xff_u8; 64])
}

/// A compiled program.
#[derive(Debug)]
pub struct CpuExecutable {
    machine: Machine,
    inputs: Vec<Option<ArrayType>>,
    outputs: Vec<ArrayType>,
    /// Arenas of calls that are over.
    arenas: Mutex<Vec<HostBuffer>>,
    /// The lowered form; owns the constants that the code reads.
    program: Program,
}

impl CpuExecutable {
    pub(crate) fn new(program: Program) -> Result<CpuExecutable> {
        let machine = jit::compile(&program, false)?;
        let mut inputs = vec![None; program.inputs];
        for buffer in &program.buffers {
            if let Place::Input(k) = buffer.place
                && let Some(input) = inputs.get_mut(k)
            {
                *input = Some(buffer.ty.clone());
            }
        }
        let outputs = program.outputs.clone();
        Ok(CpuExecutable { machine, inputs, outputs, arenas: Mutex::default(), program })
    }

    fn check(&self, inputs: &[&Value]) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Internal, message));
        if inputs.len() != self.inputs.len() {
            let (want, have) = (self.inputs.len(), inputs.len());
            return wrong(format!("a program of {want} inputs was called with {have}"));
        }
        for (i, (have, want)) in inputs.iter().zip(&self.inputs).enumerate() {
            if let Some(want) = want
                && have.ty() != want
            {
                return wrong(format!("input {i} of a program is {want}, not {}", have.ty()));
            }
        }
        Ok(())
    }
}

impl Executable for CpuExecutable {
    fn run(&self, inputs: &[&Value]) -> Result<Values> {
        // The code trusts the sizes of its arrays, so they are checked although callers promise.
        self.check(inputs)?;
        let mut from: SmallVec<[*const u8; 16]> = SmallVec::with_capacity(inputs.len());
        for input in inputs {
            from.push(input.to_host()?.bytes().as_ptr());
        }
        // Not zeroed: the program writes every element of its outputs.
        let mut results: SmallVec<[Vec<Line>; 4]> =
            self.outputs.iter().map(|ty| spare_lines(ty.bytes().div_ceil(64))).collect();
        let mut to: SmallVec<[*mut u8; 8]> = SmallVec::with_capacity(results.len());
        for (lines, ty) in results.iter_mut().zip(&self.outputs) {
            let count = ty.bytes().div_ceil(64);
            if let Some(last) = lines.spare_capacity_mut()[..count].last_mut() {
                // What lies beyond the last element.
                last.write(Line::default());
            }
            if cfg!(debug_assertions) {
                // An element that is not written shows.
                lines.spare_capacity_mut()[..count].fill(MaybeUninit::new(pattern()));
            }
            to.push(lines.as_mut_ptr().cast());
        }
        let call = |arena: *mut u8| {
            // SAFETY: inputs and outputs have the types that the program was compiled for
            // (checked above and allocated here), the arena has the size that it asked for and
            // is this call's alone, and constants and descriptors live in `self`.
            let run = || unsafe { (self.machine.entry)(from.as_ptr(), to.as_ptr(), arena) };
            // Programs that call nothing of the host cannot fail.
            if self.machine.needs.callbacks.is_empty() {
                run();
                return None;
            }
            with_failure(run)
        };
        let failure = if self.machine.needs.arena_bytes <= size_of::<SmallArena>() {
            call(SmallArena::uninit().as_mut_ptr().cast())
        } else {
            let pooled = self.arenas.lock().ok().and_then(|mut arenas| arenas.pop());
            let mut arena =
                pooled.unwrap_or_else(|| HostBuffer::zeroed(self.machine.needs.arena_bytes));
            let failure = call(arena.bytes_mut().as_mut_ptr());
            if let Ok(mut arenas) = self.arenas.lock() {
                arenas.push(arena);
            }
            failure
        };
        if let Some(error) = failure {
            return Err(error);
        }
        let finish = |(ty, mut lines): (&ArrayType, Vec<Line>)| {
            // SAFETY: the capacity is at least this, the program has written every element, and
            // the bytes behind the last element were written above.
            unsafe { lines.set_len(ty.bytes().div_ceil(64)) };
            Value::host(ty.clone(), HostBuffer::from_lines(lines, ty.bytes()))
        };
        Ok(self.outputs.iter().zip(results).map(finish).collect())
    }

    fn stages(&self) -> Vec<(&'static str, String)> {
        // The Cranelift form is made again rather than kept: it is long and seldom asked for.
        let clif = jit::compile(&self.program, true).map(|m| m.clif.clone());
        let clif = clif.unwrap_or_else(|e| e.to_string());
        vec![("program", self.program.to_string()), ("clif", clif)]
    }
}
