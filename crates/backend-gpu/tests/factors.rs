//! Decompositions on the device against the interpreter: small matrices, which one invocation
//! factors, and larger ones, which go through phases; stacks, tall and wide, singular, with what
//! is not finite, and nothing at all.

mod common;

use common::{adapter_or_skip, check, f32s, noise, run_both};
use probpipe_backend_gpu::Gpu;
use probpipe_trace::{
    Array, ArrayType, DType, LinalgOp, Op, Value, Vectors, bind, fori_loop, iota,
};

const SIDES: [[usize; 3]; 9] = [
    [1, 1, 1],
    [3, 2, 2],
    [2, 5, 5],
    [1, 7, 4],
    [2, 3, 6],
    [1, 40, 40],
    [2, 20, 37],
    [1, 70, 18],
    [1, 33, 1],
];

fn matrices([batch, m, n]: [usize; 3], seed: u32) -> Value {
    f32s(&noise(batch * m * n, seed), &[batch, m, n])
}

/// Apart from the identity by little, so that rounding stays small.
fn regular(batch: usize, n: usize, seed: u32) -> Value {
    let mut data = noise(batch * n * n, seed);
    for (e, x) in data.iter_mut().enumerate() {
        let (i, j) = (e / n % n, e % n);
        *x = *x / (n as f32).sqrt() + if (i + 1) % n == j { 2.0 } else { 0.0 };
    }
    f32s(&data, &[batch, n, n])
}

fn linalg(op: LinalgOp, inputs: &[&Array]) -> Vec<Array> {
    bind(Op::Linalg(op), inputs).to_vec()
}

#[test]
fn elimination() {
    let Some(gpu) = adapter_or_skip() else { return };
    for sides in SIDES {
        check(&gpu, 256.0, &[matrices(sides, 1)], |x| linalg(LinalgOp::Lu, &[&x[0]]));
    }
    for (batch, n) in [(1, 1), (3, 2), (2, 5), (1, 33), (2, 60)] {
        let b = matrices([batch, n, 3], 2);
        check(&gpu, 256.0, &[regular(batch, n, 3), b], |x| {
            let (a, b) = (&x[0], &x[1]);
            let lu = linalg(LinalgOp::Lu, &[a]);
            let solve = |transpose| {
                linalg(LinalgOp::LuSolve { transpose }, &[a, &lu[0], &lu[2], b]).remove(0)
            };
            vec![solve(false), solve(true), a.slogdet().0, a.slogdet().1]
        });
        // The power of two in it is large.
        let near = regular(batch, n, 3).to_vec::<f32>().unwrap();
        let near: Vec<f32> = near.iter().map(|x| x / 2.0).collect();
        check(&gpu, 256.0, &[f32s(&near, &[batch, n, n])], |x| vec![x[0].det()]);
    }
}

#[test]
fn elimination_of_ties_zeros_and_nan() {
    let Some(gpu) = adapter_or_skip() else { return };
    let nan = f32::NAN;
    let rows = [
        [0.0, 1.0, 2.0, 1.0, -1.0, 1.0, -1.0, 1.0, 1.0],
        [0.0; 9],
        [1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 1.0, 1.0, 1.0],
        [1.0, 0.0, 0.0, nan, 1.0, 0.0, 2.0, 0.0, 1.0],
        [nan, 0.0, 0.0, 3.0, 1.0, 0.0, 2.0, 0.0, 1.0],
    ];
    check(&gpu, 4.0, &[f32s(&rows.concat(), &[5, 3, 3])], |x| {
        let lu = linalg(LinalgOp::Lu, &[&x[0]]);
        let det = linalg(LinalgOp::LuDet, &[&x[0], &lu[0], &lu[2]]);
        [lu, det].concat()
    });
    // Anything may be called a permutation.
    let rows = Value::from_elements(&[2i32, 2, -5, 0, 9, 1], &[2, 3]).unwrap();
    check(&gpu, 16.0, &[regular(2, 3, 4), rows, matrices([2, 3, 2], 5)], |x| {
        let (lu, rows, b) = (&x[0], &x[1], &x[2]);
        let mut out = linalg(LinalgOp::LuDet, &[lu, lu, rows]);
        out.extend(linalg(LinalgOp::LuSolve { transpose: false }, &[lu, lu, rows, b]));
        out.extend(linalg(LinalgOp::LuSolve { transpose: true }, &[lu, lu, rows, b]));
        out
    });
    // A determinant whose parts are out of range.
    let diagonal = [1e30f32, 0.0, 0.0, 0.0, 1e30, 0.0, 0.0, 0.0, 1e-30];
    check(&gpu, 4.0, &[f32s(&diagonal, &[3, 3])], |x| vec![x[0].det() * 1e-30]);
}

#[test]
fn reflections() {
    let Some(gpu) = adapter_or_skip() else { return };
    for sides in SIDES {
        for full in [false, true] {
            let op = LinalgOp::Qr { full };
            check(&gpu, 128.0, &[matrices(sides, 6)], |x| linalg(op, &[&x[0]]));
        }
    }
    // Columns that are zero, far apart in size, dependent, and not finite.
    let rows = [
        [0.0, 1.0, 0.0, 2.0, 0.0, 3.0],
        [1.0, 1e-30, 1e-20, 2e-30, 0.0, 1e-30],
        [1e30, 1.0, 1e30, 2.0, 1e29, 1.0],
        [-1.0, 2.0, 0.0, 0.0, 0.0, 0.0],
        [f32::NAN, 0.0, 1.0, 1.0, 1.0, 1.0],
        [1.0, f32::INFINITY, 1.0, 1.0, 1.0, 1.0],
    ];
    let x = f32s(&rows.concat(), &[6, 3, 2]);
    check(&gpu, 16.0, &[x], |x| linalg(LinalgOp::Qr { full: true }, &[&x[0]]));
}

#[test]
fn eigenvalues() {
    let Some(gpu) = adapter_or_skip() else { return };
    for (batch, n) in [(1, 1), (3, 2), (2, 5), (1, 16), (1, 33), (2, 40)] {
        // Eigenvalues far apart, so that vectors are determined.
        let mut data = noise(batch * n * n, 7);
        for (e, x) in data.iter_mut().enumerate() {
            let (i, j) = (e / n % n, e % n);
            *x = *x * 0.2 + if i == j { i as f32 } else { 0.0 };
        }
        check(&gpu, 400.0, &[f32s(&data, &[batch, n, n])], |x| {
            let with = linalg(LinalgOp::Eigh { vectors: true }, &[&x[0]]);
            [with, linalg(LinalgOp::Eigh { vectors: false }, &[&x[0]])].concat()
        });
    }
    let rows = [
        [0.0; 9],
        [1.0, 9.0, 9.0, 0.0, 1.0, 9.0, 0.0, 0.0, 1.0],
        [1e30, 0.0, 0.0, 2e30, -1e30, 0.0, 0.0, 0.0, 3e29],
        [1.0, 0.0, 0.0, f32::NAN, 1.0, 0.0, 0.0, 0.0, 1.0],
        [1.0, f32::NAN, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, f32::INFINITY],
    ];
    check(&gpu, 8.0, &[f32s(&rows.concat(), &[5, 3, 3])], |x| {
        let mut parts = linalg(LinalgOp::Eigh { vectors: true }, &[&x[0]]);
        parts[0] = &parts[0] * Array::from([1.0f32, 1.0, 1e-30, 1.0, 1.0]).reshape([5, 1]);
        parts
    });
}

fn svd(vectors: Vectors, x: &Array) -> Vec<Array> {
    linalg(LinalgOp::Svd { vectors }, &[x])
}

#[test]
fn singular_values() {
    let Some(gpu) = adapter_or_skip() else { return };
    for [batch, m, n] in SIDES {
        // Singular values far apart, so that vectors are determined.
        let mut data = noise(batch * m * n, 8);
        for (e, x) in data.iter_mut().enumerate() {
            let (i, j) = (e / n % m, e % n);
            *x = *x * 0.2 + if i == j { 1.0 + i as f32 } else { 0.0 };
        }
        check(&gpu, 1500.0, &[f32s(&data, &[batch, m, n])], |x| {
            [Vectors::Thin, Vectors::Full, Vectors::None].map(|v| svd(v, &x[0])).concat()
        });
    }
    let rows = [
        [0.0; 6],
        [1.0, 0.0, 2.0, 0.0, 2.0, 0.0],
        [1.0, 0.0, 0.0, 1e-30, 0.0, 0.0],
        [f32::NAN, 0.0, 1.0, 1.0, 1.0, 1.0],
        [1.0, f32::INFINITY, 1.0, 1.0, 1.0, 1.0],
    ];
    check(&gpu, 16.0, &[f32s(&rows.concat(), &[5, 3, 2])], |x| {
        let wide = x[0].swap_axes(1, 2);
        [svd(Vectors::Full, &x[0]), svd(Vectors::Full, &wide), svd(Vectors::Thin, &wide)].concat()
    });
}

/// Largest absolute element.
fn largest(value: &Value) -> f32 {
    value
        .to_vec::<f32>()
        .unwrap()
        .into_iter()
        .fold(0.0, |a, x| if x.is_nan() { x } else { a.max(x.abs()) })
}

/// What does not depend on which basis is taken where several do.
#[track_caller]
fn consistent(gpu: &Gpu, x: Value) {
    let (_, got) = run_both(gpu, &[x], |x| {
        let parts = svd(Vectors::Full, &x[0]);
        let (u, s, vt) = (&parts[0], &parts[1], &parts[2]);
        let k = s.shape()[0];
        let product = (u.slice_axis(1, 0..k) * s).matmul(&vt.slice_axis(0, 0..k));
        let beside = |x: &Array| {
            let n = x.shape()[0];
            let ty = ArrayType::new(DType::I32, [n, n]);
            x.matmul(&x.transpose()) - iota(&ty, 0).eq(iota(&ty, 1)).cast(DType::F32)
        };
        vec![product - &x[0], beside(u), beside(vt)]
    });
    for value in &got {
        assert!(largest(value) < 2e-5, "{}", largest(value));
    }
}

#[test]
fn singular_matrices_have_bases() {
    let Some(gpu) = adapter_or_skip() else { return };
    for (m, n, rank) in
        [(4, 4, 2), (30, 12, 5), (12, 30, 5), (40, 40, 1), (35, 35, 34), (90, 70, 20), (64, 64, 1)]
    {
        let (a, b) = (noise(m * rank, 9), noise(rank * n, 10));
        let product = |i: usize, j: usize| -> f32 {
            (0..rank).map(|k| a[i * rank + k] * b[k * n + j]).sum::<f32>() / rank as f32
        };
        let data: Vec<f32> = (0..m * n).map(|e| product(e / n, e % n)).collect();
        consistent(&gpu, f32s(&data, &[m, n]));
    }
}

/// More rows than Mesa's software driver lets one invocation loop over.
#[test]
fn tall_matrices() {
    let Some(gpu) = adapter_or_skip() else { return };
    let m = 70_000;
    let mut data = noise(m * 3, 12);
    for row in data.chunks_exact_mut(3) {
        row[1] *= 2.0;
        row[2] *= 4.0;
    }
    let x = f32s(&data, &[1, m, 3]);
    check(&gpu, 64.0, &[x], |x| {
        let [u, s, vt] = &svd(Vectors::Thin, &x[0])[..] else { panic!("three parts") };
        let r = &linalg(LinalgOp::Qr { full: false }, &[&x[0]])[1];
        vec![u.clone(), s / 100.0, vt.clone(), r / 100.0]
    });
    let x = f32s(&noise(600 * 3, 13), &[1, 600, 3]);
    check(&gpu, 64.0, &[x], |x| linalg(LinalgOp::Lu, &[&x[0]]));
}

/// Small ones in the workgroup that runs the loop, larger ones dispatched at every step.
#[test]
fn decompositions_in_loops() {
    let Some(gpu) = adapter_or_skip() else { return };
    for n in [3, 40] {
        let b = f32s(&noise(n, 14), &[n]);
        check(&gpu, 256.0, &[regular(1, n, 15), b], |x| {
            let a = x[0].at(0);
            let step = |i: Array, b: Array| {
                let solved = a.solve(&b) + i.cast(DType::F32) * 0.01;
                let r = linalg(LinalgOp::Qr { full: false }, &[&a]).remove(1);
                solved.sort(0).cumsum(0) * 0.05 + r.at(0) * 0.1
            };
            vec![fori_loop(5, x[1].clone(), step)]
        });
    }
}

#[test]
fn empty_matrices() {
    let Some(gpu) = adapter_or_skip() else { return };
    for [batch, m, n] in [[0, 3, 3], [2, 0, 0], [2, 3, 0], [2, 0, 3]] {
        check(&gpu, 0.0, &[matrices([batch, m, n], 11)], |x| {
            let mut out = [Vectors::Thin, Vectors::Full].map(|v| svd(v, &x[0])).concat();
            out.extend(linalg(LinalgOp::Qr { full: true }, &[&x[0]]));
            let lu = linalg(LinalgOp::Lu, &[&x[0]]);
            if m == n {
                out.extend(linalg(LinalgOp::Eigh { vectors: true }, &[&x[0]]));
                out.extend(linalg(LinalgOp::LuDet, &[&x[0], &lu[0], &lu[2]]));
                let solve = LinalgOp::LuSolve { transpose: true };
                out.extend(linalg(solve, &[&x[0], &lu[0], &lu[2], &x[0]]));
            }
            out.extend(lu);
            // Something to run.
            out.push(x[0].sum());
            out
        });
    }
}
