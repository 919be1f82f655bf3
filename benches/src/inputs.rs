//! Inputs of the workloads, by formulas that `peers/registry.py` repeats. They are of the default
//! float type, computed in `f64` and rounded once.

use probpipe::prelude::*;
use probpipe::{DType, default_float};

/// An array from numbers one by one.
fn floats(n: usize, shape: impl probpipe::IntoShape, at: impl Fn(usize) -> f64) -> Array {
    match default_float() {
        DType::F64 => Array::from_slice(&(0..n).map(at).collect::<Vec<f64>>(), shape),
        _ => Array::from_slice(&(0..n).map(|i| at(i) as f32).collect::<Vec<f32>>(), shape),
    }
}

/// One number.
pub(crate) fn scalar(x: f64) -> Array {
    floats(1, [], |_| x)
}

/// `lo + (hi - lo) (i / (n - 1))`.
pub(crate) fn grid(lo: f64, hi: f64, n: usize) -> Array {
    floats(n, [n], |i| lo + (hi - lo) * (i as f64 / (n - 1) as f64))
}

/// A square matrix, `f(i)` for the row-major index `i`.
fn by_index(n: usize, f: impl Fn(f64) -> f64) -> Array {
    floats(n * n, [n, n], |i| f(i as f64))
}

/// `sin` of the row-major index.
pub(crate) fn sin_matrix(rows: usize, columns: usize) -> Array {
    floats(rows * columns, [rows, columns], |i| (i as f64).sin())
}

/// `sin` of the square of the row-major index: columns that are not combinations of each other.
pub(crate) fn full_rank(rows: usize, columns: usize) -> Array {
    floats(rows * columns, [rows, columns], |i| ((i * i) as f64).sin())
}

/// `sin` and `cos` of the row-major index.
pub(crate) fn matrices(n: usize) -> Vec<Array> {
    vec![by_index(n, f64::sin), by_index(n, f64::cos)]
}

/// `M M^T / n + I` with `M = sin(iota)`.
pub(crate) fn spd(n: usize) -> Array {
    let m: Vec<f64> = (0..n * n).map(|i| (i as f64).sin()).collect();
    floats(n * n, [n, n], |at| {
        let (i, j) = (at / n, at % n);
        let dot: f64 = (0..n).map(|k| m[i * n + k] * m[j * n + k]).sum();
        dot / n as f64 + f64::from(u8::from(i == j))
    })
}

/// The four streams of the chain.
pub(crate) fn chain_inputs(n: usize) -> Vec<Array> {
    vec![grid(0.0, 1.0, n), grid(1.0, 2.0, n), grid(-1.0, 1.0, n), grid(0.5, 1.5, n)]
}

/// 200 draws of a normal distribution.
pub(crate) fn mle_data() -> Array {
    normal(Key::new(1), [200]) * 0.8 + 2.5
}

/// 100 points about a line, with unit noise.
pub(crate) fn line_data() -> Vec<Array> {
    let x = normal(Key::new(2), [100]) + 0.7;
    let y = &x * 1.3 - 0.4 + normal(Key::new(3), [100]);
    vec![x, y]
}

/// 1,000 rows of 25 normal draws, and labels that a plane divides: the product is taken in `f64`,
/// so that no label hangs on a rounding.
pub(crate) fn logreg_data() -> Vec<Array> {
    let x = normal(Key::new(7), [1000, 25]);
    let rows = x.cast(DType::F64).to_vec::<f64>().unwrap_or_default();
    let label = |i: usize| {
        let row = rows.get(25 * i..25 * (i + 1)).unwrap_or_default();
        let z: f64 = row.iter().enumerate().map(|(j, v)| v * (-1.0 + 2.0 * j as f64 / 24.0)).sum();
        f64::from(u8::from(z > 0.0))
    };
    let y = floats(1000, [1000], label);
    vec![x, y]
}
