//! Writing at computed indices, over contiguous memory. The loops are public, because the CPU
//! backend calls the very same ones: their order is part of what the ops mean.
//!
//! Sums of `f32` of which many may come together are kept in `f64` and rounded once: one by one
//! they stop growing at 2^24 times what is added. How that is done depends on the extents alone.

use crate::dtype::DType;
use crate::error::Result;
use crate::eval::cells::{Cell, for_cell};
use crate::eval::indexing::{IndexedDims, index_lists};
use crate::eval::sorting::sort_records;
use crate::op::indexing::ScatterOp;
use crate::types::ArrayType;
use crate::value::Value;

/// So many index tuples are too few for their sums to lose digits that matter.
const FEW: usize = 128;
/// Sums of so many elements lie in the first caches.
const NEAR: usize = 1 << 13;

fn scatter_cells<T: Cell>(
    op: ScatterOp,
    dims: &IndexedDims,
    indices: &[&[i32]],
    updates: &[T],
    out: &mut [T],
) {
    match op {
        ScatterOp::Set => combine_cells(|_, y| y, dims, indices, updates, out),
        ScatterOp::Add => combine_cells(T::sum, dims, indices, updates, out),
        ScatterOp::Mul => combine_cells(T::product, dims, indices, updates, out),
        ScatterOp::Min => combine_cells(T::smaller, dims, indices, updates, out),
        ScatterOp::Max => combine_cells(T::larger, dims, indices, updates, out),
    }
}

fn combine_cells<T: Copy>(
    combine: impl Fn(T, T) -> T,
    dims: &IndexedDims,
    indices: &[&[i32]],
    updates: &[T],
    out: &mut [T],
) {
    let rest = dims.rest;
    if let ([list], [n], 1) = (indices, &dims.extents[..], rest) {
        return combine_points(combine, *n, dims.count, list, updates, out);
    }
    for b in 0..dims.batch {
        dims.each(b, indices, |to, from| {
            let Some(to) = to else { return };
            for (x, &y) in out[to..to + rest].iter_mut().zip(&updates[from..from + rest]) {
                *x = combine(*x, y);
            }
        });
    }
}

/// Single elements by one index. What goes to one element in a row, as where indices are sorted,
/// is combined before it is written: the way through memory takes longer than a sum.
fn combine_points<T: Copy>(
    combine: impl Fn(T, T) -> T,
    n: usize,
    count: usize,
    indices: &[i32],
    updates: &[T],
    out: &mut [T],
) {
    if n == 0 || count == 0 {
        return;
    }
    let batches = indices.chunks_exact(count).zip(updates.chunks_exact(count));
    for (out, (indices, updates)) in out.chunks_exact_mut(n).zip(batches) {
        let mut held: Option<(i32, T)> = None;
        for (&i, &y) in indices.iter().zip(updates) {
            match &mut held {
                Some((at, x)) if *at == i => *x = combine(*x, y),
                _ => {
                    // Negative ones become the largest, which are out of range too.
                    let Some(&x) = out.get(i as usize) else { continue };
                    if let Some((at, x)) = held {
                        out[at as usize] = x;
                    }
                    held = Some((i, combine(x, y)));
                }
            }
        }
        if let Some((at, x)) = held {
            out[at as usize] = x;
        }
    }
}

/// Sums into `f64`.
fn add_widely(dims: &IndexedDims, indices: &[&[i32]], updates: &[f32], out: &mut [f32]) {
    let (whole, rest) = (dims.extents.iter().product::<usize>(), dims.rest);
    let size = whole * rest;
    // Room for the whole array costs no more than the updates do.
    let dense = whole <= 4 * dims.count && size <= NEAR.max(4 * dims.count);
    let mut sums: Vec<f64> = vec![0.0; if dense { size } else { rest }];
    let mut places: Vec<(u64, usize)> = Vec::new();
    for b in 0..dims.batch {
        if dense {
            let out = &mut out[b * size..(b + 1) * size];
            sums.iter_mut().zip(&*out).for_each(|(sum, &x)| *sum = x.into());
            dims.each(b, indices, |to, from| {
                let Some(to) = to.map(|to| to - b * size) else { return };
                let sums = sums[to..to + rest].iter_mut();
                sums.zip(&updates[from..from + rest]).for_each(|(sum, &y)| *sum += f64::from(y));
            });
            out.iter_mut().zip(&sums).for_each(|(x, &sum)| *x = sum as f32);
            continue;
        }
        // Those that come together one after the other, in order.
        places.clear();
        dims.each(b, indices, |to, from| places.extend(to.map(|to| (to as u64, from))));
        sort_records(&mut places, usize::BITS - out.len().leading_zeros());
        for same in places.chunk_by(|a, b| a.0 == b.0) {
            let to = same[0].0 as usize;
            let out = &mut out[to..to + rest];
            if let [(_, from)] = *same {
                out.iter_mut().zip(&updates[from..from + rest]).for_each(|(x, y)| *x += y);
                continue;
            }
            sums.iter_mut().zip(&*out).for_each(|(sum, &x)| *sum = x.into());
            for &(_, from) in same {
                let updates = &updates[from..from + rest];
                sums.iter_mut().zip(updates).for_each(|(sum, &y)| *sum += f64::from(y));
            }
            out.iter_mut().zip(&sums).for_each(|(x, &sum)| *x = sum as f32);
        }
    }
}

/// Whether sums of so many updates are kept in `f64`.
pub(super) fn widely(dtype: DType, op: ScatterOp, count: usize) -> bool {
    (dtype, op) == (DType::F32, ScatterOp::Add) && count > FEW
}

/// Combines `updates` into `out`, which holds the array, one index tuple after the other; those
/// out of range are dropped. Many sums of `f32` are kept in `f64`. Bytes are those of contiguous
/// arrays of `dtype`.
pub fn scatter_bytes(
    dtype: DType,
    op: ScatterOp,
    dims: &IndexedDims,
    indices: &[&[i32]],
    updates: &[u8],
    out: &mut [u8],
) {
    if widely(dtype, op, dims.count) {
        let (updates, out) = (bytemuck::cast_slice(updates), bytemuck::cast_slice_mut(out));
        return add_widely(dims, indices, updates, out);
    }
    for_cell!(dtype, R => scatter_cells::<R>(
        op,
        dims,
        indices,
        bytemuck::cast_slice(updates),
        bytemuck::cast_slice_mut(out),
    ));
}

pub(super) fn scatter(
    op: ScatterOp,
    batch: usize,
    inputs: &[Value],
    ty: &ArrayType,
) -> Result<Value> {
    let last = inputs.len() - 1;
    let (indices, updates) = (&inputs[1..last], &inputs[last]);
    let dims = IndexedDims::new(batch, ty, indices.len(), indices[0].ty());
    let mut buffer = inputs[0].to_host()?.try_clone()?;
    let out = buffer.bytes_mut();
    scatter_bytes(ty.dtype, op, &dims, &index_lists(indices)?, updates.to_host()?.bytes(), out);
    Ok(Value::host(ty.clone(), buffer))
}
