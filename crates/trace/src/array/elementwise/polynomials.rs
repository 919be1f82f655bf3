//! Polynomials: their values, and the powers that they are sums of.

use crate::array::make::fill::zeros_like;
use crate::array::shape::join::stack;
use crate::handle::Array;

/// The value at `x` of the polynomial with these coefficients, highest power first.
#[track_caller]
pub fn polyval(coefficients: &Array, x: &Array) -> Array {
    if coefficients.error().is_some() {
        return coefficients.clone();
    }
    let n = coefficients.size() as isize;
    let flat = coefficients.flatten();
    let mut sum = zeros_like(x);
    for i in 0..n {
        sum = sum * x + flat.at(i);
    }
    sum
}

/// Powers `n - 1, ..., 1, 0` of each element, in columns.
#[track_caller]
pub fn vander(x: &Array, n: usize) -> Array {
    let mut powers = Vec::with_capacity(n);
    for k in (0..n).rev() {
        powers.push(x.powi(k as i32));
    }
    stack(&powers, -1)
}
