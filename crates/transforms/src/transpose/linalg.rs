//! Transposes of matrix products (linear in either operand) and solves (linear in the right side).

use super::{Cotangents, LinearEqn};
use probpipe_trace::{Array, Axes, DotAxes, LinalgOp, Op, Result, bind1};
use smallvec::{SmallVec, smallvec};

/// Free axes of an operand, ascending.
fn free(rank: usize, contract: &[usize], batch: &[usize]) -> Axes {
    (0..rank).filter(|a| !contract.contains(a) && !batch.contains(a)).collect()
}

/// Axis `j` of `x` becomes axis `order[j]`.
fn place(x: &Array, order: &[usize]) -> Array {
    let mut permutation: Axes = smallvec![0; order.len()];
    for (j, &axis) in order.iter().enumerate() {
        permutation[axis] = j;
    }
    if permutation.iter().enumerate().all(|(i, &p)| i == p) {
        return x.clone();
    }
    bind1(Op::Transpose { permutation }, &[x])
}

/// The axes `of`, in the ascending order of their partners `by`.
fn ordered(of: &[usize], by: &[usize]) -> Axes {
    let mut pairs: SmallVec<[(usize, usize); 4]> =
        by.iter().copied().zip(of.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.into_iter().map(|(_, a)| a).collect()
}

/// z = x . y: the cotangent of x contracts that of z with y over y's free axes, and likewise for y.
pub(super) fn dot_transpose(axes: &DotAxes, eqn: &LinearEqn<'_>, ct: Array) -> Result<Cotangents> {
    let lhs_free = free(eqn.ty(0).rank(), &axes.lhs_contract, &axes.lhs_batch);
    let rhs_free = free(eqn.ty(1).rank(), &axes.rhs_contract, &axes.rhs_batch);
    let (batch, m, n) = (axes.lhs_batch.len(), lhs_free.len(), rhs_free.len());
    match (&eqn.values[0], &eqn.values[1]) {
        (None, Some(y)) => {
            let op = Op::Dot(DotAxes {
                lhs_contract: (batch + m..batch + m + n).collect(),
                rhs_contract: rhs_free,
                lhs_batch: (0..batch).collect(),
                rhs_batch: axes.rhs_batch.clone(),
            });
            let product = bind1(op, &[&ct, y]);
            let mut order = axes.lhs_batch.clone();
            order.extend_from_slice(&lhs_free);
            order.extend(ordered(&axes.lhs_contract, &axes.rhs_contract));
            Ok(smallvec![Some(place(&product, &order)), None])
        }
        (Some(x), None) => {
            let op = Op::Dot(DotAxes {
                lhs_contract: lhs_free,
                rhs_contract: (batch..batch + m).collect(),
                lhs_batch: axes.lhs_batch.clone(),
                rhs_batch: (0..batch).collect(),
            });
            let product = bind1(op, &[x, &ct]);
            let mut order = axes.rhs_batch.clone();
            order.extend(ordered(&axes.rhs_contract, &axes.lhs_contract));
            order.extend_from_slice(&rhs_free);
            Ok(smallvec![None, Some(place(&product, &order))])
        }
        (Some(_), Some(_)) | (None, None) => Err(eqn.not_linear()),
    }
}

/// x = op(a)^-1 b: the cotangent of b is op(a)^-T ct.
pub(super) fn solve_transpose(
    (lower, transpose, unit_diagonal): (bool, bool, bool),
    eqn: &LinearEqn<'_>,
    ct: Array,
) -> Result<Cotangents> {
    match (&eqn.values[0], &eqn.values[1]) {
        (Some(a), None) => {
            let op = LinalgOp::TriangularSolve { lower, transpose: !transpose, unit_diagonal };
            Ok(smallvec![None, Some(bind1(Op::Linalg(op), &[a, &ct]))])
        }
        _ => Err(eqn.not_linear()),
    }
}

/// x = op(a)^-1 b from factors: the cotangent of b is op(a)^-T ct, from the same factors.
pub(super) fn lu_solve_transpose(
    transpose: bool,
    eqn: &LinearEqn<'_>,
    ct: Array,
) -> Result<Cotangents> {
    match &eqn.values[..] {
        [Some(a), Some(lu), Some(permutation), None] => {
            let op = Op::Linalg(LinalgOp::LuSolve { transpose: !transpose });
            Ok(smallvec![None, None, None, Some(bind1(op, &[a, lu, permutation, &ct]))])
        }
        _ => Err(eqn.not_linear()),
    }
}
