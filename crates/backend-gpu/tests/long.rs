//! 64-bit integers, which shaders compute with as pairs of words, against the interpreter: every
//! elementwise op and cast at the edges and on random numbers of all sizes.

mod common;

use common::{adapter_or_skip, check, f32s, longs};
use probpipe_trace::{
    Array, BinaryOp, CompareOp, DType, Element, Op, ReduceOp, UnaryOp, Value, arange, array, bind1,
    select,
};

const SIGNED: [i64; 28] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    -7,
    10,
    31,
    32,
    33,
    63,
    64,
    65,
    -40,
    0xffff,
    0x1_0000,
    0x8000_0000,
    -0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    -0x1_0000_0001,
    3_037_000_500,
    0x7fff_ffff_0000_0001,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
];

const UNSIGNED: [u64; 22] = [
    0,
    1,
    2,
    3,
    10,
    31,
    32,
    33,
    63,
    64,
    65,
    0xffff,
    0x1_0000,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_ffff_ffff,
    0xffff_ffff_0000_0000,
    0x8000_0000_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX - 1,
    u64::MAX,
];

fn pairs<T: Copy>(list: &[T]) -> (Vec<T>, Vec<T>) {
    list.iter().flat_map(|&x| list.iter().map(move |&y| (x, y))).unzip()
}

fn every_op<T: Element>(x: &[T], y: &[T]) {
    let Some(gpu) = adapter_or_skip() else { return };
    let value = |x: &[T]| Value::from_elements(x, &[x.len()]).expect("the shape fits");
    check(&gpu, 0.0, &[value(x), value(y)], |v| {
        let (x, y) = (&v[0], &v[1]);
        let mut out: Vec<Array> = Vec::new();
        for op in UnaryOp::ALL.iter().filter(|op| op.spec().accepts.contains(T::DTYPE)) {
            out.push(bind1(Op::Unary(*op), &[x]));
        }
        for op in BinaryOp::ALL.iter().filter(|op| op.spec().accepts.contains(T::DTYPE)) {
            out.push(bind1(Op::Binary(*op), &[x, y]));
        }
        for op in CompareOp::ALL.iter().filter(|op| op.spec().accepts.contains(T::DTYPE)) {
            out.push(bind1(Op::Compare(*op), &[x, y]));
        }
        out.push(select(&x.lt(y), x, y));
        out
    });
}

#[test]
fn signed_at_the_edges() {
    let (x, y) = pairs(&SIGNED);
    every_op(&x, &y);
}

#[test]
fn unsigned_at_the_edges() {
    let (x, y) = pairs(&UNSIGNED);
    every_op(&x, &y);
}

#[test]
fn random_numbers_of_all_sizes() {
    let (x, y) = (longs(6000, 1), longs(6000, 2));
    every_op(&x, &y);
    let unsigned = |x: &[i64]| x.iter().map(|&v| v as u64).collect::<Vec<u64>>();
    every_op(&unsigned(&x), &unsigned(&y));
    // Quotients that a guess from the leading words misses.
    let near: Vec<u64> = (0..3000u64).map(|i| (i % 7).wrapping_sub(3)).collect();
    let by = unsigned(&longs(3000, 3));
    let times = unsigned(&longs(3000, 4));
    let products: Vec<u64> = (near.iter().zip(&by).zip(&times))
        .map(|((near, by), times)| by.wrapping_mul(*times).wrapping_add(*near))
        .collect();
    every_op(&products, &by);
}

#[test]
fn chosen_operations_with_numbers_of_the_program() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = Value::from_elements(&SIGNED, &[SIGNED.len()]).expect("the shape fits");
    check(&gpu, 0.0, &[x], |v| {
        let x = &v[0];
        let unsigned = x.bitcast(DType::U64);
        vec![
            x + i64::MIN,
            x * 6_364_136_223_846_793_005i64 + 1_442_695_040_888_963_407i64,
            array(i64::MAX) - x,
            x.floor_divide(1000),
            x % 7,
            &unsigned + u64::MAX,
            unsigned.floor_divide(10_000_000_019u64),
            unsigned.bitcast(DType::I64).gt(5_000_000_000i64),
            x.maximum(0).minimum(100),
            x.square(),
            arange(28).cast(DType::I64) * 3_000_000_000i64 - x,
            bind1(Op::Iota { ty: x.ty().expect("has a type").clone(), axis: 0 }, &[]) + x,
        ]
    });
}

#[test]
fn casts() {
    let Some(gpu) = adapter_or_skip() else { return };
    // Around where floats begin to skip numbers, and between two of them.
    let around = |at: i64| (-3..4).map(move |k| at.wrapping_add(k));
    let mut signed: Vec<i64> = SIGNED.to_vec();
    for bits in [8, 16, 23, 24, 25, 26, 31, 32, 33, 40, 52, 53, 54, 62, 63] {
        signed.extend(around(1i64 << bits).flat_map(|v| [v, v.wrapping_neg()]));
    }
    for k in 0..200i64 {
        // Halves of a last bit, with something below or nothing.
        let whole = (0x800000 + 4 * k / 3) << 30;
        signed.extend([whole + (1 << 29), whole + (1 << 29) + k % 2, whole + (1 << 29) - 1]);
    }
    let wide = longs(2000, 5);
    signed.extend(&wide);
    let unsigned: Vec<u64> = signed.iter().map(|&v| v as u64).chain(UNSIGNED).collect();
    let mut floats =
        vec![0.0f32, -0.0, 0.4, 0.9999, -0.6, 1.5, -1.5, 2.5, -2.5, 1e-40, 255.0, 256.0];
    floats.extend([f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN]);
    for bits in [8, 22, 23, 24, 31, 32, 33, 53, 62, 63, 64, 65, 100] {
        let x = 2f32.powi(bits);
        let near = [x, f32::from_bits(x.to_bits() - 1), f32::from_bits(x.to_bits() + 1)];
        floats.extend(near.iter().flat_map(|x| [*x, -x]));
    }
    floats.extend(wide.iter().map(|&v| v as f32 * 0.37));
    let inputs = [
        Value::from_elements(&signed, &[signed.len()]).unwrap(),
        Value::from_elements(&unsigned, &[unsigned.len()]).unwrap(),
        f32s(&floats, &[floats.len()]),
        Value::from_elements(&[0i32, 1, -1, 5, i32::MAX, i32::MIN, 16_777_217], &[7]).unwrap(),
        Value::from_elements(&[0u32, 1, 5, u32::MAX, 1 << 31, 16_777_217], &[6]).unwrap(),
        Value::from_elements(&[true, false], &[2]).unwrap(),
        Value::from_elements(&[0u8, 1, 127, 128, 255], &[5]).unwrap(),
    ];
    let types = DType::ALL.into_iter().filter(|&ty| ty != DType::F64);
    check(&gpu, 0.0, &inputs, |x| {
        x.iter().flat_map(|x| types.clone().map(|ty| x.cast(ty))).collect()
    });
    check(&gpu, 0.0, &inputs[..2], |x| {
        vec![
            x[0].bitcast(DType::U64),
            x[1].bitcast(DType::I64),
            x[1].bitcast(DType::I64).cast(DType::F32),
        ]
    });
}

#[test]
fn reductions() {
    let Some(gpu) = adapter_or_skip() else { return };
    let ops = [ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min];
    for shape in [&[0][..], &[1], &[5], &[7, 3], &[3, 100, 2], &[20_000], &[3, 5000]] {
        let x = Value::from_elements(&longs(shape.iter().product(), 6), shape).unwrap();
        for axis in 0..shape.len() {
            check(&gpu, 0.0, std::slice::from_ref(&x), |v| {
                let odd = &v[0] | 1i64;
                let unsigned = odd.cast(DType::U64);
                let reduce = |x: &Array, op, axes: &[usize]| {
                    bind1(Op::Reduce { op, axes: axes.iter().copied().collect() }, &[x])
                };
                let all: Vec<usize> = (0..shape.len()).collect();
                let mut out = Vec::new();
                for op in ops {
                    out.extend([reduce(&odd, op, &[axis]), reduce(&unsigned, op, &[axis])]);
                    out.push(reduce(&v[0], op, &all));
                }
                out.push(v[0].gt(array(0i64)).any());
                out.push(v[0].ne(array(0i64)).all());
                out
            });
        }
    }
}

#[test]
fn products() {
    let Some(gpu) = adapter_or_skip() else { return };
    for (batch, m, k, n) in [(1, 2, 3, 2), (1, 37, 41, 43), (3, 33, 70, 18), (1, 2, 40_000, 3)] {
        let a = Value::from_elements(&longs(batch * m * k, 7), &[batch, m, k]).unwrap();
        let b = Value::from_elements(&longs(batch * k * n, 8), &[batch, k, n]).unwrap();
        check(&gpu, 0.0, &[a, b], |x| {
            let (a, b) = (&x[0], &x[1]);
            let turned = b.swap_axes(1, 2).matmul(&a.swap_axes(1, 2));
            vec![a.matmul(b), a.cast(DType::U64).matmul(&b.cast(DType::U64)), turned]
        });
    }
}
