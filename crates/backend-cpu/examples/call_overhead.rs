//! What a call of a compiled scalar program costs, and what compiling it costs.

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{ArrayType, Backend, DType, Result, Value, trace};
use std::time::Instant;

fn main() -> Result<()> {
    let traced = trace(&[ArrayType::scalar(DType::F32)], |x| vec![&x[0] * 2.0 + 1.0])?;
    let start = Instant::now();
    let executable = Cpu.compile(&traced.graph)?;
    println!("first compilation {:.0} us", start.elapsed().as_secs_f64() * 1e6);
    let start = Instant::now();
    for _ in 0..100 {
        Cpu.compile(&traced.graph)?;
    }
    println!("compilation {:.0} us", start.elapsed().as_secs_f64() * 1e4);
    let x = Value::from_elements(&[1.5f32], &[])?;
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..10_000 {
            std::hint::black_box(executable.run(&[&x])?);
        }
        best = best.min(start.elapsed().as_secs_f64() / 10_000.0);
    }
    println!("call {:.0} ns", best * 1e9);
    Ok(())
}
