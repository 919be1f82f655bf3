//! Kernels that threads divide: right values, and the same bits whatever the number of threads.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Key, Value, normal, scan, select, trace, verify,
};
use support::{Random, check_fn, random};

fn ty(dtype: DType, shape: &[usize]) -> ArrayType {
    ArrayType::new(dtype, shape)
}

/// Elementwise work, sums along every axis, and both together, in sizes that leave short parts.
fn work(x: &[Array]) -> Vec<Array> {
    let y = (-&x[0]).exp() + 1.0;
    let z = &x[0] * &x[0] - &y;
    let rank = x[0].shape().len() as isize;
    let mut out = vec![y.clone(), z.clone(), z.sum(), y.max(), (&z * 0.001).prod(), z.min()];
    out.push(z.gt(0.0).all_axes((0..rank).collect::<Vec<_>>()));
    out.extend((0..rank).map(|axis| (&z * &y).sum_axes([axis])));
    out.push(select(&x[0].gt(0.0), y.log(), &z));
    out
}

const SHAPES: [&[usize]; 6] =
    [&[100_003], &[70_000], &[300, 333], &[3, 40_000], &[40_000, 3], &[17, 60, 101]];

#[test]
fn divided_kernels_are_right() {
    for dtype in [DType::F32, DType::F64] {
        for shape in SHAPES {
            let types = [ty(dtype, shape)];
            check_fn(&format!("work on {dtype}{shape:?}"), &types, 256.0, work);
        }
    }
}

#[test]
fn divided_kernels_in_loops_use_the_counters() {
    let types = [ty(DType::F32, &[3, 70_000]), ty(DType::F32, &[70_000])];
    check_fn("rows of a scan", &types, 256.0, |x| {
        let (carry, ys) = scan(x[1].clone(), x[0].clone(), |c: Array, row: Array| {
            let next = (&c * 0.5 + row).tanh();
            (next.clone(), next.exp() * 2.0)
        });
        vec![carry, ys]
    });
}

/// The results on a pool of this many threads.
fn results(threads: usize, graph: &probpipe_trace::Graph, inputs: &[&Value]) -> Vec<Value> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let executable = Cpu.compile(verify(graph).unwrap()).expect("compiles");
    pool.install(|| executable.run(inputs).expect("runs").into_vec())
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for dtype in [DType::F32, DType::F64] {
        for shape in SHAPES {
            let types = [ty(dtype, shape)];
            let graph = trace(&types, work).expect("traces").graph;
            let input = random(&mut Random::new(7), &types[0], (-3.0, 3.0), false);
            let one = results(1, &graph, &[&input]);
            for threads in [2, 3, 16] {
                assert!(one == results(threads, &graph, &[&input]), "{dtype}{shape:?}: {threads}");
            }
        }
    }
    let graph = trace(&[], |_| vec![normal(Key::new(3), [300_000])]).expect("traces").graph;
    assert!(results(1, &graph, &[]) == results(2, &graph, &[]), "normals");
}
