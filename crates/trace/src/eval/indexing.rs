//! Computed indices and reading at them, and running reductions, over contiguous memory. The loops
//! are public and work on plain slices, because the CPU backend calls the very same ones: their
//! order is part of what these ops mean.

use crate::dtype::DType;
use crate::error::Result;
use crate::eval::cells::{Cell, for_cell};
use crate::eval::elements::elements;
use crate::op::indexing::CumulativeOp;
use crate::types::ArrayType;
use crate::value::{HostBuffer, Value};
use smallvec::SmallVec;

/// The extents of an indexed array with equal kinds of axes merged.
#[derive(Clone, Debug)]
pub struct IndexedDims {
    /// Elements of the batch axes.
    pub batch: usize,
    /// Extents of the indexed axes.
    pub extents: SmallVec<[usize; 4]>,
    /// Index tuples of each batch entry.
    pub count: usize,
    /// Elements of the axes that follow.
    pub rest: usize,
}

impl IndexedDims {
    /// From the types of the array and of its index arrays.
    pub fn new(batch: usize, x: &ArrayType, indices: usize, index: &ArrayType) -> IndexedDims {
        IndexedDims {
            batch: x.shape[..batch].iter().product(),
            extents: x.shape[batch..batch + indices].into(),
            count: index.shape[batch..].iter().product(),
            rest: x.shape[batch + indices..].iter().product(),
        }
    }

    /// Calls `visit(element of x, element of the window)` with the start of each piece of `rest`
    /// elements of a batch entry, in order; `None` where an index is out of range.
    pub(super) fn each(
        &self,
        batch: usize,
        indices: &[&[i32]],
        mut visit: impl FnMut(Option<usize>, usize),
    ) {
        let tuples = batch * self.count..(batch + 1) * self.count;
        // One index is by far the most common.
        if let ([list], [n]) = (indices, &self.extents[..]) {
            for tuple in tuples {
                let i = usize::try_from(list[tuple]).ok().filter(|i| i < n);
                visit(i.map(|i| (batch * n + i) * self.rest), tuple * self.rest);
            }
            return;
        }
        let whole: usize = self.extents.iter().product();
        let mut step = whole * self.rest;
        let smaller = |&n: &usize| {
            step = step.checked_div(n).unwrap_or(0);
            step
        };
        let steps: SmallVec<[usize; 4]> = self.extents.iter().map(smaller).collect();
        for tuple in tuples {
            let mut at = Some(batch * whole * self.rest);
            for ((list, &n), &step) in indices.iter().zip(&self.extents).zip(&steps) {
                at = at.and_then(|at| {
                    let i = usize::try_from(list[tuple]).ok().filter(|&i| i < n)?;
                    Some(at + i * step)
                });
            }
            visit(at, tuple * self.rest);
        }
    }
}

fn gather_cells<T: Cell>(dims: &IndexedDims, x: &[T], indices: &[&[i32]], out: &mut [T]) {
    for b in 0..dims.batch {
        dims.each(b, indices, |from, to| {
            // What is out of range stays zero.
            if let Some(from) = from {
                out[to..to + dims.rest].copy_from_slice(&x[from..from + dims.rest]);
            }
        });
    }
}

fn cumulative_cells<T: Cell>(
    op: CumulativeOp,
    [outer, n, inner]: [usize; 3],
    reverse: bool,
    x: &[T],
    out: &mut [T],
) {
    for o in 0..outer {
        for i in 0..inner {
            let at = |k: usize| (o * n + if reverse { n - 1 - k } else { k }) * inner + i;
            match op {
                CumulativeOp::Sum | CumulativeOp::Prod => {
                    let combine =
                        if op == CumulativeOp::Sum { T::wide_sum } else { T::wide_product };
                    let mut total: Option<T::Wide> = None;
                    for k in 0..n {
                        let next = x[at(k)].widen();
                        let next = total.map_or(next, |t| combine(t, next));
                        total = Some(next);
                        out[at(k)] = T::narrow(next);
                    }
                }
                CumulativeOp::Max | CumulativeOp::Min => {
                    let combine = if op == CumulativeOp::Max { T::larger } else { T::smaller };
                    let mut total: Option<T> = None;
                    for k in 0..n {
                        let next = total.map_or(x[at(k)], |t| combine(t, x[at(k)]));
                        total = Some(next);
                        out[at(k)] = next;
                    }
                }
            }
        }
    }
}

/// Running reductions along the middle axis of (outer, n, inner), from its end if `reverse`.
pub fn cumulative_bytes(
    dtype: DType,
    op: CumulativeOp,
    extents: [usize; 3],
    reverse: bool,
    x: &[u8],
    out: &mut [u8],
) {
    for_cell!(dtype, R => cumulative_cells::<R>(
        op,
        extents,
        reverse,
        bytemuck::cast_slice(x),
        bytemuck::cast_slice_mut(out),
    ));
}

/// The extents before, of and after an axis.
pub fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

/// The elements of index arrays.
pub(super) fn index_lists(indices: &[Value]) -> Result<SmallVec<[&[i32]; 4]>> {
    indices.iter().map(elements::<i32>).collect()
}

pub(super) fn gather(batch: usize, inputs: &[Value], ty: &ArrayType) -> Result<Value> {
    let (x, indices) = (&inputs[0], &inputs[1..]);
    let dims = IndexedDims::new(batch, x.ty(), indices.len(), indices[0].ty());
    let lists = index_lists(indices)?;
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    let x = x.to_host()?;
    for_cell!(ty.dtype, R => {
        gather_cells::<R>(&dims, x.elements(), &lists, buffer.elements_mut());
    });
    Ok(Value::host(ty.clone(), buffer))
}

pub(super) fn cumulative(
    op: CumulativeOp,
    axis: usize,
    reverse: bool,
    x: &Value,
    ty: &ArrayType,
) -> Result<Value> {
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    let extents = around(&ty.shape, axis);
    cumulative_bytes(ty.dtype, op, extents, reverse, x.to_host()?.bytes(), buffer.bytes_mut());
    Ok(Value::host(ty.clone(), buffer))
}
