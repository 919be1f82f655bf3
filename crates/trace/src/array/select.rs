//! Repeating, shifting and choosing by place: functions of views, masks and scatters.

use super::elementwise::select;
use super::indexing::positions;
use super::shape::resolve_axis;
use super::sort::zeros_of;
use super::{Array, concat, ones_like, zeros_like};
use crate::op::{Op, ScatterOp};
use crate::tracing::{bind1, default_float, here};
use crate::{DType, Error, ErrorKind, IntoShape, Shape, ShapeDisplay};

impl Array {
    /// Every entry along one axis `count` times in a row.
    #[track_caller]
    pub fn repeat(&self, count: usize, axis: isize) -> Array {
        let axis = match resolve_axis("repeat", self, axis, self.rank()) {
            Ok(axis) => axis,
            Err(error) => return Array::invalid(error, here()),
        };
        let mut wide = Shape::from_slice(self.shape());
        wide.insert(axis + 1, count);
        let mut shape = Shape::from_slice(self.shape());
        shape[axis] = shape[axis].saturating_mul(count);
        let axes = (0..wide.len()).filter(|&a| a != axis + 1).collect();
        bind1(Op::Broadcast { shape: wide, axes }, &[self]).reshape(shape)
    }

    /// The whole array `counts[i]` times along axis `i`, aligned at the last axis.
    #[track_caller]
    pub fn tile(&self, counts: impl IntoShape) -> Array {
        let counts = counts.into_shape();
        let rank = counts.len().max(self.rank());
        let padded = |list: &[usize]| -> Shape {
            std::iter::repeat_n(1, rank - list.len()).chain(list.iter().copied()).collect()
        };
        let (counts, old) = (padded(&counts), padded(self.shape()));
        let wide: Shape = counts.iter().zip(&old).flat_map(|(&c, &n)| [c, n]).collect();
        let shape: Shape = counts.iter().zip(&old).map(|(&c, &n)| c.saturating_mul(n)).collect();
        let axes = (0..rank).map(|a| 2 * a + 1).collect();
        bind1(Op::Broadcast { shape: wide, axes }, &[&self.reshape(&old)]).reshape(shape)
    }

    /// The entries moved by `shift` places along one axis; those that leave come in at the other
    /// end.
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Array {
        let resolved = match resolve_axis("roll", self, axis, self.rank()) {
            Ok(resolved) => resolved,
            Err(error) => return Array::invalid(error, here()),
        };
        let n = self.shape()[resolved];
        let cut = if n == 0 { 0 } else { (-shift).rem_euclid(n as isize) as usize };
        if cut == 0 {
            return self.clone();
        }
        concat(&[self.slice_axis(axis, cut..n), self.slice_axis(axis, 0..cut)], axis)
    }

    /// The differences of neighbours along one axis.
    #[track_caller]
    pub fn diff(&self, axis: isize) -> Array {
        match resolve_axis("diff", self, axis, self.rank()) {
            Ok(resolved) => {
                let n = self.shape()[resolved];
                self.slice_axis(axis, n.min(1)..n) - self.slice_axis(axis, 0..n.saturating_sub(1))
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// Zeros above diagonal `k` of the last two axes; 0 is the main one, 1 the one above.
    #[track_caller]
    pub fn tril(&self, k: i32) -> Array {
        self.triangle("tril", |column, row| column.le(row + k))
    }

    /// Zeros below diagonal `k` of the last two axes.
    #[track_caller]
    pub fn triu(&self, k: i32) -> Array {
        self.triangle("triu", |column, row| column.ge(row + k))
    }

    #[track_caller]
    fn triangle(&self, name: &str, keep: impl Fn(Array, Array) -> Array) -> Array {
        if let Err(error) = self.matrices(name) {
            return Array::invalid(error, here());
        }
        let last = &self.shape()[self.rank() - 2..];
        select(&keep(positions(last, 1), positions(last, 0)), self, zeros_like(self))
    }

    /// Diagonal `k` of the last two axes, as the last axis.
    #[track_caller]
    pub fn diagonal(&self, k: isize) -> Array {
        if let Err(error) = self.matrices("diagonal") {
            return Array::invalid(error, here());
        }
        let rank = self.rank();
        let (m, n) = (self.shape()[rank - 2], self.shape()[rank - 1]);
        let (row, column) = (k.min(0).unsigned_abs(), k.max(0).unsigned_abs());
        let length = m.saturating_sub(row).min(n.saturating_sub(column));
        let mut shape = Shape::from_slice(&self.shape()[..rank - 2]);
        shape.push(m * n);
        let flat = self.reshape(shape);
        // The next element of a diagonal is one row down and one column on.
        let start = if length == 0 { 0 } else { row * n + column };
        let limit = if length == 0 { 0 } else { start + (length - 1) * (n + 1) + 1 };
        let mut ranges: Vec<_> = self.shape()[..rank - 2].iter().map(|&n| 0..n).collect();
        let mut stride: Shape = smallvec::smallvec![1; rank - 1];
        ranges.push(start..limit);
        stride[rank - 2] = n + 1;
        flat.slice_strided(ranges, stride)
    }

    #[track_caller]
    fn matrices(&self, name: &str) -> crate::Result<()> {
        let ty = self.ty()?;
        if ty.rank() >= 2 {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Shape, format!("`{name}` takes matrices, not {ty}"))
            .at(here())
            .help("the last two axes are rows and columns"))
    }
}

/// Of a vector, the matrix with it on diagonal `k` and zeros elsewhere; of a matrix, its diagonal.
#[track_caller]
pub fn diag(x: &Array, k: isize) -> Array {
    if x.error().is_some() || x.rank() != 1 {
        return x.diagonal(k);
    }
    let (above, below) = (k.max(0).unsigned_abs(), k.min(0).unsigned_abs());
    let n = x.shape()[0] + above + below;
    // Element i is in row i if the diagonal is above the main one, else in column i.
    let padded = x.pad([0], [above + below], 0);
    let spread = if k >= 0 { padded.reshape([n, 1]) } else { padded.reshape([1, n]) };
    let shape = [n, n];
    let shift = i32::try_from(k).unwrap_or(i32::MAX);
    let mask = positions(&shape, 1).eq(positions(&shape, 0) + shift);
    let spread = spread.broadcast_to(shape);
    select(&mask, &spread, zeros_like(&spread))
}

/// For each index a vector of the default float type: one at the index, zeros elsewhere, all zeros
/// if it is not in `0..count`.
#[track_caller]
pub fn one_hot(indices: impl Into<Array>, count: usize) -> Array {
    let indices = indices.into();
    if indices.error().is_none() && !indices.dtype().is_integer() {
        let error = Error::new(
            ErrorKind::DType,
            format!(
                "`one_hot` takes whole numbers, not {}{}",
                indices.dtype(),
                ShapeDisplay(indices.shape())
            ),
        )
        .help("convert with `.cast(DType::I32)`");
        return Array::invalid(error, here());
    }
    let classes = positions(&[count], 0).cast(indices.dtype());
    indices.expand_dims(indices.rank() as isize).eq(classes).cast(default_float())
}

/// The sums of the entries of `data` that share a segment: entry `i` along the leading axis goes to
/// segment `segments[i]`, and nowhere if that is not in `0..count`.
#[track_caller]
pub fn segment_sum(data: &Array, segments: &Array, count: usize) -> Array {
    if data.error().is_some() {
        return data.clone();
    }
    let mut shape = Shape::from_slice(data.shape());
    match shape.first_mut() {
        Some(n) => *n = count,
        None => return data.sum_axes([0]),
    }
    let zeros = zeros_of(data.dtype(), &shape);
    // Wider types keep what is out of range out of range.
    let top = i32::try_from(count).unwrap_or(i32::MAX);
    let segments = match segments.dtype() {
        DType::I64 => segments.clip(-1i64, i64::from(top)).cast(DType::I32),
        DType::U32 | DType::U64 => segments.minimum(top).cast(DType::I32),
        DType::U8 => segments.cast(DType::I32),
        DType::I32 | DType::F32 | DType::F64 | DType::Bool => segments.clone(),
    };
    bind1(Op::Scatter { op: ScatterOp::Add, batch: 0 }, &[&zeros, &segments, data])
}

/// How often each number of `0..count` appears, as `i32`; other numbers are not counted.
#[track_caller]
pub fn bincount(x: &Array, count: usize) -> Array {
    let x = x.flatten();
    segment_sum(&ones_like(&x).cast(DType::I32), &x, count)
}
