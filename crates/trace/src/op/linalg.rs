//! Dense linear algebra: the ops and their type rules. All work on the last two axes, batched over
//! the others. What can be written with these and other ops is a method of [`crate::Array`].
//!
//! A matrix on which an algorithm fails (not positive definite, not finite, no convergence) gives
//! NaN; the other matrices of the batch are not touched.

use crate::dtype::DType;
use crate::op::fault::{Fault, Inferred, checked_size};
use crate::types::{ArrayType, Shape};
use smallvec::smallvec;

/// Dense linear algebra.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinalgOp {
    /// The lower Cholesky factor; reads the lower triangle, gives zeros above the diagonal, and
    /// NaN in the whole lower triangle (of that matrix) when it is not positive definite.
    Cholesky,
    /// `triangular_solve(a, b)`: `X` with `op(a) X = b`, reading one triangle of `a`.
    TriangularSolve {
        /// Reads the lower triangle, else the upper.
        lower: bool,
        /// `op(a)` is the transpose of `a`.
        transpose: bool,
        /// Takes the diagonal as ones.
        unit_diagonal: bool,
    },
    /// `a[m, n] -> (lu[m, n], pivots[k], permutation[m])` with `k = min(m, n)`: partial pivoting
    /// by the largest magnitude, the first of equals. `lu` holds `U` and, below the diagonal, the
    /// unit lower `L`; step `i` swapped row `i` with row `pivots[i]`, and in all
    /// `a[permutation] = L U`. A zero pivot is kept, so singular matrices have factors too.
    Lu,
    /// `lu_solve(a, lu, permutation, b)`: `X` with `op(a) X = b`, from the factors of `a`. Only
    /// derivatives read `a` itself: that of `X` is again a solve with the same factors.
    LuSolve {
        /// `op(a)` is the transpose of `a`.
        transpose: bool,
    },
    /// `lu_det(a, lu, permutation)`: the determinant of `a` from its factors. Only derivatives
    /// read `a` itself; they exist for singular matrices too.
    LuDet,
    /// `a[m, n] -> (q, r)` with `a = q r` by Householder reflections. The signs are LAPACK's: the
    /// diagonal of `r` has the sign opposite to what was there before its reflection, and a
    /// column that is already zero below the diagonal is left as it is.
    Qr {
        /// `q[m, m]` and `r[m, n]`, else `q[m, k]` and `r[k, n]` with `k = min(m, n)`.
        full: bool,
    },
    /// The eigenvalues of a symmetric matrix, ascending, and with `vectors` the orthonormal
    /// eigenvectors as columns. Reads the lower triangle. In every vector the first element of
    /// about the largest magnitude is positive.
    Eigh {
        /// Gives the vectors as a second result.
        vectors: bool,
    },
    /// `a[m, n] -> (u, s, vt)` with `a = u diag(s) vt`: singular values, descending. In every
    /// column of `u` the first element of about the largest magnitude is positive.
    Svd {
        /// Which vectors.
        vectors: Vectors,
    },
}

/// Which singular vectors are computed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Vectors {
    /// None: the singular values are the only result.
    None,
    /// Those that belong to a singular value: `u[m, k]` and `vt[k, n]` with `k = min(m, n)`.
    Thin,
    /// Bases of the whole spaces: `u[m, m]` and `vt[n, n]`.
    Full,
}

impl Vectors {
    /// The word in printed graphs.
    pub const fn name(self) -> &'static str {
        match self {
            Vectors::None => "none",
            Vectors::Thin => "thin",
            Vectors::Full => "full",
        }
    }
}

impl std::str::FromStr for Vectors {
    type Err = ();

    fn from_str(word: &str) -> Result<Vectors, ()> {
        let all = [Vectors::None, Vectors::Thin, Vectors::Full];
        all.into_iter().find(|v| v.name() == word).ok_or(())
    }
}

impl LinalgOp {
    /// The name in printed graphs and messages.
    pub const fn name(self) -> &'static str {
        match self {
            LinalgOp::Cholesky => "cholesky",
            LinalgOp::TriangularSolve { .. } => "triangular_solve",
            LinalgOp::Lu => "lu",
            LinalgOp::LuSolve { .. } => "lu_solve",
            LinalgOp::LuDet => "lu_det",
            LinalgOp::Qr { .. } => "qr",
            LinalgOp::Eigh { .. } => "eigh",
            LinalgOp::Svd { .. } => "svd",
        }
    }

    /// The number of operands.
    pub const fn arity(self) -> usize {
        match self {
            LinalgOp::TriangularSolve { .. } => 2,
            LinalgOp::LuSolve { .. } => 4,
            LinalgOp::LuDet => 3,
            LinalgOp::Cholesky
            | LinalgOp::Lu
            | LinalgOp::Qr { .. }
            | LinalgOp::Eigh { .. }
            | LinalgOp::Svd { .. } => 1,
        }
    }

    /// The number of results.
    pub const fn results(self) -> usize {
        match self {
            LinalgOp::Cholesky
            | LinalgOp::TriangularSolve { .. }
            | LinalgOp::LuSolve { .. }
            | LinalgOp::LuDet
            | LinalgOp::Eigh { vectors: false }
            | LinalgOp::Svd { vectors: Vectors::None } => 1,
            LinalgOp::Qr { .. } | LinalgOp::Eigh { vectors: true } => 2,
            LinalgOp::Lu | LinalgOp::Svd { vectors: Vectors::Thin | Vectors::Full } => 3,
        }
    }
}

/// The type rule.
pub(super) fn infer(op: LinalgOp, x: &[&ArrayType]) -> Inferred {
    let name = op.name();
    match op {
        LinalgOp::Cholesky => {
            square(name, x[0])?;
            Ok(smallvec![x[0].clone()])
        }
        LinalgOp::TriangularSolve { .. } => {
            let n = square(name, x[0])?;
            right_side(name, x[0], n, x[1])?;
            Ok(smallvec![x[1].clone()])
        }
        LinalgOp::Lu => {
            let (batch, m, n) = matrix(name, x[0])?;
            let integers = |n: usize| ArrayType::new(DType::I32, joined(batch, &[n]));
            Ok(smallvec![x[0].clone(), integers(m.min(n)), integers(m)])
        }
        LinalgOp::LuSolve { .. } => {
            let n = square(name, x[0])?;
            factors(name, x[0], n, x[1], x[2])?;
            right_side(name, x[0], n, x[3])?;
            Ok(smallvec![x[3].clone()])
        }
        LinalgOp::LuDet => {
            let n = square(name, x[0])?;
            factors(name, x[0], n, x[1], x[2])?;
            Ok(smallvec![x[0].with_shape(Shape::from_slice(&x[0].shape[..x[0].rank() - 2]))])
        }
        LinalgOp::Qr { full } => {
            let (batch, m, n) = matrix(name, x[0])?;
            let k = if full { m } else { m.min(n) };
            Ok(smallvec![sized(x[0], batch, &[m, k])?, sized(x[0], batch, &[k, n])?])
        }
        LinalgOp::Eigh { vectors } => {
            let n = square(name, x[0])?;
            let values = sized(x[0], &x[0].shape[..x[0].rank() - 2], &[n])?;
            Ok(if vectors { smallvec![values, x[0].clone()] } else { smallvec![values] })
        }
        LinalgOp::Svd { vectors } => {
            let (batch, m, n) = matrix(name, x[0])?;
            let k = m.min(n);
            let values = sized(x[0], batch, &[k])?;
            let (rows, columns) = match vectors {
                Vectors::None => return Ok(smallvec![values]),
                Vectors::Thin => (k, k),
                Vectors::Full => (m, n),
            };
            let u = sized(x[0], batch, &[m, rows])?;
            Ok(smallvec![u, values, sized(x[0], batch, &[columns, n])?])
        }
    }
}

fn joined(batch: &[usize], rest: &[usize]) -> Shape {
    batch.iter().chain(rest).copied().collect()
}

fn sized(x: &ArrayType, batch: &[usize], rest: &[usize]) -> Result<ArrayType, Fault> {
    let shape = joined(batch, rest);
    checked_size(&shape)?;
    Ok(x.with_shape(shape))
}

/// Leading extents, rows and columns of matrices of floats.
fn matrix<'a>(name: &str, x: &'a ArrayType) -> Result<(&'a [usize], usize, usize), Fault> {
    let [batch @ .., m, n] = &x.shape[..] else {
        return Err(Fault::shape(
            format!("`{name}` takes matrices, not {x}"),
            "give an array of two or more axes",
        ));
    };
    if !x.dtype.is_float() {
        return Err(Fault::dtype(
            format!("`{name}` takes a float, not {x}"),
            "convert first, for example with `.cast(DType::F32)`",
        ));
    }
    Ok((batch, *m, *n))
}

fn square(name: &str, x: &ArrayType) -> Result<usize, Fault> {
    let r = x.rank();
    if r < 2 || x.shape[r - 1] != x.shape[r - 2] {
        return Err(Fault::shape(
            format!("`{name}` takes square matrices, not {x}"),
            "the last two extents must be equal",
        ));
    }
    matrix(name, x).map(|(_, n, _)| n)
}

fn right_side(name: &str, a: &ArrayType, n: usize, b: &ArrayType) -> Result<(), Fault> {
    let r = a.rank();
    if b.dtype != a.dtype {
        return Err(Fault::dtype(
            format!("`{name}` cannot solve {a} against {b}"),
            "both sides must have one element type",
        ));
    }
    if b.rank() != r || b.shape[..r - 2] != a.shape[..r - 2] || b.shape[r - 2] != n {
        return Err(Fault::shape(
            format!("`{name}` cannot solve {a} against {b}"),
            format!("the right side must have {n} rows and equal batch axes"),
        ));
    }
    Ok(())
}

/// The packed factors and the permutation of `a`.
fn factors(
    name: &str,
    a: &ArrayType,
    n: usize,
    lu: &ArrayType,
    permutation: &ArrayType,
) -> Result<(), Fault> {
    let rows = ArrayType::new(DType::I32, joined(&a.shape[..a.rank() - 2], &[n]));
    if lu != a || *permutation != rows {
        return Err(Fault::shape(
            format!(
                "`{name}` of {a} takes factors {a} and a permutation {rows}, not {lu} and {permutation}"
            ),
            "give the results of `lu` on the same matrix",
        ));
    }
    Ok(())
}
