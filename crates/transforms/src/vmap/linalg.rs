//! Batching of products and factorisations. A matrix that is the same for all lanes is not
//! repeated: lanes become columns.

use super::Lanes;
use probpipe_trace::{Array, Axes, DotAxes, Op, bind1};
use smallvec::smallvec;

fn shifted(axes: &Axes) -> Axes {
    axes.iter().map(|a| a + 1).collect()
}

fn led(axes: &Axes) -> Axes {
    std::iter::once(0).chain(axes.iter().map(|a| a + 1)).collect()
}

/// Two batched operands run in step; one batched operand has its lanes as a free axis.
pub(super) fn dot_vmap(axes: &DotAxes, x: &[Lanes]) -> Array {
    let dot = |axes: DotAxes| bind1(Op::Dot(axes), &[&x[0].array, &x[1].array]);
    if x[0].batched && x[1].batched {
        return dot(DotAxes {
            lhs_contract: shifted(&axes.lhs_contract),
            rhs_contract: shifted(&axes.rhs_contract),
            lhs_batch: led(&axes.lhs_batch),
            rhs_batch: led(&axes.rhs_batch),
        });
    }
    let batch = axes.lhs_batch.len();
    if x[0].batched {
        // The lanes are the first free axis of the left operand.
        let product = dot(DotAxes {
            lhs_contract: shifted(&axes.lhs_contract),
            lhs_batch: shifted(&axes.lhs_batch),
            ..axes.clone()
        });
        return product.move_axis(batch as isize, 0);
    }
    let lhs_free = x[0].array.rank() - axes.lhs_contract.len() - batch;
    let product = dot(DotAxes {
        rhs_contract: shifted(&axes.rhs_contract),
        rhs_batch: shifted(&axes.rhs_batch),
        ..axes.clone()
    });
    product.move_axis((batch + lhs_free) as isize, 0)
}

/// Solves, whose right side is the last operand.
pub(super) fn solve_vmap(op: &Op, size: usize, x: &[Lanes]) -> Array {
    let all = || {
        let operands: Vec<Array> = x.iter().map(|x| x.spread(size)).collect();
        bind1(op.clone(), &operands.iter().collect::<Vec<_>>())
    };
    let [matrix @ .., b] = x else { return all() };
    if matrix.iter().any(|m| m.batched) || matrix.iter().any(|m| m.array.rank() > 2) {
        return all();
    }
    // One matrix against many right sides: lanes beside columns, one solve.
    let shape = [b.array.shape()[0], b.array.shape()[1], b.array.shape()[2]];
    let permutation = |p: [usize; 3]| Op::Transpose { permutation: smallvec![p[0], p[1], p[2]] };
    let rows_first = bind1(permutation([1, 0, 2]), &[&b.array]);
    let columns = rows_first.reshape([shape[1], shape[0] * shape[2]]);
    let mut operands: Vec<&Array> = matrix.iter().map(|m| &m.array).collect();
    operands.push(&columns);
    let solved = bind1(op.clone(), &operands).reshape([shape[1], shape[0], shape[2]]);
    bind1(permutation([1, 0, 2]), &[&solved])
}
