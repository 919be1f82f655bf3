//! Times of one workload on one device: compiling it, calling it, and the same work by hand.

use super::peer;
use probpipe::{Array, Device, Rounding, Scalar, compile, with_rounding};
use probpipe_benches::{Limit, Workload};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What was measured of a workload on a device; medians.
pub struct Measured {
    /// Microseconds per call.
    pub us: f64,
    /// Milliseconds from a closure to a program, with nothing kept from the one before.
    pub compile_ms: f64,
    /// Microseconds of the same work by hand, where it is written.
    pub by_hand_us: Option<f64>,
    /// Microseconds of a call that may contract operations, where it is written by hand.
    pub contracted_us: Option<f64>,
    /// The first numbers of each result.
    pub outputs: Vec<Vec<f64>>,
}

/// How long a batch of calls should take.
const BATCH: Duration = Duration::from_millis(10);

pub fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How often to call what takes this long once, and in how many batches.
fn plan(once: Duration) -> (usize, usize) {
    let calls = (BATCH.as_secs_f64() / once.as_secs_f64()).clamp(1.0, 1e6);
    (calls as usize, if once > Duration::from_millis(200) { 5 } else { 21 })
}

fn seconds(mut work: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

/// Microseconds per call, the median of batches that last about as long as asked. `batch` makes so
/// many calls.
pub fn per_call(
    lasting: Duration,
    mut batch: impl FnMut(usize) -> Result<(), String>,
) -> Result<f64, String> {
    batch(1)?;
    let once = seconds(|| batch(1))?;
    let calls = (lasting.as_secs_f64() / once).clamp(1.0, 1e6) as usize;
    let batches = if once > 0.1 { 5 } else { 15 };
    let one = |_| Ok(seconds(|| batch(calls))? / calls as f64);
    let mut samples = (0..batches).map(one).collect::<Result<Vec<f64>, String>>()?;
    Ok(median(&mut samples) * 1e6)
}

pub fn measure(workload: &Workload, device: Device) -> Result<Measured, String> {
    let backend = device.backend();
    let arguments = workload.inputs();
    let function = |x| workload.run(x);
    // Compilation as a user meets it: trace, transform, simplify, lower, generate code. Nothing is
    // kept from one to the next but, on the GPU, the shaders that the driver has seen.
    let mut compiling = (0..if device == Device::Gpu { 1 } else { 5 })
        .map(|_| {
            seconds(|| {
                let program = compile(&*backend, function, &arguments);
                program.map(|_| ()).map_err(|e| e.to_string())
            })
        })
        .collect::<Result<Vec<f64>, _>>()?;

    let call = probpipe::jit_on(device, function);
    // Inputs move to the device once; results stay there until they are read. A result is dropped
    // before the next is made, as in a loop that uses it.
    let mut outputs = call(arguments.clone());
    finish(device, &outputs)?;
    let mut batch = |calls: usize| {
        seconds(|| {
            for _ in 0..calls {
                outputs.clear();
                outputs = call(arguments.clone());
            }
            // A device works behind the call; its queue is in order, so the last is enough.
            finish(device, &outputs)
        })
    };
    let by_hand = match (workload.limit, device) {
        (Limit::ByHand(f), Device::Cpu) => Some((f, arguments_of(&arguments)?)),
        _ => None,
    };
    let (calls, batches) = plan(Duration::from_secs_f64(batch(1)?));
    let contracted = || with_rounding(Rounding::Contracted, || call(arguments.clone()));
    let (mut ours, mut theirs, mut short) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..batches {
        ours.push(batch(calls)? / calls as f64);
        // In turn with ours, so that both meet the same machine.
        if let Some((f, data)) = &by_hand {
            let slices: Vec<&[f64]> = data.iter().map(Vec::as_slice).collect();
            let start = Instant::now();
            for _ in 0..calls {
                black_box(f(black_box(&slices), workload.repeats));
            }
            theirs.push(start.elapsed().as_secs_f64() / calls as f64);
            black_box(contracted());
            let start = Instant::now();
            for _ in 0..calls {
                black_box(contracted());
            }
            short.push(start.elapsed().as_secs_f64() / calls as f64);
        }
    }
    Ok(Measured {
        us: median(&mut ours) * 1e6,
        compile_ms: median(&mut compiling) * 1e3,
        by_hand_us: by_hand.is_some().then(|| median(&mut theirs) * 1e6),
        contracted_us: by_hand.is_some().then(|| median(&mut short) * 1e6),
        outputs: outputs.iter().map(floats).collect::<Result<_, _>>()?,
    })
}

/// The elements of the arguments.
fn arguments_of(arrays: &[Array]) -> Result<Vec<Vec<f64>>, String> {
    arrays.iter().map(|a| a.to_vec::<f64>().map_err(|e| e.to_string())).collect()
}

/// Waits until the results are there. On the host they are when the call returns.
fn finish(device: Device, outputs: &[Array]) -> Result<(), String> {
    let last = outputs.last().ok_or("the workload gives nothing")?;
    let value = last.value().map_err(|e| e.to_string())?;
    if device == Device::Gpu {
        value.to_host().map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The first numbers of a result, as many as the peer reports.
fn floats(array: &Array) -> Result<Vec<f64>, String> {
    let scalars = array.value().and_then(|v| v.to_scalars()).map_err(|e| e.to_string())?;
    Ok(scalars.into_iter().take(peer::VALUES).map(Scalar::as_f64).collect())
}

/// The largest difference, relative to the largest number of the reference. One below the normal
/// range of `f32` is none: some devices take such numbers for zero.
pub fn difference(reference: &[Vec<f64>], outputs: &[Vec<f64>]) -> f64 {
    let mut worst: f64 = 0.0;
    for (want, have) in reference.iter().zip(outputs) {
        let scale = want.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
        for (a, b) in want.iter().zip(have) {
            let d = (a - b).abs();
            let d = if d < f64::from(f32::MIN_POSITIVE) { 0.0 } else { d / scale };
            worst = if d.is_nan() { f64::INFINITY } else { worst.max(d) };
        }
    }
    worst
}
