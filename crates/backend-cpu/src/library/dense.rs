//! Cholesky factors and triangular solves: plain loops for small matrices, where faer's set-up
//! costs more than the work, and faer for the others. No pointers here.

use super::matrix::{Matrix, MatrixMut, Number, view, view_mut};
use faer::Par;
use faer::linalg::triangular_solve as triangular;
use faer::traits::RealField;
use std::cmp::Ordering;
use std::ops::{Div, Mul, Sub, SubAssign};

/// Up to this many rows the loops are faster.
const SMALL: usize = 16;

/// Element types of decompositions.
pub(super) trait Real:
    Number
    + RealField
    + Mul<Output = Self>
    + Sub<Output = Self>
    + SubAssign
    + Div<Output = Self>
    + PartialOrd
    + Into<f64>
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The square root.
    fn root(self) -> Self;
    /// The absolute value.
    fn magnitude(self) -> Self;
    /// The nearest number.
    fn of(x: f64) -> Self;
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    fn root(self) -> f32 {
        self.sqrt()
    }
    fn magnitude(self) -> f32 {
        self.abs()
    }
    fn of(x: f64) -> f32 {
        x as f32
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    fn root(self) -> f64 {
        self.sqrt()
    }
    fn magnitude(self) -> f64 {
        self.abs()
    }
    fn of(x: f64) -> f64 {
        x
    }
}

/// `out = x`; the two may be one matrix.
pub(super) fn copy<T: Copy>(x: Matrix<'_, T>, mut out: MatrixMut<'_, T>) {
    for i in 0..x.rows {
        for j in 0..x.columns {
            out.set(i, j, x.get(i, j));
        }
    }
}

/// The lower factor of `x`, of which the lower triangle is read; false if it has none.
pub(super) fn cholesky<T: Real>(x: Matrix<'_, T>, mut out: MatrixMut<'_, T>) -> bool {
    let n = x.rows;
    if n <= SMALL {
        return small_cholesky(x, out);
    }
    let Ok(factor) = view(x).llt(faer::Side::Lower) else { return false };
    let factor = factor.L();
    for i in 0..n {
        for j in 0..n {
            out.set(i, j, if j <= i { factor[(i, j)] } else { T::ZERO });
        }
    }
    true
}

fn small_cholesky<T: Real>(x: Matrix<'_, T>, mut out: MatrixMut<'_, T>) -> bool {
    for i in 0..x.rows {
        for j in 0..=i {
            let mut rest = x.get(i, j);
            for k in 0..j {
                rest -= out.get(i, k) * out.get(j, k);
            }
            if i == j {
                // NaN compares to nothing.
                if rest.partial_cmp(&T::ZERO) != Some(Ordering::Greater) {
                    return false;
                }
                out.set(i, i, rest.root());
            } else {
                out.set(i, j, rest / out.get(j, j));
            }
        }
        for j in i + 1..x.rows {
            out.set(i, j, T::ZERO);
        }
    }
    true
}

/// Solves `x X = out` in place, reading one triangle of `x`.
pub(super) fn solve<T: Real>(x: Matrix<'_, T>, lower: bool, unit: bool, mut out: MatrixMut<'_, T>) {
    let n = x.rows;
    if n > SMALL && out.columns > 1 {
        let (x, out) = (view(x), view_mut(out));
        match (lower, unit) {
            (true, false) => triangular::solve_lower_triangular_in_place(x, out, Par::Seq),
            (true, true) => triangular::solve_unit_lower_triangular_in_place(x, out, Par::Seq),
            (false, false) => triangular::solve_upper_triangular_in_place(x, out, Par::Seq),
            (false, true) => triangular::solve_unit_upper_triangular_in_place(x, out, Par::Seq),
        }
        return;
    }
    for step in 0..n {
        let i = if lower { step } else { n - 1 - step };
        // One division a row, as LAPACK and faer do it for all right sides.
        let inverse = if unit { T::ONE } else { T::ONE / x.get(i, i) };
        for column in 0..out.columns {
            let mut rest = out.get(i, column);
            for k in if lower { 0..i } else { i + 1..n } {
                rest -= x.get(i, k) * out.get(k, column);
            }
            out.set(i, column, rest * inverse);
        }
    }
}
