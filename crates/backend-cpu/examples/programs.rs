//! Times of a few typical programs, and of compiling them. `programs NAME` runs one and prints the
//! code's stages with `DUMP=1`.

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Key, Result, Value, fori_loop, normal, scan, trace, verify,
};
use std::time::Instant;

type Build = fn(&[Array]) -> Vec<Array>;

fn mle(x: &[Array]) -> Vec<Array> {
    let data = &x[0];
    let start = (data.sum() * 0.0, data.sum() * 0.0);
    let (mu, s) = fori_loop(200, start, |_, (mu, s)| {
        let inverse = (-&s).exp();
        let z = (data - &mu) * &inverse;
        let gmu = z.sum() * &inverse;
        let gs = z.square().sum() - 200.0;
        (mu + gmu * 1e-3, s + gs * 1e-3)
    });
    vec![mu, s]
}

fn vi(x: &[Array]) -> Vec<Array> {
    let data = &x[0];
    let start = (data.sum() * 0.0, data.sum() * 0.0);
    let (mu, s) = fori_loop(300, start, |i, (mu, s)| {
        let key = Key::new(1).fold_in(i);
        let eps = normal(key, [500]);
        let z = &mu + s.exp() * &eps;
        let g = -(&z - 1.0);
        let gmu = g.mean();
        let gs = (g * eps * s.exp()).mean() + 1.0;
        (mu + gmu * 1e-2, s + gs * 1e-2)
    });
    vec![mu, s]
}

fn chain8(x: &[Array]) -> Vec<Array> {
    let (a, b, c, d) = (&x[0], &x[1], &x[2], &x[3]);
    vec![(a * b + c) * (a - d) + b * c - (a * d - c * 0.5) * (b - d)]
}

fn exp(x: &[Array]) -> Vec<Array> {
    vec![x[0].exp()]
}

fn logpdf(x: &[Array]) -> Vec<Array> {
    let z = (&x[0] - 0.5) * 2.0;
    vec![z.square() * -0.5 - 0.918]
}

fn logistic(x: &[Array]) -> Vec<Array> {
    vec![(x[0].exp() + 1.0).log().sum()]
}

fn normals(x: &[Array]) -> Vec<Array> {
    vec![normal(Key::from_data(x[0].clone()), [1_000_000])]
}

fn mc(x: &[Array]) -> Vec<Array> {
    let eps = normal(Key::from_data(x[0].clone()), [5000]);
    let z = &eps * 1.5 + 0.3;
    vec![(z.square() * -0.5).mean(), (z * eps).mean()]
}

fn steps(x: &[Array]) -> Vec<Array> {
    let (c, ys) = scan(x[0].at(0), x[0].clone(), |c: Array, v: Array| {
        let next = &c * 0.9 + v * 0.1;
        (next.clone(), next)
    });
    vec![c, ys]
}

fn rows(x: &[Array]) -> Vec<Array> {
    vec![x[0].sum_axes([1])]
}

fn columns(x: &[Array]) -> Vec<Array> {
    vec![x[0].sum_axes([0])]
}

fn score(x: &[Array]) -> Vec<Array> {
    let eta = x[0].matmul(&x[1]);
    let p = eta.sigmoid();
    vec![x[0].transpose().matmul(&(p - &x[2]))]
}

fn main() -> Result<()> {
    let f = |shape: &[usize]| ArrayType::new(DType::F32, shape);
    let key = ArrayType::new(DType::U32, [2]);
    let n = 100_000;
    let table: Vec<(&str, Vec<ArrayType>, Build, f64)> = vec![
        ("mle 200 steps x 200", vec![f(&[200])], mle, 200.0),
        ("vi 300 steps x 500", vec![f(&[200])], vi, 300.0),
        ("scan 10000", vec![f(&[10_000])], steps, 1e4),
        ("chain8 2048", vec![f(&[2048]), f(&[2048]), f(&[2048]), f(&[2048])], chain8, 2048.0),
        ("chain8 1e5", vec![f(&[n]), f(&[n]), f(&[n]), f(&[n])], chain8, 1e5),
        ("exp 1e5", vec![f(&[n])], exp, 1e5),
        ("logpdf 200", vec![f(&[200])], logpdf, 200.0),
        ("logpdf 1e5", vec![f(&[n])], logpdf, 1e5),
        ("logpdf 1e7", vec![f(&[10_000_000])], logpdf, 1e7),
        ("logistic 1e5", vec![f(&[n])], logistic, 1e5),
        ("normals 1e6", vec![key.clone()], normals, 1e6),
        ("mc 5000", vec![key], mc, 5000.0),
        ("row sums 1000x100", vec![f(&[1000, 100])], rows, 1e5),
        ("column sums 1000x100", vec![f(&[1000, 100])], columns, 1e5),
        ("score 1000x25", vec![f(&[1000, 25]), f(&[25]), f(&[1000])], score, 25e3),
    ];
    let only = std::env::args().nth(1);
    for (name, types, build, work) in table {
        if only.as_ref().is_some_and(|o| !name.contains(o.as_str())) {
            continue;
        }
        let traced = trace(&types, build)?;
        let start = Instant::now();
        let executable = Cpu.compile(verify(&traced.graph)?)?;
        let first = start.elapsed().as_secs_f64();
        let compile = (0..5).try_fold(first, |best, _| -> Result<f64> {
            let start = Instant::now();
            Cpu.compile(verify(&traced.graph)?)?;
            Ok(best.min(start.elapsed().as_secs_f64()))
        })?;
        if std::env::var("DUMP").is_ok() {
            for (stage, text) in executable.stages() {
                println!("== {stage}\n{text}");
            }
        }
        let inputs: Vec<Value> = types
            .iter()
            .map(|ty| match ty.dtype {
                DType::U32 => Value::from_elements(&[1u32, 2], &[2]),
                _ => {
                    let data: Vec<f32> = (0..ty.size()).map(|i| (i % 97) as f32 * 0.01).collect();
                    Value::from_elements(&data, &ty.shape)
                }
            })
            .collect::<Result<_>>()?;
        let inputs: Vec<&Value> = inputs.iter().collect();
        let mut times = Vec::new();
        let begin = Instant::now();
        while begin.elapsed().as_secs_f64() < 0.3 || times.len() < 5 {
            let start = Instant::now();
            std::hint::black_box(executable.run(&inputs)?);
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let (best, median) = (times[0], times[times.len() / 2]);
        println!(
            "{name:24} median {:9.2} us  best {:9.2} us  {:7.3} ns per unit  compile {:6.2} ms",
            median * 1e6,
            best * 1e6,
            best * 1e9 / work,
            compile * 1e3
        );
    }
    Ok(())
}
