//! Systems whose matrix is a triangle, and those that a Cholesky factor solves.

use crate::array::linalg::factors::solve_shapes;
use crate::context::here;
use crate::handle::Array;
use crate::op::Op;
use crate::op::linalg::LinalgOp;
use crate::tracing::bind1;

/// Which triangle of a matrix [`Array::solve_triangular_with`] reads, and how.
///
/// ```
/// use probpipe_trace::Triangular;
/// let backward = Triangular::lower().transposed();
/// assert!(backward.lower && backward.transposed && !backward.unit_diagonal);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Triangular {
    /// The triangle on and below the diagonal, else on and above it.
    pub lower: bool,
    /// Solve with the transpose of the triangle.
    pub transposed: bool,
    /// The diagonal is ones, whatever is written there.
    pub unit_diagonal: bool,
}

impl Triangular {
    /// The triangle on and below the diagonal.
    pub const fn lower() -> Triangular {
        Triangular { lower: true, transposed: false, unit_diagonal: false }
    }

    /// The triangle on and above the diagonal.
    pub const fn upper() -> Triangular {
        Triangular { lower: false, transposed: false, unit_diagonal: false }
    }

    /// The transpose of the triangle.
    pub const fn transposed(self) -> Triangular {
        Triangular { transposed: true, ..self }
    }

    /// The triangle with ones on the diagonal, which is not read.
    pub const fn unit_diagonal(self) -> Triangular {
        Triangular { unit_diagonal: true, ..self }
    }
}

impl Array {
    /// `X` with `L X = b`, where `L` is the lower triangle of `self`; see
    /// [`Array::solve_triangular_with`] for upper, transposed and unit triangles.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let l = array([[2.0, 0.0], [1.0, 4.0]]);
    /// assert_eq!(l.solve_triangular(array([2.0, 9.0])).to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "scipy.linalg.solve_triangular")]
    #[doc(alias = "lax.linalg.triangular_solve")]
    pub fn solve_triangular(&self, b: impl Into<Array>) -> Array {
        self.solve_triangular_with(b, Triangular::lower())
    }

    /// `X` with `T X = b` for a triangle `T` of `self`, `[..., n, n]`, whose other elements are
    /// not read. `b` is one vector `[n]`, a vector for each matrix `[..., n]` of one axis less
    /// than `self`, or columns `[..., n, c]`; batch axes broadcast. A zero on the diagonal gives
    /// infinities or NaN.
    ///
    /// ```
    /// use probpipe_trace::{Triangular, array};
    /// let u = array([[2.0, 1.0], [0.0, 4.0]]);
    /// let b = array([4.0, 8.0]);
    /// let x = u.solve_triangular_with(&b, Triangular::upper());
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0]);
    /// let y = u.solve_triangular_with(&b, Triangular::upper().transposed());
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 1.5]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn solve_triangular_with(&self, b: impl Into<Array>, triangle: Triangular) -> Array {
        self.by_triangles("solve_triangular", b.into(), &[triangle])
    }

    /// `X` with `a X = b`, where `self` is the lower factor of `a`, as [`Array::cholesky`] gives
    /// it; `b` as in [`Array::solve_triangular_with`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let a = array([[4.0, 2.0], [2.0, 5.0]]);
    /// let x = a.cholesky().cho_solve(array([2.0, 5.0]));
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "scipy.linalg.cho_solve")]
    pub fn cho_solve(&self, b: impl Into<Array>) -> Array {
        let lower = Triangular::lower();
        self.by_triangles("cho_solve", b.into(), &[lower, lower.transposed()])
    }

    /// Solves with one triangle after the other.
    #[track_caller]
    fn by_triangles(&self, name: &str, b: Array, triangles: &[Triangular]) -> Array {
        if let Some(refused) = self.refused(name, true) {
            return refused;
        }
        if b.error().is_some() {
            return b;
        }
        // A vector for each matrix, or one.
        let vector = b.rank() == 1 || b.rank() + 1 == self.rank();
        let b = if vector && b.rank() > 0 { b.expand_dims(-1) } else { b };
        let (a, mut x) = match solve_shapes(name, self, &b) {
            Ok(pair) => pair,
            Err(error) => return Array::invalid(error, here()),
        };
        for &Triangular { lower, transposed, unit_diagonal } in triangles {
            let op = LinalgOp::TriangularSolve { lower, transpose: transposed, unit_diagonal };
            x = bind1(Op::Linalg(op), &[&a, &x]);
        }
        if vector { x.squeeze(-1) } else { x }
    }
}
