//! Indexing by several parts at once, as between NumPy's brackets: numbers, ranges with steps, new
//! axes, an ellipsis and index arrays, to read and to update.

use crate::array::indexing::gather::OutOfRange;
use crate::array::indexing::places::{AtPlaces, Index, IntoIndices, Places};
use crate::array::make::fill::iota;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::tracing::bind1;
use crate::types::{ArrayType, Axes, other_axes};

/// The first entry, the number of entries and the step of a slice of `n`.
fn entries(n: usize, start: Option<isize>, stop: Option<isize>, step: isize) -> (isize, usize) {
    let n = n as isize;
    // Where steps can begin and end: one before the first entry when they lead down.
    let (low, high) = if step < 0 { (-1, n - 1) } else { (0, n) };
    let held = |bound: isize| (if bound < 0 { bound + n } else { bound }).clamp(low, high);
    let (first, last) = if step < 0 { (high, low) } else { (low, high) };
    let start = start.map_or(first, held);
    let stop = stop.map_or(last, held);
    let span = if step < 0 { start - stop } else { stop - start };
    (start, span.max(0).unsigned_abs().div_ceil(step.unsigned_abs()))
}

impl Array {
    /// What the parts of an index name, as `x[1:, None, i]` in NumPy: a tuple of numbers, ranges,
    /// `..`, [`Index`] parts and index arrays. Index arrays broadcast together; their axes stand
    /// where the first of them does, or in front if other parts come between them. An index array
    /// out of range reads the nearest entry, a number out of range is an error.
    ///
    /// ```
    /// use probpipe_trace::{array, Index};
    /// let x = array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.index((1, 1..)).to_vec::<f32>()?, [5.0, 6.0]);
    /// assert_eq!(x.index((.., Index::step(-2))).to_vec::<f32>()?, [3.0, 1.0, 6.0, 4.0]);
    /// assert_eq!(x.index((.., Index::NewAxis, 0)).shape(), [2, 1]);
    /// assert_eq!(x.index((.., &array([2, 0]))).to_vec::<f32>()?, [3.0, 1.0, 6.0, 4.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn index(&self, parts: impl IntoIndices) -> Array {
        self.index_mode(parts, OutOfRange::Clamp)
    }

    /// [`Array::index`] with a choice of what an index array out of range gives.
    #[track_caller]
    pub fn index_mode(&self, parts: impl IntoIndices, mode: OutOfRange) -> Array {
        match self.indexed(parts.into_indices(), mode) {
            Ok(array) => array,
            Err(error) => Array::invalid(error, here()),
        }
    }

    #[track_caller]
    pub(crate) fn indexed(&self, parts: Vec<Index>, mode: OutOfRange) -> Result<Array> {
        self.ty()?;
        let parts = self.spelled_out(parts)?;
        let mut x = self.clone();
        let mut axis = 0usize;
        // The positions among the parts, the axes and the indices of index arrays.
        let mut arrays: Vec<(usize, usize, Array)> = Vec::new();
        for (i, part) in parts.into_iter().enumerate() {
            let n = x.shape().get(axis).copied().unwrap_or(0);
            match part {
                Index::At(at) => x = x.at_axis(axis as isize, at),
                Index::NewAxis => {
                    x = x.expand_dims(axis as isize);
                    axis += 1;
                }
                Index::Slice { start: None, stop: None, step: 1 } => axis += 1,
                Index::Slice { start, stop, step } => {
                    let (start, count) = entries(n, start, stop, step);
                    let reach = (count.max(1) - 1) as isize * step;
                    let low = if count == 0 { 0 } else { start.min(start + reach) as usize };
                    let high = if count == 0 { 0 } else { low + reach.unsigned_abs() + 1 };
                    let mut ranges: Vec<_> = x.shape().iter().map(|&n| 0..n).collect();
                    let mut strides = vec![1; x.rank()];
                    (ranges[axis], strides[axis]) = (low..high, step.unsigned_abs());
                    x = x.slice_strided(ranges, strides);
                    if step < 0 {
                        x = x.flip(axis as isize);
                    }
                    axis += 1;
                }
                Index::Array(indices) => {
                    arrays.push((i, axis, indices));
                    axis += 1;
                }
                Index::Ellipsis => {}
            }
        }
        let (Some(first), Some(last)) = (arrays.first(), arrays.last()) else { return Ok(x) };
        let apart = last.0 - first.0 + 1 != arrays.len();
        let place = if apart { 0 } else { first.1 };
        let front: Axes = arrays.iter().map(|a| a.1).collect();
        let permutation: Axes = front.iter().copied().chain(other_axes(x.rank(), &front)).collect();
        let x = bind1(Op::Transpose { permutation }, &[&x]);
        let read = x.at_indices(arrays.iter().map(|a| &a.2)).get_mode(mode);
        read.ty()?;
        // The index axes go where the first index array stands.
        let axes = read.rank() - (x.rank() - front.len());
        let permutation: Axes =
            (axes..axes + place).chain(0..axes).chain(axes + place..read.rank()).collect();
        Ok(bind1(Op::Transpose { permutation }, &[&read]))
    }

    /// The parts with the ellipsis replaced by whole axes, and numbers beside index arrays by
    /// index arrays, after checking that they fit.
    #[track_caller]
    fn spelled_out(&self, parts: Vec<Index>) -> Result<Vec<Index>> {
        let fault = |message: String, help: &str| {
            Err(Error::new(ErrorKind::Axis, message).at(here()).help(help))
        };
        let taken = |p: &Index| !matches!(p, Index::NewAxis | Index::Ellipsis);
        let axes = parts.iter().filter(|p| taken(p)).count();
        let dots = parts.iter().filter(|p| matches!(p, Index::Ellipsis)).count();
        if axes > self.rank() || dots > 1 {
            let message = format!("an index of {axes} axes does not fit {}", self.ty()?);
            return fault(message, "give at most one part per axis, and one ellipsis");
        }
        let arrays = parts.iter().any(|p| matches!(p, Index::Array(_)));
        let mut spelled = Vec::with_capacity(self.rank());
        let mut axis = 0;
        for part in parts {
            match part {
                Index::Ellipsis => {
                    let rest = self.rank() - axes;
                    spelled.extend((0..rest).map(|_| Index::step(1)));
                    axis += rest;
                    continue;
                }
                Index::Slice { step: 0, .. } => {
                    return fault("a slice takes no steps of 0".to_string(), "steps are 1 or more");
                }
                Index::Array(indices) => {
                    if indices.dtype() == DType::Bool {
                        indices.ty()?;
                        return fault(
                            format!("a mask {} names no fixed number of entries", indices.ty()?),
                            "choose with `select(mask, x, other)`, or update with `at_mask`",
                        );
                    }
                    spelled.push(Index::Array(indices));
                }
                Index::At(at) if arrays => {
                    let n = self.shape()[axis] as isize;
                    if !(-n..n).contains(&at) {
                        let message = format!("index {at} does not fit {} entries", n);
                        return fault(message, "negative indices count from the end");
                    }
                    spelled.push(Index::Array(Array::from(at as i64)));
                }
                Index::NewAxis => {
                    spelled.push(Index::NewAxis);
                    continue;
                }
                part @ (Index::At(_) | Index::Slice { .. }) => spelled.push(part),
            }
            axis += 1;
        }
        Ok(spelled)
    }
}

impl Array {
    /// The places that the parts of an index name, to read or to update:
    /// `x.at_index((.., &i)).add(y)` for NumPy's `x[:, i] += y`. The parts are those of
    /// [`Array::index`]; index arrays out of range name nothing.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.at_index((.., 0)).set(array([7.0, 8.0]));
    /// assert_eq!(y.to_vec::<f32>()?, [7.0, 2.0, 8.0, 4.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn at_index(&self, parts: impl IntoIndices) -> AtPlaces {
        let parts = parts.into_indices();
        let places = (|| {
            let ty = self.ty()?;
            let Ok(size) = i32::try_from(ty.size()) else {
                let message = format!("the entries of {ty} are too many to index");
                return Err(Error::new(ErrorKind::Shape, message).at(here()));
            };
            let all = iota(&ArrayType::new(DType::I32, [size as usize]), 0).reshape(&ty.shape);
            let positions = all.indexed(parts.clone(), OutOfRange::Fill)?;
            Ok(Places::Parts { parts, positions })
        })();
        AtPlaces::new(self, places)
    }

    /// The places where a mask is true, to update. The mask broadcasts to the array.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([1.0, -2.0, 3.0]);
    /// assert_eq!(x.at_mask(&x.lt(0.0)).set(0.0).to_vec::<f32>()?, [1.0, 0.0, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn at_mask(&self, mask: &Array) -> AtPlaces {
        let mask = mask.broadcast_to(self.shape());
        let places = self.ty().and_then(|_| mask.ty()).map(|_| Places::Mask(mask.clone()));
        AtPlaces::new(self, places)
    }
}
