//! Kernels and loops that threads divide: right values, and the same bits whatever the number of
//! threads.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Key, Value, array, cond, fori_loop, map, normal, scan,
    select, stack, trace, verify, while_loop,
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

/// Steps of a map that end when they like, with branches, rows of what lies outside, sums in few
/// registers and in memory, products, sorts, and one result that is read again behind the loop.
fn steps(x: &[Array]) -> Vec<Array> {
    let (rows, matrix) = (&x[0], &x[1]);
    let outside = matrix.sum_axes([0]) * 0.1;
    let small = array([0.5, 0.25, 0.125]).cast(x[0].dtype()) * outside.sum().tanh();
    let (sums, lines) = map(
        |row: Array| {
            let far = |(y, n): (Array, Array)| (y.square().sum().lt(50.0) & n.lt(40i32)).clone();
            let near = |(y, n): (Array, Array)| {
                let y = cond(
                    (&n % 3i32).eq(0i32),
                    y,
                    |y: Array| &y * 1.25 + &outside,
                    |y: Array| matrix.matmul(&y) * 0.3 + &y,
                );
                (y, n + 1i32)
            };
            let (y, n) = while_loop(far, near, (row.clone(), Array::from(0i32)));
            let (s, _) = fori_loop(3, (small.clone(), y.sum()), |i, (s, t)| {
                let t = t * 0.5 + s.take(&i, 0);
                (&s * 0.9 + &t, t)
            });
            let order = (&y * 3.0).sin().sort(0).cumsum(0) + s.sum();
            (stack([y.sum(), n.cast(y.dtype()), s.max()], 0), order)
        },
        rows.clone(),
    );
    vec![lines.sum_axes([0]), &sums * 2.0, lines]
}

/// Both alone and in each step of a loop.
fn steps_in_a_loop(x: &[Array]) -> Vec<Array> {
    let (rows, matrix) = (&x[0], &x[1]);
    let (end, kept) = scan(rows.clone(), matrix.clone(), |rows: Array, line: Array| {
        let out = steps(&[&rows * 0.5 + line.tanh(), matrix.clone()]);
        (out[2].tanh(), out[1].sum_axes([0]))
    });
    vec![end, kept]
}

type Steps = fn(&[Array]) -> Vec<Array>;

const MAPS: [(&str, Steps); 2] = [("alone", steps), ("in a loop", steps_in_a_loop)];

#[test]
fn divided_loops_are_right() {
    for dtype in [DType::F32, DType::F64] {
        for (name, f) in MAPS {
            let types = [ty(dtype, &[301, 6]), ty(dtype, &[6, 6])];
            check_fn(&format!("{name} in {dtype}"), &types, 4096.0, f);
        }
    }
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
    for (name, f) in MAPS {
        let types = [ty(DType::F32, &[5003, 6]), ty(DType::F32, &[6, 6])];
        let graph = trace(&types, f).expect("traces").graph;
        let [rows, matrix] =
            [0, 1].map(|i| random(&mut Random::new(i + 8), &types[i as usize], (-3.0, 3.0), false));
        let one = results(1, &graph, &[&rows, &matrix]);
        for threads in [2, 3, 16] {
            assert!(one == results(threads, &graph, &[&rows, &matrix]), "{name}: {threads}");
        }
    }
    let graph = trace(&[], |_| vec![normal(Key::new(3), [300_000])]).expect("traces").graph;
    assert!(results(1, &graph, &[]) == results(2, &graph, &[]), "normals");
}
