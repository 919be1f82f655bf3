//! What the tests of derivatives share.
#![allow(dead_code)]

use probpipe_trace::{Array, DType};

/// Numbers equal up to a relative tolerance.
#[track_caller]
pub fn close(a: &Array, b: &[f64], tolerance: f64) {
    let a = a.cast(DType::F64).to_vec::<f64>().unwrap();
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    for (x, y) in a.iter().zip(b) {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "{a:?} {b:?}");
    }
}

/// Central differences of a scalar function.
pub fn differences(f: &impl Fn(Array) -> Array, x: &Array) -> Vec<f64> {
    let at = x.to_vec::<f64>().unwrap();
    let value = |v: &[f64]| f(Array::from_slice(v, x.shape())).item::<f64>().unwrap();
    let step = 1e-5;
    (0..at.len())
        .map(|i| {
            let moved = |by: f64| {
                let mut v = at.clone();
                v[i] += by;
                value(&v)
            };
            (moved(step) - moved(-step)) / (2.0 * step)
        })
        .collect()
}
