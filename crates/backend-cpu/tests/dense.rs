//! Dense products and factors: against the interpreter, and the same bits from any number of
//! threads.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{Array, ArrayType, Backend, DType, Triangular, Value, trace, verify};
use support::{Random, check_fn, random};

fn inputs(types: &[ArrayType], seed: u64) -> Vec<Value> {
    let mut numbers = Random::new(seed);
    types.iter().map(|ty| random(&mut numbers, ty, (-1.0, 1.0), false)).collect()
}

fn f32s(shape: &[usize]) -> ArrayType {
    ArrayType::new(DType::F32, shape)
}

fn f64s(shape: &[usize]) -> ArrayType {
    ArrayType::new(DType::F64, shape)
}

/// A matrix of the same extents with a Cholesky factor.
fn positive(x: &Array) -> Array {
    let n = x.shape()[x.rank() - 1];
    x.matmul(&x.swap_axes(-1, -2)) + probpipe_trace::eye(n).cast(x.dtype())
}

/// Compiles once and runs in pools of several sizes.
#[track_caller]
fn same_bits(types: &[ArrayType], f: impl FnOnce(&[Array]) -> Vec<Array>) {
    let graph = trace(types, f).unwrap().graph;
    let compiled = Cpu.compile(verify(&graph).unwrap()).unwrap();
    let values = inputs(types, 7);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let out = pool.install(|| compiled.run(&values.iter().collect::<Vec<_>>()).unwrap());
        let all = out.iter().map(|v| v.to_host().unwrap().bytes().to_vec());
        all.collect::<Vec<_>>()
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one, "{threads} threads, {types:?}");
    }
}

#[test]
fn threads_change_no_bit() {
    let product = |x: &[Array]| vec![x[0].matmul(&x[1])];
    for [m, k, n] in [[300, 250, 150], [17, 200, 3000], [2900, 311, 10], [512, 512, 70]] {
        same_bits(&[f32s(&[m, k]), f32s(&[k, n])], product);
        same_bits(&[f64s(&[m, k]), f64s(&[k, n])], product);
        let transposed = |x: &[Array]| vec![x[0].transpose().matmul(&x[1].transpose())];
        same_bits(&[f32s(&[k, m]), f32s(&[n, k])], transposed);
    }
    same_bits(&[f32s(&[40, 60, 70]), f32s(&[40, 70, 64])], product);
    same_bits(&[f64s(&[3, 200, 170]), f64s(&[3, 170, 164])], product);
    same_bits(&[f64s(&[90, 100, 100])], |x| {
        let factor = positive(&x[0]).cholesky();
        let solved = factor.solve_triangular(&x[0]);
        vec![factor, solved]
    });
}

#[test]
fn large_products_agree_with_the_interpreter() {
    let product = |x: &[Array]| vec![x[0].matmul(&x[1])];
    check_fn("shared", &[f32s(&[130, 300]), f32s(&[300, 230])], 512.0, product);
    check_fn("shared", &[f64s(&[9, 150, 90]), f64s(&[9, 90, 110])], 512.0, product);
}

#[test]
fn factors_agree_with_the_interpreter() {
    for n in [17, 33, 64, 100] {
        for shape in [vec![n, n], vec![3, n, n]] {
            check_fn(&format!("cholesky {n}"), &[f64s(&shape)], 65536.0, |x| {
                let factor = positive(&x[0]).cholesky();
                let column = x[0].slice_axis(-1, 2..3);
                let solve = |b: &Array, transposed| {
                    let triangle = Triangular { transposed, ..Triangular::lower() };
                    factor.solve_triangular_with(b, triangle)
                };
                vec![solve(&x[0], false), solve(&column, false), solve(&column, true)]
            });
        }
    }
}

/// Every layout of a product of a matrix and a vector, among other work and in a batch.
#[test]
fn products_with_vectors_agree_with_the_interpreter() {
    for dtype in [DType::F32, DType::F64] {
        let t = |shape: &[usize]| ArrayType::new(dtype, shape);
        for [m, n] in
            [[1, 300], [300, 1], [16, 16], [40, 7], [7, 90], [33, 65], [130, 70], [3, 900]]
        {
            let types = [t(&[m, n]), t(&[n]), t(&[m])];
            let what = format!("{dtype} {m}x{n}");
            check_fn(&what, &types, 512.0, |x| {
                let (w, y) = (x[1].sin(), &x[2] * 2.0);
                let rows = x[0].dot(&w);
                vec![
                    (&rows * 0.5).exp(),
                    y.dot(&x[0]),
                    x[0].transpose().dot(&y),
                    w.dot(&x[0].transpose()),
                    (&x[0] + 1.0).dot(&w),
                    // Rows that lie backwards, columns that do, and every other column.
                    x[0].flip(0).dot(&w),
                    x[0].flip(1).dot(&w),
                    y.flip(0).dot(&x[0]),
                    x[0].slice_axis(1, 0..n.div_ceil(2)).dot(&w.slice_axis(0, 0..n.div_ceil(2))),
                    x[0].expand_dims(0).broadcast_to([5, m, n]).dot(&w),
                ]
            });
            let types = [t(&[6, m, n]), t(&[6, n, 1]), t(&[6, 1, m])];
            check_fn(&format!("batch of {what}"), &types, 512.0, |x| {
                vec![
                    x[0].matmul(&x[1]),
                    x[2].matmul(&x[0]),
                    x[0].swap_axes(1, 2).matmul(&x[2].swap_axes(1, 2)),
                ]
            });
        }
    }
}

#[test]
fn products_with_vectors_in_loops() {
    check_fn("loop", &[f32s(&[50, 50]), f32s(&[50])], 4096.0, |x| {
        let step = |_, v: Array| (x[0].dot(&v) * 0.1).tanh() + v.dot(&x[0]) * 0.01;
        vec![probpipe_trace::fori_loop(20, x[1].clone(), step)]
    });
}
