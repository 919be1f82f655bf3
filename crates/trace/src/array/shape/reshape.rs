//! Operations that move elements: reshape, transpose, broadcast, index, slice, pad.
//! Negative axes and indices count from the end.

use crate::context::here;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::tracing::bind1;
use crate::types::{Axes, IntoExtents, IntoShape, Shape, ShapeDisplay};
use std::ops::Range;

/// Axes from 0 with negatives counted from the last, ascending.
#[track_caller]
pub(crate) fn resolve_axes(name: &str, x: &Array, axes: &[isize]) -> Result<Axes> {
    if let Some(error) = x.error() {
        return Err(error.clone());
    }
    // A loop, because the caller's line does not reach into closures.
    let mut resolved = Axes::new();
    for &axis in axes {
        resolved.push(resolve_axis(name, x, axis, x.rank())?);
    }
    resolved.sort_unstable();
    if resolved.windows(2).any(|w| w[0] == w[1]) {
        return Err(Error::new(ErrorKind::Axis, format!("`{name}` names an axis twice: {axes:?}"))
            .at(here())
            .help("name every axis at most once"));
    }
    Ok(resolved)
}

/// One axis from 0, below `rank`.
#[track_caller]
pub(crate) fn resolve_axis(name: &str, x: &Array, axis: isize, rank: usize) -> Result<usize> {
    let resolved = if axis < 0 { axis + rank as isize } else { axis };
    if let Some(error) = x.error() {
        return Err(error.clone());
    }
    if (0..rank as isize).contains(&resolved) {
        return Ok(resolved as usize);
    }
    Err(Error::new(
        ErrorKind::Axis,
        format!("`{name}`: axis {axis} does not fit {}{}", x.dtype(), ShapeDisplay(x.shape())),
    )
    .at(here())
    .note("the array was made", Some(x.location))
    .help(match rank {
        0 => "a scalar has no axes".to_string(),
        _ => format!("axes run from {} to {}", -(rank as isize), rank - 1),
    }))
}

impl Array {
    /// The same elements in row-major order under another shape, in which one extent may be -1:
    /// as many entries as the others leave.
    ///
    /// ```
    /// use probpipe_trace::arange;
    /// let x = arange(6);
    /// assert_eq!(x.reshape([2, 3]).shape(), [2, 3]);
    /// assert_eq!(x.reshape([-1, 2]).shape(), [3, 2]);
    /// assert_eq!(x.reshape([2, 3]).reshape(-1).shape(), [6]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoExtents) -> Array {
        let shape = match shape.into_extents().resolve(self.size()) {
            _ if self.error().is_some() => return self.clone(),
            Ok(shape) => shape,
            Err((message, help)) => {
                let typed = format!("{}{}", self.dtype(), ShapeDisplay(self.shape()));
                let message = format!("`reshape` of {typed} {message}");
                let error = Error::new(ErrorKind::Shape, message).help(help);
                return Array::invalid(error, here());
            }
        };
        if self.error().is_none() && self.shape() == &shape[..] && !self.is_literal() {
            return self.clone();
        }
        bind1(Op::Reshape { shape }, &[self])
    }

    /// All elements along one axis, in row-major order.
    #[track_caller]
    #[doc(alias = "ravel")]
    pub fn flatten(&self) -> Array {
        self.reshape([self.size()])
    }

    /// Repeats the array to a shape; extents, aligned at the last axis, must be equal or 1.
    #[track_caller]
    #[doc(alias = "lax.broadcast_in_dim")]
    #[doc(alias = "lax.broadcast")]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Array {
        let shape = shape.into_shape();
        if self.error().is_some() || self.shape() == &shape[..] {
            return self.clone();
        }
        let Some(lead) = shape.len().checked_sub(self.rank()) else {
            let message = format!(
                "cannot broadcast {}{} to shape {}, which has fewer axes",
                self.dtype(),
                ShapeDisplay(self.shape()),
                ShapeDisplay(&shape)
            );
            let error =
                Error::new(ErrorKind::Shape, message).help("reduce or index the array first");
            return Array::invalid(error, here());
        };
        let axes = (lead..shape.len()).collect();
        bind1(Op::Broadcast { shape, axes }, &[self])
    }

    /// The axes in reverse order; a matrix is transposed.
    #[track_caller]
    pub fn transpose(&self) -> Array {
        let permutation = (0..self.rank()).rev().collect();
        bind1(Op::Transpose { permutation }, &[self])
    }

    /// Axis `i` of the result is axis `permutation[i]` of the array.
    #[track_caller]
    #[doc(alias = "permute_dims")]
    pub fn permute(&self, permutation: impl AsRef<[isize]>) -> Array {
        let mut axes = Axes::new();
        for &axis in permutation.as_ref() {
            match resolve_axis("permute", self, axis, self.rank()) {
                Ok(axis) => axes.push(axis),
                Err(error) => return Array::invalid(error, here()),
            }
        }
        bind1(Op::Transpose { permutation: axes }, &[self])
    }

    /// Exchanges two axes.
    #[track_caller]
    #[doc(alias = "swapaxes")]
    #[doc(alias = "matrix_transpose")]
    #[doc(alias = "linalg.matrix_transpose")]
    pub fn swap_axes(&self, a: isize, b: isize) -> Array {
        let (a, b) = (
            resolve_axis("swap_axes", self, a, self.rank()),
            resolve_axis("swap_axes", self, b, self.rank()),
        );
        match (a, b) {
            (Ok(a), Ok(b)) => {
                let mut permutation: Axes = (0..self.rank()).collect();
                permutation.swap(a, b);
                bind1(Op::Transpose { permutation }, &[self])
            }
            (Err(error), _) | (_, Err(error)) => Array::invalid(error, here()),
        }
    }

    /// Moves one axis to another position, the others keep their order.
    #[track_caller]
    #[doc(alias = "moveaxis")]
    pub fn move_axis(&self, from: isize, to: isize) -> Array {
        let (from, to) = (
            resolve_axis("move_axis", self, from, self.rank()),
            resolve_axis("move_axis", self, to, self.rank()),
        );
        match (from, to) {
            (Ok(from), Ok(to)) if from == to => self.clone(),
            (Ok(from), Ok(to)) => {
                let mut permutation: Axes = (0..self.rank()).filter(|&a| a != from).collect();
                permutation.insert(to, from);
                bind1(Op::Transpose { permutation }, &[self])
            }
            (Err(error), _) | (_, Err(error)) => Array::invalid(error, here()),
        }
    }

    /// A new axis of extent 1 before position `axis` of the result.
    #[track_caller]
    pub fn expand_dims(&self, axis: isize) -> Array {
        match resolve_axis("expand_dims", self, axis, self.rank() + 1) {
            Ok(axis) => {
                let mut shape = Shape::from_slice(self.shape());
                shape.insert(axis, 1);
                self.reshape(shape)
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// Drops an axis of extent 1.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Array {
        match resolve_axis("squeeze", self, axis, self.rank()) {
            Ok(axis) => {
                let mut shape = Shape::from_slice(self.shape());
                if shape[axis] == 1 {
                    shape.remove(axis);
                } else {
                    let error = Error::new(
                        ErrorKind::Axis,
                        format!("`squeeze`: axis {axis} of {} is not 1", ShapeDisplay(&shape)),
                    )
                    .help("index or reduce an axis with several entries");
                    return Array::invalid(error, here());
                }
                self.reshape(shape)
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// Entry `index` along the leading axis, which vanishes.
    #[track_caller]
    pub fn at(&self, index: isize) -> Array {
        self.at_axis(0, index)
    }

    /// Entry `index` along `axis`, which vanishes.
    #[track_caller]
    #[doc(alias = "lax.index_in_dim")]
    pub fn at_axis(&self, axis: isize, index: isize) -> Array {
        let axis = match resolve_axis("at", self, axis, self.rank()) {
            Ok(axis) => axis,
            Err(error) => return Array::invalid(error, here()),
        };
        let n = self.shape()[axis] as isize;
        let i = if index < 0 { index + n } else { index };
        if !(0..n).contains(&i) {
            let error = Error::new(
                ErrorKind::Axis,
                format!(
                    "index {index} is outside axis {axis} of {}{}",
                    self.dtype(),
                    ShapeDisplay(self.shape())
                ),
            )
            .note("the array was made", Some(self.location))
            .help(format!("the axis has {n} entries"));
            return Array::invalid(error, here());
        }
        let mut shape = Shape::from_slice(self.shape());
        shape.remove(axis);
        self.slice_axis(axis as isize, i as usize..i as usize + 1).reshape(shape)
    }

    /// The entries `range` along one axis.
    #[track_caller]
    #[doc(alias = "lax.slice_in_dim")]
    pub fn slice_axis(&self, axis: isize, range: Range<usize>) -> Array {
        match resolve_axis("slice", self, axis, self.rank()) {
            Ok(axis) => {
                let mut start: Shape = smallvec::smallvec![0; self.rank()];
                let mut limit = Shape::from_slice(self.shape());
                (start[axis], limit[axis]) = (range.start, range.end);
                let stride = smallvec::smallvec![1; self.rank()];
                bind1(Op::Slice { start, limit, stride }, &[self])
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// The block `ranges`, one per axis.
    #[track_caller]
    pub fn slice(&self, ranges: impl AsRef<[Range<usize>]>) -> Array {
        let ranges = ranges.as_ref();
        self.slice_strided(ranges, smallvec::smallvec![1; ranges.len()])
    }

    /// Every `stride`-th entry of the block `ranges`, one of each per axis.
    #[track_caller]
    pub fn slice_strided(
        &self,
        ranges: impl AsRef<[Range<usize>]>,
        stride: impl IntoShape,
    ) -> Array {
        let ranges = ranges.as_ref();
        let start = ranges.iter().map(|r| r.start).collect();
        let limit = ranges.iter().map(|r| r.end).collect();
        bind1(Op::Slice { start, limit, stride: stride.into_shape() }, &[self])
    }

    /// The elements in reverse order along one axis.
    #[track_caller]
    #[doc(alias = "fliplr")]
    #[doc(alias = "flipud")]
    #[doc(alias = "lax.rev")]
    pub fn flip(&self, axis: isize) -> Array {
        match resolve_axes("flip", self, &[axis]) {
            Ok(axes) => bind1(Op::Reverse { axes }, &[self]),
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// `low` copies of `value` before and `high` after the elements of every axis.
    #[track_caller]
    pub fn pad(&self, low: impl IntoShape, high: impl IntoShape, value: impl Into<Array>) -> Array {
        let interior = smallvec::smallvec![0; self.rank()];
        let op = Op::Pad { low: low.into_shape(), high: high.into_shape(), interior };
        bind1(op, &[self, &value.into().cast_like(self)])
    }
}
