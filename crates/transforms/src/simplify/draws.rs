//! Parts of random draws. A draw is arithmetic on counters, so a part of it is drawn as it is:
//! the whole needs no memory, and what is done with the part joins its kernel.

use super::arena::{Arena, Node, Rule};
use probpipe_trace::{BinaryOp, Op, Scalar, Shape, VarId};
use smallvec::SmallVec;

pub(super) const SLICE: &[Rule] = &[Rule { name: "slice of draws", apply: slice_of_draws }];

/// Operations that are looked at in one draw.
const LONGEST: usize = 64;

/// slice(f(x)) = f(slice(x)) where x is drawn. Where several parts are taken they are seldom more
/// than the whole; only where nothing is differentiated any more, since slopes know the whole.
fn slice_of_draws(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let x = node.inputs[0];
    let mut left = LONGEST;
    let drawn = a.simplifier.opens_custom() && is_drawn(a, x, &mut left) == Some(true);
    drawn.then(|| part(a, node, x)).flatten()
}

/// Whether random bits are among what `v` is computed of; none if anything else is but counters and
/// single numbers.
fn is_drawn(a: &Arena<'_>, v: VarId, left: &mut usize) -> Option<bool> {
    *left = left.checked_sub(1)?;
    let eqn = a.def(v)?;
    match &eqn.op {
        Op::Threefry2x32 => Some(true),
        Op::Iota { .. } => Some(false),
        Op::Broadcast { .. } => (a.ty(eqn.inputs[0]).size() == 1).then_some(false),
        Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Select
        | Op::Cast(_)
        | Op::Bitcast(_) => {
            let mut any = false;
            for &x in &eqn.inputs {
                any |= is_drawn(a, x, left)?;
            }
            Some(any)
        }
        _ => None,
    }
}

/// The slice of `v` that `node` takes of its operand.
fn part(a: &mut Arena<'_>, node: &Node<'_>, v: VarId) -> Option<VarId> {
    let Op::Slice { start, limit, stride } = node.op else { return None };
    let eqn = a.def(v)?.clone();
    if let Op::Iota { ty, axis } = &eqn.op {
        let axis = *axis;
        let shape: Shape = (0..start.len())
            .map(|i| limit[i].saturating_sub(start[i]).div_ceil(stride[i]))
            .collect();
        let ty = probpipe_trace::ArrayType { shape, ..ty.clone() };
        let count = a.emit1(&Op::Iota { ty: ty.clone(), axis }, &[], node.location);
        let number = |n: usize| Scalar::Int(n as i128);
        let step = a.full(number(stride[axis]), &ty, node.location);
        let first = a.full(number(start[axis]), &ty, node.location);
        let scaled = a.emit1(&Op::Binary(BinaryOp::Mul), &[count, step], node.location);
        return Some(a.emit1(&Op::Binary(BinaryOp::Add), &[scaled, first], node.location));
    }
    if matches!(eqn.op, Op::Broadcast { .. }) {
        return Some(a.emit1(node.op, &[v], node.location));
    }
    let operands: SmallVec<[VarId; 4]> =
        eqn.inputs.iter().map(|&x| part(a, node, x)).collect::<Option<_>>()?;
    if eqn.outputs.len() == 1 {
        return Some(a.emit1(&eqn.op, &operands, eqn.location));
    }
    let which = eqn.outputs.iter().position(|&out| out == v)?;
    a.push(&eqn.op, &operands, eqn.location).get(which).copied()
}
