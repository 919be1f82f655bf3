//! Eigenvalues, singular values, and what is made of them. Leading axes are batch axes. A matrix
//! that is not finite gives NaN; see [`Array::finite_matrices`].

use crate::array::elementwise::arithmetic::{by_width, like, select};
use crate::array::linalg::factors::{identity, one_type, pair, triple};
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::Op;
use crate::op::linalg::{LinalgOp, Vectors};
use crate::tracing::bind1;
use crate::types::ShapeDisplay;

/// A norm of matrices, for [`Array::matrix_norm`] and [`Array::cond_with`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MatrixNorm {
    /// The root of the sum of squares of the elements.
    Frobenius,
    /// The sum of the singular values.
    Nuclear,
    /// The largest singular value.
    Spectral,
    /// The smallest singular value.
    LeastSingular,
    /// The largest sum of magnitudes of a column.
    MaxColumnSum,
    /// The smallest sum of magnitudes of a column.
    MinColumnSum,
    /// The largest sum of magnitudes of a row.
    MaxRowSum,
    /// The smallest sum of magnitudes of a row.
    MinRowSum,
}

/// What [`Array::lstsq`] gives.
#[derive(Clone, Debug)]
pub struct LeastSquares {
    /// `[..., n]` or `[..., n, c]`: of all that minimise `|a x - b|` the shortest.
    pub solution: Array,
    /// `|a x - b|^2` for every right side, `[...]` or `[..., c]`.
    pub residuals: Array,
    /// How many singular values count, `i32[...]`.
    pub rank: Array,
    /// The singular values of `a`, descending, `[..., min(m, n)]`.
    pub singular_values: Array,
}

impl Array {
    /// `(w, v)`: the eigenvalues of the symmetric part of square matrices, ascending, `[..., n]`,
    /// and orthonormal eigenvectors as columns, `[..., n, n]`. In every vector the first element of
    /// about the largest magnitude is positive.
    ///
    /// Derivatives of vectors divide by differences of eigenvalues: they are NaN where eigenvalues
    /// repeat, because there the vectors are not unique. First derivatives of the eigenvalues alone
    /// are numbers everywhere. So are second derivatives of smooth symmetric functions of them,
    /// such as sums of logarithms, if the inner one is taken in reverse (`hessian`, `hvp`, `grad`
    /// of `grad`) and the function is not spread over the steps of a loop or the branches of a
    /// `cond`. Other second derivatives, and third ones, are not finite where eigenvalues repeat.
    /// What knows the function as a whole has those too: [`Array::slogdet`], [`Array::trace`] of
    /// powers, [`Array::sqrtm_spd`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let (w, v) = array([[2.0, 0.0], [0.0, 1.0]]).eigh();
    /// assert_eq!(w.to_vec::<f32>()?, [1.0, 2.0]);
    /// assert_eq!(v.to_vec::<f32>()?, [0.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn eigh(&self) -> (Array, Array) {
        match self.refused("eigh", true) {
            Some(refused) => (refused.clone(), refused),
            None => pair(LinalgOp::Eigh { vectors: true }, &[&self.symmetric_part()]),
        }
    }

    /// The eigenvalues of the symmetric part of square matrices, ascending; see [`Array::eigh`].
    #[track_caller]
    pub fn eigvalsh(&self) -> Array {
        match self.refused("eigvalsh", true) {
            Some(refused) => refused,
            None => {
                let op = Op::Linalg(LinalgOp::Eigh { vectors: false });
                bind1(op, &[&self.symmetric_part()])
            }
        }
    }

    /// `(a + a^T) / 2` of square matrices.
    #[track_caller]
    pub(crate) fn symmetric_part(&self) -> Array {
        (self + self.swap_axes(-1, -2)) * 0.5
    }

    /// `(u, s, vt)` with `self = u diag(s) vt`: orthonormal columns `[..., m, k]`, singular values
    /// `[..., k]`, descending, and orthonormal rows `[..., k, n]`, `k = min(m, n)`. In every column
    /// of `u` the first element of about the largest magnitude is positive.
    ///
    /// Derivatives of `u` and `vt` divide by differences of squared singular values: they are NaN
    /// where these repeat, because there the vectors are not unique, and for a matrix that is not
    /// square where one is 0. First derivatives of `s` alone are numbers everywhere, and so are
    /// second derivatives of smooth symmetric functions of `s` (even ones where a value is 0), as
    /// told at [`Array::eigh`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let (u, s, vt) = array([[0.0, 2.0], [1.0, 0.0]]).svd();
    /// assert_eq!(s.to_vec::<f32>()?, [2.0, 1.0]);
    /// assert_eq!(u.to_vec::<f32>()?, [1.0, 0.0, 0.0, 1.0]);
    /// assert_eq!(vt.to_vec::<f32>()?, [0.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn svd(&self) -> (Array, Array, Array) {
        triple(LinalgOp::Svd { vectors: Vectors::Thin }, &[self])
    }

    /// As [`Array::svd`] with square `u[..., m, m]` and `vt[..., n, n]`. The vectors beyond the
    /// first `min(m, n)` are one basis of many, so they have no derivative.
    #[track_caller]
    pub fn svd_full(&self) -> (Array, Array, Array) {
        triple(LinalgOp::Svd { vectors: Vectors::Full }, &[self])
    }

    /// The singular values, descending: `[..., m, n]` to `[..., min(m, n)]`.
    #[track_caller]
    pub fn svdvals(&self) -> Array {
        bind1(Op::Linalg(LinalgOp::Svd { vectors: Vectors::None }), &[self])
    }

    /// The Moore-Penrose inverse, `[..., m, n]` to `[..., n, m]`. Singular values up to
    /// `10 max(m, n)` units of rounding of the largest count as 0, as in `jax.numpy.linalg.pinv`.
    ///
    /// Derivatives hold for changes that keep the rank (Golub and Pereyra 1973).
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let p = array([[2.0, 0.0], [0.0, 0.0]]).pinv();
    /// assert_eq!(p.to_vec::<f32>()?, [0.5, 0.0, 0.0, 0.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn pinv(&self) -> Array {
        self.each(|this| this.pinv_with(10.0 * this.rank_tolerance()))
    }

    /// As [`Array::pinv`], where singular values up to `rtol` times the largest count as 0.
    #[track_caller]
    pub fn pinv_with(&self, rtol: f64) -> Array {
        match self.refused("pinv", false) {
            Some(refused) => refused,
            None => self.each(|this| Skeleton::new(this, rtol).apply(None)),
        }
    }

    /// Units of rounding times the longer side: below this times the largest, singular values are
    /// rounding errors.
    fn rank_tolerance(&self) -> f64 {
        let longest = self.shape().iter().rev().take(2).max().copied().unwrap_or(0);
        longest as f64 * by_width(self, f64::from(f32::EPSILON), f64::EPSILON)
    }

    /// How many singular values exceed `max(m, n)` units of rounding of the largest: `i32[...]`.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([[1.0, 2.0], [2.0, 4.0]]).matrix_rank().item::<i32>()?, 1);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_rank(&self) -> Array {
        match self.refused("matrix_rank", false) {
            Some(refused) => refused,
            None => counted(&self.svdvals(), self.rank_tolerance()).cast(DType::I32).sum_axes([-1]),
        }
    }

    /// The condition number: the largest over the smallest singular value, `[..., m, n]` to
    /// `[...]`.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([[2.0, 0.0], [0.0, 0.5]]).cond().item::<f32>()?, 4.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn cond(&self) -> Array {
        let s = self.svdvals();
        s.at_axis(-1, 0) / s.at_axis(-1, -1)
    }

    /// The condition number of square matrices in a norm: that of the matrix times that of its
    /// inverse.
    #[track_caller]
    pub fn cond_with(&self, norm: MatrixNorm) -> Array {
        match self.refused("cond_with", true) {
            Some(refused) => refused,
            None => self.matrix_norm(norm) * self.inv().matrix_norm(norm),
        }
    }

    /// A norm of matrices, `[..., m, n]` to `[...]`.
    ///
    /// ```
    /// use probpipe_trace::{array, MatrixNorm};
    /// let a = array([[3.0, 0.0], [0.0, -4.0]]);
    /// assert_eq!(a.matrix_norm(MatrixNorm::Frobenius).item::<f32>()?, 5.0);
    /// assert_eq!(a.matrix_norm(MatrixNorm::Nuclear).item::<f32>()?, 7.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn matrix_norm(&self, norm: MatrixNorm) -> Array {
        if let Some(refused) = self.refused("matrix_norm", false) {
            return refused;
        }
        match norm {
            MatrixNorm::Frobenius => self.norm_axes([-2, -1], 2.0),
            MatrixNorm::Nuclear => self.svdvals().sum_axes([-1]),
            MatrixNorm::Spectral => self.svdvals().max_axes([-1]),
            MatrixNorm::LeastSingular => self.svdvals().min_axes([-1]),
            MatrixNorm::MaxColumnSum => self.abs().sum_axes([-2]).max_axes([-1]),
            MatrixNorm::MinColumnSum => self.abs().sum_axes([-2]).min_axes([-1]),
            MatrixNorm::MaxRowSum => self.abs().sum_axes([-1]).max_axes([-1]),
            MatrixNorm::MinRowSum => self.abs().sum_axes([-1]).min_axes([-1]),
        }
    }

    /// The symmetric square root of symmetric positive matrices, through [`Array::eigh`]; NaN
    /// where an eigenvalue is negative.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let root = array([[4.0, 0.0], [0.0, 9.0]]).sqrtm_spd();
    /// assert_eq!(root.to_vec::<f32>()?, [2.0, 0.0, 0.0, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "scipy.linalg.sqrtm")]
    pub fn sqrtm_spd(&self) -> Array {
        if let Some(refused) = self.refused("sqrtm_spd", true) {
            return refused;
        }
        self.to_float().each(Array::symmetric_root)
    }

    /// [`Array::sqrtm_spd`] in the frame `V` of the eigenvectors, which stays what it is, so that
    /// no difference of eigenvalues divides. With `D = V^T (a - c) V` for a constant `c` equal to
    /// `a` the root is `V (S + Y) V^T`, where `S Y + Y S = D - Y^2`, and `X = K o (..)` with
    /// `K_ij = 1 / (s_i + s_j)` solves `S X + X S = (..)`. Every round gives one more order of
    /// derivatives.
    #[track_caller]
    fn symmetric_root(&self) -> Array {
        let a = self.symmetric_part();
        let fixed = a.stop_gradient();
        let (w, v) = fixed.eigh();
        let s = w.sqrt();
        // At zero the slope is infinite, which times zero would spoil the value.
        let most = by_width(self, f64::from(f32::MAX), f64::MAX);
        let k = (s.expand_dims(-1) + s.expand_dims(-2)).recip();
        let k = select(&k.gt(most), most, k);
        let vt = v.swap_axes(-1, -2);
        let change = vt.matmul(&(&a - &fixed)).matmul(&v);
        let mut y = &k * &change;
        for _ in 0..2 {
            y = &k * (&change - y.matmul(&y));
        }
        let root = y + s.expand_dims(-1) * identity(&s, s.shape()[s.rank() - 1]);
        v.matmul(&root).matmul(&vt)
    }

    /// The shortest `x` that minimises `|self x - b|`, for `self` of `[..., m, n]` and `b` of
    /// `[m]` or `[..., m, c]`. Singular values up to `max(m, n)` units of rounding of the largest
    /// count as 0. Derivatives hold for changes that keep the rank.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// // The line through (0, 1), (1, 3), (2, 5).
    /// let a = array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]);
    /// let fit = a.lstsq(&array([1.0, 3.0, 5.0]));
    /// let x = fit.solution.to_vec::<f32>()?;
    /// assert!((x[0] - 1.0).abs() < 1e-5 && (x[1] - 2.0).abs() < 1e-5);
    /// assert_eq!(fit.rank.item::<i32>()?, 2);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn lstsq(&self, b: &Array) -> LeastSquares {
        let refuse = |bad: Array| LeastSquares {
            solution: bad.clone(),
            residuals: bad.clone(),
            rank: bad.clone(),
            singular_values: bad,
        };
        if let Some(refused) = self.refused("lstsq", false) {
            return refuse(refused);
        }
        if let Some(error) = b.error() {
            return refuse(Array::invalid(error.clone(), here()));
        }
        let vector = b.rank() == 1;
        let rows = b.shape().iter().rev().nth(usize::from(!vector)).copied();
        let m = self.shape()[self.rank() - 2];
        if rows != Some(m) || !one_type(self, b) {
            let typed = |x: &Array| format!("{}{}", x.dtype(), ShapeDisplay(x.shape()));
            let message = format!("`lstsq` cannot fit {} to {}", typed(self), typed(b));
            let help = format!("the right side must be {} of {m} rows", self.dtype());
            return refuse(Array::invalid(
                Error::new(ErrorKind::Shape, message).help(help),
                here(),
            ));
        }
        let columns = if vector { b.expand_dims(-1) } else { b.clone() };
        // Which singular values count depends on the type, so it is decided here.
        let dtype = if self.is_weak() { b.dtype() } else { self.dtype() };
        let (a, columns) = (&self.in_dtype(dtype), columns.in_dtype(dtype));
        let skeleton = Skeleton::new(a, a.rank_tolerance());
        let x = skeleton.apply(Some(&columns));
        let residuals = (a.matmul(&x) - &columns).square().sum_axes([-2]);
        let narrow = |x: Array| if vector { x.squeeze(-1) } else { x };
        LeastSquares {
            solution: narrow(x),
            residuals: narrow(residuals),
            rank: skeleton.keep.cast(DType::I32).sum_axes([-1]),
            singular_values: skeleton.values,
        }
    }
}

/// Which singular values exceed `rtol` times the largest.
#[track_caller]
fn counted(s: &Array, rtol: f64) -> Array {
    if s.shape().last() == Some(&0) {
        return s.gt(0.0);
    }
    s.gt(s.slice_axis(-1, 0..1) * rtol)
}

/// A matrix of rank `r` in the frames of its singular vectors: `a = (a V) (U^T a V)^-1 (U^T a)`
/// holds for every matrix of that rank near `a` while `U` and `V` stay what they are. So the
/// pseudoinverse
///
/// `a^+ = Y^T (Y Y^T)^-1 T (X^T X)^-1 X^T`, with `X = a V S^-1`, `Y = S^-1 U^T a` and
/// `T = S^-1 U^T a V S^-1`,
///
/// is a function of `a` that needs no derivative of singular vectors, which repeated or vanishing
/// singular values do not have. Here `X`, `Y^T` are orthonormal and `T = S^-1`.
struct Skeleton {
    /// `[..., m, k]`; columns that do not count are zero.
    x: Array,
    /// `[..., k, n]`; rows that do not count are zero.
    y: Array,
    /// `[..., k, k]`.
    t: Array,
    /// Which singular values count, `[..., k]`.
    keep: Array,
    /// The singular values.
    values: Array,
}

impl Skeleton {
    #[track_caller]
    fn new(a: &Array, rtol: f64) -> Skeleton {
        let (u, values, vt) = a.svd();
        let (u, s, vt) = (u.stop_gradient(), values.stop_gradient(), vt.stop_gradient());
        let keep = counted(&s, rtol);
        let inverse = select(&keep, select(&keep, &s, like(a, 1.0)).recip(), like(a, 0.0));
        let ut = u.swap_axes(-1, -2);
        let x = a.matmul(&vt.swap_axes(-1, -2)) * inverse.expand_dims(-2);
        let t = ut.matmul(&x) * inverse.expand_dims(-1);
        let y = ut.matmul(a) * inverse.expand_dims(-1);
        Skeleton { x, y, t, keep, values }
    }

    /// `a^+ b`, or `a^+`.
    #[track_caller]
    fn apply(&self, b: Option<&Array>) -> Array {
        let (xt, yt) = (self.x.swap_axes(-1, -2), self.y.swap_axes(-1, -2));
        let k = self.keep.shape().last().copied().unwrap_or(0);
        // Ones where nothing counts keep the Gram matrices regular.
        let keep = self.keep.expand_dims(-1);
        let rest = select(&keep, like(&self.x, 0.0), like(&self.x, 1.0)) * identity(&self.x, k);
        let right = match b {
            Some(b) => xt.matmul(b),
            None => xt.clone(),
        };
        let inner = self.t.matmul(&(xt.matmul(&self.x) + &rest).solve(&right));
        yt.matmul(&(self.y.matmul(&yt) + rest).solve(&inner))
    }
}
