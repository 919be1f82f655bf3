//! Cholesky factors and triangular solves: plain loops for small matrices, where faer's set-up
//! costs more than the work, and faer for the others. No pointers here. faer runs on one thread, so
//! that its results do not depend on how many there are.

use super::matrix::{Matrix, MatrixMut, Number, view, view_mut};
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{self, LltRegularization};
use faer::linalg::triangular_solve as triangular;
use faer::traits::RealField;
use faer::{Par, Spec};
use std::cmp::Ordering;
use std::ops::{Div, Mul, Sub, SubAssign};

/// Up to this many rows the loops are faster.
const SMALL: usize = 16;

/// Element types of decompositions.
pub(super) trait Real:
    Number
    + Send
    + Sync
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
    // faer is fast on matrices that lie column by column, and ours lie row by row: the factor is
    // found in the transposed place and then moved.
    let mut turned = out.reborrow().transposed();
    lower_tiles(n, |i, j| turned.set(i, j, x.get(i, j)));
    let scratch = factor::cholesky_in_place_scratch::<T>(n, Par::Seq, Spec::default());
    let mut scratch = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut scratch);
    let place = view_mut(turned);
    let (plain, spec) = (LltRegularization::default(), Spec::default());
    if factor::cholesky_in_place(place, plain, Par::Seq, stack, spec).is_err() {
        return false;
    }
    lower_tiles(n, |i, j| {
        if i != j {
            out.set(i, j, out.get(j, i));
            out.set(j, i, T::ZERO);
        }
    });
    true
}

/// Visits the lower triangle in square tiles, so that rows and columns stay in the cache.
#[inline(always)]
fn lower_tiles(n: usize, mut visit: impl FnMut(usize, usize)) {
    const TILE: usize = 16;
    for top in (0..n).step_by(TILE) {
        for left in (0..=top).step_by(TILE) {
            for i in top..n.min(top + TILE) {
                for j in left..(left + TILE).min(i + 1) {
                    visit(i, j);
                }
            }
        }
    }
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
    if n > SMALL {
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
