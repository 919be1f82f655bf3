//! `cargo xtask bench --crossover`: the same work on the processor and on the GPU, size by size,
//! and from which size on the GPU is faster: with arguments that lie there and results that stay,
//! and with the way there and back.

use super::chart::{self, Curve};
use super::machine::{date, processor};
use super::measure::{difference, per_call};
use super::table::short;
use probpipe::prelude::*;
use probpipe::{Scalar, jit_on};
use probpipe_benches::scaling::{CROSSOVER, Sized};
use std::path::Path;
use std::time::Duration;

/// Seconds that one size of one kind of work may take on one device.
const PATIENCE: f64 = 0.5;
/// How long a batch of calls should take.
const BATCH: Duration = Duration::from_millis(5);

/// One kind of work at one size, in microseconds.
struct Point {
    size: usize,
    cpu: f64,
    gpu: f64,
    /// With the way there and back.
    moved: f64,
    /// Of the GPU's result from the CPU's, relative to its largest number.
    difference: f64,
}

/// Measures all and prints the table; writes it and the chart into the folder.
pub fn main(docs: Option<&Path>, command: &str) -> Result<(), String> {
    Device::Gpu.check().map_err(|error| error.to_string())?;
    let mut text = heading(command);
    let mut curves = Vec::new();
    for work in CROSSOVER {
        let points = points(work)?;
        curves.push(Curve {
            label: work.name,
            points: points.iter().map(|p| (p.size as f64, p.cpu / p.gpu)).collect(),
        });
        text += &rows(work, &points);
    }
    println!("{text}");
    let Some(folder) = docs else { return Ok(()) };
    let page = folder.join("crossover.md");
    std::fs::write(&page, text).map_err(|e| format!("{}: {e}", page.display()))?;
    let title = "Times faster on the GPU than on the CPU";
    chart::curves(title, "CPU's time / GPU's, logarithmic", &curves)
        .save(&folder.join("crossover.svg"))
}

/// Sizes from 10 on, until one takes too long.
fn points(work: &Sized) -> Result<Vec<Point>, String> {
    let mut points = Vec::new();
    for power in 1..=work.largest_power {
        for lead in if power < work.largest_power { &[1usize, 3][..] } else { &[1] } {
            let size = lead * 10usize.pow(power);
            let point = point(work, size)?;
            println!(
                "{:22} {size:>9} cpu {:>9} us  gpu {:>9} us  moved {:>9} us  {:.0e}",
                work.name,
                short(point.cpu),
                short(point.gpu),
                short(point.moved),
                point.difference
            );
            let slow = point.cpu.max(point.moved) > PATIENCE * 1e6;
            points.push(point);
            if slow {
                return Ok(points);
            }
        }
    }
    Ok(points)
}

fn point(work: &Sized, size: usize) -> Result<Point, String> {
    let told = |error: probpipe::Error| format!("{} at {size}: {error}", work.name);
    let host = (work.inputs)(size);
    let function = |x: Vec<Array>| (work.function)(size, x);
    let (on_cpu, on_gpu) = (jit_on(Device::Cpu, function), jit_on(Device::Gpu, function));
    let there = jit_on(Device::Gpu, |x: Vec<Array>| x)(host.clone());
    let read = |x: &Array| x.value().and_then(|v| v.to_scalars()).map_err(told);
    let wait = |x: &Array| x.value().and_then(|v| v.to_host().map(|_| ())).map_err(told);
    let cpu = per_call(BATCH, |calls| repeated(calls, || on_cpu(host.clone()), wait))?;
    // The queue of a device is in order: once the last is there, all are done.
    let gpu = per_call(BATCH, |calls| repeated(calls, || on_gpu(there.clone()), wait))?;
    let moved = per_call(BATCH, |calls| {
        (0..calls).try_for_each(|_| wait(&on_gpu(fresh(&host).map_err(told)?)))
    })?;
    let numbers = |x: Array| -> Result<Vec<Vec<f64>>, String> {
        Ok(vec![read(&x)?.into_iter().map(Scalar::as_f64).collect()])
    };
    let difference = difference(&numbers(on_cpu(host.clone()))?, &numbers(on_gpu(there))?);
    Ok(Point { size, cpu, gpu, moved, difference })
}

/// Calls, and a wait for the last.
fn repeated(
    calls: usize,
    call: impl Fn() -> Array,
    wait: impl Fn(&Array) -> Result<(), String>,
) -> Result<(), String> {
    let mut last = call();
    for _ in 1..calls {
        last = call();
    }
    wait(&last)
}

/// Arrays that no device has seen.
fn fresh(host: &[Array]) -> probpipe::Result<Vec<Array>> {
    host.iter().map(|x| Ok(array(x.to_vec::<f32>()?).reshape(x.shape().to_vec()))).collect()
}

/// The size from which on one is faster than the other at all sizes that were measured.
fn from(points: &[Point], faster: impl Fn(&Point) -> bool) -> String {
    let slower = points.iter().rposition(|p| !faster(p));
    let first = slower.map_or(0, |i| i + 1);
    points.get(first).map_or_else(|| "none of these".to_string(), |p| p.size.to_string())
}

fn rows(work: &Sized, points: &[Point]) -> String {
    let mut text = format!(
        "\n## {}\n\nThe GPU is faster from: {}; with the way there and back from: {}.\n\n\
         | size | CPU, us | GPU, us | with the way, us | CPU / GPU | worst difference |\n\
         |--:|--:|--:|--:|--:|--:|\n",
        work.name,
        from(points, |p| p.gpu < p.cpu),
        from(points, |p| p.moved < p.cpu),
    );
    for p in points {
        let (cpu, gpu, moved) = (short(p.cpu), short(p.gpu), short(p.moved));
        let (size, ratio, far) = (p.size, short(p.cpu / p.gpu), p.difference);
        text += &format!("| {size} | {cpu} | {gpu} | {moved} | {ratio} | {far:.0e} |\n");
    }
    text
}

fn heading(command: &str) -> String {
    let about = format!("{:?}", Device::Gpu.backend());
    let software = match about.contains("llvmpipe") {
        true => {
            "\nThis adapter is software and runs shaders on the same processor: the run shows what a \
             dispatch\ncosts there and that results agree, and nothing of how fast a GPU is.\n"
        }
        false => "",
    };
    format!(
        "# CPU and GPU\n\nThe same programs in `f32` on the processor and on the GPU, size by size: \
         with arguments that lie\non the GPU and results that stay there, and with the way there \
         and back; medians. The programs are\nin `benches/src/scaling.rs`; this page is written by \
         the command below.\n\n{}, {} with {} threads, and `{about}`:\n\n    {command}\n\n\
         ![Times faster on the GPU](crossover.svg)\n{software}",
        date(),
        processor(),
        std::thread::available_parallelism().map_or(1, usize::from),
    )
}
