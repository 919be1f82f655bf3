//! Sums of arrays that are zero but for a piece each, as the gradient in a vector of parameters is
//! before this: one piece per parameter, padded to the whole and added. The pieces are joined.

use super::arena::{Arena, Node, Rule};
use super::elementwise::binary_op;
use probpipe_trace::{BinaryOp, Op, Scalar, VarId};
use smallvec::SmallVec;

pub(super) const BINARY: &[Rule] = &[
    Rule { name: "join pieces", apply: join },
    Rule { name: "join pieces of a sum", apply: join_in_sum },
];

/// Pieces that one array is joined from: more would make a sum of many cost their square.
const MOST: usize = 32;

/// What is not zero along one axis: where it starts, and what it is.
struct Pieces {
    axis: usize,
    pieces: SmallVec<[(usize, VarId); 4]>,
}

/// An array as pieces among zeros, if it was made so.
fn pieces_of(a: &Arena<'_>, v: VarId) -> Option<Pieces> {
    let eqn = a.def(v)?;
    match &eqn.op {
        // A piece padded with zeros along one axis.
        Op::Pad { low, high, interior } => {
            let mut padded = (0..low.len()).filter(|&i| (low[i], high[i]) != (0, 0));
            let axis = padded.next()?;
            let plain = padded.next().is_none() && interior.iter().all(|n| *n == 0);
            (plain && a.is(eqn.inputs[1], 0.0))
                .then(|| Pieces { axis, pieces: smallvec::smallvec![(low[axis], eqn.inputs[0])] })
        }
        Op::Concat { axis } => {
            let mut start = 0;
            let mut pieces = SmallVec::new();
            for part in &eqn.inputs {
                if !a.is(*part, 0.0) {
                    pieces.push((start, *part));
                }
                start += a.shape(*part)[*axis];
            }
            // Without zeros there is no room for more.
            (pieces.len() < eqn.inputs.len()).then_some(Pieces { axis: *axis, pieces })
        }
        _ => None,
    }
}

/// The array of all pieces of two arrays; none where they overlap.
fn joined(a: &mut Arena<'_>, node: &Node<'_>, x: VarId, y: VarId) -> Option<VarId> {
    let mut first = pieces_of(a, x)?;
    let second = pieces_of(a, y)?;
    let axis = first.axis;
    if axis != second.axis || first.pieces.len() + second.pieces.len() > MOST {
        return None;
    }
    first.pieces.extend(second.pieces);
    first.pieces.sort_by_key(|(start, _)| *start);
    let whole = a.ty(x).clone();
    // Zeros fill the gaps: where each starts and ends.
    let mut gaps: SmallVec<[(usize, usize); 4]> = SmallVec::new();
    let mut at = 0;
    for (start, piece) in &first.pieces {
        if *start < at {
            return None;
        }
        gaps.push((at, *start));
        at = start + a.shape(*piece)[axis];
    }
    gaps.push((at, whole.shape[axis]));
    let mut parts: Vec<VarId> = Vec::with_capacity(2 * gaps.len());
    for (i, (from, to)) in gaps.into_iter().enumerate() {
        if from < to {
            let mut ty = whole.clone();
            ty.shape[axis] = to - from;
            let zero = match ty.dtype.is_float() {
                true => Scalar::Float(0.0),
                false => Scalar::Int(0),
            };
            parts.push(a.full(zero, &ty, node.location));
        }
        parts.extend(first.pieces.get(i).map(|(_, piece)| *piece));
    }
    Some(a.emit1(&Op::Concat { axis }, &parts, node.location))
}

/// pad(x) + pad(y) = concat(x, y) where neither covers the other
fn join(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::Add, x, y) = binary_op(node)? else { return None };
    joined(a, node, x, y)
}

/// (x + pad(y)) + pad(z) = x + concat(y, z): every element of x meets the same one as before.
fn join_in_sum(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let (BinaryOp::Add, x, y) = binary_op(node)? else { return None };
    let sum = |v: VarId| {
        a.def(v).filter(|e| e.op == Op::Binary(BinaryOp::Add)).map(|e| (e.inputs[0], e.inputs[1]))
    };
    let (p, q, piece) = match (sum(x), sum(y)) {
        (Some((p, q)), _) => (p, q, y),
        (None, Some((p, q))) => (p, q, x),
        (None, None) => return None,
    };
    let (rest, pieces) = match (joined(a, node, q, piece), joined(a, node, p, piece)) {
        (Some(pieces), _) => (p, pieces),
        (None, Some(pieces)) => (q, pieces),
        (None, None) => return None,
    };
    Some(a.emit1(node.op, &[rest, pieces], node.location))
}
