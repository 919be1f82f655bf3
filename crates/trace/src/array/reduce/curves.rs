//! Differences, integrals and polynomials, and the grids that functions are put on.

use crate::array::Array;
use crate::array::reduce::axes::in_floats;
use crate::array::shape::join::stack;
use crate::array::shape::reshape::resolve_axes;
use crate::tracing::here;
use crate::types::Shape;

impl Array {
    /// Differences of neighbours along an axis, `n` times.
    #[track_caller]
    pub fn diff(&self, n: usize, axis: isize) -> Array {
        let mut x = self.clone();
        for _ in 0..n {
            let extent = match resolve_axes("diff", &x, &[axis]) {
                Ok(axes) => x.shape()[axes[0]],
                Err(error) => return Array::invalid(error, here()),
            };
            let less = extent.saturating_sub(1);
            x = x.slice_axis(axis, extent - less..extent) - x.slice_axis(axis, 0..less);
        }
        x
    }

    /// The integral of a curve through points `(x, self)` by trapezia along the last axis.
    #[track_caller]
    pub fn trapezoid(&self, x: &Array) -> Array {
        let n = self.shape().last().copied().unwrap_or(0);
        let y = in_floats(self);
        if n == 0 {
            return y.sum();
        }
        let sums = y.slice_axis(-1, 1..n) + y.slice_axis(-1, 0..n - 1);
        (sums * in_floats(x).diff(1, -1)).sum_axes(-1) * 0.5
    }
}

/// Grids of coordinates from vectors. The first axis follows the first vector with `"ij"`
/// indexing (`matrix` true), the second with `"xy"`.
#[track_caller]
pub fn meshgrid(vectors: &[Array], matrix: bool) -> Vec<Array> {
    let shape: Shape = vectors.iter().map(Array::size).collect();
    let mut grids = Vec::with_capacity(vectors.len());
    for (i, v) in vectors.iter().enumerate() {
        let mut along: Shape = smallvec::smallvec![1; shape.len()];
        along[i] = v.size();
        let full = v.reshape(along).broadcast_to(&shape);
        grids.push(if matrix || shape.len() < 2 { full } else { full.swap_axes(0, 1) });
    }
    grids
}

/// The value at `x` of the polynomial with these coefficients, highest power first.
#[track_caller]
pub fn polyval(coefficients: &Array, x: &Array) -> Array {
    let n = coefficients.size() as isize;
    let flat = coefficients.flatten();
    let mut sum = crate::array::make::fill::zeros_like(x);
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
