//! Several threads against one, on a machine that has nothing else to do and beside a loop that
//! keeps one of its cores busy: what threads gain, and that they never lose much. Means, not
//! medians, since what is lost is lost in few calls.

use super::table::short;
use probpipe::{Array, jit};
use probpipe_benches::{WORKLOADS, Workload};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The programs: short ones, for which threads are worth just more than calling them.
const PROGRAMS: [&str; 4] = ["logistic_1e5", "logistic_1e5_f64", "logistic_grad_1e5", "normal_1e6"];
/// How long the calls of a turn take.
const TURN: Duration = Duration::from_millis(100);
/// Turns with one thread and with all.
const TURNS: usize = 12;

/// Microseconds of a call in the mean, with one thread and with all, in turns.
fn measure(workload: &Workload, pools: &[ThreadPool; 2]) -> Result<[f64; 2], String> {
    let call = jit(|x| workload.run(x));
    let inputs = workload.inputs();
    let once = || -> Result<(), String> {
        let results: Vec<Array> = call(inputs.clone());
        results.iter().try_for_each(|array| array.value().map(drop)).map_err(|e| e.to_string())
    };
    once()?;
    let (mut spent, mut calls) = ([0.0; 2], [0usize; 2]);
    for _ in 0..TURNS {
        for (k, pool) in pools.iter().enumerate() {
            pool.install(|| -> Result<(), String> {
                let start = Instant::now();
                while start.elapsed() < TURN {
                    once()?;
                    calls[k] += 1;
                }
                spent[k] += start.elapsed().as_secs_f64();
                Ok(())
            })?;
        }
    }
    Ok([0, 1].map(|k| spent[k] / calls[k] as f64 * 1e6))
}

/// Runs `f` beside a loop that keeps a core busy.
fn beside_a_loop<R>(f: impl FnOnce() -> R) -> R {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let result = f();
        over.store(true, Ordering::Relaxed);
        result
    })
}

/// Measures and prints a table in Markdown.
pub fn main() -> Result<(), String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = |n| ThreadPoolBuilder::new().num_threads(n).build().map_err(|e| e.to_string());
    let pools = [pool(1)?, pool(threads)?];
    println!("Microseconds of a call, in the mean; {}\n", super::machine::processor());
    println!(
        "| program | 1 thread | {threads} threads | of 1 | busy: 1 | busy: {threads} | of 1 |"
    );
    println!("| --- | --: | --: | --: | --: | --: | --: |");
    for workload in WORKLOADS.iter().filter(|w| PROGRAMS.contains(&w.name)) {
        let idle = measure(workload, &pools)?;
        let busy = beside_a_loop(|| measure(workload, &pools))?;
        let cells = [idle, busy].map(|[one, all]| [short(one), short(all), short(all / one)]);
        println!("| {} | {} |", workload.name, cells.concat().join(" | "));
    }
    Ok(())
}
