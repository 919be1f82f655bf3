//! Transposes of ops that move, repeat, sum or join elements.

use super::{Cotangents, LinearEqn};
use probpipe_trace::{Array, Axes, Op, ReduceOp, Shape, bind1, full_typed, other_axes};
use smallvec::{SmallVec, smallvec};

fn sum(axes: Axes, x: &Array) -> Array {
    if axes.is_empty() { x.clone() } else { bind1(Op::Reduce { op: ReduceOp::Sum, axes }, &[x]) }
}

/// A sum gives its cotangent to every element.
pub(super) fn sum_transpose(axes: &[usize], eqn: &LinearEqn<'_>, ct: Array) -> Array {
    let ty = eqn.ty(0);
    bind1(Op::Broadcast { shape: ty.shape.clone(), axes: other_axes(ty.rank(), axes) }, &[&ct])
}

/// A repeated element takes the sum of its cotangents.
pub(super) fn broadcast_transpose(axes: &[usize], eqn: &LinearEqn<'_>, ct: Array) -> Array {
    let ty = eqn.ty(0);
    let same =
        |i: usize| axes.iter().position(|&a| a == i).is_some_and(|k| ty.shape[k] == ct.shape()[i]);
    let repeated: Axes = (0..ct.rank()).filter(|&i| !same(i)).collect();
    sum(repeated, &ct).reshape(&ty.shape)
}

/// The inverse permutation.
pub(super) fn transpose_transpose(permutation: &[usize], ct: Array) -> Array {
    let mut inverse: Axes = smallvec![0; permutation.len()];
    for (i, &p) in permutation.iter().enumerate() {
        inverse[p] = i;
    }
    bind1(Op::Transpose { permutation: inverse }, &[&ct])
}

/// Elements that were not taken get zeros.
pub(super) fn slice_transpose(
    start: &[usize],
    stride: &[usize],
    eqn: &LinearEqn<'_>,
    ct: Array,
) -> Array {
    let ty = eqn.ty(0);
    if ct.size() == 0 {
        return full_typed(ty, 0);
    }
    let interior: Shape = stride.iter().map(|s| s - 1).collect();
    let high = (0..ty.rank())
        .map(|i| ty.shape[i] - start[i] - (ct.shape()[i] - 1) * stride[i] - 1)
        .collect();
    let zero = full_typed(&probpipe_trace::ArrayType::scalar(ty.dtype), 0);
    bind1(Op::Pad { low: start.into(), high, interior }, &[&ct, &zero])
}

/// The operand takes the cotangents at its places, the fill value the sum of all others.
pub(super) fn pad_transpose(
    low: &[usize],
    interior: &[usize],
    eqn: &LinearEqn<'_>,
    ct: Array,
) -> Cotangents {
    let ty = eqn.ty(0);
    let limit: Shape = (0..ty.rank())
        .map(|i| match ty.shape[i] {
            0 => low[i],
            n => low[i] + (n - 1) * (interior[i] + 1) + 1,
        })
        .collect();
    let stride: Shape = interior.iter().map(|n| n + 1).collect();
    let inner = bind1(Op::Slice { start: low.into(), limit, stride }, &[&ct]);
    let value = eqn.is_linear(1).then(|| ct.sum() - inner.sum());
    smallvec![Some(inner), value]
}

/// Each part takes its own piece.
pub(super) fn concat_transpose(axis: usize, eqn: &LinearEqn<'_>, ct: Array) -> Cotangents {
    let mut from = 0;
    (0..eqn.values.len())
        .map(|i| {
            let to = from + eqn.ty(i).shape[axis];
            let part = eqn.is_linear(i).then(|| ct.slice_axis(axis as isize, from..to));
            from = to;
            part
        })
        .collect::<SmallVec<_>>()
}
