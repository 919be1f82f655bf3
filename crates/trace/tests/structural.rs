//! The ops that move, reduce and multiply whole arrays, against formulas on indices.

mod common;

use common::{counting, floats, run, value};
use probpipe_trace::op::infer;
use probpipe_trace::{
    ArrayType, Axes, DType, DotAxes, IntoShape, Op, ReduceOp, Shape, UnaryOp, Value,
    row_major_strides,
};

const SHAPES: [&[usize]; 8] =
    [&[], &[1], &[5], &[0], &[2, 3], &[3, 1, 4], &[2, 0, 3], &[2, 3, 2, 2]];

/// Every index below `shape`, in row-major order.
fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![vec![]], |list, &n| {
        let longer = |index: &Vec<usize>, i| {
            let mut index = index.clone();
            index.push(i);
            index
        };
        list.iter().flat_map(|index| (0..n).map(move |i| longer(index, i))).collect()
    })
}

/// Where an index lies in a row-major array.
fn position(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(row_major_strides(shape)).map(|(&i, s)| i * s).sum()
}

fn axes(list: impl IntoIterator<Item = usize>) -> Axes {
    list.into_iter().collect()
}

/// Checks `out[index] = x[from(index)]`, where `None` means `fill`; element `i` of `x` is `i`.
#[track_caller]
fn check_moves(
    op: &Op,
    inputs: &[Value],
    shape: &[usize],
    fill: f64,
    from: impl Fn(&[usize]) -> Option<Vec<usize>>,
) {
    let out = run(op, inputs).remove(0);
    assert_eq!(out.ty().shape.as_slice(), shape, "{op:?}");
    let x = &inputs[0].ty().shape;
    let want: Vec<f64> = indices(shape)
        .iter()
        .map(|index| from(index).map_or(fill, |at| position(&at, x) as f64))
        .collect();
    assert_eq!(floats(&out), want, "{op:?}");
}

#[test]
fn broadcast() {
    for (from, to, at) in [
        (&[][..], &[2, 3][..], &[][..]),
        (&[], &[], &[]),
        (&[3], &[2, 3], &[1]),
        (&[2], &[2, 3], &[0]),
        (&[1], &[4], &[0]),
        (&[3, 1], &[3, 2, 4], &[0, 2]),
        (&[1, 1], &[0, 3], &[0, 1]),
        (&[0], &[2, 0], &[1]),
    ] {
        for dtype in [DType::F64, DType::I32, DType::U8] {
            let x = counting(dtype, from);
            let op = Op::Broadcast { shape: to.into_shape(), axes: axes(at.iter().copied()) };
            check_moves(&op, &[x], to, 0.0, |index| {
                Some(
                    at.iter().zip(from).map(|(&a, &n)| if n == 1 { 0 } else { index[a] }).collect(),
                )
            });
        }
    }
}

#[test]
fn reshape_keeps_the_order() {
    for (from, to) in [(&[2, 3][..], &[3, 2][..]), (&[1], &[]), (&[0, 4], &[2, 0])] {
        let x = counting(DType::I64, from);
        let out = run(&Op::Reshape { shape: to.into_shape() }, std::slice::from_ref(&x)).remove(0);
        assert_eq!(out.ty().shape.as_slice(), to);
        assert_eq!(floats(&out), floats(&x));
    }
}

#[test]
fn transpose() {
    for shape in SHAPES {
        let rank = shape.len();
        for turn in 0..rank.max(1) {
            let permutation: Axes = axes((0..rank).map(|i| (i + turn) % rank).rev());
            let to: Shape = permutation.iter().map(|&a| shape[a]).collect();
            let op = Op::Transpose { permutation: permutation.clone() };
            check_moves(&op, &[counting(DType::F32, shape)], &to, 0.0, |index| {
                let mut at = vec![0; rank];
                permutation.iter().zip(index).for_each(|(&a, &i)| at[a] = i);
                Some(at)
            });
        }
    }
}

#[test]
fn slice() {
    for shape in SHAPES {
        for (skip, step) in [(0, 1), (1, 1), (0, 2), (1, 3), (0, usize::MAX >> 3)] {
            let start: Shape = shape.iter().map(|&n| skip.min(n)).collect();
            let limit: Shape = shape.iter().map(|&n| n.max(skip) - skip.min(n) / 2).collect();
            let limit: Shape = limit.iter().zip(shape).map(|(&l, &n)| l.min(n)).collect();
            let stride: Shape = shape.iter().map(|_| step).collect();
            let to: Shape =
                (0..shape.len()).map(|a| (limit[a] - start[a]).div_ceil(step)).collect();
            let op = Op::Slice { start: start.clone(), limit, stride };
            check_moves(&op, &[counting(DType::U64, shape)], &to, 0.0, |index| {
                Some(index.iter().zip(&start).map(|(&i, &s)| s + i * step).collect())
            });
        }
    }
}

#[test]
fn pad() {
    for shape in SHAPES {
        for (low, high, interior) in [(0, 0, 0), (1, 2, 0), (0, 0, 2), (2, 1, 1)] {
            let rank = shape.len();
            let per_axis = |n: usize| -> Shape { (0..rank).map(|_| n).collect() };
            let to: Shape =
                shape.iter().map(|&n| low + high + n + n.saturating_sub(1) * interior).collect();
            let op =
                Op::Pad { low: per_axis(low), high: per_axis(high), interior: per_axis(interior) };
            let inputs = [counting(DType::F64, shape), value(&[-1.0], &[])];
            check_moves(&op, &inputs, &to, -1.0, |index| {
                index
                    .iter()
                    .zip(shape)
                    .map(|(&i, &n)| {
                        let i = i.checked_sub(low)?;
                        (i % (interior + 1) == 0 && i / (interior + 1) < n)
                            .then_some(i / (interior + 1))
                    })
                    .collect()
            });
        }
    }
}

#[test]
fn concat() {
    let parts = [
        counting(DType::I32, &[2, 1]),
        counting(DType::I32, &[2, 0]),
        counting(DType::I32, &[2, 2]),
    ];
    let out = run(&Op::Concat { axis: 1 }, &parts).remove(0);
    assert_eq!(out.to_vec::<i32>().unwrap(), [0, 0, 1, 1, 2, 3]);
    let rows = run(&Op::Concat { axis: 0 }, &[out.clone(), out]).remove(0);
    assert_eq!(rows.ty().shape.as_slice(), [4, 3]);
    assert_eq!(rows.to_vec::<i32>().unwrap(), [0, 0, 1, 1, 2, 3, 0, 0, 1, 1, 2, 3]);
}

#[test]
fn reverse() {
    for shape in SHAPES {
        for keep in 0..2 {
            let turned: Axes = axes((0..shape.len()).filter(|a| a % 2 == keep));
            let op = Op::Reverse { axes: turned.clone() };
            check_moves(&op, &[counting(DType::F32, shape)], shape, 0.0, |index| {
                let flip = |a: usize| {
                    if turned.contains(&a) { shape[a] - 1 - index[a] } else { index[a] }
                };
                Some((0..shape.len()).map(flip).collect())
            });
        }
    }
}

#[test]
fn iota() {
    for shape in SHAPES {
        for axis in 0..shape.len() {
            for dtype in DType::ALL.into_iter().filter(|d| d.is_number()) {
                let ty = ArrayType::new(dtype, shape);
                let out = run(&Op::Iota { ty, axis }, &[]).remove(0);
                let want: Vec<f64> = indices(shape).iter().map(|i| i[axis] as f64).collect();
                assert_eq!(floats(&out), want);
            }
        }
    }
}

fn reduced(op: ReduceOp, x: &[f64]) -> f64 {
    match op {
        ReduceOp::Sum => x.iter().fold(0.0, |s, v| s + v),
        ReduceOp::Prod => x.iter().product(),
        ReduceOp::Max => x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ReduceOp::Min => x.iter().copied().fold(f64::INFINITY, f64::min),
        ReduceOp::And => f64::from(u8::from(x.iter().all(|&v| v != 0.0))),
        ReduceOp::Or => f64::from(u8::from(x.iter().any(|&v| v != 0.0))),
    }
}

#[test]
fn reduce() {
    for op in ReduceOp::ALL {
        let dtype = match op {
            ReduceOp::And | ReduceOp::Or => DType::Bool,
            ReduceOp::Sum | ReduceOp::Prod | ReduceOp::Max | ReduceOp::Min => DType::F64,
        };
        for shape in SHAPES {
            // All subsets of the axes.
            for mask in 0..1usize << shape.len() {
                let over = axes((0..shape.len()).filter(|a| mask >> a & 1 == 1));
                let x = counting(dtype, shape);
                let out =
                    run(&Op::Reduce { op, axes: over.clone() }, std::slice::from_ref(&x)).remove(0);
                let kept: Vec<usize> = (0..shape.len()).filter(|a| !over.contains(a)).collect();
                let to: Vec<usize> = kept.iter().map(|&a| shape[a]).collect();
                let data = floats(&x);
                let all = indices(shape);
                let want: Vec<f64> = indices(&to)
                    .iter()
                    .map(|index| {
                        let mine =
                            |i: &Vec<usize>| kept.iter().zip(index).all(|(&a, &k)| i[a] == k);
                        let group: Vec<f64> = all
                            .iter()
                            .zip(&data)
                            .filter(|(i, _)| mine(i))
                            .map(|(_, &v)| v)
                            .collect();
                        reduced(op, &group)
                    })
                    .collect();
                assert_eq!(floats(&out), want, "{op:?} of {shape:?} over {over:?}");
            }
        }
    }
}

#[test]
fn reduce_at_the_edges() {
    let over = |op, x: Value| run(&Op::Reduce { op, axes: axes([0]) }, &[x]).remove(0);
    let i32s = |op, x: &[i32]| over(op, value(x, &[x.len()])).to_vec::<i32>().unwrap()[0];
    assert_eq!(i32s(ReduceOp::Max, &[]), i32::MIN);
    assert_eq!(i32s(ReduceOp::Min, &[]), i32::MAX);
    assert_eq!(i32s(ReduceOp::Sum, &[i32::MAX, 1]), i32::MIN);
    assert_eq!(i32s(ReduceOp::Prod, &[1 << 30, 6]), i32::MIN);
    let u8s = |op, x: &[u8]| over(op, value(x, &[x.len()])).to_vec::<u8>().unwrap()[0];
    assert_eq!(u8s(ReduceOp::Max, &[]), 0);
    assert_eq!(u8s(ReduceOp::Sum, &[200, 100]), 44);
    let f32s = |op, x: &[f32]| over(op, value(x, &[x.len()])).to_vec::<f32>().unwrap()[0];
    assert!(f32s(ReduceOp::Max, &[1.0, f32::NAN, 2.0]).is_nan());
    assert!(f32s(ReduceOp::Min, &[f32::NAN, 2.0]).is_nan());
    assert_eq!(f32s(ReduceOp::Max, &[-2.0, -3.0]), -2.0);
    assert_eq!(f32s(ReduceOp::Sum, &[-0.0]).to_bits(), 0);
    assert_eq!(f32s(ReduceOp::Prod, &[]), 1.0);
    // Ten million tenths in f32: the exact sum of what f32 calls a tenth, rounded once.
    let tenths = vec![0.1f32; 10_000_000];
    assert_eq!(f32s(ReduceOp::Sum, &tenths), (f64::from(0.1f32) * 1e7) as f32);
}

/// `out[b, i, j] = sum_k lhs[..] rhs[..]` by looking every index up.
fn naive_dot(x: &Value, y: &Value, d: &DotAxes, shape: &[usize]) -> Vec<f64> {
    let (xs, ys) = (&x.ty().shape, &y.ty().shape);
    let (xd, yd) = (floats(x), floats(y));
    let free = |n: usize, used: [&Axes; 2]| -> Vec<usize> {
        (0..n).filter(|a| !used[0].contains(a) && !used[1].contains(a)).collect()
    };
    let (xf, yf) = (
        free(xs.len(), [&d.lhs_contract, &d.lhs_batch]),
        free(ys.len(), [&d.rhs_contract, &d.rhs_batch]),
    );
    let inner: Vec<usize> = d.lhs_contract.iter().map(|&a| xs[a]).collect();
    indices(shape)
        .iter()
        .map(|out| {
            let batch = d.lhs_batch.len();
            indices(&inner)
                .iter()
                .map(|k| {
                    let (mut i, mut j) = (vec![0; xs.len()], vec![0; ys.len()]);
                    for (n, &v) in out.iter().enumerate() {
                        if n < batch {
                            i[d.lhs_batch[n]] = v;
                            j[d.rhs_batch[n]] = v;
                        } else if n < batch + xf.len() {
                            i[xf[n - batch]] = v;
                        } else {
                            j[yf[n - batch - xf.len()]] = v;
                        }
                    }
                    for (n, &v) in k.iter().enumerate() {
                        i[d.lhs_contract[n]] = v;
                        j[d.rhs_contract[n]] = v;
                    }
                    xd[position(&i, xs)] * yd[position(&j, ys)]
                })
                .sum::<f64>()
                + 0.0
        })
        .collect()
}

#[test]
fn dot() {
    let d = |lc: &[usize], rc: &[usize], lb: &[usize], rb: &[usize]| DotAxes {
        lhs_contract: lc.into(),
        rhs_contract: rc.into(),
        lhs_batch: lb.into(),
        rhs_batch: rb.into(),
    };
    for (x, y, dot) in [
        (&[2, 3][..], &[3, 4][..], d(&[1], &[0], &[], &[])),
        (&[3], &[3], d(&[0], &[0], &[], &[])),
        (&[2], &[3], d(&[], &[], &[], &[])),
        (&[], &[], d(&[], &[], &[], &[])),
        (&[5, 2, 3], &[3, 5, 4], d(&[2], &[0], &[0], &[1])),
        (&[2, 3, 4], &[4, 3], d(&[1, 2], &[1, 0], &[], &[])),
        (&[3, 2], &[3, 2], d(&[0], &[0], &[1], &[1])),
        (&[2, 0], &[0, 3], d(&[1], &[0], &[], &[])),
        (&[0, 2], &[2, 3], d(&[1], &[0], &[], &[])),
    ] {
        for dtype in DType::ALL.into_iter().filter(|t| t.is_number() && *t != DType::U8) {
            let (x, y) = (counting(dtype, x), counting(dtype, y));
            let out = run(&Op::Dot(dot.clone()), &[x.clone(), y.clone()]).remove(0);
            assert_eq!(floats(&out), naive_dot(&x, &y, &dot, &out.ty().shape), "{dot:?}");
        }
    }
    let big = value(&[200u8, 200], &[2]);
    let out = run(&Op::Dot(d(&[0], &[0], &[], &[])), &[big.clone(), big]).remove(0);
    assert_eq!(out.to_vec::<u8>().unwrap(), [(80_000 % 256) as u8]);
}

/// Extents that overflow are refused by the type rules, not computed with.
#[test]
fn absurd_extents_are_refused() {
    let x = ArrayType::new(DType::F32, [2]);
    let scalar = ArrayType::scalar(DType::F32);
    let huge = usize::MAX;
    let one = |n: usize| -> Shape { [n].into_shape() };
    let pads = [(huge, huge, 0), (0, 0, huge), (huge, 1, huge)];
    for (low, high, interior) in pads {
        let op = Op::Pad { low: one(low), high: one(high), interior: one(interior) };
        assert!(infer(&op, &[&x, &scalar]).is_err());
    }
    let wide = ArrayType::new(DType::F32, [0, 1 << 60]);
    assert!(infer(&Op::Concat { axis: 1 }, &vec![&wide; 40]).is_err());
    assert!(infer(&Op::Broadcast { shape: one(huge), axes: axes([]) }, &[&scalar]).is_err());
    assert!(infer(&Op::Unary(UnaryOp::Neg), &[&x]).is_ok());
}
