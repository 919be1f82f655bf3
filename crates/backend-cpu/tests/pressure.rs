//! Vector code of kernels with more values than registers, and of those that read at computed
//! indices: what it computes is what the interpreter does, on whole vectors and on the rest.

mod support;

use probpipe_trace::{Array, ArrayType, DType, arange, select};
use support::check_fn;

/// Many values that are all made before the first is used, and as many truth values.
fn many(x: &Array) -> Array {
    let parts: Vec<Array> = (1..48).map(|k| x * f64::from(k) + 0.5).collect();
    let tests: Vec<Array> = parts.iter().map(|part| part.gt(1.25)).collect();
    let signs: Vec<Array> = tests.iter().map(|test| select(test, x, -x)).collect();
    let back = parts.iter().rev().zip(&signs).zip(tests.iter().rev());
    back.fold(x.clone(), |sum, ((part, sign), test)| select(test, &sum * 0.5 + part, sum - sign))
}

/// Truth values only, chosen by each other.
fn truths(x: &Array) -> Array {
    let tests: Vec<Array> = (0..24).map(|k| x.gt(f64::from(k) * 0.1 - 1.2)).collect();
    let pairs = tests.iter().zip(tests.iter().rev());
    let chosen = pairs.clone().map(|(a, b)| select(a, b, &!b)).collect::<Vec<_>>();
    let all = chosen.iter().zip(pairs).fold(x.lt(9.0), |all, (c, (a, b))| select(c, &(all ^ a), b));
    all.cast(x.dtype())
}

#[test]
fn values_wait_in_memory() {
    for dtype in [DType::F32, DType::F64] {
        for size in [512, 1000, 1007] {
            let ty = ArrayType::new(dtype, [size]);
            check_fn("many values", std::slice::from_ref(&ty), 0.0, |x| {
                vec![many(&x[0]), truths(&x[0])]
            });
            check_fn("their sums", &[ty], 64.0, |x| vec![many(&x[0]).sum(), truths(&x[0]).sum()]);
        }
    }
}

#[test]
fn values_wait_between_calls() {
    let ty = ArrayType::new(DType::F32, [3000]);
    check_fn("rows", &[ty], 4.0, |x| {
        let parts: Vec<Array> = (1..14).map(|k| &x[0] * f64::from(k) + 0.5).collect();
        let logs: Vec<Array> = parts.iter().map(|part| part.abs().log1p()).collect();
        let pairs = parts.iter().zip(logs.iter().rev());
        vec![pairs.fold(x[0].clone(), |sum, (part, log)| {
            sum.maximum(part) + log * part.gt(0.0).cast(DType::F32)
        })]
    });
}

#[test]
fn tables_and_gathers() {
    for dtype in [DType::F32, DType::F64, DType::I32, DType::I64] {
        for count in [1, 3, 8, 9, 16, 17, 300] {
            for size in [600, 1003] {
                let types = [ArrayType::new(dtype, [count]), ArrayType::new(DType::F32, [size])];
                check_fn("table", &types, 0.0, |x| {
                    let places = (arange(size).cast(DType::I32) * 7).modulo(count as i64);
                    let there = x[1].gt(0.0);
                    let found = x[0].take(places, 0);
                    vec![select(&there, &found, &(&found + &found))]
                });
            }
        }
    }
}

#[test]
fn gathers_beside_a_running_index() {
    let types = [ArrayType::new(DType::F32, [700, 5]), ArrayType::new(DType::F32, [700])];
    check_fn("along an axis", &types, 0.0, |x| {
        let places = (x[1].abs() * 2.0).cast(DType::I32).minimum(4);
        let found = x[0].take_along_axis(places.expand_dims(-1), -1).squeeze(-1);
        vec![found + &x[1]]
    });
}

#[test]
fn floats_become_integers() {
    let ty = ArrayType::new(DType::F32, [1003]);
    check_fn("integers", &[ty], 0.0, |x| {
        let x = &x[0];
        let huge = x * 3e9;
        let wrong = select(&x.gt(1.0), f64::NAN, select(&x.lt(-1.5), f64::NEG_INFINITY, x));
        vec![(x * 1000.0).cast(DType::I32), huge.cast(DType::I32), wrong.cast(DType::I32)]
    });
}
