//! Batching of the structural op that needs more than shifted axes.

use super::Lanes;
use probpipe_trace::{Array, DType, Op, Shape, bind1, full_typed, select};

/// A fill value per lane is chosen by a mask of what was padded.
pub(super) fn pad_vmap(led: Op, plain: Op, size: usize, x: &[Lanes]) -> Array {
    let operand = x[0].spread(size);
    if !x[1].batched {
        return bind1(led, &[&operand, &x[1].array]);
    }
    let Ok(scalar) = x[1].array.ty().map(|ty| ty.with_shape(())) else {
        return x[1].array.clone();
    };
    let padded = bind1(led, &[&operand, &full_typed(&scalar, 0)]);
    let lane_shape: Shape = operand.shape()[1..].into();
    let inside = full_typed(&scalar.with_dtype(DType::Bool).with_shape(lane_shape), true);
    let no = full_typed(&scalar.with_dtype(DType::Bool), false);
    let mask = bind1(plain, &[&inside, &no]);
    let shape: Shape = padded.shape().into();
    let axes = (1..shape.len()).collect();
    let mask = bind1(Op::Broadcast { shape: shape.clone(), axes }, &[&mask]);
    let fill = bind1(Op::Broadcast { shape, axes: smallvec::smallvec![0] }, &[&x[1].array]);
    select(&mask, padded, fill)
}
