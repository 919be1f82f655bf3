//! Identities of matrix products.

use super::arena::{Arena, Node, Rule};
use probpipe_trace::{Axes, DotAxes, Op, VarId};

pub(super) const DOT: &[Rule] = &[
    Rule { name: "dot of transposed left", apply: |a, n| absorb(a, n, true) },
    Rule { name: "dot of transposed right", apply: |a, n| absorb(a, n, false) },
];

/// dot(transpose(x), y) = dot'(x, y) with other axes, where the free axes keep their order.
fn absorb(a: &mut Arena<'_>, node: &Node<'_>, left: bool) -> Option<VarId> {
    let Op::Dot(axes) = node.op else { return None };
    let side = usize::from(!left);
    let (x, permutation) = match a.def(node.inputs[side]) {
        Some(e) => match &e.op {
            Op::Transpose { permutation } => (e.inputs[0], permutation.clone()),
            _ => return None,
        },
        None => return None,
    };
    let through = |list: &Axes| -> Axes { list.iter().map(|&i| permutation[i]).collect() };
    let (contract, batch) = match left {
        true => (&axes.lhs_contract, &axes.lhs_batch),
        false => (&axes.rhs_contract, &axes.rhs_batch),
    };
    let free: Axes =
        (0..permutation.len()).filter(|i| !contract.contains(i) && !batch.contains(i)).collect();
    if through(&free).windows(2).any(|w| w[0] > w[1]) {
        return None;
    }
    let (contract, batch) = (through(contract), through(batch));
    let axes = match left {
        true => DotAxes { lhs_contract: contract, lhs_batch: batch, ..axes.clone() },
        false => DotAxes { rhs_contract: contract, rhs_batch: batch, ..axes.clone() },
    };
    let operands = if left { [x, node.inputs[1]] } else { [node.inputs[0], x] };
    Some(a.emit1(&Op::Dot(axes), &operands, node.location))
}
