//! Transposes of reading and writing at computed indices, and of running sums. Reading gives its
//! cotangents back by adding; adding gives them back by reading.

use super::{Cotangents, LinearEqn};
use probpipe_trace::{
    Array, ArrayType, DType, Op, Result, ScatterOp, Shape, bind1, full_typed, iota, select,
};
use smallvec::{SmallVec, smallvec};

/// The index operands `from..to`, which are never linear.
fn indices(eqn: &LinearEqn<'_>, from: usize, to: usize) -> Result<Vec<Array>> {
    (from..to).map(|i| eqn.values[i].clone().ok_or_else(|| eqn.not_linear())).collect()
}

fn gather(batch: usize, x: &Array, indices: &[Array]) -> Array {
    let operands: SmallVec<[&Array; 4]> = std::iter::once(x).chain(indices).collect();
    bind1(Op::Gather { batch }, &operands)
}

fn scatter(op: ScatterOp, batch: usize, x: &Array, indices: &[Array], updates: &Array) -> Array {
    let mut operands: SmallVec<[&Array; 4]> = std::iter::once(x).chain(indices).collect();
    operands.push(updates);
    bind1(Op::Scatter { op, batch }, &operands)
}

/// Every element takes the sum of the cotangents of where it was read.
pub(super) fn gather_transpose(
    batch: usize,
    eqn: &LinearEqn<'_>,
    ct: &Array,
) -> Result<Cotangents> {
    let count = eqn.values.len();
    let indices = indices(eqn, 1, count)?;
    let zeros = full_typed(eqn.ty(0), 0);
    let mut cts: Cotangents = smallvec![None; count];
    cts[0] = Some(scatter(ScatterOp::Add, batch, &zeros, &indices, ct));
    Ok(cts)
}

pub(super) fn scatter_transpose(
    op: ScatterOp,
    batch: usize,
    eqn: &LinearEqn<'_>,
    ct: &Array,
) -> Result<Cotangents> {
    let last = eqn.values.len() - 1;
    let indices = indices(eqn, 1, last)?;
    let mut cts: Cotangents = smallvec![None; last + 1];
    match op {
        ScatterOp::Add => {
            cts[0] = eqn.is_linear(0).then(|| ct.clone());
            cts[last] = eqn.is_linear(last).then(|| gather(batch, ct, &indices));
        }
        ScatterOp::Set => {
            let nothing = full_typed(eqn.ty(last), 0);
            cts[0] = eqn.is_linear(0).then(|| scatter(op, batch, ct, &indices, &nothing));
            cts[last] = eqn.is_linear(last).then(|| {
                let read = gather(batch, ct, &indices);
                match winners(batch, eqn.ty(0), &indices) {
                    Some(stands) => {
                        let (shape, axes) = (read.shape().into(), (0..stands.rank()).collect());
                        let stands = bind1(Op::Broadcast { shape, axes }, &[&stands]);
                        select(&stands, read, 0)
                    }
                    None => read,
                }
            });
        }
        // y = x prod(u): linear in x for given updates
        ScatterOp::Mul => match (&eqn.values[last], eqn.is_linear(0)) {
            (Some(updates), true) => {
                cts[0] = Some(scatter(op, batch, ct, &indices, updates));
            }
            _ => return Err(eqn.not_linear()),
        },
        ScatterOp::Min | ScatterOp::Max => return Err(eqn.not_linear()),
    }
    Ok(cts)
}

/// Which index tuples are the last of those that are equal; `None` if there is only one tuple.
fn winners(batch: usize, x: &ArrayType, indices: &[Array]) -> Option<Array> {
    let first = indices.first()?;
    if first.size() < 2 {
        return None;
    }
    let number = ArrayType::new(DType::I32, [first.size()]);
    let number = iota(&number, 0).reshape(first.shape());
    let places: Shape = x.shape[..batch + indices.len()].into();
    let none = full_typed(&ArrayType::new(DType::I32, places), -1);
    let last = scatter(ScatterOp::Set, batch, &none, indices, &number);
    Some(gather(batch, &last, indices).eq(number))
}
