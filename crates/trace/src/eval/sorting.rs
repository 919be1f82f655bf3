//! Sorts over contiguous memory. Keys become integers that order as they do, which go through a
//! radix sort where they are many, so the time is that of some passes over them. The loops are
//! public, because the CPU backend calls the very same ones.

use crate::dtype::DType;
use crate::error::Result;
use crate::eval::cells::{Cell, for_cell};
use crate::eval::indexing::around;
use crate::types::ArrayType;
use crate::value::{HostBuffer, Value};
use smallvec::SmallVec;

/// What is sorted: a key, and what tells records of one key apart in the order that they begin in.
pub(super) trait Record: Copy + Ord + Default {
    fn key(self) -> u64;
}

impl Record for u32 {
    fn key(self) -> u64 {
        self.into()
    }
}

impl Record for u64 {
    fn key(self) -> u64 {
        self
    }
}

/// A key and a place.
impl Record for (u64, usize) {
    fn key(self) -> u64 {
        self.0
    }
}

/// A key of 32 bits above a place of 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Packed(u64);

impl Record for Packed {
    fn key(self) -> u64 {
        self.0 >> 32
    }
}

/// Up to so many are compared with each other.
const FEW: usize = 2048;
/// Bits of a digit.
const DIGIT: u32 = 11;

/// Sorts records whose keys have so many bits.
pub(super) fn sort_records<R: Record>(records: &mut Vec<R>, bits: u32) {
    if records.len() <= FEW {
        return records.sort_unstable();
    }
    let passes = bits.div_ceil(DIGIT) as usize;
    let digit = |record: R, pass: usize| {
        (record.key() >> (pass as u32 * DIGIT)) as usize & ((1 << DIGIT) - 1)
    };
    let mut counts = vec![[0usize; 1 << DIGIT]; passes];
    for &record in records.iter() {
        for (pass, counts) in counts.iter_mut().enumerate() {
            counts[digit(record, pass)] += 1;
        }
    }
    let mut other = Vec::new();
    for (pass, places) in counts.iter_mut().enumerate() {
        // A digit that all have in common moves nothing.
        if places.contains(&records.len()) {
            continue;
        }
        let mut total = 0;
        for place in places.iter_mut() {
            total += std::mem::replace(place, total);
        }
        other.resize(records.len(), R::default());
        for &record in records.iter() {
            let place = &mut places[digit(record, pass)];
            other[*place] = record;
            *place += 1;
        }
        std::mem::swap(records, &mut other);
    }
}

/// Where the elements of a lane lie.
#[derive(Clone, Copy)]
struct Lane {
    start: usize,
    step: usize,
    n: usize,
}

impl Lane {
    fn places(self) -> impl Iterator<Item = usize> {
        (0..self.n).map(move |k| self.start + k * self.step)
    }
}

fn lanes([outer, n, inner]: [usize; 3]) -> impl Iterator<Item = Lane> {
    (0..outer * inner).map(move |lane| Lane {
        start: lane / inner * n * inner + lane % inner,
        step: inner,
        n,
    })
}

/// Sorts the elements of one lane after the other, by their ranks in `K`.
fn sort_alone<T: Cell, K: Record>(
    lanes: impl Iterator<Item = Lane>,
    narrow: impl Fn(u64) -> K,
    x: &[T],
    out: &mut [T],
) {
    let mut keys: Vec<K> = Vec::new();
    for lane in lanes {
        keys.clear();
        keys.extend(lane.places().map(|at| narrow(x[at].rank())));
        sort_records(&mut keys, T::RANK_BITS);
        for (at, key) in lane.places().zip(&keys) {
            out[at] = T::of_rank(key.key());
        }
        // Different elements of one rank keep their order.
        for &shared in T::SHARED {
            let first = keys.partition_point(|key| key.key() < shared);
            if keys.get(first).is_some_and(|key| key.key() == shared) {
                let same = lane.places().filter(|&at| x[at].rank() == shared);
                for (k, from) in same.enumerate() {
                    out[lane.start + (first + k) * lane.step] = x[from];
                }
            }
        }
    }
}

/// Where each element of the sorted lane comes from, by the leading keys that are given.
fn sorted_places(dtypes: &[DType], keys: &[&[u8]], lane: Lane, order: &mut Vec<usize>) {
    let bits = |dtype: DType| 8 * dtype.size() as u32;
    order.clear();
    order.extend(0..lane.n);
    let mut rest = keys.len();
    while rest > 0 {
        // The last keys that fit into one number; a stable sort by it leaves the earlier to do.
        let (mut first, mut width) = (rest - 1, bits(dtypes[rest - 1]));
        while first > 0 && width + bits(dtypes[first - 1]) <= 64 {
            first -= 1;
            width += bits(dtypes[first]);
        }
        let mut ranks = vec![0u64; lane.n];
        for k in first..rest {
            for_cell!(dtypes[k], R => {
                let key: &[R] = bytemuck::cast_slice(keys[k]);
                for (rank, &at) in ranks.iter_mut().zip(order.iter()) {
                    // Nothing lies above the first key, which may have all the bits.
                    let above = rank.checked_shl(R::RANK_BITS).unwrap_or(0);
                    *rank = above | key[lane.start + at * lane.step].rank();
                }
            });
        }
        let before = std::mem::take(order);
        if width <= 32 && u32::try_from(lane.n).is_ok() {
            let numbered = ranks.iter().enumerate();
            let mut records: Vec<Packed> =
                numbered.map(|(i, rank)| Packed(rank << 32 | i as u64)).collect();
            drop(ranks);
            sort_records(&mut records, width);
            order.extend(records.iter().map(|record| before[record.0 as u32 as usize]));
        } else {
            let mut records: Vec<(u64, usize)> = ranks.into_iter().zip(0..).collect();
            sort_records(&mut records, width);
            order.extend(records.iter().map(|&(_, i)| before[i]));
        }
        rest = first;
    }
}

/// Sorts arrays together along the middle axis of (outer, n, inner), stably and ascending, by the
/// leading `num_keys` of them.
pub fn sort_bytes(
    dtypes: &[DType],
    num_keys: usize,
    extents: [usize; 3],
    inputs: &[&[u8]],
    outputs: &mut [&mut [u8]],
) {
    if let (&[dtype], [x], [out], 1) = (dtypes, inputs, &mut *outputs, num_keys) {
        return for_cell!(dtype, R => {
            let (x, out) = (bytemuck::cast_slice(x), bytemuck::cast_slice_mut(out));
            if R::RANK_BITS <= 32 {
                sort_alone::<R, u32>(lanes(extents), |rank| rank as u32, x, out)
            } else {
                sort_alone::<R, u64>(lanes(extents), |rank| rank, x, out)
            }
        });
    }
    let mut order = Vec::new();
    for lane in lanes(extents) {
        sorted_places(dtypes, &inputs[..num_keys], lane, &mut order);
        for ((&dtype, x), out) in dtypes.iter().zip(inputs).zip(outputs.iter_mut()) {
            for_cell!(dtype, R => {
                let (x, out): (&[R], &mut [R]) =
                    (bytemuck::cast_slice(x), bytemuck::cast_slice_mut(out));
                for (to, from) in lane.places().zip(&order) {
                    out[to] = x[lane.start + from * lane.step];
                }
            });
        }
    }
}

pub(super) fn sort(
    axis: usize,
    num_keys: usize,
    inputs: &[Value],
    types: &[ArrayType],
) -> Result<SmallVec<[Value; 2]>> {
    let dtypes: Vec<DType> = types.iter().map(|ty| ty.dtype).collect();
    let mut buffers: Vec<HostBuffer> =
        types.iter().map(|ty| HostBuffer::try_zeroed(ty.bytes())).collect::<Result<_>>()?;
    let sources: Vec<&[u8]> =
        inputs.iter().map(|x| Ok(x.to_host()?.bytes())).collect::<Result<_>>()?;
    let mut outputs: Vec<&mut [u8]> = buffers.iter_mut().map(HostBuffer::bytes_mut).collect();
    sort_bytes(&dtypes, num_keys, around(&types[0].shape, axis), &sources, &mut outputs);
    Ok(types.iter().cloned().zip(buffers).map(|(ty, b)| Value::host(ty, b)).collect())
}
