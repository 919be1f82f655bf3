//! Dense products and factors: against the interpreter, and the same bits from any number of
//! threads.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{Array, ArrayType, Backend, DType, Value, trace};
use support::{Random, check_fn, random};

fn inputs(types: &[ArrayType], seed: u64) -> Vec<Value> {
    let mut numbers = Random(seed);
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
    let compiled = Cpu.compile(&graph).unwrap();
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
        let solved = probpipe_trace::triangular_solve(&factor, &x[0], true, false);
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
                    probpipe_trace::triangular_solve(&factor, b, true, transposed)
                };
                vec![solve(&x[0], false), solve(&column, false), solve(&column, true)]
            });
        }
    }
}
