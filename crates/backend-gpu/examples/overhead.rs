//! What a call costs on this machine's GPU: a tiny program, loops in one shader, loops counted by
//! the host, elementwise throughput, a matrix product. Prints the fastest of several runs.

use probpipe_backend_gpu::Gpu;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Error, ErrorKind, Value, arange, fori_loop, scan, trace,
    verify,
};
use std::time::Instant;

fn measure(
    gpu: &Gpu,
    name: &str,
    types: &[ArrayType],
    f: impl FnOnce(&[Array]) -> Vec<Array>,
) -> Result<(), Error> {
    let graph = trace(types, f)?.graph;
    let start = Instant::now();
    let program = gpu.compile(verify(&graph)?)?;
    let compile = start.elapsed();
    let inputs: Vec<Value> = types
        .iter()
        .map(|ty| gpu.put(&Value::full(0.5.into(), ty.clone())))
        .collect::<Result<_, _>>()?;
    let refs: Vec<&Value> = inputs.iter().collect();
    let first = program.run(&refs)?;
    first.last().ok_or_else(|| Error::new(ErrorKind::Internal, "no result"))?.to_host()?;
    let (mut call, mut total) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..20 {
        let start = Instant::now();
        let results = program.run(&refs)?;
        call = call.min(start.elapsed().as_secs_f64());
        for value in &results {
            value.to_host()?;
        }
        total = total.min(start.elapsed().as_secs_f64());
        if total > 1.0 {
            break;
        }
    }
    let shaders = program.stages().pop().map_or(0, |(_, text)| text.matches("fn main").count());
    println!(
        "{name:<44} compile {:>9.1} us, call {:>9.1} us, with reading {:>10.1} us, {shaders} shaders",
        compile.as_secs_f64() * 1e6,
        call * 1e6,
        total * 1e6
    );
    Ok(())
}

fn main() -> Result<(), Error> {
    let start = Instant::now();
    let gpu = Gpu::open()?;
    println!("{:?} opened in {:?}", gpu.info(), start.elapsed());
    let f32s = |shape: &[usize]| ArrayType::new(DType::F32, shape);
    measure(&gpu, "add, 4 elements", &[f32s(&[4])], |x| vec![&x[0] + 1.0])?;
    measure(&gpu, "exp(sin) of 1,000,000", &[f32s(&[1_000_000])], |x| vec![x[0].sin().exp()])?;
    measure(&gpu, "sum of 1,000,000", &[f32s(&[1_000_000])], |x| vec![x[0].sum()])?;
    measure(&gpu, "scalar scan, 10,000 steps", &[f32s(&[])], |x| {
        let (s, ys) = scan(x[0].clone(), arange(10_000), |s, t| {
            let next = (&s * 0.9 + t.cast(DType::F32) * 1e-4).tanh();
            (next.clone(), next)
        });
        vec![ys, s]
    })?;
    measure(&gpu, "leapfrog on 10 numbers, 1,000 steps", &[f32s(&[10])], |x| {
        let (q, p) = fori_loop(1_000, (x[0].clone(), x[0].clone()), |_, (q, p)| {
            let p = &p - &q * 0.01;
            (&q + &p * 0.01, p)
        });
        vec![q, p]
    })?;
    measure(&gpu, "leapfrog, 4,096 lanes of 10, 100 steps", &[f32s(&[4096, 10])], |x| {
        let (q, p) = fori_loop(100, (x[0].clone(), x[0].clone()), |_, (q, p)| {
            let p = &p - &q * 0.01;
            (&q + &p * 0.01, p)
        });
        vec![q, p]
    })?;
    measure(&gpu, "coupled loop over 1,000, 1,000 steps", &[f32s(&[1000])], |x| {
        vec![fori_loop(1000, x[0].clone(), |_, x| &x * 0.5 + x.flip(0) * 0.5 + &x.sum() * 1e-6)]
    })?;
    measure(&gpu, "matmul 256", &[f32s(&[256, 256]), f32s(&[256, 256])], |x| {
        vec![x[0].matmul(&x[1])]
    })?;
    measure(&gpu, "cholesky of 64", &[f32s(&[64, 64])], |x| {
        vec![(&x[0] + probpipe_trace::eye(64) * 100.0).cholesky()]
    })
}
