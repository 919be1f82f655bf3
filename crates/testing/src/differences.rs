//! Derivatives by central differences, which derivatives by rules are compared with. The error is
//! about the square of the step plus a rounding over the step: 1e-10 at best in `f64`.

use probpipe_trace::{Array, DType};

/// Step relative to the size of the argument: near the cube root of the rounding of `f64`, where
/// the two errors are alike.
const STEP: f64 = 1e-5;

/// Arguments of functions that are differentiated: one array, or several.
pub trait Points: Sized {
    /// The arrays.
    fn arrays(&self) -> Vec<Array>;

    /// The argument made of other arrays.
    fn with(&self, arrays: Vec<Array>) -> Self;
}

impl Points for Array {
    fn arrays(&self) -> Vec<Array> {
        vec![self.clone()]
    }

    fn with(&self, arrays: Vec<Array>) -> Array {
        arrays[0].clone()
    }
}

impl Points for (Array, Array) {
    fn arrays(&self) -> Vec<Array> {
        vec![self.0.clone(), self.1.clone()]
    }

    fn with(&self, arrays: Vec<Array>) -> (Array, Array) {
        (arrays[0].clone(), arrays[1].clone())
    }
}

/// The gradient of a scalar function of `f64` arrays, the elements of all arrays in one list.
#[track_caller]
pub fn differences<P: Points>(f: impl Fn(P) -> Array, x: &P) -> Vec<f64> {
    let arrays = x.arrays();
    let numbers = |a: &Array| a.cast(DType::F64).to_vec::<f64>().unwrap_or_else(|e| panic!("{e}"));
    let at: Vec<Vec<f64>> = arrays.iter().map(numbers).collect();
    let value = |moved: &[Vec<f64>]| {
        let parts = moved.iter().zip(&arrays).map(|(v, a)| Array::from_slice(v, a.shape()));
        let y = f(x.with(parts.collect())).cast(DType::F64);
        y.item::<f64>().unwrap_or_else(|e| panic!("{e}"))
    };
    let mut slopes = Vec::new();
    for (k, list) in at.iter().enumerate() {
        for (i, x) in list.iter().enumerate() {
            let step = STEP * x.abs().max(1.0);
            let moved = |by: f64| {
                let mut moved = at.clone();
                moved[k][i] += by;
                value(&moved)
            };
            slopes.push((moved(step) - moved(-step)) / (2.0 * step));
        }
    }
    slopes
}

/// The derivative of a function of one number.
pub fn slope(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    let step = STEP * x.abs().max(1.0);
    (f(x + step) - f(x - step)) / (2.0 * step)
}
