//! The checks of sets of vectors and matrices, whose numbers answer to each other. Sums, lengths
//! and symmetry are computed, so they are asked for to rounding. Sets of numbers are in `mod.rs`.

use super::finite;
use probpipe_trace::{Array, DType, arange, eye_of};

/// How far from its value a quantity of the size of 1 may be rounded.
fn tolerance(x: &Array) -> f64 {
    if x.dtype() == DType::F64 { 1e-9 } else { 1e-5 }
}

/// Whether numbers are 1, to rounding.
#[track_caller]
fn one(x: &Array) -> Array {
    (x - 1.0).abs().le(tolerance(x))
}

/// `x_0 < x_1 < ...`, all finite.
#[track_caller]
pub(super) fn ordered(x: &Array) -> Array {
    x.diff(1, -1).gt(0.0).all_axes([-1]) & finite(x).all_axes([-1])
}

/// `x_k >= 0` and `sum(x) = 1`.
#[track_caller]
pub(super) fn simplex(x: &Array) -> Array {
    x.ge(0.0).all_axes([-1]) & one(&x.sum_axes([-1]))
}

/// `sum(x) = 0`, to the rounding of its largest number.
#[track_caller]
pub(super) fn zero_sum(x: &Array) -> Array {
    let size = x.abs().sum_axes([-1]) * tolerance(x);
    x.sum_axes([-1]).abs().le(size) & finite(x).all_axes([-1])
}

/// `|x| = 1`.
#[track_caller]
pub(super) fn unit_vector(x: &Array) -> Array {
    one(&x.square().sum_axes([-1]))
}

/// `|x| <= 1`.
#[track_caller]
pub(super) fn unit_ball(x: &Array) -> Array {
    x.square().sum_axes([-1]).le(1.0 + tolerance(x))
}

/// `sum |x_k| <= 1`.
#[track_caller]
pub(super) fn l1_ball(x: &Array) -> Array {
    x.abs().sum_axes([-1]).le(1.0 + tolerance(x))
}

/// `L = tril(L)` with `L_kk > 0`.
#[track_caller]
pub(super) fn lower_cholesky(x: &Array) -> Array {
    let lower = x.eq(x.tril()).all_axes([-2, -1]);
    lower & (x.diagonal().gt(0.0) & finite(&x.diagonal())).all_axes([-1])
}

/// `M = M'`, to the rounding of its largest number.
#[track_caller]
pub(super) fn symmetric(x: &Array) -> Array {
    let largest = x.abs().max_axes([-2, -1]).expand_dims(-1).expand_dims(-1);
    (x - x.swap_axes(-2, -1)).abs().le(largest * tolerance(x)).all_axes([-2, -1])
}

/// `M' M = I`.
#[track_caller]
pub(super) fn orthogonal(x: &Array) -> Array {
    if x.error().is_some() {
        return x.clone();
    }
    let n = x.shape().last().copied().unwrap_or(0);
    let apart = x.swap_axes(-1, -2).matmul(x) - eye_of(x.dtype(), n);
    apart.abs().le(tolerance(x) * n as f64).all_axes([-2, -1])
}

/// `M = M'`, and its Cholesky factorisation ends.
#[track_caller]
pub(super) fn positive_definite(x: &Array) -> Array {
    symmetric(x) & x.cholesky().diagonal().gt(0.0).all_axes([-1])
}

/// Sorted it is `0, 1, ..., n - 1`.
#[track_caller]
pub(super) fn permutation(x: &Array) -> Array {
    if x.error().is_some() {
        return x.clone();
    }
    let n = x.shape().last().copied().unwrap_or(0);
    x.sort(-1).eq(arange(n).cast(x.dtype())).all_axes([-1])
}

/// A Cholesky factor with rows of length 1.
#[track_caller]
pub(super) fn correlation_cholesky(x: &Array) -> Array {
    lower_cholesky(x) & one(&x.square().sum_axes([-1])).all_axes([-1])
}

/// A positive definite matrix with a diagonal of ones.
#[track_caller]
pub(super) fn correlation_matrix(x: &Array) -> Array {
    positive_definite(x) & one(&x.diagonal()).all_axes([-1])
}
