//! Derivatives of products and factorisations of matrices.

use super::add;
use probpipe_trace::{
    Array, ArrayType, Axes, CompareOp, DType, DotAxes, LinalgOp, Op, bind1, iota, select,
};

/// d(x . y) = dx . y + x . dy
pub(super) fn dot_jvp(axes: &DotAxes, x: &[&Array], dx: &[Option<&Array>]) -> Option<Array> {
    let dot = |a: &Array, b: &Array| bind1(Op::Dot(axes.clone()), &[a, b]);
    add(dx[0].map(|da| dot(da, x[1])), dx[1].map(|db| dot(x[0], db)))
}

/// Where `row op column` in the last two axes, of the shape of `x`.
pub(super) fn triangle(x: &Array, op: CompareOp) -> Array {
    let r = x.rank();
    let ty = ArrayType::new(DType::I32, &x.shape()[r - 2..]);
    let mask = bind1(Op::Compare(op), &[&iota(&ty, 0), &iota(&ty, 1)]);
    mask.broadcast_to(x.shape())
}

/// The elements of `x` where `row op column`, zeros elsewhere.
pub(super) fn masked(x: &Array, op: CompareOp) -> Array {
    select(&triangle(x, op), x, 0.0)
}

/// Rows and columns.
pub(super) fn extents(x: &Array) -> (usize, usize) {
    (x.shape()[x.rank() - 2], x.shape()[x.rank() - 1])
}

pub(super) fn swap(x: &Array) -> Array {
    let mut permutation: Axes = (0..x.rank()).collect();
    let r = x.rank();
    permutation.swap(r - 1, r - 2);
    bind1(Op::Transpose { permutation }, &[x])
}

/// The matrix product over the last two axes.
pub(super) fn matmul(a: &Array, b: &Array) -> Array {
    let r = a.rank();
    let batch: Axes = (0..r - 2).collect();
    let axes = DotAxes {
        lhs_contract: smallvec::smallvec![r - 1],
        rhs_contract: smallvec::smallvec![r - 2],
        lhs_batch: batch.clone(),
        rhs_batch: batch,
    };
    bind1(Op::Dot(axes), &[a, b])
}

pub(super) fn solve(flags: (bool, bool, bool), a: &Array, b: &Array) -> Array {
    let (lower, transpose, unit_diagonal) = flags;
    bind1(Op::Linalg(LinalgOp::TriangularSolve { lower, transpose, unit_diagonal }), &[a, b])
}

/// dL = L phi(L^-1 dS L^-T), phi the lower triangle with half the diagonal, and dS the symmetric
/// matrix of the lower triangle of dA, which is all that the op reads.
pub(super) fn cholesky_jvp(l: &Array, da: &Array) -> Array {
    let ds = masked(da, CompareOp::Ge) + swap(&masked(da, CompareOp::Gt));
    let left = solve((true, false, false), l, &ds);
    // dS is symmetric, hence L^-1 dS L^-T = L^-1 (L^-1 dS)^T.
    let both = solve((true, false, false), l, &swap(&left));
    let diagonal = triangle(&both, CompareOp::Eq);
    let phi = select(&diagonal, &both * 0.5, masked(&both, CompareOp::Gt));
    matmul(l, &phi)
}

/// a x = b: dx = a^-1 (db - da x), with da of the triangle that is read.
pub(super) fn triangular_solve_jvp(
    flags: (bool, bool, bool),
    a: &Array,
    x: &Array,
    dx: &[Option<&Array>],
) -> Option<Array> {
    let (lower, transpose, unit_diagonal) = flags;
    let moved = dx[0].map(|da| {
        let op = match (lower, unit_diagonal) {
            (true, false) => CompareOp::Ge,
            (true, true) => CompareOp::Gt,
            (false, false) => CompareOp::Le,
            (false, true) => CompareOp::Lt,
        };
        let da = masked(da, op);
        let da = if transpose { swap(&da) } else { da };
        -matmul(&da, x)
    });
    add(dx[1].cloned(), moved).map(|right| solve(flags, a, &right))
}
