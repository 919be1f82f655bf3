//! Reading and updating at computed indices: `take`, `at_indices`, dynamic slices. All are one
//! gather or scatter behind arithmetic on the indices, which says what happens out of range.

use crate::array::elementwise::arithmetic::like;
use crate::array::elementwise::arithmetic::select;
use crate::array::indexing::places::{AtPlaces, Places};
use crate::array::make::fill::{arange, full_typed, iota};
use crate::array::shape::reshape::resolve_axis;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::op::indexing::ScatterOp;
use crate::tracing::bind1;
use crate::types::{ArrayType, Axes, IntoShape, Shape, ShapeDisplay, broadcast_shapes, other_axes};

/// What reading at an index out of range gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutOfRange {
    /// The nearest element there is.
    Clamp,
    /// NaN; of integers the least number, or the largest if they are unsigned; `true`.
    Fill,
    /// The element at the index modulo the extent.
    Wrap,
}

/// Indices as `i32`: those that a wider type holds and `i32` does not stay out of range.
#[track_caller]
fn narrow(index: &Array) -> Result<Array> {
    let ty = index.ty()?;
    let top = i64::from(i32::MAX);
    match ty.dtype {
        DType::I32 => Ok(index.cast(DType::I32)),
        DType::U8 => Ok(index.cast(DType::I32)),
        DType::I64 => Ok(index.clip(-top, top).cast(DType::I32)),
        DType::U32 => Ok(index.minimum(top as u32).cast(DType::I32)),
        DType::U64 => Ok(index.minimum(top as u64).cast(DType::I32)),
        DType::F32 | DType::F64 | DType::Bool => Err(Error::new(
            ErrorKind::DType,
            format!("an array is indexed by whole numbers, not {ty}"),
        )
        .at(here())
        .note("the indices were made", Some(index.location))
        .help("convert with `.cast(DType::I32)`, or choose by a mask with `select`")),
    }
}

/// `i32` indices along an axis of `n` entries, negative ones counted from the end.
#[track_caller]
fn wrapped(index: &Array, n: usize) -> Result<Array> {
    let index = narrow(index)?;
    let extent = i32::try_from(n).unwrap_or(i32::MAX);
    Ok(select(&index.lt(0), &index + extent, &index))
}

/// What [`OutOfRange::Fill`] fills with.
#[track_caller]
pub(crate) fn fill_value(x: &Array) -> Array {
    let ty = ArrayType::scalar(x.dtype());
    match ty.dtype {
        DType::F32 | DType::F64 => like(x, f64::NAN),
        DType::I32 => full_typed(&ty, i32::MIN),
        DType::I64 => full_typed(&ty, i64::MIN),
        DType::U8 => full_typed(&ty, u32::from(u8::MAX)),
        DType::U32 => full_typed(&ty, u32::MAX),
        DType::U64 => full_typed(&ty, u64::MAX),
        DType::Bool => full_typed(&ty, true),
    }
}

/// Reads `x`, whose leading axes are `batch` batch axes and then the indexed ones.
#[track_caller]
pub(crate) fn read(x: &Array, batch: usize, indices: &[Array], mode: OutOfRange) -> Array {
    let extents: Vec<i32> = (x.shape().iter().skip(batch).take(indices.len()))
        .map(|&n| i32::try_from(n).unwrap_or(i32::MAX))
        .collect();
    let gather = |indices: &[Array]| {
        let mut operands = vec![x];
        operands.extend(indices);
        bind1(Op::Gather { batch }, &operands)
    };
    match mode {
        OutOfRange::Clamp => {
            let held: Vec<Array> =
                indices.iter().zip(&extents).map(|(i, &n)| i.clip(0, (n - 1).max(0))).collect();
            gather(&held)
        }
        OutOfRange::Wrap => {
            let held: Vec<Array> =
                indices.iter().zip(&extents).map(|(i, &n)| i.modulo(n.max(1))).collect();
            gather(&held)
        }
        OutOfRange::Fill => {
            let inside = indices.iter().zip(&extents).map(|(i, &n)| i.ge(0) & i.lt(n));
            let read = gather(indices);
            match inside.reduce(|a, b| a & b) {
                Some(inside) if read.error().is_none() => {
                    let axes = (0..inside.rank()).collect();
                    let shape = read.shape().into();
                    let inside = bind1(Op::Broadcast { shape, axes }, &[&inside]);
                    select(&inside, &read, fill_value(&read))
                }
                _ => read,
            }
        }
    }
}

/// The order of axes that brings `front` to the front, and the order that takes it back.
fn fronted(rank: usize, front: &[usize]) -> (Axes, Axes) {
    let order: Axes = front.iter().copied().chain(other_axes(rank, front)).collect();
    let mut back: Axes = order.clone();
    for (i, &axis) in order.iter().enumerate() {
        back[axis] = i;
    }
    (order, back)
}

#[track_caller]
fn permuted(x: &Array, permutation: Axes) -> Array {
    bind1(Op::Transpose { permutation }, &[x])
}

impl Array {
    /// The places of the leading axes that index arrays name, to read or to update. The index
    /// arrays broadcast together to a shape `p`; what is read has shape `p` followed by the axes
    /// that are not indexed. Negative indices count from the end.
    ///
    /// ```
    /// use probpipe_trace::{array, arange};
    /// let x = array([1.0, 2.0, 3.0]);
    /// let i = array([0, -1, 0]);
    /// assert_eq!(x.at_indices([&i]).get().to_vec::<f32>()?, [1.0, 3.0, 1.0]);
    /// assert_eq!(x.at_indices([&i]).add(10.0).to_vec::<f32>()?, [21.0, 2.0, 13.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn at_indices<'a>(&self, indices: impl IntoIterator<Item = &'a Array>) -> AtPlaces {
        let indices: Vec<&Array> = indices.into_iter().collect();
        let places = (|| {
            self.ty()?;
            if indices.is_empty() || indices.len() > self.rank() {
                return Err(Error::new(
                    ErrorKind::Axis,
                    format!("{} index arrays do not fit {}", indices.len(), self.ty()?),
                )
                .at(here())
                .help("give at least one and at most one per axis"));
            }
            let mut shape = Shape::new();
            for index in &indices {
                shape = broadcast_shapes(&shape, index.shape()).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Shape,
                        format!(
                            "index arrays of shapes {} and {} do not broadcast",
                            ShapeDisplay(&shape),
                            ShapeDisplay(index.shape())
                        ),
                    )
                    .at(here())
                    .help("extents, aligned at the last axis, must be equal or 1")
                })?;
            }
            let wrapped = indices
                .iter()
                .zip(self.shape())
                .map(|(index, &n)| Ok(wrapped(index, n)?.broadcast_to(&shape)))
                .collect::<Result<_>>()?;
            Ok(Places::Indices(wrapped))
        })();
        AtPlaces::new(self, places)
    }

    /// The entries that `indices` name along one axis, which makes room for the axes of
    /// `indices`. Negative indices count from the end; out of range gives NaN, see
    /// [`OutOfRange::Fill`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let columns = x.take(array([2, 0]), 1);
    /// assert_eq!(columns.to_vec::<f32>()?, [3.0, 1.0, 6.0, 4.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "lax.index_take")]
    #[doc(alias = "lax.dynamic_index_in_dim")]
    pub fn take(&self, indices: impl Into<Array>, axis: isize) -> Array {
        self.take_mode(indices, axis, OutOfRange::Fill)
    }

    /// [`Array::take`] with a choice of what out of range gives.
    #[track_caller]
    pub fn take_mode(&self, indices: impl Into<Array>, axis: isize, mode: OutOfRange) -> Array {
        let index = indices.into();
        let axis = match resolve_axis("take", self, axis, self.rank()) {
            Ok(axis) => axis,
            Err(error) => return Array::invalid(error, here()),
        };
        let index = match wrapped(&index, self.shape()[axis]) {
            Ok(index) => index,
            Err(error) => return Array::invalid(error, here()),
        };
        let places = index.rank();
        let out = read(&permuted(self, fronted(self.rank(), &[axis]).0), 0, &[index], mode);
        // (indices, before, after) to (before, indices, after)
        let order: Axes = (places..places + axis)
            .chain(0..places)
            .chain(places + axis..places + self.rank() - 1)
            .collect();
        permuted(&out, order)
    }

    /// For every place along the other axes, the entries that `indices` name there: `indices` has
    /// the shape of the array but along `axis`. Out of range as in [`Array::take`].
    #[track_caller]
    pub fn take_along_axis(&self, indices: impl Into<Array>, axis: isize) -> Array {
        let index = indices.into();
        let axis = match resolve_axis("take_along_axis", self, axis, self.rank()) {
            Ok(axis) => axis,
            Err(error) => return Array::invalid(error, here()),
        };
        let others = |x: &Array| -> Shape {
            other_axes(x.rank(), &[axis]).iter().map(|&a| x.shape()[a]).collect()
        };
        if index.error().is_none()
            && (index.rank() != self.rank() || others(&index) != others(self))
        {
            let error = Error::new(
                ErrorKind::Shape,
                format!(
                    "`take_along_axis` along axis {axis} of {}{} cannot use indices of shape {}",
                    self.dtype(),
                    ShapeDisplay(self.shape()),
                    ShapeDisplay(index.shape())
                ),
            )
            .help("all other extents must be equal; see `take` for one list of indices");
            return Array::invalid(error, here());
        }
        let index = match wrapped(&index, self.shape()[axis]) {
            Ok(index) => index,
            Err(error) => return Array::invalid(error, here()),
        };
        let rank = self.rank();
        // All other axes run in step, so they are batch axes and come first.
        let front = other_axes(rank, &[axis]);
        let (order, back) = fronted(rank, &front);
        let index = permuted(&index, order.clone());
        permuted(&read(&permuted(self, order), rank - 1, &[index], OutOfRange::Fill), back)
    }

    /// The block of extents `sizes` that begins at computed `starts`, one number per axis. Starts
    /// are moved so that the block lies inside; negative ones count from the end.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.dynamic_slice(&[array(9)], [2]).to_vec::<f32>()?, [3.0, 4.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn dynamic_slice(&self, starts: &[Array], sizes: impl IntoShape) -> Array {
        let sizes = sizes.into_shape();
        match Block::new("dynamic_slice", self, starts, &sizes) {
            Err(error) => Array::invalid(error, here()),
            Ok(block) if block.indices.is_empty() => self.clone(),
            Ok(block) => {
                let x = permuted(self, block.order);
                permuted(&read(&x, 0, &block.indices, OutOfRange::Clamp), block.back)
            }
        }
    }

    /// The array with the block that begins at computed `starts` replaced by `update`. Starts are
    /// moved so that the block lies inside; negative ones count from the end.
    #[track_caller]
    pub fn dynamic_update_slice(&self, update: impl Into<Array>, starts: &[Array]) -> Array {
        let update = update.into().cast_like(self);
        match Block::new("dynamic_update_slice", self, starts, update.shape()) {
            _ if update.error().is_some() => update,
            Err(error) => Array::invalid(error, here()),
            Ok(block) if block.indices.is_empty() => update,
            Ok(block) => {
                let x = permuted(self, block.order.clone());
                let update = permuted(&update, block.order);
                permuted(&write(ScatterOp::Set, &x, &block.indices, &update), block.back)
            }
        }
    }
}

#[track_caller]
pub(crate) fn write(op: ScatterOp, x: &Array, indices: &[Array], updates: &Array) -> Array {
    let mut operands = vec![x];
    operands.extend(indices);
    operands.push(updates);
    bind1(Op::Scatter { op, batch: 0 }, &operands)
}

/// A block at computed starts: its axes that are smaller than the array's come first.
struct Block {
    order: Axes,
    back: Axes,
    indices: Vec<Array>,
}

impl Block {
    #[track_caller]
    fn new(name: &str, x: &Array, starts: &[Array], sizes: &[usize]) -> Result<Block> {
        let ty = x.ty()?;
        let fits = starts.len() == ty.rank()
            && sizes.len() == ty.rank()
            && sizes.iter().zip(&ty.shape).all(|(size, n)| size <= n);
        if !fits {
            return Err(Error::new(
                ErrorKind::Shape,
                format!(
                    "`{name}` of {ty} cannot take a block of shape {} at {} starts",
                    ShapeDisplay(sizes),
                    starts.len()
                ),
            )
            .at(here())
            .help("give one start per axis and extents that are not larger than the array's"));
        }
        let moving: Axes = (0..ty.rank()).filter(|&a| sizes[a] != ty.shape[a]).collect();
        let shape: Shape = moving.iter().map(|&a| sizes[a]).collect();
        let mut indices = Vec::with_capacity(moving.len());
        for (i, &axis) in moving.iter().enumerate() {
            let start = wrapped(&starts[axis], ty.shape[axis])?;
            if start.rank() != 0 {
                return Err(Error::new(
                    ErrorKind::Shape,
                    format!("`{name}` starts at numbers, not {}", start.ty()?),
                )
                .at(here())
                .help("give a scalar per axis, or use `at_indices`"));
            }
            let last = i32::try_from(ty.shape[axis] - sizes[axis]).unwrap_or(i32::MAX);
            let steps = iota(&ArrayType::new(DType::I32, &shape), i);
            indices.push(start.clip(0, last) + steps);
        }
        let (order, back) = fronted(ty.rank(), &moving);
        Ok(Block { order, back, indices })
    }
}

/// `0, 1, ..` along `axis`, constant along the other axes of `shape`.
#[track_caller]
pub(crate) fn positions(shape: &[usize], axis: usize) -> Array {
    if shape.is_empty() {
        arange(1).reshape(())
    } else {
        iota(&ArrayType::new(DType::I32, shape), axis)
    }
}
