//! `fuzz [--graphs N] [--seed FIRST] [--threads T] [--device cpu|gpu|interpreter]`: random graphs
//! through every rewrite and a compiler. Prints each fault with its seed, then a summary; the exit
//! status is 1 if there was any. A graph that takes longer than ten seconds counts as a hang.

#![forbid(unsafe_code)]

use probpipe::Device;
use probpipe_fuzz::{check, config};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer than this is a hang.
const PATIENCE: Duration = Duration::from_secs(10);

struct Settings {
    graphs: u64,
    first: u64,
    threads: u64,
    device: Device,
}

fn settings() -> Result<Settings, String> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut settings = Settings { graphs: 10_000, first: 0, threads, device: Device::Cpu };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(format!("`{name}` needs a value"))?;
        let number = || value.parse::<u64>().map_err(|e| format!("`{name} {value}`: {e}"));
        match &name[..] {
            "--graphs" => settings.graphs = number()?,
            "--seed" => settings.first = number()?,
            "--threads" => settings.threads = number()?.max(1),
            "--device" => {
                settings.device = match &value[..] {
                    "cpu" => Device::Cpu,
                    "gpu" => Device::Gpu,
                    "interpreter" => Device::Interpreter,
                    _ => return Err(format!("no device `{value}`: cpu, gpu or interpreter")),
                }
            }
            _ => return Err(format!("no option `{name}`: --graphs --seed --threads --device")),
        }
    }
    settings.device.check().map_err(|e| e.to_string())?;
    Ok(settings)
}

#[derive(Default)]
struct Tally {
    kinds: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
    slowest: Duration,
}

fn one(seed: u64, device: Device) -> Result<&'static str, String> {
    let start = Instant::now();
    let checked = catch_unwind(AssertUnwindSafe(|| check(seed, config(seed, device), device)));
    match checked {
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?");
            Err(format!("seed {seed} panicked: {text}"))
        }
        Ok(Err(fault)) => Err(fault.to_string()),
        Ok(Ok(_)) if start.elapsed() > PATIENCE => {
            Err(format!("seed {seed} took {:?}", start.elapsed()))
        }
        Ok(Ok(kind)) => Ok(kind),
    }
}

fn main() -> ExitCode {
    let settings = match settings() {
        Ok(settings) => settings,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let next = AtomicU64::new(settings.first);
    let last = settings.first + settings.graphs;
    let tally = Mutex::new(Tally::default());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..settings.threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        break;
                    }
                    let began = Instant::now();
                    let outcome = one(seed, settings.device);
                    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                    tally.slowest = tally.slowest.max(began.elapsed());
                    match outcome {
                        Ok(kind) => *tally.kinds.entry(kind).or_default() += 1,
                        Err(message) => {
                            println!("FAULT {message}");
                            tally.faults.push(message);
                        }
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{} graphs from seed {} on {:?}: {} faults; {:.0} s, slowest graph {:.0} ms",
        settings.graphs,
        settings.first,
        settings.device,
        tally.faults.len(),
        start.elapsed().as_secs_f64(),
        tally.slowest.as_secs_f64() * 1e3,
    );
    for (kind, count) in &tally.kinds {
        println!("  {kind}: {count}");
    }
    ExitCode::from(u8::from(!tally.faults.is_empty()))
}
