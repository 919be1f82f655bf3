//! Batching of reads and writes at computed indices: lanes become one more batch axis.

use super::Lanes;
use probpipe_trace::{Array, Op, ScatterOp, bind1};
use smallvec::SmallVec;

pub(super) fn gather_vmap(batch: usize, size: usize, x: &[Lanes]) -> Array {
    // One array read by all lanes need not be repeated: the lanes are axes of the indices.
    let shared = batch == 0 && !x[0].batched;
    let operands: SmallVec<[Array; 4]> = x
        .iter()
        .enumerate()
        .map(|(i, x)| if shared && i == 0 { x.array.clone() } else { x.spread(size) })
        .collect();
    let operands: SmallVec<[&Array; 4]> = operands.iter().collect();
    bind1(Op::Gather { batch: if shared { 0 } else { batch + 1 } }, &operands)
}

pub(super) fn scatter_vmap(op: ScatterOp, batch: usize, size: usize, x: &[Lanes]) -> Array {
    let operands: SmallVec<[Array; 4]> = x.iter().map(|x| x.spread(size)).collect();
    let operands: SmallVec<[&Array; 4]> = operands.iter().collect();
    bind1(Op::Scatter { op, batch: batch + 1 }, &operands)
}
