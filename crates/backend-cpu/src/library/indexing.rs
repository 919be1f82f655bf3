//! Scatters, running reductions, sorts and special functions: the interpreter's own loops over the
//! memory of compiled programs, so that both agree to the last bit. Threads share what has parts.

use crate::crossing::join;
use probpipe_trace::eval::{
    Groups, IndexedDims, cumulative_bytes, scatter_bytes, sort_bytes, special_bytes,
};
use probpipe_trace::{CumulativeOp, DType, ScatterOp, SpecialOp};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a call is about, apart from addresses.
#[derive(Clone, Debug)]
pub(crate) enum Indexing {
    /// Operands: the array, one list per indexed axis, the updates. One result.
    /// Where the result is the array's own memory, that operand is not looked at.
    /// Indices that the program knows are in groups already, and are not looked at either.
    Scatter {
        dtype: DType,
        op: ScatterOp,
        dims: IndexedDims,
        in_place: bool,
        groups: Option<Groups>,
    },
    /// One operand, one result.
    Cumulative { dtype: DType, op: CumulativeOp, extents: [usize; 3], reverse: bool },
    /// As many results as operands.
    Sort { dtypes: Vec<DType>, extents: [usize; 3], num_keys: usize },
    /// As many operands as the function takes, one result.
    Special { dtype: DType, op: SpecialOp, size: usize },
}

impl Indexing {
    /// Bytes of each operand, then of each result.
    fn sizes(&self) -> (Vec<usize>, Vec<usize>) {
        match self {
            Indexing::Scatter { dtype, dims, in_place, .. } => {
                let whole = dims.batch * dims.extents.iter().product::<usize>() * dims.rest;
                let tuples = dims.batch * dims.count;
                let whole = whole * dtype.size();
                let mut operands = vec![if *in_place { 0 } else { whole }];
                operands.extend(dims.extents.iter().map(|_| tuples * DType::I32.size()));
                operands.push(tuples * dims.rest * dtype.size());
                (operands, vec![whole])
            }
            Indexing::Cumulative { dtype, extents, .. } => {
                let bytes = extents.iter().product::<usize>() * dtype.size();
                (vec![bytes], vec![bytes])
            }
            Indexing::Special { dtype, op, size } => {
                let bytes = size * dtype.size();
                (vec![bytes; op.arity()], vec![bytes])
            }
            Indexing::Sort { dtypes, extents, .. } => {
                let size: usize = extents.iter().product();
                let bytes: Vec<usize> = dtypes.iter().map(|d| size * d.size()).collect();
                (bytes.clone(), bytes)
            }
        }
    }

    /// If it sets one row of an array, or of each of several, in its place, as loops do that keep
    /// a list.
    fn row(&self) -> Option<Row> {
        match self {
            Indexing::Scatter { dtype, op: ScatterOp::Set, dims, in_place: true, .. } => {
                let one = dims.count == 1 && dims.extents.len() == 1;
                let bytes = dims.rest * dtype.size();
                one.then(|| Row { arrays: dims.batch, rows: dims.extents[0], bytes })
            }
            _ => None,
        }
    }

    fn run(&self, operands: &[&[u8]], results: &mut [&mut [u8]]) {
        match self {
            Indexing::Scatter { dtype, op, dims, in_place, groups } => {
                let ([array, indices @ .., updates], [out]) = (operands, results) else { return };
                if !in_place {
                    out.copy_from_slice(array);
                }
                if let Some(groups) = groups {
                    return groups.scatter(*dtype, *op, updates, out);
                }
                let indices: Vec<&[i32]> =
                    indices.iter().map(|list| bytemuck::cast_slice(list)).collect();
                scatter_bytes(*dtype, *op, dims, &indices, updates, out);
            }
            Indexing::Cumulative { dtype, op, extents, reverse } => {
                let ([x], [out]) = (operands, results) else { return };
                cumulative_bytes(*dtype, *op, *extents, *reverse, x, out);
            }
            Indexing::Special { dtype, op, .. } => {
                let [out] = results else { return };
                special_points(*dtype, *op, operands, out);
            }
            Indexing::Sort { dtypes, extents, num_keys } => {
                sort_rows(dtypes, *num_keys, *extents, operands, results);
            }
        }
    }
}

/// Combines in groups, in the place of the array.
///
/// # Safety
/// The third address is that of the updates, the fourth that of the array, of the sizes that the
/// descriptor says, and they do not overlap.
unsafe fn combine(call: &Indexing, groups: &Groups, addresses: *const usize) {
    let Indexing::Scatter { dtype, op, dims, .. } = call else { return };
    let (count, whole) = (dims.count, dims.extents.iter().product::<usize>());
    // SAFETY: the caller promised four addresses, and what is there.
    let (updates, out) = unsafe {
        let [_, _, updates, out] = *addresses.cast::<[usize; 4]>();
        let updates = std::slice::from_raw_parts(updates as *const u8, count * dtype.size());
        (updates, std::slice::from_raw_parts_mut(out as *mut u8, whole * dtype.size()))
    };
    groups.scatter(*dtype, *op, updates, out);
}

/// One row among others, of so many bytes each, in each of so many arrays.
struct Row {
    arrays: usize,
    rows: usize,
    bytes: usize,
}

impl Row {
    /// Copies the rows there; those out of range are dropped.
    ///
    /// # Safety
    /// The second address is that of an `i32` for each array, the third that of a row for each, the
    /// fourth that of all rows of all of them, which those are none of.
    unsafe fn set(&self, addresses: *const usize) {
        // SAFETY: the caller promised four addresses.
        let [_, indices, new, all] = unsafe { *addresses.cast::<[usize; 4]>() };
        for i in 0..self.arrays {
            // SAFETY: the caller promised an index and a row for each array.
            unsafe {
                let index = *(indices as *const i32).add(i) as usize;
                if index < self.rows {
                    let from = (new as *const u8).add(i * self.bytes);
                    let to = (all as *mut u8).add((i * self.rows + index) * self.bytes);
                    std::ptr::copy_nonoverlapping(from, to, self.bytes);
                }
            }
        }
    }
}

/// Points of a special function that are worth another thread: tens to hundreds of nanoseconds
/// each, of most of them.
const POINTS: usize = 512;

/// Points are halved, whoever does the halves: each has the bits that it has alone.
fn special_points(dtype: DType, op: SpecialOp, operands: &[&[u8]], out: &mut [u8]) {
    let points = out.len() / dtype.size();
    let least = match op {
        SpecialOp::Gammainc { .. }
        | SpecialOp::Gammaincc
        | SpecialOp::Gammaincinv
        | SpecialOp::Gammainccinv
        | SpecialOp::Betainc { .. }
        | SpecialOp::Betaincinv => POINTS,
        _ => 8 * POINTS,
    };
    if points < 2 * least {
        return special_bytes(dtype, op, operands, out);
    }
    let cut = points / 2 * dtype.size();
    let (from, more): (Vec<&[u8]>, Vec<&[u8]>) = operands.iter().map(|x| x.split_at(cut)).unzip();
    let (to, others) = out.split_at_mut(cut);
    join(|| special_points(dtype, op, &from, to), || special_points(dtype, op, &more, others));
}

/// From so many elements on, threads share the rows of a sort.
const SHARED: usize = 1 << 15;

/// Sorts along the middle axis of (outer, n, inner), on several threads where there is much to do.
fn sort_rows(
    dtypes: &[DType],
    num_keys: usize,
    [outer, n, inner]: [usize; 3],
    operands: &[&[u8]],
    results: &mut [&mut [u8]],
) {
    let half = outer / 2;
    if half == 0 || outer * n * inner < SHARED {
        return sort_bytes(dtypes, num_keys, [outer, n, inner], operands, results);
    }
    let cuts = dtypes.iter().map(|dtype| half * n * inner * dtype.size());
    let (from, more): (Vec<&[u8]>, Vec<&[u8]>) =
        operands.iter().zip(cuts.clone()).map(|(x, cut)| x.split_at(cut)).unzip();
    let (mut to, mut others): (Vec<&mut [u8]>, Vec<&mut [u8]>) =
        results.iter_mut().zip(cuts).map(|(out, cut)| out.split_at_mut(cut)).unzip();
    rayon::join(
        || sort_rows(dtypes, num_keys, [half, n, inner], &from, &mut to),
        || sort_rows(dtypes, num_keys, [outer - half, n, inner], &more, &mut others),
    );
}

/// Behind the door: `(descriptor, addresses of the operands, then of the results)`.
///
/// # Safety
/// The descriptor lives; every address is that of a row-major array of the type and extents that it
/// says, aligned to its elements, and results overlap no operand that is looked at.
pub(crate) unsafe fn indexing(descriptor: *const Indexing, addresses: *const usize) {
    // SAFETY: the executable that owns the running code owns the descriptor.
    let call = unsafe { &*descriptor };
    if let Some(row) = call.row() {
        // SAFETY: as the caller promised: the address of one index and one row for each array, and
        // of the arrays, which are the result.
        return unsafe { row.set(addresses) };
    }
    // What panics, which nothing here should, leaves the results as they are.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if let Indexing::Scatter { in_place: true, groups: Some(groups), .. } = call {
            // SAFETY: as the caller promised, and the array is the result.
            return unsafe { combine(call, groups, addresses) };
        }
        let (operands, results) = call.sizes();
        // SAFETY: the emitter wrote one address per operand and result before the call.
        let addresses =
            unsafe { std::slice::from_raw_parts(addresses, operands.len() + results.len()) };
        let (from, to) = addresses.split_at(operands.len());
        let operands: Vec<&[u8]> = from
            .iter()
            .zip(operands)
            // SAFETY: the caller promised an array of this size, which nothing writes meanwhile.
            .map(|(&at, bytes)| unsafe { std::slice::from_raw_parts(at as *const u8, bytes) })
            .collect();
        let mut results: Vec<&mut [u8]> = to
            .iter()
            .zip(results)
            // SAFETY: as above, and results overlap nothing.
            .map(|(&at, bytes)| unsafe { std::slice::from_raw_parts_mut(at as *mut u8, bytes) })
            .collect();
        call.run(&operands, &mut results);
    }));
}
