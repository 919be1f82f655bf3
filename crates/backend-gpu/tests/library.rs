//! Running reductions, sorts and scatters on the device against the interpreter: short and long
//! lines, several of them, ties, NaN, duplicates, indices out of range, nothing at all.

mod common;

use common::{adapter_or_skip, check, f32s, noise, run_both};
use probpipe_backend_gpu::Gpu;
use probpipe_trace::{
    Array, CumulativeOp, DType, Op, Scalar, ScatterOp, Value, bind, bind1, fori_loop,
};

/// Reproducible integers from `low` on, `span` of them.
fn integers(n: usize, low: i32, span: u32, seed: u32) -> Vec<i32> {
    let whole = |v: f32| (((v + 1.0) * 0.5 * span as f32) as i32).min(span as i32 - 1) + low;
    noise(n, seed).into_iter().map(whole).collect()
}

fn ints(data: &[i32], shape: &[usize]) -> Value {
    Value::from_elements(data, shape).expect("the shape fits")
}

/// Equal to the last bit, NaN and the signs of zeros too.
#[track_caller]
fn same(gpu: &Gpu, inputs: &[Value], f: impl FnOnce(&[Array]) -> Vec<Array>) {
    let (want, got) = run_both(gpu, inputs, f);
    for (i, (w, g)) in want.iter().zip(&got).enumerate() {
        assert_eq!(w.ty(), g.ty());
        let bits = |v: &Value| -> Vec<Option<u64>> {
            let bits = |s: Scalar| match s {
                Scalar::Float(x) if x.is_nan() => None,
                Scalar::Float(x) => Some(x.to_bits()),
                other => Some(other.as_i128() as u64),
            };
            v.to_scalars().expect("values").into_iter().map(bits).collect()
        };
        let (w, g) = (bits(w), bits(g));
        let first = w.iter().zip(&g).position(|(w, g)| w != g);
        assert_eq!(first, None, "result {i} differs there");
    }
}

fn cumulative(x: &Array, axis: usize) -> Vec<Array> {
    let ways = [false, true].into_iter().flat_map(|r| CumulativeOp::ALL.map(|op| (op, r)));
    ways.map(|(op, reverse)| bind1(Op::Cumulative { op, axis, reverse }, &[x])).collect()
}

#[test]
fn running_reductions() {
    let Some(gpu) = adapter_or_skip() else { return };
    for shape in [&[1][..], &[5], &[3, 7, 2], &[2, 300], &[300, 3], &[0, 4], &[1, 1]] {
        let n = shape.iter().product();
        let near: Vec<f32> = noise(n, 1).iter().map(|v| 1.0 + 0.1 * v).collect();
        for axis in 0..shape.len() {
            check(&gpu, 64.0, &[f32s(&near, shape)], |x| cumulative(&x[0], axis));
            same(&gpu, &[ints(&integers(n, -9, 19, 2), shape)], |x| {
                [cumulative(&x[0], axis), cumulative(&x[0].cast(DType::U32), axis)].concat()
            });
        }
    }
}

#[test]
fn long_running_reductions() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = 100_003;
    // Sums that a running sum of f32 would lose digits of.
    let x: Vec<f32> = noise(n, 3).iter().map(|v| 1.0 + 0.5 * v).collect();
    check(&gpu, 1.0, &[f32s(&x, &[n])], |x| {
        let sum = |reverse| Op::Cumulative { op: CumulativeOp::Sum, axis: 0, reverse };
        vec![bind1(sum(false), &[&x[0]]), bind1(sum(true), &[&x[0]]), x[0].cummax(0)]
    });
    let near: Vec<f32> = noise(n, 4).iter().map(|v| 1.0 + 1e-3 * v).collect();
    check(&gpu, 512.0, &[f32s(&near, &[n])], |x| {
        vec![bind1(Op::Cumulative { op: CumulativeOp::Prod, axis: 0, reverse: false }, &[&x[0]])]
    });
    same(&gpu, &[ints(&integers(n, -1000, 2000, 5), &[n])], |x| cumulative(&x[0], 0));
}

#[test]
fn running_reductions_of_what_is_not_finite() {
    let Some(gpu) = adapter_or_skip() else { return };
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let rows = [
        [-0.0, -0.0, 0.0, -1.0, 2.0, -0.0],
        [1.0, nan, 2.0, inf, -inf, 0.0],
        [inf, 1.0, -inf, 1.0, 2.0, 3.0],
        // Past the range, and back.
        [1e30, 1e30, 1e-30, 1e-30, 1e-30, 0.0],
        [1e-30, 1e-30, -1e30, 1e30, 0.0, inf],
        [3e38, -3e38, 1.0, 1e-20, 1.0, -1.0],
    ];
    let x = f32s(&rows.concat(), &[6, 6]);
    check(&gpu, 1.0, std::slice::from_ref(&x), |x| {
        vec![
            bind1(Op::Cumulative { op: CumulativeOp::Sum, axis: 1, reverse: false }, &[&x[0]]),
            bind1(Op::Cumulative { op: CumulativeOp::Prod, axis: 1, reverse: false }, &[&x[0]]),
        ]
    });
    same(&gpu, &[x], |x| vec![x[0].cummax(1), x[0].cummin(1), x[0].cummax(0)]);
}

#[test]
fn sorts() {
    let Some(gpu) = adapter_or_skip() else { return };
    for shape in [&[1][..], &[7], &[64], &[65], &[129], &[1000], &[3, 200, 2], &[0, 3], &[5, 1]] {
        let n: usize = shape.iter().product();
        let x: Vec<f32> = integers(n, -9, 20, 6)
            .iter()
            .map(|&v| match v {
                -9 => f32::NAN,
                -8 => -0.0,
                -7 => 0.0,
                -6 => f32::INFINITY,
                -5 => f32::NEG_INFINITY,
                v => v as f32,
            })
            .collect();
        let y = ints(&integers(n, -3, 7, 7), shape);
        for axis in 0..shape.len() {
            let sort = |num_keys| Op::Sort { axis, num_keys };
            same(&gpu, &[f32s(&x, shape), y.clone()], |v| {
                let (x, y) = (&v[0], &v[1]);
                let (u, b) = (y.cast(DType::U32), y.gt(0));
                let mut out = bind(sort(1), &[x]).to_vec();
                out.extend(bind(sort(1), &[y, x]).to_vec());
                out.extend(bind(sort(1), &[&b, x, y]).to_vec());
                out.extend(bind(sort(3), &[&b, &u, x, y]).to_vec());
                out.push(x.argsort(axis as isize));
                out
            });
        }
    }
}

#[test]
fn long_sorts() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = 20_011;
    let x = f32s(&noise(n, 8), &[n]);
    let y = ints(&integers(n, 0, 50, 9), &[n]);
    same(&gpu, &[x, y], |v| {
        let mut out = bind(Op::Sort { axis: 0, num_keys: 2 }, &[&v[1], &v[0]]).to_vec();
        out.push(v[0].argsort(0));
        out.push(v[1].argsort(0));
        out
    });
}

#[test]
fn long_sorts_of_several_lines_and_keys() {
    let Some(gpu) = adapter_or_skip() else { return };
    let shape = [2, 5000, 2];
    let x: Vec<f32> = integers(20_000, -20, 40, 19)
        .iter()
        .map(|&v| match v {
            -20 => f32::NAN,
            -19 => -0.0,
            v => v as f32,
        })
        .collect();
    let y = ints(&integers(20_000, -4, 8, 20), &shape);
    same(&gpu, &[f32s(&x, &shape), y], |v| {
        let (x, y) = (&v[0], &v[1]);
        let sort = Op::Sort { axis: 1, num_keys: 3 };
        let mut out = bind(sort, &[&y.gt(0), x, y, &(y * 2)]).to_vec();
        out.push(x.argsort(1));
        out
    });
}

#[test]
fn two_runs_give_the_same_bits() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = 30_000;
    let i = ints(&integers(n, 0, 100, 21), &[n]);
    let inputs = [i, f32s(&noise(n, 22), &[n]), f32s(&[0.0; 100], &[100])];
    let run = || {
        let (_, got) = run_both(&gpu, &inputs, |v| {
            let sums = scatter(ScatterOp::Add, 0, &v[2], &[&v[0]], &v[1]);
            let matrix = v[1].slice_axis(0, 0..1600).reshape([40, 40]);
            vec![sums, v[1].cumsum(0), v[0].argsort(0), matrix.svdvals(), matrix.qr().1]
        });
        got.iter()
            .flat_map(|v| v.to_scalars().expect("values"))
            .map(|s| s.as_f64().to_bits())
            .collect::<Vec<u64>>()
    };
    assert_eq!(run(), run());
}

fn scatter(op: ScatterOp, batch: usize, x: &Array, indices: &[&Array], updates: &Array) -> Array {
    bind1(Op::Scatter { op, batch }, &[&[x], indices, &[updates]].concat())
}

#[test]
fn scatters() {
    let Some(gpu) = adapter_or_skip() else { return };
    // Extents of batch, first and second indexed axis, tuples, rest.
    for [b, m, n, count, rest] in [
        [1, 5, 3, 1, 1],
        [2, 4, 3, 9, 2],
        [1, 3, 2, 128, 3],
        [2, 3, 2, 129, 2],
        [1, 50, 40, 3000, 1],
        [3, 1, 2, 1000, 1],
        [1, 4, 4, 0, 2],
        [0, 4, 4, 3, 2],
        [2, 4, 0, 3, 2],
        [1, 4, 4, 3, 0],
    ] {
        let i = ints(&integers(b * count, -1, m as u32 + 2, 10), &[b, count]);
        let j = ints(&integers(b * count, -1, n as u32 + 2, 11), &[b, count]);
        let x = ints(&integers(b * m * n * rest, -9, 19, 12), &[b, m, n, rest]);
        let u = ints(&integers(b * count * rest, -9, 19, 13), &[b, count, rest]);
        same(&gpu, &[i, j, x, u], |v| {
            let [i, j, x, u] = v else { panic!("four arrays") };
            let mut out: Vec<Array> =
                ScatterOp::ALL.iter().map(|&op| scatter(op, 1, x, &[i, j], u)).collect();
            out.push(scatter(ScatterOp::Set, 1, &x.gt(0), &[i, j], &u.gt(0)));
            // Whole numbers: sums are exact in any order.
            for op in [ScatterOp::Set, ScatterOp::Add, ScatterOp::Min, ScatterOp::Max] {
                let (x, u) = (x.cast(DType::F32), u.cast(DType::F32));
                out.push(scatter(op, 1, &x, &[i, j], &u));
            }
            out.push(scatter(ScatterOp::Max, 1, &x.cast(DType::U32), &[i, j], &u.cast(DType::U32)));
            out
        });
    }
}

#[test]
fn scatters_of_many_floats_into_one_place() {
    let Some(gpu) = adapter_or_skip() else { return };
    let n = 30_000;
    let i = ints(&integers(n, 0, 3, 14), &[n]);
    let near: Vec<f32> = noise(n, 15).iter().map(|v| 1.0 + 1e-3 * v).collect();
    let inputs = [i, f32s(&near, &[n]), f32s(&[1.0, 2.0, f32::NAN, 4.0], &[4])];
    check(&gpu, 1.0, &inputs, |v| {
        vec![
            scatter(ScatterOp::Add, 0, &v[2], &[&v[0]], &v[1]),
            scatter(ScatterOp::Min, 0, &v[2], &[&v[0]], &v[1]),
        ]
    });
    check(&gpu, 512.0, &inputs, |v| vec![scatter(ScatterOp::Mul, 0, &v[2], &[&v[0]], &v[1])]);
}

#[test]
fn scatters_into_carries() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&noise(40, 16), &[20, 2]);
    check(&gpu, 4.0, &[x], |v| {
        let step = |i: Array, x: Array| {
            let row = x.at_indices([&i.reshape([1])]).get() * 0.5 + 1.0;
            scatter(ScatterOp::Set, 0, &x, &[&(i + 1).reshape([1])], &row)
        };
        vec![fori_loop(19, v[0].clone(), step)]
    });
}

#[test]
fn integer_products() {
    let Some(gpu) = adapter_or_skip() else { return };
    let (m, k, n) = (37, 41, 43);
    let a = ints(&integers(m * k, -99999, 200000, 17), &[m, k]);
    let b = ints(&integers(k * n, -99999, 200000, 18), &[k, n]);
    same(&gpu, &[a, b], |x| {
        vec![x[0].matmul(&x[1]), x[0].cast(DType::U32).matmul(&x[1].cast(DType::U32))]
    });
}
