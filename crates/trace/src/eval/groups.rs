//! Combining at indices that are known before the numbers are: data of a program, as where rows of
//! a table belong to groups. Which updates an element takes is then found once.

use super::cells::{Cell, for_cell};
use super::scatter::widely;
use crate::dtype::DType;
use crate::op::indexing::ScatterOp;

/// The updates of each element of an array, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// How many updates there are, those out of range included.
    count: usize,
    /// Elements, and where their updates begin in the list; those with the most come first.
    elements: Vec<(u32, u32)>,
    updates: Vec<u32>,
}

impl Groups {
    /// Of updates at `indices` of an array of `n` elements; those out of range are dropped. None of
    /// more updates than a `u32` counts.
    pub fn of(indices: &[i32], n: usize) -> Option<Groups> {
        let count = u32::try_from(indices.len()).ok()?;
        let mut places: Vec<(u32, u32)> = (indices.iter().zip(0..count))
            .filter_map(|(&i, k)| u32::try_from(i).ok().map(|i| (i, k)))
            .filter(|&(i, _)| (i as usize) < n)
            .collect();
        places.sort_unstable();
        let mut same: Vec<&[(u32, u32)]> = places.chunk_by(|a, b| a.0 == b.0).collect();
        same.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let mut groups = Groups { count: indices.len(), elements: vec![], updates: vec![] };
        for group in same {
            groups.elements.push((group[0].0, groups.updates.len() as u32));
            groups.updates.extend(group.iter().map(|(_, k)| k));
        }
        Some(groups)
    }

    /// Elements with their updates, those with the most first.
    pub fn lists(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let end = self.updates.len() as u32;
        let ends = self.elements.iter().skip(1).map(|next| next.1).chain([end]);
        let list = |(from, to): (u32, u32)| &self.updates[from as usize..to as usize];
        self.elements.iter().zip(ends).map(move |(&(at, from), to)| (at as usize, list((from, to))))
    }

    /// Whether elements become sums of theirs and what there was, each added in the type itself.
    pub fn are_plain_sums(&self, dtype: DType, op: ScatterOp) -> bool {
        let floats = matches!(dtype, DType::F32 | DType::F64);
        floats && op == ScatterOp::Add && !widely(dtype, op, self.count)
    }

    /// As [`scatter_bytes`](super::scatter_bytes) with these indices, along one axis and with
    /// nothing behind it: the same bits, since every element takes its updates in the same order.
    pub fn scatter(&self, dtype: DType, op: ScatterOp, updates: &[u8], out: &mut [u8]) {
        if widely(dtype, op, self.count) {
            let (from, to) = (bytemuck::cast_slice(updates), bytemuck::cast_slice_mut(out));
            return self.each::<f32, f64>(f64::from, |x| x as f32, |x, y| x + y, from, to);
        }
        for_cell!(dtype, R => {
            let (from, to) = (bytemuck::cast_slice(updates), bytemuck::cast_slice_mut(out));
            match op {
                ScatterOp::Set => self.plainly::<R>(|_, y| y, from, to),
                ScatterOp::Add => self.plainly::<R>(R::sum, from, to),
                ScatterOp::Mul => self.plainly::<R>(R::product, from, to),
                ScatterOp::Min => self.plainly::<R>(R::smaller, from, to),
                ScatterOp::Max => self.plainly::<R>(R::larger, from, to),
            }
        });
    }

    fn plainly<T: Cell>(&self, combine: impl Fn(T, T) -> T, updates: &[T], out: &mut [T]) {
        self.each(|x| x, |x| x, combine, updates, out);
    }

    /// Combines in `W`.
    fn each<T: Copy, W: Copy>(
        &self,
        wide: impl Fn(T) -> W,
        narrow: impl Fn(W) -> T,
        combine: impl Fn(W, W) -> W,
        updates: &[T],
        out: &mut [T],
    ) {
        let mut lists = self.lists();
        let next = |x: W, k: u32| combine(x, wide(updates[k as usize]));
        while let Some(first) = lists.next() {
            let others: [(usize, &[u32]); 3] =
                std::array::from_fn(|_| lists.next().unwrap_or((first.0, &[])));
            let [(_, b), (_, c), (_, d)] = others;
            let a = first.1;
            // The first has the most and the last the fewest.
            let x = [first, others[0], others[1], others[2]].map(|(at, _)| wide(out[at]));
            let [to_d, to_c, to_b] = [d.len(), c.len(), b.len()];
            let lists = [&a[..to_d], &b[..to_d], &c[..to_d], d];
            let [w, x, y, z] = together(&next, x, lists);
            let lists = [&a[to_d..to_c], &b[to_d..to_c], &c[to_d..]];
            let [w, x, y] = together(&next, [w, x, y], lists);
            let [w, x] = together(&next, [w, x], [&a[to_c..to_b], &b[to_c..]]);
            let [w] = together(&next, [w], [&a[to_b..]]);
            for (x, (at, list)) in [w, x, y, z].into_iter().zip([first].into_iter().chain(others)) {
                if !list.is_empty() {
                    out[at] = narrow(x);
                }
            }
        }
    }
}

/// Several with lists of one length. A sum waits for the one before it, but not for others, if all
/// are in registers.
#[inline(always)]
fn together<W: Copy, const N: usize>(
    next: impl Fn(W, u32) -> W,
    mut x: [W; N],
    lists: [&[u32]; N],
) -> [W; N] {
    let count = lists.iter().map(|list| list.len()).min().unwrap_or_default();
    let lists = lists.map(|list| &list[..count]);
    for i in 0..count {
        for (x, list) in x.iter_mut().zip(&lists) {
            *x = next(*x, list[i]);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{IndexedDims, scatter_bytes};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// Whatever is combined, and wherever it goes.
        #[test]
        fn groups_combine_as_one_by_one(
            n in 1usize..12,
            places in prop::collection::vec((-2i32..14, -1e3f64..1e3), 0..400),
            op in prop::sample::select(vec![
                ScatterOp::Set, ScatterOp::Add, ScatterOp::Mul, ScatterOp::Min, ScatterOp::Max,
            ]),
            dtype in prop::sample::select(vec![DType::F32, DType::F64, DType::I32, DType::U8]),
        ) {
            let indices: Vec<i32> = places.iter().map(|(i, _)| *i).collect();
            // Aligned as the widest of them is.
            let bytes = |numbers: &mut dyn Iterator<Item = f64>| -> Vec<u64> {
                let mut bytes: Vec<u8> = match dtype {
                    DType::F32 => numbers.flat_map(|x| (x as f32 / 7.0).to_ne_bytes()).collect(),
                    DType::F64 => numbers.flat_map(|x| (x / 7.0).to_ne_bytes()).collect(),
                    DType::I32 => numbers.flat_map(|x| (x as i32).to_ne_bytes()).collect(),
                    _ => numbers.map(|x| x as u8).collect(),
                };
                bytes.resize(bytes.len().next_multiple_of(8), 0);
                bytes.chunks_exact(8).map(bytemuck::pod_read_unaligned).collect()
            };
            fn cut(words: &mut [u64], bytes: usize) -> &mut [u8] {
                &mut bytemuck::cast_slice_mut(words)[..bytes]
            }
            let mut updates = bytes(&mut places.iter().map(|(_, y)| *y));
            let dims = IndexedDims {
                batch: 1,
                extents: [n].into_iter().collect(),
                count: indices.len(),
                rest: 1,
            };
            let start = bytes(&mut (0..n).map(|i| i as f64));
            let (mut want, mut have) = (start.clone(), start);
            let updates = &*cut(&mut updates, places.len() * dtype.size());
            let size = n * dtype.size();
            scatter_bytes(dtype, op, &dims, &[&indices], updates, cut(&mut want, size));
            let groups = Groups::of(&indices, n).expect("a short list");
            groups.scatter(dtype, op, updates, cut(&mut have, size));
            prop_assert_eq!(have, want);
        }
    }
}
