//! Sums into a few cells. One by one each waits for the one before it; as many sums over all as
//! there are cells run in vectors, and in the pass that makes what is summed.

use super::arena::{Arena, Node, Rule};
use probpipe_trace::{
    Axes, BinaryOp, CompareOp, DType, Op, ReduceOp, Scalar, ScatterOp, Shape, VarId,
};
use smallvec::SmallVec;

pub(super) const SCATTER: &[Rule] = &[Rule { name: "sums into few cells", apply: few_cells }];

/// At most so many cells, and at least so many sums.
const CELLS: usize = 16;
const MANY: usize = 4096;

/// scatter_add(x, i, y) = x + [sum(select(i = 0, y, 0)), sum(select(i = 1, y, 0)), ..]. The sums
/// round as `sum` does.
fn few_cells(a: &mut Arena<'_>, node: &Node<'_>) -> Option<VarId> {
    let Op::Scatter { op: ScatterOp::Add, batch: 0 } = node.op else { return None };
    let &[x, index, y] = node.inputs else { return None };
    let (cells, places) = (a.ty(x).clone(), a.ty(index).clone());
    let [count] = cells.shape[..] else { return None };
    let few = count <= CELLS && places.size() >= MANY && a.simplifier.opens_custom();
    if !few || cells.dtype == DType::Bool || a.shape(y) != &places.shape[..] {
        return None;
    }
    let location = node.location;
    let axes: Axes = (0..places.rank()).collect();
    let terms = a.ty(y).clone();
    let none = a.full(Scalar::Int(0), &terms, location);
    let mut sums: SmallVec<[VarId; 16]> = SmallVec::new();
    for cell in 0..count {
        let number = a.full(Scalar::Int(cell as i128), &places, location);
        let here = a.emit1(&Op::Compare(CompareOp::Eq), &[index, number], location);
        let terms = a.emit1(&Op::Select, &[here, y, none], location);
        let sum = Op::Reduce { op: ReduceOp::Sum, axes: axes.clone() };
        let sum = a.emit1(&sum, &[terms], location);
        let shape: Shape = smallvec::smallvec![1];
        sums.push(a.emit1(&Op::Reshape { shape }, &[sum], location));
    }
    let sums = a.emit1(&Op::Concat { axis: 0 }, &sums, location);
    Some(a.emit1(&Op::Binary(BinaryOp::Add), &[x, sums], location))
}
