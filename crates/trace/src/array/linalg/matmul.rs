//! Products of matrices, and the factor of Cholesky.

use crate::array::each::named;
use crate::array::elementwise::arithmetic::meet;
use crate::context::here;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::Op;
use crate::op::linalg::LinalgOp;
use crate::op::structural::DotAxes;
use crate::tracing::bind1;
use crate::types::{Shape, ShapeDisplay, broadcast_shapes};
use smallvec::smallvec;

/// The type as messages show it.
fn typed(x: &Array) -> String {
    format!("{}{}", x.dtype(), ShapeDisplay(x.shape()))
}

impl Array {
    /// The product over the last axis of `self` and the last-but-one (or only) axis of `other`;
    /// of two vectors the inner product.
    #[track_caller]
    pub fn dot(&self, other: impl Into<Array>) -> Array {
        let other = &other.into();
        if self.rank() == 0 || other.rank() == 0 {
            return self * other;
        }
        let axes = DotAxes {
            lhs_contract: smallvec![self.rank() - 1],
            rhs_contract: smallvec![other.rank().saturating_sub(2)],
            ..DotAxes::default()
        };
        self.dot_general(other, axes)
    }

    /// The matrix product; leading axes are batch axes and broadcast, vectors act as a row on the
    /// left and as a column on the right.
    #[track_caller]
    #[doc(alias = "lax.batch_matmul")]
    pub fn matmul(&self, other: impl Into<Array>) -> Array {
        let other = &other.into();
        if let Some(error) = self.error().or(other.error()) {
            return Array::invalid(error.clone(), here());
        }
        let (m, n) = (self.rank(), other.rank());
        if m == 0 || n == 0 {
            let error = Error::new(ErrorKind::Shape, "`matmul` multiplies matrices, not scalars")
                .help("use `*`");
            return Array::invalid(error, here());
        }
        let (columns, rows) = (self.shape()[m - 1], other.shape()[n.saturating_sub(2)]);
        if columns != rows {
            let (left, right) = (typed(self), typed(other));
            let error = Error::new(
                ErrorKind::Shape,
                format!(
                    "`matmul` cannot multiply {left} with {right}: {columns} columns, {rows} rows"
                ),
            )
            .note(format!("operand {left}"), Some(self.location))
            .note(format!("operand {right}"), Some(other.location))
            .help(
                "the columns of the left must be as many as the rows of the right; see `transpose`",
            );
            return Array::invalid(error, here());
        }
        if m <= 2 && n <= 2 {
            return named("matmul", &[self, other], self.dot(other));
        }
        if n == 1 {
            return named("matmul", &[self, other], self.dot(other));
        }
        if m == 1 {
            let axes = DotAxes {
                lhs_contract: smallvec![0],
                rhs_contract: smallvec![n - 2],
                ..DotAxes::default()
            };
            return named("matmul", &[self, other], self.dot_general(other, axes));
        }
        let (lhs, rhs) = (&self.shape()[..m - 2], &other.shape()[..n - 2]);
        let Some(batch) = broadcast_shapes(lhs, rhs) else {
            let error = Error::new(
                ErrorKind::Shape,
                format!(
                    "`matmul` cannot broadcast the batch axes {} with {}",
                    ShapeDisplay(lhs),
                    ShapeDisplay(rhs)
                ),
            )
            .help("leading extents, aligned at the right, must be equal or 1");
            return Array::invalid(error, here());
        };
        let mut left: Shape = batch.clone();
        left.extend_from_slice(&self.shape()[m - 2..]);
        let mut right: Shape = batch.clone();
        right.extend_from_slice(&other.shape()[n - 2..]);
        let b = batch.len();
        let axes = DotAxes {
            lhs_contract: smallvec![b + 1],
            rhs_contract: smallvec![b],
            lhs_batch: (0..b).collect(),
            rhs_batch: (0..b).collect(),
        };
        let product = self.broadcast_to(left).dot_general(other.broadcast_to(right), axes);
        named("matmul", &[self, other], product)
    }

    /// The product that contracts and batches the given axes.
    #[track_caller]
    pub fn dot_general(&self, other: impl Into<Array>, axes: DotAxes) -> Array {
        match meet(self, &other.into()) {
            Ok((x, y)) => bind1(Op::Dot(axes), &[&x, &y]),
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// The products of every pair of elements of two vectors.
    #[track_caller]
    pub fn outer(&self, other: impl Into<Array>) -> Array {
        let other = other.into();
        let product = self.flatten().expand_dims(1) * other.flatten().expand_dims(0);
        named("outer", &[self, &other], product)
    }

    /// The lower Cholesky factor `L` with `L L^T` = the symmetric part of the matrix. Where that is
    /// not positive definite, NaN on and below the diagonal; see [`Array::finite_matrices`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let factor = array([[4.0, 2.0], [2.0, 5.0]]).cholesky();
    /// assert_eq!(factor.to_vec::<f32>()?, [2.0, 0.0, 1.0, 2.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "scipy.linalg.cho_factor")]
    pub fn cholesky(&self) -> Array {
        match self.refused("cholesky", true) {
            Some(refused) => refused,
            None => bind1(Op::Linalg(LinalgOp::Cholesky), &[&self.symmetric_part()]),
        }
    }
}
