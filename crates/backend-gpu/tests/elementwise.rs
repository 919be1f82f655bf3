//! Every elementwise op on every element type of the device, against the interpreter: on the
//! domain of the op's row with its tolerance, and at special values. One program per family,
//! because compiling is what takes the time on software devices.

mod common;

use common::{adapter_or_skip, check, distance, f32s, run_both, spread};
use probpipe_trace::{
    Array, BinaryOp, CompareOp, CumulativeOp, DType, Op, ReduceOp, UnaryOp, Value, array, bind1,
    fori_loop, select,
};

const SPECIAL: [f32; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    1e30,
    -1e30,
    1e-30,
    3.0,
    88.8,
];

fn pairs<T: Copy>(list: &[T]) -> (Vec<T>, Vec<T>) {
    list.iter().flat_map(|&x| list.iter().map(move |&y| (x, y))).unzip()
}

/// Checks each result against its own tolerance and names the op that fails.
fn check_each(
    names: &[&str],
    ulps: &[f64],
    inputs: &[Value],
    f: impl FnOnce(&[Array]) -> Vec<Array>,
) {
    let Some(gpu) = adapter_or_skip() else { return };
    let (want, got) = run_both(&gpu, inputs, f);
    let mut faults = Vec::new();
    for (i, (w, g)) in want.iter().zip(&got).enumerate() {
        let (w_list, g_list) = (w.to_scalars().unwrap(), g.to_scalars().unwrap());
        for (k, far) in distance(w, g).into_iter().enumerate() {
            if far > ulps[i] {
                let at: Vec<_> =
                    inputs.iter().map(|v| v.to_scalars().unwrap()[k % v.ty().size()]).collect();
                faults.push(format!(
                    "{} at {at:?}: {far} ulp, {} allowed: want {:?}, got {:?}",
                    names[i], ulps[i], w_list[k], g_list[k]
                ));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults[..faults.len().min(40)].join("\n")
    );
}

#[test]
fn nothing_cancels_but_what_does() {
    // What would be simpler if no number were infinite or NaN, and no sum rounded.
    let (x, y) = pairs(&SPECIAL);
    type Function = fn(&Array, &Array) -> Array;
    let exact: [(&str, Function); 20] = [
        ("0 x", |x, _| x * 0.0),
        ("x 0", |x, _| 0.0 * x),
        ("x - x", |x, _| x - x),
        ("x + -x", |x, _| x + -x),
        ("(x + y) - y", |x, y| (x + y) - y),
        ("y - (x + y)", |x, y| y - (x + y)),
        ("(x - y) + y", |x, y| (x - y) + y),
        ("-(x - y) + x", |x, y| -(x - y) + x),
        ("(x + x) - x", |x, _| (x + x) - x),
        ("x + 1e8 - 1e8", |x, _| x + 1e8 - 1e8),
        ("1e8 - (1e8 - x)", |x, _| 1e8 - (1e8 - x)),
        ("x 1e20 1e20", |x, _| x * 1e20 * 1e20),
        ("0 of no sum, x", |x, _| x.slice_axis(0, 0..0).sum() * x),
        ("0 of an element, x", |x, _| x.at(0) * 0.0 * x),
        ("0 of a loop, x", |x, _| fori_loop(3, array(0.0f32), |_, c| c * 2.0) * x),
        ("0 where not positive", |x, _| select(&x.gt(0.0), x, &(x * 0.0))),
        ("what is lost", |x, y| {
            let sum = x + y;
            let part = &sum - x;
            (x - (&sum - &part)) + (y - &part)
        }),
        ("x + 0", |x, _| x + 0.0),
        ("1 x", |x, _| x * 1.0),
        ("x -1", |x, _| x * -1.0),
    ];
    let rounded: [(&str, Function); 6] = [
        ("0 / x", |x, _| 0.0 / x),
        ("x / 0", |x, _| x / 0.0),
        ("x / x", |x, _| x / x),
        ("(x y) / y", |x, y| (x * y) / y),
        ("(x / y) y", |x, y| (x / y) * y),
        ("mean of nothing", |x, _| x.slice_axis(0, 0..0).mean() + x),
    ];
    let (names, functions): (Vec<&str>, Vec<Function>) = exact.into_iter().chain(rounded).unzip();
    let ulps: Vec<f64> =
        (0..names.len()).map(|k| if k < exact.len() { 0.0 } else { 5.0 }).collect();
    let n = x.len();
    check_each(&names, &ulps, &[f32s(&x, &[n]), f32s(&y, &[n])], |v| {
        functions.iter().map(|f| f(&v[0], &v[1])).collect()
    });
}

#[test]
fn unary_floats() {
    // One input per op, since domains differ.
    let ops: Vec<UnaryOp> =
        UnaryOp::ALL.iter().copied().filter(|op| op.spec().accepts.contains(DType::F32)).collect();
    for part in ops.chunks(7) {
        let names: Vec<&str> = part.iter().map(|op| op.spec().name).collect();
        let ulps: Vec<f64> = part.iter().map(|op| op.spec().ulp).collect();
        let inputs: Vec<Value> = part
            .iter()
            .map(|op| {
                let (low, high) = op.spec().domain[0];
                f32s(&spread(low, high, 256), &[256])
            })
            .collect();
        check_each(&names, &ulps, &inputs, |x| {
            part.iter().zip(x).map(|(op, x)| bind1(Op::Unary(*op), &[x])).collect()
        });
    }
}

#[test]
fn unary_floats_at_special_values() {
    let ops: Vec<UnaryOp> =
        UnaryOp::ALL.iter().copied().filter(|op| op.spec().accepts.contains(DType::F32)).collect();
    let names: Vec<&str> = ops.iter().map(|op| op.spec().name).collect();
    let ulps: Vec<f64> = ops.iter().map(|op| op.spec().ulp.max(4.0)).collect();
    check_each(&names, &ulps, &[f32s(&SPECIAL, &[16])], |x| {
        ops.iter().map(|op| bind1(Op::Unary(*op), &[&x[0]])).collect()
    });
}

#[test]
fn binary_floats() {
    let ops: Vec<BinaryOp> =
        BinaryOp::ALL.iter().copied().filter(|op| op.spec().accepts.contains(DType::F32)).collect();
    let names: Vec<&str> = ops.iter().map(|op| op.spec().name).collect();
    let ulps: Vec<f64> = ops.iter().map(|op| op.spec().ulp).collect();
    let mut inputs = Vec::new();
    for op in &ops {
        let [(a, b), (c, d)] = op.spec().domain;
        let x = spread(a, b, 16);
        let y = spread(c, d, 16);
        inputs.push(f32s(&x.iter().flat_map(|&v| [v; 16]).collect::<Vec<_>>(), &[256]));
        inputs.push(f32s(&y.repeat(16), &[256]));
    }
    check_each(&names, &ulps, &inputs, |x| {
        ops.iter()
            .enumerate()
            .map(|(i, op)| bind1(Op::Binary(*op), &[&x[2 * i], &x[2 * i + 1]]))
            .collect()
    });
    let (x, y) = pairs(&SPECIAL);
    check_each(&names, &vec![8.0; ops.len()], &[f32s(&x, &[256]), f32s(&y, &[256])], |x| {
        ops.iter().map(|op| bind1(Op::Binary(*op), &[&x[0], &x[1]])).collect()
    });
}

#[test]
fn comparisons_of_floats() {
    let (x, y) = pairs(&SPECIAL);
    let names: Vec<&str> = CompareOp::ALL.iter().map(|op| op.spec().name).collect();
    let mut all = names.clone();
    all.extend(&names);
    all.extend(&names);
    all.push("select");
    check_each(&all, &[0.0; 19], &[f32s(&x, &[256]), f32s(&y, &[256])], |x| {
        let each = |a: &Array, b: &Array| -> Vec<Array> {
            CompareOp::ALL.iter().map(|op| bind1(Op::Compare(*op), &[a, b])).collect()
        };
        let mut out = each(&x[0], &x[1]);
        // With itself: compilers fold `x != x`.
        out.extend(each(&x[0], &x[0]));
        // Negated: compilers turn `!(x < y)` into `x >= y`.
        out.extend(each(&x[0], &x[1]).iter().map(|c| bind1(Op::Unary(UnaryOp::Not), &[c])));
        out.push(select(&x[0].lt(&x[1]), &x[0], &x[1]));
        out
    });
}

fn integers<T: probpipe_trace::Element>(list: &[T]) {
    let n = list.len() * list.len();
    let (x, y) = pairs(list);
    let inputs = [Value::from_elements(&x, &[n]).unwrap(), Value::from_elements(&y, &[n]).unwrap()];
    let unary: Vec<UnaryOp> =
        UnaryOp::ALL.iter().copied().filter(|op| op.spec().accepts.contains(T::DTYPE)).collect();
    let binary: Vec<BinaryOp> =
        BinaryOp::ALL.iter().copied().filter(|op| op.spec().accepts.contains(T::DTYPE)).collect();
    let compare: Vec<CompareOp> =
        CompareOp::ALL.iter().copied().filter(|op| op.spec().accepts.contains(T::DTYPE)).collect();
    let mut names: Vec<&str> = unary.iter().map(|op| op.spec().name).collect();
    names.extend(binary.iter().map(|op| op.spec().name));
    names.extend(compare.iter().map(|op| op.spec().name));
    names.push("select");
    check_each(&names, &vec![0.0; names.len()], &inputs, |x| {
        let mut out: Vec<Array> = unary.iter().map(|op| bind1(Op::Unary(*op), &[&x[0]])).collect();
        out.extend(binary.iter().map(|op| bind1(Op::Binary(*op), &[&x[0], &x[1]])));
        out.extend(compare.iter().map(|op| bind1(Op::Compare(*op), &[&x[0], &x[1]])));
        out.push(select(&x[0].eq(&x[1]), &x[0], &x[1]));
        out
    });
}

#[test]
fn signed_integers() {
    integers(&[0i32, 1, -1, 2, -2, 7, -7, 31, 32, 33, 100, -100, i32::MAX, i32::MIN, 65536, -40]);
}

#[test]
fn unsigned_integers() {
    integers(&[0u32, 1, 2, 3, 7, 31, 32, 33, 100, u32::MAX, u32::MAX - 1, 1 << 31, 65536]);
}

#[test]
fn bytes() {
    integers(&[0u8, 1, 2, 3, 7, 8, 9, 31, 32, 33, 100, 127, 128, 200, 254, 255]);
    let Some(gpu) = adapter_or_skip() else { return };
    for n in [5usize, 1000] {
        let list: Vec<u8> = (0..n).map(|i| (i * 37 + 101) as u8).collect();
        let places: Vec<i32> = (0..n).map(|i| (i * i % 7) as i32).collect();
        let inputs = [
            Value::from_elements(&list, &[n]).unwrap(),
            Value::from_elements(&places, &[n]).unwrap(),
        ];
        check(&gpu, 0.0, &inputs, |x| {
            let running = |op| bind1(Op::Cumulative { op, axis: 0, reverse: false }, &[&x[0]]);
            let reduced = |op| bind1(Op::Reduce { op, axes: [0].into_iter().collect() }, &[&x[0]]);
            let mut out: Vec<Array> = CumulativeOp::ALL.iter().map(|op| running(*op)).collect();
            out.extend([ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min].map(reduced));
            out.push(x[0].sort(0));
            out.push(x[0].at_indices([&x[1]]).add(&x[0]));
            out.push(fori_loop(3, x[0].clone(), |_, x| &x * 3 + &x));
            out
        });
    }
}

#[test]
fn truth_values() {
    integers(&[false, true]);
}

#[test]
fn casts() {
    let floats = [
        0.0f32,
        -0.0,
        0.4,
        0.6,
        -0.6,
        1.5,
        2.5,
        -2.5,
        3e9,
        -3e9,
        1e30,
        -1e30,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        2_147_483_648.0,
        4_294_967_296.0,
        16_777_217.0,
    ];
    let signed = [0i32, 1, -1, 5, i32::MAX, i32::MIN, 16_777_217];
    let unsigned = [0u32, 1, 5, u32::MAX, 1 << 31, 16_777_217];
    let inputs = [
        f32s(&floats, &[floats.len()]),
        Value::from_elements(&signed, &[signed.len()]).unwrap(),
        Value::from_elements(&unsigned, &[unsigned.len()]).unwrap(),
        Value::from_elements(&[true, false], &[2]).unwrap(),
        Value::from_elements(&[0u8, 1, 127, 128, 255], &[5]).unwrap(),
    ];
    let Some(gpu) = adapter_or_skip() else { return };
    check(&gpu, 0.0, &inputs, |x| {
        let types = [DType::F32, DType::I32, DType::U8, DType::U32, DType::Bool];
        x.iter().flat_map(|x| types.map(|t| x.cast(t))).collect()
    });
    check(&gpu, 0.0, &inputs[..3], |x| {
        vec![
            x[0].bitcast(DType::U32).bitcast(DType::F32),
            x[1].bitcast(DType::U32),
            x[2].bitcast(DType::I32),
            x[2].bitcast(DType::F32).bitcast(DType::I32),
        ]
    });
}

#[test]
fn literals() {
    let Some(gpu) = adapter_or_skip() else { return };
    let x = f32s(&[1.0, -1.0, f32::NAN, 0.0], &[4]);
    check(&gpu, 0.0, &[x], |x| {
        let values = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e38, 1e-38, 0.1, -0.0, 3.25e12];
        let mut out: Vec<Array> = values.iter().map(|&v| x[0].maximum(v)).collect();
        out.extend(values.iter().map(|&v| x[0].lt(v)));
        out.push(x[0].cast(DType::I32) + i32::MIN);
        out.push(x[0].cast(DType::U32) + u32::MAX);
        out
    });
}

#[test]
fn random_bits() {
    let Some(gpu) = adapter_or_skip() else { return };
    let words = Value::from_elements(&[0u32, 1, 2, 0xffff_ffff, 123_456_789], &[5]).unwrap();
    check(&gpu, 0.0, &[words], |x| {
        let zero = &x[0] - &x[0];
        probpipe_trace::bind(Op::Threefry2x32, &[&x[0], &zero, &x[0], &x[0]]).into_vec()
    });
}
