//! Matrices by their diagonals and triangles, through strided views and masks. Leading axes of
//! operands are batch axes.

use crate::array::elementwise::arithmetic::{like, select};
use crate::array::make::fill::{iota, zeros, zeros_like};
use crate::array::shape::join::{concat, stack};
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::Op;
use crate::tracing::bind1;
use crate::types::{ArrayType, Shape};
use smallvec::smallvec;

impl Array {
    /// The main diagonal along the last two axes: `[..., m, n]` to `[..., min(m, n)]`.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let m = array([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(m.diagonal().to_vec::<f32>()?, [1.0, 4.0]);
    /// assert_eq!(m.diagonal_offset(1).to_vec::<f32>()?, [2.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(&self) -> Array {
        self.diagonal_offset(0)
    }

    /// The diagonal `offset` places right of the main one, along the last two axes.
    #[track_caller]
    pub fn diagonal_offset(&self, offset: isize) -> Array {
        let Some((batch, m, n)) = self.matrix_shape() else { return self.no_matrix("diagonal") };
        let (down, right) = ((-offset).max(0) as usize, offset.max(0) as usize);
        let length = m.saturating_sub(down).min(n.saturating_sub(right));
        // In row-major order the diagonal is every (n + 1)-th element.
        let mut flat = Shape::from_slice(batch);
        flat.push(m * n);
        let (mut ranges, mut stride): (Vec<_>, Shape) =
            (flat.iter().map(|&extent| 0..extent).collect(), smallvec![1; flat.len()]);
        let start = if length == 0 { 0 } else { down * n + right };
        let limit = if length == 0 { 0 } else { start + (length - 1) * (n + 1) + 1 };
        let last = flat.len() - 1;
        (ranges[last], stride[last]) = (start..limit, n + 1);
        self.reshape(flat).slice_strided(ranges, stride)
    }

    /// A square matrix with the elements of a vector on its diagonal, zeros elsewhere. The diagonal
    /// of a matrix is [`Array::diagonal`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([1.0, 2.0]).diag().to_vec::<f32>()?, [1.0, 0.0, 0.0, 2.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn diag(&self) -> Array {
        self.diag_offset(0)
    }

    /// A square matrix with the elements of a vector `offset` places right of the main diagonal,
    /// zeros elsewhere.
    #[track_caller]
    pub fn diag_offset(&self, offset: isize) -> Array {
        if self.rank() != 1 {
            if let Some(error) = self.error() {
                return Array::invalid(error.clone(), here());
            }
            let message = format!("`diag` takes a vector, not an array of {} axes", self.rank());
            let error =
                Error::new(ErrorKind::Shape, message).help("see `diagonal` for the other way");
            return Array::invalid(error, here());
        }
        let (length, side) = (self.size(), self.size() + offset.unsigned_abs());
        if length == 0 {
            return like(self, 0.0).broadcast_to([side, side]);
        }
        let start = (-offset).max(0) as usize * side + offset.max(0) as usize;
        let end = start + (length - 1) * (side + 1) + 1;
        let op = Op::Pad {
            low: smallvec![start],
            high: smallvec![side * side - end],
            interior: smallvec![side],
        };
        let zero = like(self, 0.0);
        bind1(op, &[self, &zero]).reshape([side, side])
    }

    /// The sum of the main diagonal: `[..., m, n]` to `[...]`.
    #[track_caller]
    pub fn trace(&self) -> Array {
        self.trace_offset(0)
    }

    /// The sum of the diagonal `offset` places right of the main one.
    #[track_caller]
    pub fn trace_offset(&self, offset: isize) -> Array {
        match self.matrix_shape() {
            Some(_) => self.diagonal_offset(offset).sum_axes(-1),
            None => self.no_matrix("trace"),
        }
    }

    /// The elements on and below the main diagonal, zeros above.
    #[track_caller]
    pub fn tril(&self) -> Array {
        self.tril_offset(0)
    }

    /// The elements on and below the diagonal `offset` places right of the main one, zeros above.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let m = array([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(m.tril().to_vec::<f32>()?, [1.0, 0.0, 3.0, 4.0]);
    /// assert_eq!(m.tril_offset(-1).to_vec::<f32>()?, [0.0, 0.0, 3.0, 0.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn tril_offset(&self, offset: isize) -> Array {
        let Some((_, m, n)) = self.matrix_shape() else { return self.no_matrix("tril") };
        select(below(m, n, offset), self, zeros_like(self))
    }

    /// The elements on and above the main diagonal, zeros below.
    #[track_caller]
    pub fn triu(&self) -> Array {
        self.triu_offset(0)
    }

    /// The elements on and above the diagonal `offset` places right of the main one, zeros below.
    #[track_caller]
    pub fn triu_offset(&self, offset: isize) -> Array {
        let Some((_, m, n)) = self.matrix_shape() else { return self.no_matrix("triu") };
        select(below(m, n, offset.saturating_sub(1)), zeros_like(self), self)
    }

    /// 1 at the position that each element names along a new last axis of `classes` entries, else
    /// 0; all zeros for a position outside.
    #[track_caller]
    pub fn one_hot(&self, classes: usize) -> Array {
        let positions = iota(&ArrayType::new(self.dtype(), [classes]), 0);
        self.expand_dims(-1).eq(positions).to_float()
    }

    fn matrix_shape(&self) -> Option<(&[usize], usize, usize)> {
        match self.shape() {
            [batch @ .., m, n] => Some((batch, *m, *n)),
            _ => None,
        }
    }

    #[track_caller]
    fn no_matrix(&self, name: &str) -> Array {
        if let Some(error) = self.error() {
            return Array::invalid(error.clone(), here());
        }
        let message = format!("`{name}` takes a matrix, not an array of {} axes", self.rank());
        let help = "give an array of two or more axes";
        Array::invalid(Error::new(ErrorKind::Shape, message).help(help), here())
    }
}

/// Where column <= row + offset.
#[track_caller]
fn below(m: usize, n: usize, offset: isize) -> Array {
    let ty = ArrayType::new(DType::I32, [m, n]);
    // Offsets beyond the matrix mean the same as those at its edge.
    let offset = offset.clamp(-(m as isize), n as isize) as i32;
    iota(&ty, 1).le(iota(&ty, 0) + offset)
}

/// Ones on and below the diagonal `offset` places right of the main one, zeros above.
#[track_caller]
pub fn tri(m: usize, n: usize, offset: isize) -> Array {
    below(m, n, offset).to_float()
}

/// Ones on the diagonal `offset` places right of the main one, zeros elsewhere.
#[track_caller]
pub fn eye_offset(m: usize, n: usize, offset: isize) -> Array {
    (below(m, n, offset) & !below(m, n, offset.saturating_sub(1))).to_float()
}

/// The rows and the columns, as `i32`, of the elements on and below the main diagonal of an `n` by
/// `n` matrix, row by row.
///
/// ```
/// use probpipe_trace::{array, tril_indices};
/// let m = array([[1.0, 2.0], [3.0, 4.0]]);
/// let packed = m.at_indices(&tril_indices(2)).get();
/// assert_eq!(packed.to_vec::<f32>()?, [1.0, 3.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn tril_indices(n: usize) -> [Array; 2] {
    tril_indices_offset(n, n, 0)
}

/// The rows and the columns of the elements on and below the diagonal `offset` places right of the
/// main one of an `m` by `n` matrix, row by row.
#[track_caller]
pub fn tril_indices_offset(m: usize, n: usize, offset: isize) -> [Array; 2] {
    places(m, n, |i, j| j <= i.saturating_add(offset))
}

/// The rows and the columns, as `i32`, of the elements on and above the main diagonal of an `n` by
/// `n` matrix, row by row.
#[track_caller]
pub fn triu_indices(n: usize) -> [Array; 2] {
    triu_indices_offset(n, n, 0)
}

/// The rows and the columns of the elements on and above the diagonal `offset` places right of the
/// main one of an `m` by `n` matrix, row by row.
#[track_caller]
pub fn triu_indices_offset(m: usize, n: usize, offset: isize) -> [Array; 2] {
    places(m, n, |i, j| j >= i.saturating_add(offset))
}

/// Where a matrix is that has something: the indices of rows and of columns.
#[track_caller]
fn places(m: usize, n: usize, there: impl Fn(isize, isize) -> bool) -> [Array; 2] {
    let (mut rows, mut columns) = (Vec::new(), Vec::new());
    for i in 0..m {
        for j in (0..n).filter(|&j| there(i as isize, j as isize)) {
            rows.push(i as i32);
            columns.push(j as i32);
        }
    }
    [Array::from(rows), Array::from(columns)]
}

/// The matrices along the diagonal of one matrix, zeros elsewhere.
#[track_caller]
#[doc(alias = "scipy.linalg.block_diag")]
pub fn block_diag(blocks: impl IntoIterator<Item = impl Into<Array>>) -> Array {
    let mut list: Vec<Array> = Vec::new();
    for block in blocks {
        list.push(block.into());
    }
    let blocks = &list;
    let extents =
        |axis: usize| -> usize { blocks.iter().filter_map(|b| b.shape().get(axis)).sum() };
    let (height, width) = (extents(0), extents(1));
    let (mut row, mut column) = (0, 0);
    let mut total: Option<Array> = None;
    for block in blocks {
        let Some((_, m, n)) = block.matrix_shape() else { return block.no_matrix("block_diag") };
        let placed =
            block.pad([row, column], [height - row - m, width - column - n], like(block, 0.0));
        total = Some(match total {
            Some(sum) => sum + placed,
            None => placed,
        });
        (row, column) = (row + m, column + n);
    }
    match total {
        Some(total) => total,
        None => zeros([0, 0]),
    }
}

/// The symmetric matrix whose diagonals are constant, from its first column.
#[track_caller]
pub fn toeplitz(column: &Array) -> Array {
    let n = column.size();
    let flat = column.flatten();
    if n < 2 {
        return flat.reshape([n, n]);
    }
    // Row i is the window that starts n - 1 - i places into c[n-1], ..., c[1], c[0], ..., c[n-1].
    let line = concat(&[flat.slice_axis(0, 1..n).flip(0), flat], 0);
    let mut rows = Vec::with_capacity(n);
    for i in 0..n {
        rows.push(line.slice_axis(0, n - 1 - i..2 * n - 1 - i));
    }
    stack(&rows, 0)
}
