//! Identities of ops that move or reduce elements: two that follow each other become one, and
//! repetition moves outward so that only what differs is moved or summed.

use super::arena::{Arena, Node, Rule};
use probpipe_trace::{
    ArrayType, Axes, BinaryOp, Op, ReduceOp, Scalar, Shape, UnaryOp, VarId, other_axes,
};

pub(super) const BROADCAST: &[Rule] = &[
    Rule { name: "broadcast to own shape", apply: broadcast_identity },
    Rule { name: "broadcast stretches nothing", apply: broadcast_stretch },
    Rule { name: "broadcast of broadcast", apply: broadcast_twice },
];
pub(super) const RESHAPE: &[Rule] = &[Rule { name: "reshape", apply: reshape }];
pub(super) const TRANSPOSE: &[Rule] = &[Rule { name: "transpose", apply: transpose }];
pub(super) const SLICE: &[Rule] = &[Rule { name: "slice", apply: slice }];
pub(super) const PAD: &[Rule] = &[Rule { name: "pad by nothing", apply: pad }];
pub(super) const CONCAT: &[Rule] = &[Rule { name: "concat of one", apply: concat }];
pub(super) const REVERSE: &[Rule] = &[Rule { name: "reverse", apply: reverse }];
pub(super) const IOTA: &[Rule] = &[Rule { name: "iota along one axis", apply: iota }];
pub(super) const REDUCE: &[Rule] = &[
    Rule { name: "reduce nothing", apply: reduce_nothing },
    Rule { name: "reduce of broadcast", apply: reduce_broadcast },
    Rule { name: "sum of neg", apply: sum_of_neg },
    Rule { name: "factor out of sum", apply: factor_of_sum },
];

pub(super) fn broadcast_def(a: &Arena<'_>, v: VarId) -> Option<(VarId, Axes)> {
    match a.def(v).map(|e| (&e.op, e.inputs.first())) {
        Some((Op::Broadcast { axes, .. }, Some(x))) => Some((*x, axes.clone())),
        _ => None,
    }
}

/// broadcast(x) to the shape of x is x
fn broadcast_identity(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Broadcast { shape, .. } = node.op else { return None };
    (a.shape(node.inputs[0]) == &shape[..]).then(|| node.inputs[0])
}

/// An extent of 1 that stretches is dropped first, so that all broadcasts only repeat.
fn broadcast_stretch(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Broadcast { shape, axes } = node.op else { return None };
    let x = node.inputs[0];
    let kept: Axes = (0..axes.len()).filter(|&i| a.shape(x)[i] == shape[axes[i]]).collect();
    if kept.len() == axes.len() {
        return None;
    }
    let small: Shape = kept.iter().map(|&i| a.shape(x)[i]).collect();
    let dropped = a.emit1(&Op::Reshape { shape: small }, &[x], node.location);
    let axes = kept.iter().map(|&i| axes[i]).collect();
    Some(a.broadcast(dropped, shape.clone(), axes, node.location))
}

/// broadcast(broadcast(x)) = broadcast(x)
fn broadcast_twice(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Broadcast { shape, axes } = node.op else { return None };
    let (x, inner) = broadcast_def(a, node.inputs[0])?;
    let through = inner.iter().map(|&i| axes[i]).collect();
    Some(a.broadcast(x, shape.clone(), through, node.location))
}

fn reshape(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Reshape { shape } = node.op else { return None };
    let x = node.inputs[0];
    // reshape(x) to the shape of x is x
    if a.shape(x) == &shape[..] {
        return Some(x);
    }
    // reshape(reshape(x)) = reshape(x)
    if let Some(e) = a.def(x)
        && matches!(e.op, Op::Reshape { .. })
    {
        let inner = e.inputs[0];
        return Some(a.emit1(node.op, &[inner], node.location));
    }
    // reshape(broadcast(number)) = broadcast(number)
    let (source, axes) = broadcast_def(a, x)?;
    if axes.is_empty() {
        return Some(a.broadcast(source, shape.clone(), axes, node.location));
    }
    // Repetition along leading axes that stay: reshape what is repeated.
    let old: Shape = a.shape(x).into();
    let lead = axes[0];
    let trailing = axes.iter().enumerate().all(|(i, &axis)| axis == lead + i);
    if !trailing || lead == 0 || axes.len() + lead != old.len() {
        return None;
    }
    if shape.len() < lead || shape[..lead] != old[..lead] {
        return None;
    }
    let inner = Op::Reshape { shape: shape[lead..].into() };
    let moved = a.emit1(&inner, &[source], node.location);
    Some(a.broadcast(moved, shape.clone(), (lead..shape.len()).collect(), node.location))
}

fn transpose(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Transpose { permutation } = node.op else { return None };
    let x = node.inputs[0];
    // the identity permutation
    if permutation.windows(2).all(|w| w[0] < w[1]) {
        return Some(x);
    }
    // transpose(transpose(x)) = transpose(x)
    let inner = a.def(x).and_then(|e| match &e.op {
        Op::Transpose { permutation } => Some((e.inputs[0], permutation.clone())),
        _ => None,
    });
    if let Some((source, inner)) = inner {
        let permutation = permutation.iter().map(|&i| inner[i]).collect();
        return Some(a.emit1(&Op::Transpose { permutation }, &[source], node.location));
    }
    // transpose(broadcast(x)) = broadcast(transpose(x))
    if let Some((source, axes)) = broadcast_def(a, x) {
        let shape: Shape = permutation.iter().map(|&i| a.shape(x)[i]).collect();
        // Where each axis of the source goes, and the source's axes in that order.
        let mut places: Vec<(usize, usize)> = axes
            .iter()
            .enumerate()
            .map(|(i, axis)| (permutation.iter().position(|p| p == axis).unwrap_or(0), i))
            .collect();
        places.sort_unstable();
        let order = places.iter().map(|(_, i)| *i).collect();
        let moved = a.emit1(&Op::Transpose { permutation: order }, &[source], node.location);
        let axes = places.iter().map(|(place, _)| *place).collect();
        return Some(a.broadcast(moved, shape, axes, node.location));
    }
    // moving extents of 1 leaves the elements in their order
    let old = a.shape(x);
    let moved: Axes = permutation.iter().copied().filter(|&i| old[i] != 1).collect();
    if moved.windows(2).all(|w| w[0] < w[1]) {
        let shape = permutation.iter().map(|&i| old[i]).collect();
        return Some(a.emit1(&Op::Reshape { shape }, &[x], node.location));
    }
    None
}

fn slice(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Slice { start, limit, stride } = node.op else { return None };
    let x = node.inputs[0];
    let shape: Shape = a.shape(x).into();
    // all of x
    if (0..shape.len()).all(|i| start[i] == 0 && limit[i] == shape[i] && stride[i] == 1) {
        return Some(x);
    }
    let eqn = a.def(x)?;
    match &eqn.op {
        // slice(slice(x)) = slice(x)
        Op::Slice { start: start0, stride: stride0, .. } => {
            let source = eqn.inputs[0];
            let new_start: Shape =
                (0..shape.len()).map(|i| start0[i] + start[i] * stride0[i]).collect();
            let new_limit = (0..shape.len())
                .map(|i| match (limit[i].saturating_sub(start[i])).div_ceil(stride[i]) {
                    0 => new_start[i],
                    n => new_start[i] + (n - 1) * stride[i] * stride0[i] + 1,
                })
                .collect();
            let new_stride = (0..shape.len()).map(|i| stride[i] * stride0[i]).collect();
            let op = Op::Slice { start: new_start, limit: new_limit, stride: new_stride };
            Some(a.emit1(&op, &[source], node.location))
        }
        // slice(broadcast(x)) = broadcast(slice(x))
        Op::Broadcast { axes, .. } => {
            let (source, axes) = (eqn.inputs[0], axes.clone());
            let new: Shape = (0..shape.len())
                .map(|i| limit[i].saturating_sub(start[i]).div_ceil(stride[i]))
                .collect();
            let pick = |list: &Shape| axes.iter().map(|&i| list[i]).collect();
            let op = Op::Slice { start: pick(start), limit: pick(limit), stride: pick(stride) };
            let cut = a.emit1(&op, &[source], node.location);
            Some(a.broadcast(cut, new, axes, node.location))
        }
        // slice(reshape(x)) = reshape(slice(x)) where the reshape only drops or adds extents of 1
        Op::Reshape { .. } => {
            let source = eqn.inputs[0];
            let extents =
                |shape: &[usize]| -> Axes { (0..shape.len()).filter(|&i| shape[i] != 1).collect() };
            let (from, to) = (extents(a.shape(source)), extents(&shape));
            let old: Shape = a.shape(source).into();
            let same = from.iter().zip(&to).all(|(&i, &j)| old[i] == shape[j]);
            // An extent of 1 that is cut to nothing has no counterpart in x.
            let whole = |i: &usize| shape[*i] == 1 && (start[*i], limit[*i]) != (0, 1);
            if from.len() != to.len() || !same || (0..shape.len()).any(|i| whole(&i)) {
                return None;
            }
            let through = |list: &Shape, other: usize| -> Shape {
                let at = |i: usize| from.iter().position(|k| *k == i).map(|k| to[k]);
                (0..old.len()).map(|i| at(i).map_or(other, |j| list[j])).collect()
            };
            let (start0, stride0) = (through(start, 0), through(stride, 1));
            let op = Op::Slice { start: start0, limit: through(limit, 1), stride: stride0 };
            let new: Shape = (0..shape.len())
                .map(|i| limit[i].saturating_sub(start[i]).div_ceil(stride[i]))
                .collect();
            let cut = a.emit1(&op, &[source], node.location);
            Some(a.emit1(&Op::Reshape { shape: new }, &[cut], node.location))
        }
        // slice(concat(.., x, ..)) within x is a slice of x
        Op::Concat { axis } => {
            let axis = *axis;
            let mut from = 0;
            let part = eqn.inputs.iter().find_map(|&part| {
                let to = from + a.shape(part)[axis];
                let inside = from <= start[axis] && limit[axis] <= to;
                let found = inside.then_some((part, from));
                from = to;
                found
            });
            let (part, from) = part?;
            let (mut start, mut limit) = (start.clone(), limit.clone());
            start[axis] -= from;
            limit[axis] -= from;
            let op = Op::Slice { start, limit, stride: stride.clone() };
            Some(a.emit1(&op, &[part], node.location))
        }
        _ => None,
    }
}

/// pad(x) by nothing is x
fn pad(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Pad { low, high, interior } = node.op else { return None };
    let x = node.inputs[0];
    let nothing = (0..low.len())
        .all(|i| low[i] == 0 && high[i] == 0 && (interior[i] == 0 || a.shape(x)[i] <= 1));
    nothing.then_some(x)
}

/// concat(x) = x
fn concat(_: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    match node.inputs {
        [x] => Some(*x),
        _ => None,
    }
}

fn reverse(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Reverse { axes } = node.op else { return None };
    let x = node.inputs[0];
    // one entry reversed is itself
    if axes.iter().all(|&i| a.shape(x)[i] <= 1) {
        return Some(x);
    }
    // reverse(reverse(x)) = x
    match a.def(x) {
        Some(e) if e.op == *node.op => Some(e.inputs[0]),
        _ => None,
    }
}

/// A count along one axis of many is a broadcast of a plain count.
fn iota(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Iota { ty, axis } = node.op else { return None };
    if ty.rank() == 1 {
        return None;
    }
    let plain = ArrayType::new(ty.dtype, [ty.shape[*axis]]);
    let count = a.emit1(&Op::Iota { ty: plain, axis: 0 }, &[], node.location);
    Some(a.broadcast(count, ty.shape.clone(), smallvec::smallvec![*axis], node.location))
}

/// Over no axes, or over extents of 1, a reduction only reshapes.
fn reduce_nothing(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Reduce { axes, .. } = node.op else { return None };
    let x = node.inputs[0];
    if axes.iter().any(|&i| a.shape(x)[i] != 1) {
        return None;
    }
    let kept = other_axes(a.shape(x).len(), axes);
    let shape = kept.iter().map(|&i| a.shape(x)[i]).collect();
    Some(a.emit1(&Op::Reshape { shape }, &[x], node.location))
}

/// reduce(broadcast(x)) = broadcast(reduce(x)), where n equal summands are n x
fn reduce_broadcast(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Reduce { op, axes } = node.op else { return None };
    let (source, places) = broadcast_def(a, node.inputs[0])?;
    let shape: Shape = a.shape(node.inputs[0]).into();
    let repeated = axes.iter().filter(|i| !places.contains(i));
    let count: usize = repeated.clone().map(|&i| shape[i]).product();
    match op {
        ReduceOp::Prod if repeated.count() > 0 => return None,
        ReduceOp::Max | ReduceOp::Min | ReduceOp::And | ReduceOp::Or if count == 0 => return None,
        ReduceOp::Sum
        | ReduceOp::Prod
        | ReduceOp::Max
        | ReduceOp::Min
        | ReduceOp::And
        | ReduceOp::Or => {}
    }
    let inner: Axes = (0..places.len()).filter(|&i| axes.contains(&places[i])).collect();
    let reduce = Op::Reduce { op: *op, axes: inner };
    let mut result = a.emit1(&reduce, &[source], node.location);
    if *op == ReduceOp::Sum && count != 1 {
        let ty = a.ty(result).clone();
        // Element types count as casts do: integers wrap.
        let n = if ty.dtype.is_float() {
            Scalar::Float(count as f64)
        } else {
            Scalar::Int(count as i128)
        };
        let n = a.full(n, &ty, node.location);
        result = a.emit1(&Op::Binary(BinaryOp::Mul), &[result, n], node.location);
    }
    let kept = other_axes(shape.len(), axes);
    let new: Shape = kept.iter().map(|&i| shape[i]).collect();
    let at = kept.iter().enumerate().filter(|(_, i)| places.contains(i)).map(|(k, _)| k).collect();
    Some(a.broadcast(result, new, at, node.location))
}

/// sum(-x) = -sum(x)
fn sum_of_neg(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Reduce { op: ReduceOp::Sum, .. } = node.op else { return None };
    let x = match a.def(node.inputs[0]) {
        Some(e) if e.op == Op::Unary(UnaryOp::Neg) => e.inputs[0],
        _ => return None,
    };
    let sum = a.emit1(node.op, &[x], node.location);
    Some(a.emit1(&Op::Unary(UnaryOp::Neg), &[sum], node.location))
}

/// sum(x c) = sum(x) c and sum(x / c) = sum(x) / c where c is the same along the summed axes.
/// Rounds otherwise than before, but once per sum and not once per summand.
fn factor_of_sum(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Reduce { op: ReduceOp::Sum, axes } = node.op else { return None };
    let x = node.inputs[0];
    if !a.ty(x).dtype.is_float() {
        return None;
    }
    let (op, operands) = match a.def(x) {
        Some(e) if matches!(e.op, Op::Binary(BinaryOp::Mul | BinaryOp::Div)) => {
            (e.op.clone(), [e.inputs[0], e.inputs[1]])
        }
        _ => return None,
    };
    let constant = |a: &Arena<'_>, v: VarId| {
        broadcast_def(a, v).filter(|(_, places)| places.iter().all(|i| !axes.contains(i)))
    };
    let (summand, factor, places) = match (constant(a, operands[1]), constant(a, operands[0])) {
        (Some((factor, places)), _) => (operands[0], factor, places),
        (None, Some((factor, places))) if op == Op::Binary(BinaryOp::Mul) => {
            (operands[1], factor, places)
        }
        _ => return None,
    };
    let kept = other_axes(a.shape(x).len(), axes);
    let shape: Shape = kept.iter().map(|&i| a.shape(x)[i]).collect();
    let at = places.iter().filter_map(|i| kept.iter().position(|k| k == i)).collect();
    let sum = a.emit1(node.op, &[summand], node.location);
    let factor = a.broadcast(factor, shape, at, node.location);
    Some(a.emit1(&op, &[sum, factor], node.location))
}
