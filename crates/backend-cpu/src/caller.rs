//! Calling compiled code: pointer tables, outputs, and arenas that calls take turns in. A call
//! does no work on graphs, hashes nothing and allocates its results only. Which machine runs a
//! call, is said by who calls.

use crate::crossing;
use crate::jit::Machine;
use crate::library::with_failure;
use crate::reuse::Taken;
use crate::shortage::short_of;
use probpipe_lowering::{Place, Program, Stmt};
use probpipe_trace::{
    ArrayType, DType, Error, ErrorKind, HostBuffer, Line, Result, Subnormals, Value, Values,
    keep_lines, spare_lines, subnormals,
};
use smallvec::SmallVec;
use std::cell::Cell;
use std::mem::MaybeUninit;

/// An arena that fits on the stack.
type SmallArena = MaybeUninit<[Line; 64]>;
/// Arenas of up to this many lines stay with the thread that used them; larger ones are kept with
/// the memory of large results.
const THREAD_ARENA: usize = (1 << 20) / size_of::<Line>();

thread_local! {
    /// The arena of calls that are over on this thread.
    static ARENA: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// Calls `f` with the address of `bytes` bytes of scratch memory.
fn with_arena<R>(bytes: usize, f: impl FnOnce(*mut u8) -> R) -> Result<R> {
    if bytes <= size_of::<SmallArena>() {
        return Ok(f(SmallArena::uninit().as_mut_ptr().cast()));
    }
    let lines = bytes.div_ceil(size_of::<Line>());
    if lines > THREAD_ARENA {
        let mut arena = spare_lines(lines)?;
        let result = f(arena.as_mut_ptr().cast());
        keep_lines(arena);
        return Ok(result);
    }
    // Taken out for the time of the call: a function of the host may call another program.
    let mut arena = ARENA.take();
    if arena.capacity() < lines {
        arena = Vec::with_capacity(lines);
    }
    let result = f(arena.as_mut_ptr().cast());
    ARENA.set(arena);
    Ok(result)
}

/// Memory for `count` lines of a result, and its address. Not zeroed: the program writes every
/// element.
fn room(count: usize) -> Result<(Vec<Line>, *mut u8)> {
    let mut lines = spare_lines(count)?;
    if let Some(last) = lines.spare_capacity_mut()[..count].last_mut() {
        // What lies beyond the last element.
        last.write(Line::default());
    }
    if cfg!(debug_assertions) {
        // An element that is not written shows: NaN as floats.
        let pattern: Line = bytemuck::cast([0xff_u8; 64]);
        lines.spare_capacity_mut()[..count].fill(MaybeUninit::new(pattern));
    }
    let address = lines.as_mut_ptr().cast();
    Ok((lines, address))
}

/// Addresses of inputs, then of outputs: so many on the stack, else in a vector.
const TABLE: usize = 16;

/// Calls the machines that were compiled of a program.
#[derive(Debug)]
pub(crate) struct Caller {
    inputs: Vec<Option<ArrayType>>,
    /// Types and sizes in bytes.
    outputs: Vec<(ArrayType, usize)>,
    /// The lowered form; owns the constants that the code reads.
    pub(crate) program: Program,
    /// What the program does with subnormal numbers where nobody says.
    usual: Subnormals,
}

impl Caller {
    pub(crate) fn new(program: Program) -> Caller {
        let mut inputs = vec![None; program.inputs];
        for buffer in &program.buffers {
            if let Place::Input(k) = buffer.place
                && let Some(input) = inputs.get_mut(k)
            {
                *input = Some(buffer.ty.clone());
            }
        }
        let outputs = program.outputs.iter().map(|ty| (ty.clone(), ty.bytes())).collect();
        let usual = usual_subnormals(&program);
        Caller { inputs, outputs, program, usual }
    }

    /// Runs a machine on inputs of the same types, which writes the same outputs.
    #[inline]
    pub(crate) fn run_on(&self, machine: &Machine, inputs: &[&Value]) -> Result<Values> {
        // The code trusts the sizes of its arrays, so they are checked although callers promise.
        self.check(inputs.iter().copied())?;
        self.execute(machine, inputs.iter().map(|value| address(value)), &mut Taken::new())
    }

    pub(crate) fn check<'a>(&self, inputs: impl ExactSizeIterator<Item = &'a Value>) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Internal, message));
        if inputs.len() != self.inputs.len() {
            let (want, have) = (self.inputs.len(), inputs.len());
            return wrong(format!("a program of {want} inputs was called with {have}"));
        }
        for (i, (have, want)) in inputs.zip(&self.inputs).enumerate() {
            if let Some(want) = want
                && have.ty() != want
            {
                return wrong(format!("input {i} of a program is {want}, not {}", have.ty()));
            }
        }
        Ok(())
    }

    /// Runs `machine` on inputs that were checked. The outputs in `taken`, by position, are written
    /// into the memory that is there; `machine` is compiled for just those.
    #[inline]
    pub(crate) fn execute(
        &self,
        machine: &Machine,
        inputs: impl ExactSizeIterator<Item = Result<*const u8>>,
        taken: &mut Taken,
    ) -> Result<Values> {
        let count = inputs.len() + self.outputs.len();
        let mut few = [std::ptr::null_mut::<u8>(); TABLE];
        let mut many = Vec::new();
        let table = match few.get_mut(..count) {
            Some(few) => few,
            None => {
                many.resize(count, std::ptr::null_mut());
                &mut many[..]
            }
        };
        let (from, to) = table.split_at_mut(inputs.len());
        for (address, input) in from.iter_mut().zip(inputs) {
            // Programs only read their inputs.
            *address = input?.cast_mut();
        }
        // Small results are values at once, the large ones join them when they are written.
        let mut results = Values::with_capacity(self.outputs.len());
        let mut rooms: SmallVec<[Vec<Line>; 4]> = SmallVec::new();
        for (k, (address, (ty, bytes))) in to.iter_mut().zip(&self.outputs).enumerate() {
            if let Some((donation, value)) = taken.iter_mut().find(|(d, _)| d.output == k) {
                let Some(own) = value.bytes_mut() else {
                    let message = "an argument that was given up has another handle";
                    return Err(Error::new(ErrorKind::Internal, message));
                };
                *address = own.as_mut_ptr();
                from[donation.input] = *address;
            } else if HostBuffer::is_small(*bytes) {
                let mut value = Value::zeroed(ty.clone())?;
                // It has this one handle.
                if let Some(own) = value.bytes_mut() {
                    if cfg!(debug_assertions) {
                        own.fill(0xff);
                    }
                    *address = own.as_mut_ptr();
                }
                results.push(value);
            } else {
                let (lines, at) = room(bytes.div_ceil(size_of::<Line>()))
                    .map_err(|error| short_of(error, &self.program, Some(k)))?;
                *address = at;
                rooms.push(lines);
            }
        }
        let (from, to) = (from.as_ptr().cast::<*const u8>(), to.as_ptr());
        let needs = &machine.needs;
        let subnormals = subnormals().unwrap_or(self.usual);
        let failure = with_arena(needs.arena_bytes, |arena| {
            // SAFETY: inputs and outputs have the types that the program was compiled for
            // (checked by the caller and allocated here), the arena has the size that it asked for
            // and is this call's alone, and constants and descriptors live in `self`.
            let code = || unsafe { (machine.entry)(from, to, arena) };
            // Programs that call nothing of the host cannot fail.
            if needs.callbacks.is_empty() {
                crossing::enter(subnormals, code);
                return None;
            }
            with_failure(|| crossing::enter_with_callbacks(subnormals, code))
        })
        .map_err(|error| short_of(error, &self.program, None))?;
        if let Some(error) = failure {
            return Err(error);
        }
        if !rooms.is_empty() || !taken.is_empty() {
            let mut rooms = rooms.into_iter();
            for (at, (ty, bytes)) in self.outputs.iter().enumerate() {
                if let Some(k) = taken.iter().position(|(d, _)| d.output == at) {
                    results.insert(at, taken.swap_remove(k).1.with_shape_of(ty)?);
                } else if !HostBuffer::is_small(*bytes) {
                    let Some(mut lines) = rooms.next() else { break };
                    // SAFETY: the program has run, and writes every element of its outputs; the
                    // bytes behind the last were written in `room`, which gave the capacity.
                    unsafe { lines.set_len(bytes.div_ceil(size_of::<Line>())) };
                    let value = Value::host(ty.clone(), HostBuffer::from_lines(lines, *bytes));
                    results.insert(at, value);
                }
            }
        }
        Ok(results)
    }
}

/// Programs that compute in `f32` alone flush subnormal numbers; who asks for `f64`, asks for them.
fn usual_subnormals(program: &Program) -> Subnormals {
    let mut types: Vec<DType> = program.buffers.iter().map(|buffer| buffer.ty.dtype).collect();
    let mut bodies = vec![&program.body];
    while let Some(body) = bodies.pop() {
        for stmt in body {
            match stmt {
                Stmt::Kernel(kernel) => types.extend(&kernel.types),
                Stmt::Library(_) => {}
                Stmt::Loop(l) => bodies.push(&l.body),
                Stmt::While(w) => bodies.extend([&w.cond, &w.body]),
                Stmt::Branch(branch) => bodies.extend(&branch.branches),
            }
        }
    }
    let single = types.contains(&DType::F32) && !types.contains(&DType::F64);
    if single { Subnormals::Flush } else { Subnormals::Keep }
}

/// Where a value lies in host memory.
#[inline]
pub(crate) fn address(value: &Value) -> Result<*const u8> {
    Ok(value.to_host()?.bytes().as_ptr())
}
