//! Normal and Student t distributions on matrices, whose rows and columns depend on each other.

use super::factors::{common, fitted, log_determinant, solved, squares};
use crate::constraints::Constraint;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join, spread};
use crate::distributions::{
    Distribution, Entropy, KlDivergence, LogProb, Mode, Moments, Sample, Support,
};
use crate::random::{chi_square, normal_of};
use probpipe_trace::{Array, DType, Key, Shape, Tree, arange, eye_of, select};
use std::f64::consts::PI;

/// The normal distribution on matrices of `n` rows and `p` columns in which the covariance of two
/// entries is that of their rows times that of their columns.
///
/// Its sampler `loc + A Z B'`, of factors `A` and `B`, is reparameterised.
///
/// ```
/// use probpipe::distributions::MatrixNormal;
/// use probpipe::prelude::*;
/// let m = MatrixNormal::new(zeros([2, 3]), eye(2), eye(3));
/// let entries = Normal::new(0.0, 1.0);
/// let x = array([[0.5, 1.0, 0.0], [-1.0, 2.0, 0.25]]);
/// let apart = m.log_prob(&x) - entries.log_prob(&x).sum();
/// assert!(apart.abs().item::<f32>()? < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MatrixNormal {
    loc: Array,
    scale_tril_row: Array,
    scale_tril_column: Array,
}

/// The Student t distribution on matrices of `n` rows and `p` columns: a [`MatrixNormal`] whose
/// covariance of rows is drawn from an inverse Wishart distribution of `df + n - 1` degrees of
/// freedom. Of one row it is the multivariate Student t distribution of the scale matrix over
/// `df`.
///
/// Its sampler is reparameterised.
///
/// ```
/// use probpipe::distributions::{MatrixT, StudentT};
/// use probpipe::prelude::*;
/// let one = MatrixT::new(4.0, [[0.0]], [[2.0]], [[1.0]]);
/// let same = StudentT::new(4.0, 0.0, 1.0);
/// let apart = one.log_prob(&array([[0.5]])) - same.log_prob(&array(0.5));
/// assert!(apart.abs().item::<f32>()? < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct MatrixT {
    df: Array,
    centre: MatrixNormal,
}

const HELP: &str =
    "give loc [..., n, p], scale_tril_row [..., n, n] and scale_tril_column [..., p, p]";

/// The batch shape, where the parameters fit.
fn batch(loc: &[usize], row: &[usize], column: &[usize]) -> Option<Shape> {
    let [.., n, p] = *loc else { return None };
    let fits = matches!(*row, [.., a, b] if a == n && b == n)
        && matches!(*column, [.., a, b] if a == p && b == p);
    common([(loc, 2), (row, 2), (column, 2)]).filter(|_| fits)
}

impl MatrixNormal {
    /// From the mean `[..., n, p]` and the lower Cholesky factors of the covariances of rows
    /// `[..., n, n]` and of columns `[..., p, p]`. Shapes that do not fit, or known factors that
    /// are none, make all of it invalid.
    #[track_caller]
    pub fn new(
        loc: impl Into<Array>,
        scale_tril_row: impl Into<Array>,
        scale_tril_column: impl Into<Array>,
    ) -> MatrixNormal {
        let parameters = [
            ("loc", Constraint::RealMatrix, loc.into()),
            ("scale_tril_row", Constraint::LowerCholesky, scale_tril_row.into()),
            ("scale_tril_column", Constraint::LowerCholesky, scale_tril_column.into()),
        ];
        let [loc, scale_tril_row, scale_tril_column] =
            fitted("MatrixNormal", parameters, HELP, |[loc, row, column]| batch(loc, row, column));
        MatrixNormal { loc, scale_tril_row, scale_tril_column }
    }

    /// The numbers of rows and columns.
    fn extents(&self) -> [usize; 2] {
        match *self.loc.shape() {
            [.., n, p] => [n, p],
            _ => [0, 0],
        }
    }

    fn dtype(&self) -> DType {
        self.scale_tril_row.dtype()
    }

    /// `A^-1 x B'^-1` of distances from the mean.
    #[track_caller]
    fn whitened(&self, x: &Array) -> Array {
        let rows = solved(&self.scale_tril_row, x);
        if rows.error().is_some() {
            return rows;
        }
        solved(&self.scale_tril_column, &rows.swap_axes(-1, -2)).swap_axes(-1, -2)
    }

    /// `log |A| p + log |B| n`.
    #[track_caller]
    fn log_volume(&self) -> Array {
        let [n, p] = self.extents();
        log_determinant(&self.scale_tril_row) * p as f64
            + log_determinant(&self.scale_tril_column) * n as f64
    }

    #[track_caller]
    fn spread(&self, statistic: Array, event: &[usize]) -> Array {
        match self.loc.error() {
            Some(_) => self.loc.clone(),
            None => spread(statistic, &join(&self.batch_shape(), event), Some(self.dtype())),
        }
    }

    /// Products of the variances of rows and of columns.
    #[track_caller]
    fn variances(&self) -> Array {
        let of = |factor: &Array| factor.square().sum_axes([-1]);
        of(&self.scale_tril_row).expand_dims(-1) * of(&self.scale_tril_column).expand_dims(-2)
    }
}

impl Distribution for MatrixNormal {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let (row, column) = (self.scale_tril_row.shape(), self.scale_tril_column.shape());
        batch(self.loc.shape(), row, column).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&self.extents())
    }
}

impl Support for MatrixNormal {
    fn support(&self) -> Constraint {
        Constraint::RealMatrix
    }
}

impl LogProb for MatrixNormal {
    fn log_prob(&self, x: &Array) -> Array {
        let centred = x - &self.loc;
        if centred.error().is_some() {
            return centred;
        }
        let seen = Seen::new(&Constraint::RealMatrix, &centred, &0.0.into());
        let z = self.whitened(&seen.at);
        let [n, p] = self.extents();
        seen.density(squares(&z) * -0.5 - (self.log_volume() + HALF_LOG_TAU * (n * p) as f64))
    }
}

impl Sample for MatrixNormal {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.loc.error().is_some() {
            return self.loc.clone();
        }
        let shape = join(&join(&shape, &self.batch_shape()), &self.extents());
        let z = normal_of(self.dtype(), key, shape);
        let rows = self.scale_tril_row.matmul(z);
        rows.matmul(self.scale_tril_column.swap_axes(-1, -2)) + &self.loc
    }
}

impl Moments for MatrixNormal {
    fn mean(&self) -> Array {
        self.spread(self.loc.clone(), &self.extents())
    }

    fn variance(&self) -> Array {
        self.spread(self.variances(), &self.extents())
    }
}

impl Mode for MatrixNormal {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for MatrixNormal {
    fn entropy(&self) -> Array {
        let [n, p] = self.extents();
        self.spread(self.log_volume() + (HALF_LOG_TAU + 0.5) * (n * p) as f64, &[])
    }
}

impl KlDivergence for MatrixNormal {
    /// That of the normal vectors of all entries: `(|C^-1 A|^2 |D^-1 B|^2 + |C^-1 (m - k) D'^-1|^2
    /// - n p) / 2` and the difference of the volumes, of factors `A`, `B` and `C`, `D`.
    fn kl_divergence(&self, q: &MatrixNormal) -> Array {
        let moved = q.whitened(&(&self.loc - &q.loc));
        if moved.error().is_some() {
            return moved;
        }
        let [n, p] = self.extents();
        let rows = squares(&solved(&q.scale_tril_row, &self.scale_tril_row));
        let columns = squares(&solved(&q.scale_tril_column, &self.scale_tril_column));
        (rows * columns + squares(&moved) - (n * p) as f64) * 0.5 + q.log_volume()
            - self.log_volume()
    }
}

impl MatrixT {
    /// From the degrees of freedom, the centre `[..., n, p]` and the lower Cholesky factors of the
    /// scales of rows `[..., n, n]` and of columns `[..., p, p]`.
    #[track_caller]
    pub fn new(
        df: impl Into<Array>,
        loc: impl Into<Array>,
        scale_tril_row: impl Into<Array>,
        scale_tril_column: impl Into<Array>,
    ) -> MatrixT {
        let parameters = [
            ("df", Constraint::Positive, df.into()),
            ("loc", Constraint::RealMatrix, loc.into()),
            ("scale_tril_row", Constraint::LowerCholesky, scale_tril_row.into()),
            ("scale_tril_column", Constraint::LowerCholesky, scale_tril_column.into()),
        ];
        let [df, loc, scale_tril_row, scale_tril_column] =
            fitted("MatrixT", parameters, HELP, |[df, loc, row, column]| {
                let common = batch(loc, row, column)?;
                super::factors::common([(&common, 0), (df, 0)])
            });
        MatrixT { df, centre: MatrixNormal { loc, scale_tril_row, scale_tril_column } }
    }

    #[track_caller]
    fn spread(&self, statistic: Array, event: &[usize]) -> Array {
        match self.df.error() {
            Some(_) => self.df.clone(),
            None => {
                let shape = join(&self.batch_shape(), event);
                spread(statistic, &shape, Some(self.centre.dtype()))
            }
        }
    }

    fn over(&self) -> Array {
        if self.df.rank() > 0 { self.df.expand_dims(-1).expand_dims(-1) } else { self.df.clone() }
    }
}

impl Distribution for MatrixT {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        common([(&self.centre.batch_shape(), 0), (self.df.shape(), 0)]).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        self.centre.event_shape()
    }
}

impl Support for MatrixT {
    fn support(&self) -> Constraint {
        Constraint::RealMatrix
    }
}

impl LogProb for MatrixT {
    /// `-(df + n + p - 1) / 2 log |I + Z Z'|` of `Z = A^-1 (x - loc) B'^-1`, and the logarithm of
    /// its integral (A. K. Gupta, D. K. Nagar, "Matrix variate distributions", 1999, section 4.2).
    fn log_prob(&self, x: &Array) -> Array {
        let centred = x - &self.centre.loc;
        if centred.error().is_some() {
            return centred;
        }
        let seen = Seen::new(&Constraint::RealMatrix, &centred, &0.0.into());
        let z = self.centre.whitened(&seen.at);
        let [n, p] = self.centre.extents();
        let inner = z.matmul(z.swap_axes(-1, -2)) + eye_of(z.dtype(), n);
        let size = log_determinant(&inner.cholesky());
        let total = &self.df + (n + p) as f64 - 1.0;
        let constant = (&total * 0.5).multigammaln(n)
            - ((&self.df + n as f64 - 1.0) * 0.5).multigammaln(n)
            - (n * p) as f64 / 2.0 * PI.ln();
        seen.density(-total * size + (constant - self.centre.log_volume()))
    }
}

impl Sample for MatrixT {
    /// `T^-1 Z` with Bartlett's factor `T` of a Wishart matrix and normal numbers `Z`.
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.df.error().is_some() {
            return self.df.clone();
        }
        let [n, p] = self.centre.extents();
        let (dtype, batch) = (self.centre.dtype(), join(&shape, &self.batch_shape()));
        let (first, rest) = key.split();
        let (second, third) = rest.split();
        let df = if self.df.rank() > 0 { self.df.expand_dims(-1) } else { self.df.clone() };
        let df = df + (n as f64 - 1.0) - arange(n).cast(dtype);
        let diagonal = chi_square(first, join(&batch, &[n]), df).sqrt();
        let below = normal_of(dtype, second, join(&batch, &[n, n])).tril_offset(-1);
        let factor = select(&eye_of(dtype, n).gt(0.0), diagonal.expand_dims(-1), below);
        // The density asks for Z Z' seen through (T T')^-1, which T'^-1 Z has.
        let z = normal_of(dtype, third, join(&batch, &[n, p]));
        let flipped = factor.swap_axes(-1, -2).flip(-1).flip(-2);
        let turned = solved(&flipped, &z.flip(-2)).flip(-2);
        let rows = self.centre.scale_tril_row.matmul(turned);
        rows.matmul(self.centre.scale_tril_column.swap_axes(-1, -2)) + &self.centre.loc
    }
}

impl Moments for MatrixT {
    /// The centre, for more than 1 degree of freedom; NaN elsewhere.
    fn mean(&self) -> Array {
        let mean = select(&self.over().gt(1.0), &self.centre.loc, f64::NAN);
        self.spread(mean, &self.event_shape())
    }

    /// The product of the scales over `df - 2`; infinite for 2 degrees of freedom or fewer, NaN up
    /// to 1.
    fn variance(&self) -> Array {
        let df = self.over();
        let finite = df.gt(2.0);
        let ratio = select(&finite, (select(&finite, &df, 3.0) - 2.0).recip(), f64::INFINITY);
        let ratio = select(&df.gt(1.0), ratio, f64::NAN);
        self.spread(self.centre.variances() * ratio, &self.event_shape())
    }
}

impl Mode for MatrixT {
    fn mode(&self) -> Array {
        self.spread(self.centre.loc.clone(), &self.event_shape())
    }
}

impl Entropy for MatrixT {
    /// The mean of `(df + n + p - 1) / 2 log |I + Z Z'|`, which is a difference of digammas for
    /// each row, and the logarithm of the integral.
    fn entropy(&self) -> Array {
        if self.df.error().is_some() {
            return self.df.clone();
        }
        let [n, p] = self.centre.extents();
        let total = &self.df + (n + p) as f64 - 1.0;
        let (whole, part) = (&total * 0.5, (&self.df + n as f64 - 1.0) * 0.5);
        let size = (0..n).fold(&whole * 0.0, |sum, j| {
            let j = j as f64 / 2.0;
            sum + (&whole - j).digamma() - (&part - j).digamma()
        });
        let constant =
            whole.multigammaln(n) - part.multigammaln(n) - (n * p) as f64 / 2.0 * PI.ln();
        self.spread(whole * size - constant + self.centre.log_volume(), &[])
    }
}
