//! Rearrangements made of slices, concatenations and broadcasts, and choices among several.

use crate::array::elementwise::arithmetic::select;
use crate::array::shape::join::concat;
use crate::array::shape::reshape::resolve_axes;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::types::Shape;

impl Array {
    /// The pieces of an axis that end before each of `ends`, and what is left.
    #[track_caller]
    pub fn split(&self, ends: &[usize], axis: isize) -> Vec<Array> {
        let extent = match resolve_axes("split", self, &[axis]) {
            Ok(axes) => self.shape()[axes[0]],
            Err(error) => return vec![Array::invalid(error, here()); ends.len() + 1],
        };
        let mut start = 0;
        let mut pieces = Vec::with_capacity(ends.len() + 1);
        for &end in ends.iter().chain([&extent]) {
            pieces.push(self.slice_axis(axis, start..end));
            start = end;
        }
        pieces
    }

    /// The elements moved `shift` places along an axis; those that fall off come in at the start.
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Array {
        let n = match resolve_axes("roll", self, &[axis]) {
            Ok(axes) => self.shape()[axes[0]],
            Err(error) => return Array::invalid(error, here()),
        };
        if n == 0 {
            return self.clone();
        }
        let cut = (-shift).rem_euclid(n as isize) as usize;
        concat(&[self.slice_axis(axis, cut..n), self.slice_axis(axis, 0..cut)], axis)
    }

    /// The array repeated `counts[i]` times along axis `i`, one count per axis.
    #[track_caller]
    pub fn tile(&self, counts: &[usize]) -> Array {
        let lead = counts.len().saturating_sub(self.rank());
        let mut shape: Shape = smallvec::smallvec![1; lead];
        shape.extend_from_slice(self.shape());
        let missing = shape.len() - counts.len();
        let counts: Vec<usize> =
            std::iter::repeat_n(1, missing).chain(counts.iter().copied()).collect();
        let interleave = |spread: bool| -> Shape {
            let pair = |(&n, &c): (&usize, &usize)| [if spread { c } else { 1 }, n];
            shape.iter().zip(&counts).flat_map(pair).collect()
        };
        let joined: Shape = shape.iter().zip(&counts).map(|(n, c)| n * c).collect();
        self.reshape(interleave(false)).broadcast_to(interleave(true)).reshape(joined)
    }

    /// Every entry along an axis `count` times in a row.
    #[track_caller]
    pub fn repeat(&self, count: usize, axis: isize) -> Array {
        let axis = match resolve_axes("repeat", self, &[axis]) {
            Ok(axes) => axes[0],
            Err(error) => return Array::invalid(error, here()),
        };
        let mut shape = Shape::from_slice(self.shape());
        shape.insert(axis + 1, count);
        let spread = self.expand_dims(axis as isize + 1).broadcast_to(&shape);
        shape.remove(axis + 1);
        shape[axis] *= count;
        spread.reshape(shape)
    }

    /// The first two axes turned by a quarter, from the first toward the second, `turns` times.
    #[track_caller]
    pub fn rot90(&self, turns: isize) -> Array {
        match turns.rem_euclid(4) {
            0 => self.clone(),
            1 => self.flip(1).swap_axes(0, 1),
            2 => self.flip(0).flip(1),
            _ => self.swap_axes(0, 1).flip(1),
        }
    }
}

/// From `cases` the element of the array whose position `which` holds; the last for positions
/// beyond. `which` may be `bool`.
#[track_caller]
pub fn select_n(which: &Array, cases: &[Array]) -> Array {
    let Some((last, rest)) = cases.split_last() else {
        let error = Error::new(ErrorKind::Shape, "`select_n` needs a case to choose");
        return Array::invalid(error.help("give at least one array"), here());
    };
    let which = match which.dtype() {
        DType::Bool => which.cast(DType::I32),
        _ => which.clone(),
    };
    let mut chosen = last.clone();
    for (i, case) in rest.iter().enumerate().rev() {
        chosen = select(&which.eq(i), case, chosen);
    }
    chosen
}

/// Grids of coordinates from vectors. The first axis follows the first vector with `"ij"`
/// indexing (`matrix` true), the second with `"xy"`.
#[track_caller]
pub fn meshgrid(vectors: &[Array], matrix: bool) -> Vec<Array> {
    if let Some(invalid) = vectors.iter().find(|v| v.error().is_some()) {
        return vec![invalid.clone(); vectors.len()];
    }
    let shape: Shape = vectors.iter().map(Array::size).collect();
    let mut grids = Vec::with_capacity(vectors.len());
    for (i, v) in vectors.iter().enumerate() {
        let mut along: Shape = smallvec::smallvec![1; shape.len()];
        along[i] = v.size();
        let full = v.reshape(along).broadcast_to(&shape);
        grids.push(if matrix || shape.len() < 2 { full } else { full.swap_axes(0, 1) });
    }
    grids
}
