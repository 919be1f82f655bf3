//! Derivatives of eigenvectors and singular vectors: Giles, "Collected matrix derivative results
//! for forward and reverse mode algorithmic differentiation" (2008), and Townsend, "Differentiating
//! the singular value decomposition" (2016). Those of the values are in `spectral`.

use super::linalg::{extents, masked, matmul, swap, triangle};
use probpipe_trace::{Array, CompareOp, Keep, select};

/// The symmetric matrix of the lower triangle of `da`, which is all that `eigh` reads.
pub(super) fn symmetric(da: &Array) -> Array {
    masked(da, CompareOp::Ge) + swap(&masked(da, CompareOp::Gt))
}

/// dV = V (F o V^T dA V) with F_ij = 1 / (w_j - w_i) off the diagonal and 0 on it: infinite where
/// eigenvalues repeat and the vectors are not unique.
pub(super) fn eigh_jvp(w: &Array, v: &Array, da: &Array) -> Array {
    let inner = matmul(&matmul(&swap(v), &symmetric(da)), v);
    let f = reciprocal(&(w.expand_dims(-2) - w.expand_dims(-1)));
    matmul(v, &(f * &inner))
}

/// Tangents of the vectors of `eigh` or `svd`: of those on the left, as columns, and of those on
/// the right, as rows.
pub(super) fn frame_jvp(
    eigen: bool,
    left: &Array,
    values: &Array,
    right: &Array,
    da: &Array,
) -> (Array, Array) {
    if eigen {
        let dv = eigh_jvp(values, left, da);
        let turned = swap(&dv);
        return (dv, turned);
    }
    svd_jvp(left, values, right, da)
}

/// 1 / x off the diagonal, 0 on it.
fn reciprocal(x: &Array) -> Array {
    let diagonal = triangle(x, CompareOp::Eq);
    select(&diagonal, 0.0, select(&diagonal, 1.0, x).recip())
}

/// With D = U^T dA V: dU = U (F o (D S + S D^T)) + (I - U U^T) dA V S^-1 and
/// dV = V (F o (S D + D^T S)) + (I - V V^T) dA^T U S^-1 with F_ij = 1 / (s_j^2 - s_i^2) off the
/// diagonal.
pub(super) fn svd_jvp(u: &Array, s: &Array, vt: &Array, da: &Array) -> (Array, Array) {
    let ((m, k), (_, n)) = (extents(u), extents(vt));
    let v = swap(vt);
    let d = matmul(&matmul(&swap(u), da), &v);
    // In units of the largest value: the squares of all may be no numbers where they are.
    let top = s.max_axes(Keep(-1)).stop_gradient();
    let unit = select(&top.gt(0.0), &top, 1.0);
    let scaled = s / &unit;
    let (row, column) = (scaled.expand_dims(-2), scaled.expand_dims(-1));
    let f = reciprocal(&((&row - &column) * (&row + &column)));
    let part = &d / unit.expand_dims(-1);
    let (ds_left, ds_right) = (&part * &row, &part * &column);
    let mut du = matmul(u, &(&f * (&ds_left + swap(&ds_left))));
    let mut dv = matmul(&v, &(f * (&ds_right + swap(&ds_right))));
    let outside = |x: &Array, y: Array| (&y - matmul(x, &matmul(&swap(x), &y))) / s.expand_dims(-2);
    if m > k {
        du += outside(u, matmul(da, &v));
    }
    if n > k {
        dv += outside(&v, matmul(&swap(da), u));
    }
    (du, swap(&dv))
}
