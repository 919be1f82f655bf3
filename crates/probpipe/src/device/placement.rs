//! What a program would take on each device: a line of costs for the processor and for the GPU,
//! measured once, and a guess from the counts of a program. Who runs what is decided in `auto.rs`.

use super::Work;
use probpipe_trace::{
    Array, Backend, DType, Result, Value, full, trace, verify, with_default_float, zeros,
};
use probpipe_trace::{fori_loop, while_loop};
use std::time::{Duration, Instant};

/// What things take on a device, in microseconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Costs {
    /// A call, whatever it does.
    pub call: f64,
    /// A byte of an argument on its way there or of a result on its way back.
    pub moved: f64,
    /// The start of a kernel.
    pub launch: f64,
    /// A look at whether a loop goes on.
    pub asked: f64,
    /// An elementwise operation.
    pub operation: f64,
    /// A byte that kernels read or write.
    pub touched: f64,
    /// A multiplication or an addition of dense linear algebra.
    pub flop: f64,
    /// An operation of a lane by itself, which waits for the one before it.
    pub alone: f64,
}

/// The costs of both devices.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Machine {
    /// Of this processor.
    pub cpu: Costs,
    /// Of the GPU.
    pub gpu: Costs,
}

impl Costs {
    /// What a call of a program should take.
    pub fn estimate(&self, work: &Work) -> Duration {
        // The device is busy with the operations of all, with memory, or waits for one lane.
        let kernels = (work.operations * self.operation)
            .max(work.touched * self.touched)
            .max(work.alone * self.alone);
        let micros = self.call
            + work.moved * self.moved
            + work.launches * self.launch
            + work.asked * self.asked
            + kernels
            + work.flops * self.flop;
        Duration::try_from_secs_f64(micros * 1e-6).unwrap_or(Duration::MAX)
    }

    /// Measures a device by a few programs, in some hundredths of a second and the time that it
    /// takes to compile them.
    pub fn measured(backend: &dyn Backend) -> Result<Costs> {
        with_default_float(DType::F32, || measured(backend))
    }
}

/// Elements of the arrays that costs of one of them are taken from.
const MANY: usize = 1 << 20;
/// Elements of an array whose kernels are no work to speak of, yet not that of one core.
const SOME: usize = 1 << 12;
/// Rows of matrices.
const ROWS: usize = 256;
/// Operations in a row.
const CHAIN: usize = 64;
/// Steps of loops.
const STEPS: usize = 32;
/// Steps of a loop over one number.
const SERIAL: usize = 4096;

fn measured(backend: &dyn Backend) -> Result<Costs> {
    let vector = |n: usize| full(&[n], 0.5).value();
    let small = vector(1)?;
    let call = time(backend, &small, |x| x + 1.0)?;
    let beyond = |taken: f64, less: f64| (taken - less).max(0.0);

    let many = vector(MANY)?;
    let bytes = 4.0 * MANY as f64;
    // Read only: its result is one number.
    let read = time(backend, &many, |x| x.sum())?;
    let touched = beyond(read, call) / bytes;
    let chain =
        time(backend, &many, |x| (0..CHAIN / 2).fold(x.clone(), |y, _| y * 0.5 + 0.25).sum())?;
    let operation = beyond(chain, call) / (MANY * CHAIN) as f64;
    let (there, back) = (moved(backend, MANY)?, 2.0 * bytes);
    let moved = beyond(there, call + back * touched) / back;

    let some = vector(SOME)?;
    // Each step needs the sum of the one before, which is a kernel of its own.
    let steps = time(backend, &some, |x| {
        fori_loop(STEPS, x.clone(), |_, y: Array| &y * 0.5 + y.sum() * 1e-6).sum()
    })?;
    let work = STEPS as f64 * 4.0 * SOME as f64;
    let launch = beyond(steps, call + work * operation.max(touched)) / (2 * STEPS) as f64;
    let asking = time(backend, &small, |x| {
        let start = (x.clone(), zeros(&[]).cast(DType::I32));
        let (y, _) = while_loop(
            |(_, i): (Array, Array)| i.lt(STEPS as i32),
            |(y, i): (Array, Array)| (y * 0.5, i + 1),
            start,
        );
        y
    })?;
    let asked = beyond(asking, call) / STEPS as f64;

    let serial =
        time(backend, &small, |x| fori_loop(SERIAL, x.clone(), |_, y: Array| y * 0.5 + 0.25))?;
    let alone = beyond(serial, call) / (2 * SERIAL) as f64;

    let matrix = full(&[ROWS, ROWS], 0.5).value()?;
    let product = time(backend, &matrix, |x| x.matmul(x).sum())?;
    let flop = beyond(product, call) / (2.0 * (ROWS as f64).powi(3));
    Ok(Costs { call, moved, launch, asked, operation, touched, flop, alone })
}

/// The shortest of some calls, in microseconds, until the result can be read.
fn time(backend: &dyn Backend, x: &Value, f: impl Fn(&Array) -> Array) -> Result<f64> {
    let graph = trace(&[x.ty().clone()], |x| vec![f(&x[0])])?.graph;
    let program = backend.compile(verify(&graph)?)?;
    shortest(|| {
        for y in program.run(&[x])? {
            y.to_host()?;
        }
        Ok(())
    })
}

/// As [`time`], with an argument that no device has seen and a result as large.
fn moved(backend: &dyn Backend, elements: usize) -> Result<f64> {
    let types = [full(&[elements], 0.5).ty()?];
    let graph = trace(&types, |x| vec![&x[0] + 1.0])?.graph;
    let program = backend.compile(verify(&graph)?)?;
    let mut fresh = Vec::new();
    for _ in 0..CALLS + 1 {
        fresh.push(Value::from_elements(&vec![0.5f32; elements], &[elements])?);
    }
    shortest(|| {
        let Some(x) = fresh.pop() else { return Ok(()) };
        for y in program.run(&[&x])? {
            y.to_host()?;
        }
        Ok(())
    })
}

/// Calls that are timed; the first one, which may be slower, is not.
const CALLS: usize = 4;

fn shortest(mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    call()?;
    let mut shortest = f64::INFINITY;
    for _ in 0..CALLS {
        let begun = Instant::now();
        call()?;
        shortest = shortest.min(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(shortest)
}
