//! `cargo xtask bench`: the same work on the interpreter, the CPU, the GPU and JAX, in one run.

use crate::peer::{self, Peer};
use crate::table::{self, Row};
use probpipe::{Array, Device, Scalar, compile};
use probpipe_benches::{WORKLOADS, Workload};
use std::time::{Duration, Instant};

/// What the command line asks for.
struct Options {
    json: Option<String>,
    jax: Option<String>,
    only: Option<String>,
    devices: Vec<Device>,
}

pub fn main(arguments: &[String]) -> Result<(), String> {
    let options = parse(arguments)?;
    let mut rows = Vec::new();
    for workload in WORKLOADS {
        if options.only.as_ref().is_some_and(|text| !workload.name.contains(text.as_str())) {
            continue;
        }
        rows.extend(measure_workload(workload, &options)?);
    }
    println!("\n{}", table::markdown(&rows));
    if let Some(path) = &options.json {
        std::fs::write(path, table::json(&rows)).map_err(|e| format!("{path}: {e}"))?;
    }
    Ok(())
}

fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options { json: None, jax: None, only: None, devices: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("{flag} needs a value"))?.clone();
        match flag.as_str() {
            "--json" => options.json = Some(value),
            "--jax" => options.jax = Some(value),
            "--only" => options.only = Some(value),
            "--devices" => {
                for name in value.split(',') {
                    options.devices.push(match name {
                        "cpu" => Device::Cpu,
                        "gpu" => Device::Gpu,
                        "interpreter" => Device::Interpreter,
                        _ => return Err(format!("there is no device {name}")),
                    });
                }
            }
            _ => return Err(format!("unknown option {flag}")),
        }
    }
    if options.devices.is_empty() {
        options.devices = vec![Device::Interpreter, Device::Cpu, Device::Gpu];
    }
    options.devices.retain(|&device| match device.check() {
        Ok(()) => true,
        Err(error) => {
            println!("SKIP {}: {error}", name_of(device));
            false
        }
    });
    Ok(options)
}

pub fn name_of(device: Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Gpu => "gpu",
        Device::Interpreter => "interpreter",
    }
}

/// One row per device; differences are to the CPU, whose own is to JAX or else the interpreter.
fn measure_workload(workload: &Workload, options: &Options) -> Result<Vec<Row>, String> {
    let inputs = (workload.inputs)();
    let peer = match &options.jax {
        Some(python) => Some(peer::run(python, workload.name)?),
        None => None,
    };
    let mut rows: Vec<(Row, Vec<Vec<f64>>)> = Vec::new();
    for &device in &options.devices {
        if workload.heavy && device == Device::Interpreter {
            continue;
        }
        match measure(workload, device, &inputs) {
            Ok((us, compile_ms, outputs)) => {
                let row = Row {
                    name: workload.name,
                    device: name_of(device),
                    ours_us: us,
                    compile_ms,
                    jax_us: peer.as_ref().map(|p| p.us),
                    jax_compile_ms: peer.as_ref().map(|p| p.compile_ms),
                    max_diff: 0.0,
                };
                println!("{:22} {:12} {us:12.2} us {compile_ms:9.3} ms", row.name, row.device);
                rows.push((row, outputs));
            }
            Err(error) => println!("{:22} {:12} {error}", workload.name, name_of(device)),
        }
    }
    let reference = peer.as_ref().map(|Peer { outputs, .. }| outputs.clone()).or_else(|| {
        rows.iter().find(|(row, _)| row.device == "interpreter").map(|(_, o)| o.clone())
    });
    Ok(rows
        .into_iter()
        .map(|(row, outputs)| {
            let max_diff = reference.as_ref().map_or(0.0, |r| difference(r, &outputs));
            Row { max_diff, ..row }
        })
        .collect())
}

/// Microseconds per call, milliseconds to compile, and the results.
fn measure(
    workload: &Workload,
    device: Device,
    inputs: &[Array],
) -> Result<(f64, f64, Vec<Vec<f64>>), String> {
    let backend = device.backend();
    let arguments = inputs.to_vec();
    // Compilation as a user meets it: trace, transform, simplify, lower, generate code. Nothing is
    // kept from one to the next but, on the GPU, the shaders that the driver has seen.
    let mut times = Vec::new();
    for _ in 0..if device == Device::Gpu { 1 } else { 5 } {
        let start = Instant::now();
        compile(&*backend, workload.function, &arguments).map_err(|e| e.to_string())?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let compile_ms = times[times.len() / 2];

    let call = probpipe::jit_on(device, workload.function);
    // Inputs move to the device once; results stay there until they are read.
    let mut outputs = call(arguments.clone());
    finish(device, &outputs)?;
    let once = {
        let start = Instant::now();
        outputs = call(arguments.clone());
        finish(device, &outputs)?;
        start.elapsed()
    };
    let batch = (Duration::from_millis(10).as_secs_f64() / once.as_secs_f64()).clamp(1.0, 1e6);
    let batches = if once > Duration::from_millis(200) { 5 } else { 21 };
    let mut samples: Vec<f64> = (0..batches)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..batch as usize {
                outputs = call(arguments.clone());
            }
            // A device works behind the call; its queue is in order, so the last result is enough.
            let done = finish(device, &outputs);
            done.map(|()| start.elapsed().as_secs_f64() * 1e6 / batch.floor())
        })
        .collect::<Result<_, _>>()?;
    samples.sort_by(f64::total_cmp);
    let values = outputs.iter().map(floats).collect::<Result<_, _>>()?;
    Ok((samples[samples.len() / 2], compile_ms, values))
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

/// The largest difference, relative to the largest number of the reference.
fn difference(reference: &[Vec<f64>], outputs: &[Vec<f64>]) -> f64 {
    let mut worst: f64 = 0.0;
    for (want, have) in reference.iter().zip(outputs) {
        let scale = want.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
        for (a, b) in want.iter().zip(have) {
            let d = (a - b).abs() / scale;
            worst = if d.is_nan() { f64::INFINITY } else { worst.max(d) };
        }
    }
    worst
}
