//! Linear systems, inverses and determinants from LU factors, and triangular factors of other
//! kinds. Leading axes are batch axes. A matrix on which a method fails gives NaN or infinities of
//! its own and leaves the rest of the batch alone; [`Array::finite_matrices`] tells which.

use crate::array::elementwise::arithmetic::{by_width, like, select};
use crate::array::make::fill::{iota, zeros_like};
use crate::array::make::matrices::eye_offset;
use crate::array::reduce::axes::Keep;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::op::linalg::LinalgOp;
use crate::tracing::{bind, bind1};
use crate::types::{ArrayType, Shape, ShapeDisplay, broadcast_shapes};

/// The identity matrix of the element type of `x`.
#[track_caller]
pub(crate) fn identity(x: &Array, n: usize) -> Array {
    eye_offset(n, n, 0).cast_like(x)
}

/// The results of an op of two.
#[track_caller]
pub(crate) fn pair(op: LinalgOp, operands: &[&Array]) -> (Array, Array) {
    let mut results = bind(Op::Linalg(op), operands).into_iter();
    let missing = || Array::invalid(Error::new(ErrorKind::Internal, "a lost result"), here());
    (results.next().unwrap_or_else(missing), results.next().unwrap_or_else(missing))
}

/// The results of an op of three.
#[track_caller]
pub(crate) fn triple(op: LinalgOp, operands: &[&Array]) -> (Array, Array, Array) {
    let mut results = bind(Op::Linalg(op), operands).into_iter();
    let missing = || Array::invalid(Error::new(ErrorKind::Internal, "a lost result"), here());
    let first = results.next().unwrap_or_else(missing);
    let second = results.next().unwrap_or_else(missing);
    (first, second, results.next().unwrap_or_else(missing))
}

/// The batch axes of a system of square matrices `a` and columns `b`.
#[track_caller]
fn solve_batch(name: &str, a: &Array, b: &Array) -> Result<Shape> {
    a.ty()?;
    let typed = |x: &Array| format!("{}{}", x.dtype(), ShapeDisplay(x.shape()));
    let ([left @ .., n, _], [right @ .., rows, _]) = (a.shape(), b.shape()) else {
        b.ty()?;
        let message = format!("`{name}` has no right side in a number");
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .help("give a vector or a matrix of columns"));
    };
    if one_type(a, b)
        && let Some(batch) = broadcast_shapes(left, right).filter(|_| rows == n)
    {
        return Ok(batch);
    }
    let message = format!("`{name}` cannot solve {} against {}", typed(a), typed(b));
    let (kind, help) = if one_type(a, b) {
        let help = format!("the right side must have {n} rows and batch axes that fit");
        (ErrorKind::Shape, help)
    } else {
        (ErrorKind::DType, "both sides must have one element type".to_string())
    };
    Err(Error::new(kind, message)
        .at(here())
        .note(format!("operand {}", typed(a)), Some(a.location))
        .note(format!("operand {}", typed(b)), Some(b.location))
        .help(help))
}

/// The array with other batch axes before its last `keep`.
#[track_caller]
fn spread(x: &Array, batch: &[usize], keep: usize) -> Array {
    let rest = &x.shape()[x.rank() - keep..];
    x.broadcast_to(batch.iter().chain(rest).copied().collect::<Shape>())
}

/// Square matrices `a` and columns `b` of one batch shape.
#[track_caller]
pub(crate) fn solve_shapes(name: &str, a: &Array, b: &Array) -> Result<(Array, Array)> {
    let batch = solve_batch(name, a, b)?;
    Ok((spread(a, &batch, 2), spread(b, &batch, 2)))
}

/// The factors `a[permutation] = L U` of square matrices, for any number of solves. Made by
/// [`Array::lu_factor`].
///
/// ```
/// use probpipe_trace::array;
/// let a = array([[2.0, 1.0], [1.0, 3.0]]);
/// let factors = a.lu_factor();
/// assert_eq!(factors.solve(&array([3.0, 4.0])).to_vec::<f32>()?, [1.0, 1.0]);
/// assert_eq!(factors.det().item::<f32>()?, 5.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LuFactors {
    /// What was factored, `[..., n, n]`; derivatives of solutions go to it.
    pub matrix: Array,
    /// `U`, and below the diagonal the unit lower `L`, `[..., n, n]`.
    pub lu: Array,
    /// Step `i` swapped row `i` with row `pivots[i]`; `i32`, `[..., n]`.
    pub pivots: Array,
    /// The order that the swaps give, `matrix[permutation] = L U`; `i32`, `[..., n]`.
    pub permutation: Array,
}

impl LuFactors {
    /// `X` with `matrix X = b`: `b` is one vector (one axis) or a matrix of columns; batch axes
    /// broadcast. A singular matrix gives infinities or NaN.
    ///
    /// Its derivative is `dX = matrix^-1 (db - dmatrix X)`, with the same factors.
    #[track_caller]
    #[doc(alias = "scipy.linalg.lu_solve")]
    pub fn solve(&self, b: impl Into<Array>) -> Array {
        self.solve_with("solve", &b.into(), false)
    }

    /// `X` with `matrix^T X = b`; see [`LuFactors::solve`].
    #[track_caller]
    pub fn solve_transposed(&self, b: impl Into<Array>) -> Array {
        self.solve_with("solve_transposed", &b.into(), true)
    }

    #[track_caller]
    fn solve_with(&self, name: &str, b: &Array, transpose: bool) -> Array {
        let a = &self.matrix;
        if let Some(error) = a.error().or(self.lu.error()).or(b.error()) {
            return Array::invalid(error.clone(), here());
        }
        let vector = b.rank() == 1;
        let b = if vector { b.expand_dims(-1) } else { b.clone() };
        let batch = match solve_batch(name, a, &b) {
            Ok(batch) => batch,
            Err(error) => return Array::invalid(error, here()),
        };
        let solved = bind1(
            Op::Linalg(LinalgOp::LuSolve { transpose }),
            &[
                &spread(a, &batch, 2),
                &spread(&self.lu, &batch, 2),
                &spread(&self.permutation, &batch, 1),
                &spread(&b, &batch, 2),
            ],
        );
        if vector { solved.squeeze(-1) } else { solved }
    }

    /// The determinant, `[...]`. Its derivative exists at singular matrices too.
    #[track_caller]
    pub fn det(&self) -> Array {
        let operands = [&self.matrix, &self.lu, &self.permutation];
        bind1(Op::Linalg(LinalgOp::LuDet), &operands)
    }

    /// The sign of the determinant, `[...]`, and the logarithm of its magnitude.
    #[track_caller]
    pub fn slogdet(&self) -> (Array, Array) {
        let diagonal = self.lu.diagonal();
        let n = diagonal.shape().last().copied().unwrap_or(0);
        let steps = iota(&ArrayType::new(DType::I32, [n]), 0);
        // An odd number of swaps turns the sign.
        let swaps = self.pivots.ne(steps).cast(DType::I32).sum_axes([-1]);
        let odd = (swaps % 2).eq(1);
        let parity = select(&odd, like(&self.lu, -1.0), like(&self.lu, 1.0));
        let sign = parity * diagonal.sign().prod_axes([-1]);
        (sign, diagonal.abs().log().sum_axes([-1]))
    }
}

impl Array {
    /// Refuses what is no stack of (square) matrices of floats.
    #[track_caller]
    pub(crate) fn refused(&self, name: &str, square: bool) -> Option<Array> {
        if let Some(error) = self.error() {
            return Some(Array::invalid(error.clone(), here()));
        }
        let typed = format!("{}{}", self.dtype(), ShapeDisplay(self.shape()));
        let error = match self.shape() {
            [.., m, n] if square && m != n => {
                Error::new(ErrorKind::Shape, format!("`{name}` takes square matrices, not {typed}"))
                    .help("the last two extents must be equal")
            }
            [.., _, _] if self.dtype().is_float() => return None,
            [.., _, _] => {
                Error::new(ErrorKind::DType, format!("`{name}` takes a float, not {typed}"))
                    .help("convert first, for example with `.cast(DType::F32)`")
            }
            _ => Error::new(ErrorKind::Shape, format!("`{name}` takes matrices, not {typed}"))
                .help("give an array of two or more axes"),
        };
        Some(Array::invalid(error, here()))
    }

    /// Whether every element is a number: neither NaN nor infinite. A `bool` scalar.
    ///
    /// Decompositions that fail give NaN; this is how to ask, also inside compiled functions.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let indefinite = array([[1.0, 2.0], [2.0, 1.0]]);
    /// assert!(!indefinite.cholesky().all_finite().item::<bool>()?);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn all_finite(&self) -> Array {
        finite(self).all()
    }

    /// Whether every element of each matrix is finite: `[..., m, n]` to `bool[...]`, one flag for
    /// each matrix of a batch.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let batch = array([[[4.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]]);
    /// assert_eq!(batch.cholesky().finite_matrices().to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn finite_matrices(&self) -> Array {
        finite(self).all_axes([-2, -1])
    }

    /// The factors of square matrices with partial pivoting, for solves and determinants.
    #[track_caller]
    pub fn lu_factor(&self) -> LuFactors {
        if let Some(refused) = self.refused("lu_factor", true) {
            let [lu, pivots, permutation] = [refused.clone(), refused.clone(), refused.clone()];
            return LuFactors { matrix: refused, lu, pivots, permutation };
        }
        let (lu, pivots, permutation) = triple(LinalgOp::Lu, &[self]);
        LuFactors { matrix: self.clone(), lu, pivots, permutation }
    }

    /// `(p, l, u)` with `a = p l u`: a permutation matrix `[..., m, m]`, a unit lower triangle
    /// `[..., m, k]` and an upper triangle `[..., k, n]`, `k = min(m, n)`, as
    /// `jax.scipy.linalg.lu`.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let a = array([[1.0, 2.0], [4.0, 4.0]]);
    /// let (p, l, u) = a.lu();
    /// assert_eq!(l.to_vec::<f32>()?, [1.0, 0.0, 0.25, 1.0]);
    /// assert_eq!(u.to_vec::<f32>()?, [4.0, 4.0, 0.0, 1.0]);
    /// assert_eq!(p.matmul(&l).matmul(&u).to_vec::<f32>()?, a.to_vec::<f32>()?);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn lu(&self) -> (Array, Array, Array) {
        if let Some(refused) = self.refused("lu", false) {
            return (refused.clone(), refused.clone(), refused);
        }
        let (m, n) = (self.shape()[self.rank() - 2], self.shape()[self.rank() - 1]);
        let k = m.min(n);
        let (lu, _, permutation) = triple(LinalgOp::Lu, &[self]);
        // Column j of p has its one in row permutation[j].
        let rows = iota(&ArrayType::new(DType::I32, [m, m]), 0);
        let p = permutation.expand_dims(-2).eq(rows).cast_like(self);
        let l = lu.slice_axis(-1, 0..k).tril_offset(-1) + eye_offset(m, k, 0).cast_like(self);
        (p, l, lu.slice_axis(-2, 0..k).triu())
    }

    /// `X` with `self X = b` through LU factors with partial pivoting: `self` is `[..., n, n]`,
    /// `b` one vector `[n]` or columns `[..., n, c]`; batch axes broadcast. A singular matrix gives
    /// infinities or NaN.
    ///
    /// Its derivatives solve with the same factors; see [`LuFactors::solve`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let a = array([[2.0, 1.0], [1.0, 3.0]]);
    /// assert_eq!(a.solve(&array([3.0, 4.0])).to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn solve(&self, b: impl Into<Array>) -> Array {
        match self.refused("solve", true) {
            Some(refused) => refused,
            None => self.lu_factor().solve(b),
        }
    }

    /// The inverse of square matrices. To solve a system, [`Array::solve`] is better.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let a = array([[2.0, 0.0], [0.0, 4.0]]);
    /// assert_eq!(a.inv().to_vec::<f32>()?, [0.5, 0.0, 0.0, 0.25]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn inv(&self) -> Array {
        match self.refused("inv", true) {
            Some(refused) => refused,
            None => self.lu_factor().solve(&identity(self, self.shape()[self.rank() - 1])),
        }
    }

    /// The determinant, `[..., n, n]` to `[...]`; 1 for an empty matrix. Its derivative, the
    /// matrix of cofactors, is right at singular matrices too.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([[1.0, 2.0], [3.0, 4.0]]).det().item::<f32>()?, -2.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn det(&self) -> Array {
        if let Some(refused) = self.refused("det", true) {
            return refused;
        }
        match self.shape()[self.rank() - 1] {
            1 => self.at_axis(-2, 0).at_axis(-1, 0),
            2 | 3 => self.to_float().each(Array::small_det),
            _ => self.lu_factor().det(),
        }
    }

    /// The determinant of 2 or 3 rows as a polynomial: right to every order of differentiation.
    /// Rows are scaled by powers of two where products of theirs would overflow, since differences
    /// of those are no numbers.
    #[track_caller]
    fn small_det(&self) -> Array {
        let n = self.shape()[self.rank() - 1];
        let two = |f32, f64| 2f64.powf(by_width(self, f32, f64));
        let top = self.abs().max_axes(Keep(-1)).stop_gradient();
        let scale = select(&top.gt(two(41.0, 340.0)), two(60.0, 500.0), like(self, 1.0));
        let scale = select(&top.gt(two(101.0, 840.0)), two(88.0, 690.0), scale);
        let rows = self / &scale;
        let scale = scale.squeeze(-1);
        let scaled = |det: Array| (0..n as isize).fold(det, |det, i| det * scale.at_axis(-1, i));
        let of = |x: &Array, i: isize, j: isize| x.at_axis(-2, i).at_axis(-1, j);
        let at = |i, j| of(&rows, i, j);
        let minor = |i, j, k, l| at(i, j) * at(k, l) - at(i, l) * at(k, j);
        if n == 3 {
            return scaled(
                at(0, 0) * minor(1, 1, 2, 2) - at(0, 1) * minor(1, 0, 2, 2)
                    + at(0, 2) * minor(1, 0, 2, 1),
            );
        }
        let product = |i, j| of(self, 0, i) * of(self, 1, j);
        let plain = product(0, 1) - product(1, 0);
        let value = scaled(minor(0, 0, 1, 1)).stop_gradient();
        // Its slopes are elements, which need no scale: with x = c + e, where c is a constant and
        // e zero, x y is a constant and e d + c f + e f.
        let fixed = self.stop_gradient();
        let rest = self - &fixed;
        let change = |i, j| {
            let (e, f) = (of(&rest, 0, i), of(&rest, 1, j));
            &e * of(&fixed, 1, j) + of(&fixed, 0, i) * &f + e * f
        };
        let beyond = value + (change(0, 1) - change(1, 0));
        select(&(plain.is_nan() & fixed.is_finite().all_axes([-2, -1])), beyond, plain)
    }

    /// The sign of the determinant and the logarithm of its magnitude, `[..., n, n]` to `[...]`
    /// each; 0 and minus infinity for a singular matrix.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let (sign, log) = array([[0.0, 1.0], [1.0, 0.0]]).slogdet();
    /// assert_eq!((sign.item::<f32>()?, log.item::<f32>()?), (-1.0, 0.0));
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn slogdet(&self) -> (Array, Array) {
        match self.refused("slogdet", true) {
            Some(refused) => (refused.clone(), refused),
            None => self.lu_factor().slogdet(),
        }
    }

    /// `(q, r)` with `self = q r`: orthonormal columns `[..., m, k]` and an upper triangle
    /// `[..., k, n]`, `k = min(m, n)`. The signs are LAPACK's, so the diagonal of `r` may be
    /// negative.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let (q, r) = array([[3.0, 1.0], [4.0, 2.0]]).qr();
    /// let close = |x: f32, y: f32| (x - y).abs() < 1e-6;
    /// assert!(close(r.at(0).at(0).item()?, -5.0) && close(q.at(0).at(0).item()?, -0.6));
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn qr(&self) -> (Array, Array) {
        pair(LinalgOp::Qr { full: false }, &[self])
    }

    /// As [`Array::qr`] with a square `q[..., m, m]` and `r[..., m, n]`. The columns of `q` beyond
    /// `n` are one basis of many, so they have no derivative.
    #[track_caller]
    pub fn qr_full(&self) -> (Array, Array) {
        pair(LinalgOp::Qr { full: true }, &[self])
    }

    /// The product of `n` copies of a square matrix; of its inverse for a negative `n`.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let shear = array([[1.0, 1.0], [0.0, 1.0]]);
    /// assert_eq!(shear.matrix_power(10).to_vec::<f32>()?, [1.0, 10.0, 0.0, 1.0]);
    /// assert_eq!(shear.matrix_power(-1).to_vec::<f32>()?, [1.0, -1.0, 0.0, 1.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_power(&self, n: i32) -> Array {
        if let Some(refused) = self.refused("matrix_power", true) {
            return refused;
        }
        let mut square = if n < 0 { self.inv() } else { self.clone() };
        let mut power: Option<Array> = None;
        let mut rest = n.unsigned_abs();
        while rest > 0 {
            if rest & 1 == 1 {
                power = Some(power.map_or(square.clone(), |p| p.matmul(&square)));
            }
            rest >>= 1;
            if rest > 0 {
                square = square.matmul(&square);
            }
        }
        match power {
            Some(power) => power,
            None => zeros_like(self) + identity(self, self.shape()[self.rank() - 1]),
        }
    }
}

/// Whether two arrays have one element type, or can take one.
pub(crate) fn one_type(a: &Array, b: &Array) -> bool {
    a.dtype() == b.dtype()
        || a.is_weak_float() && b.dtype().is_float()
        || b.is_weak_float() && a.dtype().is_float()
}

#[track_caller]
fn finite(x: &Array) -> Array {
    // NaN is below nothing.
    if x.dtype().is_float() { x.abs().lt(f64::INFINITY) } else { x.eq(x) }
}
