//! What the tests of this crate share: the device or a printed reason to skip, and comparison
//! with the interpreter. It holds no test.
#![allow(dead_code)]

use probpipe_backend_gpu::Gpu;
use probpipe_testing::{ulp, ulps};
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{Array, ArrayType, Backend, Graph, Scalar, Value, Values, trace, verify};

/// The shared device. Without one the test is skipped, loudly; with `PROBPIPE_REQUIRE_GPU=1` it
/// fails.
pub fn adapter_or_skip() -> Option<Gpu> {
    match Gpu::shared() {
        Ok(gpu) => Some(gpu),
        Err(error) if std::env::var_os("PROBPIPE_REQUIRE_GPU").is_some_and(|v| v == "1") => {
            panic!("PROBPIPE_REQUIRE_GPU is set, but: {error}")
        }
        Err(error) => {
            println!("SKIP: {error}");
            None
        }
    }
}

/// The graph of a function of arrays.
pub fn graph_of(types: &[ArrayType], f: impl FnOnce(&[Array]) -> Vec<Array>) -> Graph {
    let traced = trace(types, f).expect("the function traces");
    assert!(traced.captures.is_empty());
    traced.graph
}

/// Results of the interpreter and of the device.
pub fn run_both(
    gpu: &Gpu,
    inputs: &[Value],
    f: impl FnOnce(&[Array]) -> Vec<Array>,
) -> (Values, Values) {
    let types: Vec<ArrayType> = inputs.iter().map(|v| v.ty().clone()).collect();
    let graph = graph_of(&types, f);
    let refs: Vec<&Value> = inputs.iter().collect();
    let want = eval_graph(&graph, &refs).expect("the interpreter runs");
    let program =
        gpu.compile(verify(&graph).unwrap()).unwrap_or_else(|e| panic!("does not compile: {e}"));
    let got = program.run(&refs).unwrap_or_else(|e| panic!("does not run: {e}"));
    if std::env::var_os("PROBPIPE_SHOW").is_some() {
        for (name, text) in program.stages() {
            println!("==== {name}\n{text}");
        }
    }
    (want, got)
}

/// Distance in ulp of the larger of the expected number and one; integers must be equal, and NaN
/// and infinities must match.
pub fn distance(want: &Value, got: &Value) -> Vec<f64> {
    assert_eq!(want.ty(), got.ty());
    let dtype = want.ty().dtype;
    let far = |w: Scalar, g: Scalar| match (w, g) {
        (Scalar::Float(w), Scalar::Float(g)) if w.is_finite() && g.is_finite() => {
            (g - w).abs() / ulp(w.abs().max(1.0), dtype)
        }
        (Scalar::Float(w), Scalar::Float(g)) => ulps(g, w, dtype),
        _ if w == g => 0.0,
        _ => f64::INFINITY,
    };
    let (want, got) = (want.to_scalars().unwrap(), got.to_scalars().unwrap());
    want.into_iter().zip(got).map(|(w, g)| far(w, g)).collect()
}

/// Runs both and compares every result.
#[track_caller]
pub fn check(gpu: &Gpu, ulp: f64, inputs: &[Value], f: impl FnOnce(&[Array]) -> Vec<Array>) {
    let (want, got) = run_both(gpu, inputs, f);
    assert_eq!(want.len(), got.len());
    for (i, (w, g)) in want.iter().zip(&got).enumerate() {
        let far = distance(w, g).into_iter().fold(0.0, f64::max);
        assert!(
            far <= ulp,
            "result {i} is {far} ulp away, {ulp} allowed\n want {:?}\n  got {:?}",
            w.to_scalars(),
            g.to_scalars()
        );
    }
}

/// Evenly spread numbers.
pub fn spread(low: f64, high: f64, n: usize) -> Vec<f32> {
    (0..n).map(|i| (low + (high - low) * i as f64 / (n - 1).max(1) as f64) as f32).collect()
}

/// An `f32` value.
pub fn f32s(data: &[f32], shape: &[usize]) -> Value {
    Value::from_elements(data, shape).expect("the shape fits")
}

/// Reproducible numbers in -1 to 1 that repeat only after long.
pub fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(1);
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// As an adapter that computes in double precision, or skips as [`adapter_or_skip`] does.
pub fn double_or_skip() -> Option<Gpu> {
    let gpu = adapter_or_skip()?;
    if !gpu.target().double {
        println!("SKIP: the adapter does not compute in double precision");
        return None;
    }
    Some(gpu)
}

/// An `f64` value.
pub fn f64s(data: &[f64], shape: &[usize]) -> Value {
    Value::from_elements(data, shape).expect("the shape fits")
}

/// Numbers as [`noise`] has, with digits that `f32` does not hold.
pub fn wide_noise(n: usize, seed: u32) -> Vec<f64> {
    let (high, low) = (noise(n, seed), noise(n, !seed));
    high.iter().zip(low).map(|(h, l)| f64::from(*h) + f64::from(l) * 1e-9).collect()
}

/// Reproducible integers of all sizes.
pub fn longs(n: usize, seed: u64) -> Vec<i64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0123_4567_89ab_cdef;
    (0..n)
        .map(|_| {
            // Xorshift, and a shift by some of what is above.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state as i64) >> (state >> 32 & 63)
        })
        .collect()
}
