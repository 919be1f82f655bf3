//! Programs in double precision against the interpreter, on adapters that compute in it: to a few
//! units in the last place of `f64`.

mod common;

use common::{check, distance, double_or_skip, f64s, graph_of, longs, run_both, wide_noise};
use probpipe_backend_gpu::wgsl::{Target, element_bytes};
use probpipe_lowering::{Options, lower};
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{
    Array, ArrayType, BinaryOp, CompareOp, CumulativeOp, DType, Executable, LinalgOp, Op, ReduceOp,
    ScatterOp, UnaryOp, Value, Vectors, arange, array, bind, bind1, concat, cond, fori_loop, scan,
    select, verify, while_loop, zeros,
};

/// Numbers of all sizes, and those where functions turn.
fn numbers() -> Vec<f64> {
    let mut numbers = vec![
        0.0,
        -0.0,
        0.5,
        -0.5,
        1.0,
        -1.0,
        1.5,
        2.5,
        -2.5,
        3.0,
        1e-5,
        1e-9,
        1e-17,
        1e-300,
        5e-324,
        -5e-324,
        2.2250738585072014e-308,
        1e300,
        -1e300,
        1.7976931348623157e308,
        4503599627370495.5,
        9007199254740993.0,
        2147483647.5,
        -2147483649.0,
        4294967296.0,
        709.7,
        -745.2,
        710.5,
        0.4999999999999999,
        std::f64::consts::FRAC_PI_4,
        std::f64::consts::PI,
        22.0,
        171.6,
        268435457.0,
        1e18,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    for (e, m) in wide_noise(200, 1).into_iter().enumerate() {
        numbers.push(m * 2f64.powi((e as i32 % 40 - 20) * 3));
        numbers.push(m * 4.0);
    }
    numbers
}

#[test]
fn functions() {
    let Some(gpu) = double_or_skip() else { return };
    let x = numbers();
    let n = x.len();
    for op in UnaryOp::ALL.iter().filter(|op| op.spec().accepts.contains(DType::F64)) {
        let (want, got) =
            run_both(&gpu, &[f64s(&x, &[n])], |x| vec![bind1(Op::Unary(*op), &[&x[0]])]);
        let far = distance(&want[0], &got[0]);
        let worst = far.iter().copied().fold(0.0, f64::max);
        let at = far.iter().position(|far| *far == worst).unwrap();
        let [want, got] = [&want[0], &got[0]].map(|v| v.to_scalars().unwrap()[at]);
        assert!(worst <= op.spec().ulp, "{op:?}({:e}): {want:?} and {got:?}", x[at]);
    }
    // Each with each.
    let some: Vec<f64> = x.iter().copied().take(60).collect();
    let pairs: Vec<(f64, f64)> =
        some.iter().flat_map(|a| some.iter().map(move |b| (*a, *b))).collect();
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (a, b) = (f64s(&a, &[a.len()]), f64s(&b, &[b.len()]));
    for op in BinaryOp::ALL.iter().filter(|op| op.spec().accepts.contains(DType::F64)) {
        let (want, got) = run_both(&gpu, &[a.clone(), b.clone()], |x| {
            vec![bind1(Op::Binary(*op), &[&x[0], &x[1]])]
        });
        for (far, (a, b)) in distance(&want[0], &got[0]).into_iter().zip(&pairs) {
            assert!(far <= op.spec().ulp, "{op:?}({a:e}, {b:e}) is {far} ulp away");
        }
    }
    check(&gpu, 0.0, &[a, b], |x| {
        let compare = |op: &CompareOp| bind1(Op::Compare(*op), &[&x[0], &x[1]]);
        let mut out: Vec<Array> = CompareOp::ALL.iter().map(compare).collect();
        out.push(select(&x[0].lt(&x[1]), &x[0], &x[1]));
        out
    });
}

#[test]
fn casts_and_bits() {
    let Some(gpu) = double_or_skip() else { return };
    let x = numbers();
    let whole = longs(200, 2);
    let inputs = [f64s(&x, &[x.len()]), Value::from_elements(&whole, &[200]).unwrap()];
    check(&gpu, 0.0, &inputs, |x| {
        let (x, i) = (&x[0], &x[1]);
        let mut out: Vec<Array> = DType::ALL.into_iter().map(|to| x.cast(to)).collect();
        for from in DType::ALL {
            out.push(i.cast(from).cast(DType::F64));
        }
        out.push(x.cast(DType::F32).cast(DType::F64));
        out.push(x.bitcast(DType::U64));
        out.push(x.bitcast(DType::I64));
        let exponent = i & 0x7fe0_0000_0000_0000i64 ^ (i & 0x000f_ffff_ffff_ffffi64);
        out.push(exponent.bitcast(DType::F64));
        out
    });
}

/// What compilers would let cancel, or take for zero.
#[test]
fn sums_that_cancel() {
    let Some(gpu) = double_or_skip() else { return };
    let (a, b) = (wide_noise(100, 3), wide_noise(100, 4));
    let single = |x: &[f64]| Value::from_elements(&narrow(x), &[x.len()]).unwrap();
    let (a, b) = ([f64s(&a, &[100]), single(&a)], [f64s(&b, &[100]), single(&b)]);
    for (a, b) in a.into_iter().zip(b) {
        check(&gpu, 0.0, &[a, b], cancelling);
    }
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|x| *x as f32).collect()
}

fn cancelling(x: &[Array]) -> Vec<Array> {
    let (a, b) = (&(&x[0] * 1e8), &x[1]);
    let (sum, same) = (a + b, a.clone());
    let infinite = a / 0.0;
    vec![
        &sum - a,
        (&sum - a) - b,
        (a + 1e12) - 1e12,
        (a * 3.0) / 3.0,
        a - &same,
        &infinite - infinite.clone(),
        &infinite * 0.0,
        (a - 0.25) + 0.25,
        (a * b) * 0.0,
        (a / b) * b,
    ]
}

/// Sums up to each place, each rounded once.
fn sums(x: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let (mut sum, mut rest) = (0.0f64, 0.0);
    let mut next = |x: f64| {
        let (a, b) = if sum.abs() < x.abs() { (x, sum) } else { (sum, x) };
        sum += x;
        rest += (a - sum) + b;
        sum + rest
    };
    x.into_iter().map(&mut next).collect()
}

/// The interpreter adds one after the other in `f64`, and so is no measure for long sums.
#[test]
fn long_sums() {
    let Some(gpu) = double_or_skip() else { return };
    for n in [5000, 200_000] {
        let x = wide_noise(n, 21);
        let size: f64 = x.iter().map(|x| x.abs()).sum();
        let (_, got) = run_both(&gpu, &[f64s(&x, &[n])], |x| vec![x[0].sum(), x[0].cumsum(0)]);
        let (want, got): (_, Vec<Vec<f64>>) =
            (sums(x), got.iter().map(|v| v.to_vec().unwrap()).collect());
        let far = (got[0][0] - want[n - 1]).abs();
        assert!(far <= 4.0 * f64::EPSILON * size / (n as f64).sqrt(), "{far} of {size}");
        for (want, got) in want.iter().zip(&got[1]) {
            assert!((want - got).abs() <= f64::EPSILON * want.abs().max(1e-3), "{want} and {got}");
        }
    }
}

#[test]
fn reductions() {
    let Some(gpu) = double_or_skip() else { return };
    for shape in [&[0][..], &[1], &[5], &[7, 3], &[3, 100, 2], &[2500]] {
        let n = shape.iter().product();
        for axis in 0..shape.len() {
            check(&gpu, 64.0, &[f64s(&wide_noise(n, 5), shape)], |x| {
                let x = &x[0];
                let all: Vec<usize> = (0..shape.len()).collect();
                let reduce = |x: &Array, op, axes: &[usize]| {
                    bind1(Op::Reduce { op, axes: axes.iter().copied().collect() }, &[x])
                };
                let near = &(1.0 + x * 1e-3);
                let mut out = vec![reduce(near, ReduceOp::Prod, &[axis])];
                for op in [ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min] {
                    out.extend([reduce(x, op, &[axis]), reduce(x, op, &all)]);
                }
                out
            });
        }
    }
}

#[test]
fn running_reductions_sorts_and_scatters() {
    let Some(gpu) = double_or_skip() else { return };
    for shape in [&[1][..], &[5], &[3, 7, 2], &[2, 300], &[0, 4]] {
        let n: usize = shape.iter().product();
        let near: Vec<f64> = wide_noise(n, 6).iter().map(|v| 1.0 + 1e-3 * v).collect();
        for axis in 0..shape.len() {
            check(&gpu, 64.0, &[f64s(&near, shape)], |x| {
                let ways = [false, true].into_iter();
                let ways = ways.flat_map(|r| CumulativeOp::ALL.map(|op| (op, r)));
                ways.map(|(op, reverse)| bind1(Op::Cumulative { op, axis, reverse }, &[&x[0]]))
                    .collect()
            });
        }
    }
    // From few numbers, which differ in their high words, in their low ones, or in both.
    let of = [0.0, -0.0, 1.0, 1.0 + f64::EPSILON, -1.0, -1.0 - f64::EPSILON, f64::NAN, 5e-324];
    for shape in [&[1][..], &[7], &[64], &[65], &[1000], &[3, 200, 2], &[0, 3], &[5003]] {
        let n = shape.iter().product();
        let few: Vec<f64> = longs(n, 7).iter().map(|v| of[*v as usize % of.len()]).collect();
        let more: Vec<f64> = wide_noise(n, 8);
        for axis in 0..shape.len() {
            check(&gpu, 0.0, &[f64s(&few, shape), f64s(&more, shape)], |v| {
                let sort = |num_keys| Op::Sort { axis, num_keys };
                let mut out = bind(sort(1), &[&v[0], &v[1]]).to_vec();
                out.extend(bind(sort(2), &[&v[0], &v[1]]).to_vec());
                out.push(v[1].argsort(axis as isize));
                out
            });
        }
    }
    for [b, m, count, rest] in
        [[1, 5, 1, 1], [2, 4, 9, 2], [1, 3, 128, 3], [2, 3, 129, 2], [1, 50, 3000, 1]]
    {
        let at: Vec<i32> =
            longs(b * count, 9).iter().map(|v| v.rem_euclid(m as i64 + 2) as i32 - 1).collect();
        let at = Value::from_elements(&at, &[b, count]).unwrap();
        let x = f64s(&wide_noise(b * m * rest, 10), &[b, m, rest]);
        let near: Vec<f64> =
            wide_noise(b * count * rest, 11).iter().map(|v| 1.0 + 0.1 * v).collect();
        check(&gpu, 64.0, &[at, x, f64s(&near, &[b, count, rest])], |v| {
            let scatter =
                |op: ScatterOp| bind1(Op::Scatter { op, batch: 1 }, &[&v[1], &v[0], &v[2]]);
            let mut out: Vec<Array> = ScatterOp::ALL.into_iter().map(scatter).collect();
            out.push(v[1].at_axis(0, 0).at_indices([&v[0].at_axis(0, 0)]).get());
            out
        });
    }
}

fn linalg(op: LinalgOp, inputs: &[&Array]) -> Vec<Array> {
    bind(Op::Linalg(op), inputs).to_vec()
}

#[test]
fn matrices() {
    let Some(gpu) = double_or_skip() else { return };
    for (batch, m, k, n) in [(1, 2, 3, 2), (1, 37, 41, 43), (3, 33, 70, 18), (1, 2, 40_000, 3)] {
        let a = f64s(&wide_noise(batch * m * k, 12), &[batch, m, k]);
        let b = f64s(&wide_noise(batch * k * n, 13), &[batch, k, n]);
        check(&gpu, 1024.0, &[a, b], |x| {
            vec![x[0].matmul(&x[1]), x[1].swap_axes(1, 2).matmul(&x[0].swap_axes(1, 2))]
        });
    }
    for (batch, n) in [(1, 1), (3, 2), (2, 5), (1, 33), (1, 100)] {
        let mut data = wide_noise(batch * n * n, 14);
        for (e, x) in data.iter_mut().enumerate() {
            let (i, j) = (e / n % n, e % n);
            *x = *x / (n as f64).sqrt() + if i == j { 4.0 } else { 0.0 };
        }
        let a = f64s(&data, &[batch, n, n]);
        let b = f64s(&wide_noise(batch * n * 3, 15), &[batch, n, 3]);
        check(&gpu, 512.0, &[a, b], |x| {
            let (a, b) = (&x[0], &x[1]);
            let square = &a.swap_axes(1, 2).matmul(a);
            let factor = square.cholesky();
            let mut out = vec![factor.solve_triangular(b), a.solve(b), a.slogdet().1];
            out.push((square * -1.0).cholesky());
            out.push(factor);
            out.extend(linalg(LinalgOp::Lu, &[a]));
            out.extend(linalg(LinalgOp::Qr { full: true }, &[&b.slice_axis(2, 0..n.min(3))]));
            out
        });
        // Values far apart, so that vectors are determined.
        for (e, x) in data.iter_mut().enumerate() {
            let (i, j) = (e / n % n, e % n);
            *x = *x * 0.05 + if i == j { i as f64 } else { 0.0 };
        }
        check(&gpu, 4096.0, &[f64s(&data, &[batch, n, n])], |x| {
            let mut out = linalg(LinalgOp::Eigh { vectors: true }, &[&x[0]]);
            out.extend(linalg(LinalgOp::Svd { vectors: Vectors::Thin }, &[&(&x[0] + 0.5)]));
            out
        });
    }
    // Sizes that `f32` does not have.
    let rows = [1e300, 0.0, 0.0, 2e300, -1e300, 0.0, 0.0, 0.0, 3e299];
    check(&gpu, 8.0, &[f64s(&rows, &[1, 3, 3])], |x| {
        let parts = linalg(LinalgOp::Eigh { vectors: true }, &[&x[0]]);
        vec![&parts[0] * 1e-300, parts[1].clone(), (x[0].det() * 1e300) * 1e-300]
    });
}

#[test]
fn loops_and_branches() {
    let Some(gpu) = double_or_skip() else { return };
    let x =
        [f64s(&[0.3], &[]), f64s(&wide_noise(5, 16), &[5]), f64s(&wide_noise(600, 17), &[300, 2])];
    check(&gpu, 256.0, &x, |x| {
        // In variables, one and several, with stacked results; a lane an invocation.
        let (last, all) = scan(x[0].clone(), arange(50), |s, _| {
            let s = (&s * 0.9 + 0.1) * (1.0 - &s * 1e-3);
            (s.clone(), s)
        });
        let swapped = fori_loop(7, (x[1].clone(), x[1].flip(0)), |i, (a, b)| {
            (&b * 0.5, a + i.cast(DType::F64))
        });
        let (lanes, sums) = scan(x[2].clone(), arange(10), |q, t| {
            let q = &q * 0.5 + t.cast(DType::F64);
            (q.clone(), q.sum_axes([1]))
        });
        let branch = cond(&x[0].gt(0.2), x[1].clone(), |x: Array| &x * 2.0, |x: Array| x - 9.0);
        let root = while_loop(
            |v: Array| (&v * &v - 2.0).abs().gt(1e-14),
            |v: Array| (&v + 2.0 / &v) * 0.5,
            x[0].clone(),
        );
        vec![last, all, swapped.0, swapped.1, lanes, sums, branch, root]
    });
    // Steps that read all of the last.
    check(&gpu, 64.0, &[f64s(&wide_noise(5000, 18), &[5000])], |x| {
        vec![fori_loop(4, x[0].clone(), |i, q| q.flip(0) + q.sum() * (i.cast(DType::F64) + 1.0))]
    });
}

/// Each iteration of a loop an invocation, which keeps what it knows where it has to stop.
#[test]
fn iterations_apart_stop_and_go_on() {
    let Some(gpu) = double_or_skip() else { return };
    for (n, size) in [(100, 2), (100, 20)] {
        let x = [f64s(&wide_noise(n * size, 19), &[n, size]), f64s(&wide_noise(size, 20), &[size])];
        let f = |x: &[Array]| {
            let shift = x[1].clone();
            let (_, (ends, counts, lists)) = scan((), x[0].clone(), |(), v: Array| {
                let (v, i, list) = while_loop(
                    |(v, i, _): (Array, Array, Array)| v.max().gt(1e-3) & i.lt(30),
                    |(v, i, list)| {
                        let v = v.flip(0) * 0.7 + &shift * 1e-4;
                        let list = list.at_indices([&i]).set(v.sum());
                        (v, i + 1, list)
                    },
                    (v, array(0), zeros([30]).cast(DType::F64)),
                );
                ((), (concat(&[v.clone(), v.cumsum(0)], 0), i, list))
            });
            vec![ends, counts, lists]
        };
        let types: Vec<ArrayType> = x.iter().map(|v| v.ty().clone()).collect();
        let graph = graph_of(&types, f);
        let inputs: Vec<&Value> = x.iter().collect();
        let want = eval_graph(&graph, &inputs).unwrap();
        for rounds in [1 << 24, 2000] {
            let options = Options { element_bytes, ..Options::default() };
            let program = lower(verify(&graph).unwrap(), &options).unwrap();
            let target = Target { rounds, ..*gpu.target() };
            let program = gpu.written_for(target).load(program).expect("is loaded");
            for (want, got) in want.iter().zip(&program.run(&inputs).unwrap()) {
                let far = distance(want, got).into_iter().fold(0.0, f64::max);
                assert!(far <= 16.0, "{rounds} rounds: {far}\n{want:?}\n{got:?}");
            }
        }
    }
}

#[test]
fn more_arrays_than_a_shader_binds() {
    let Some(gpu) = double_or_skip() else { return };
    let n = gpu.target().storage_buffers + 5;
    let inputs: Vec<Value> = (0..n as u32)
        .map(|i| match i % 2 {
            0 => f64s(&wide_noise(1000, i), &[1000]),
            _ => f64s(&[f64::from(i)], &[]),
        })
        .collect();
    check(&gpu, 64.0, &inputs, |x| {
        let sum = x.iter().skip(1).fold(x[0].clone(), |sum, x| sum + x);
        vec![sum.gt(0.5), sum.sum(), sum.cast(DType::F32), x[3].clone(), sum.cumsum(0)]
    });
}
