//! Wishart distributions on covariances and their Cholesky factors, and those of their inverses.

mod bartlett;

use super::factors::{factor_of_inverse, held, log_determinant, solved, squares};
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Moments, Parametric, Sample, Support};
use crate::random::{chi_square, normal_of};
use probpipe_trace::{Array, DType, Key, Shape, arange, eye_of, ones_of, select};
use std::f64::consts::{LN_2, SQRT_2};

family! {
    /// The Wishart distribution: of `X X'` for `concentration` normal vectors of the scale matrix
    /// as covariance; `concentration` need not be whole, but above `d - 1`: elsewhere densities
    /// and moments are NaN.
    ///
    /// Its sampler is reparameterised, by Bartlett's decomposition.
    ///
    /// ```
    /// use probpipe::distributions::Wishart;
    /// use probpipe::prelude::*;
    /// let w = Wishart::new(5.0, [[4.0, 2.0], [2.0, 2.0]]);
    /// assert_eq!(w.mean().to_vec::<f32>()?, [20.0, 10.0, 10.0, 10.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Wishart::from_scale_tril {
        /// The degrees of freedom.
        concentration: Positive,
        /// The lower Cholesky factor of the scale matrix, `[..., d, d]`.
        scale_tril: LowerCholesky,
    }
    on PositiveDefinite
}

family! {
    /// The distribution of the lower Cholesky factor of a [`Wishart`] matrix.
    ///
    /// ```
    /// use probpipe::distributions::WishartCholesky;
    /// use probpipe::prelude::*;
    /// let w = WishartCholesky::from_scale_tril(5.0, eye(2));
    /// assert!(w.log_prob(&eye(2)).item::<f32>()?.is_finite());
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    WishartCholesky::from_scale_tril {
        /// The degrees of freedom.
        concentration: Positive,
        /// The lower Cholesky factor of the scale matrix, `[..., d, d]`.
        scale_tril: LowerCholesky,
    }
    on LowerCholesky
}

family! {
    /// The distribution of the inverse of a Wishart matrix whose scale matrix is the inverse of
    /// this one's.
    ///
    /// ```
    /// use probpipe::distributions::InverseWishart;
    /// use probpipe::prelude::*;
    /// let w = InverseWishart::new(5.0, eye(2));
    /// assert_eq!(w.mean().to_vec::<f32>()?, [0.5, 0.0, 0.0, 0.5]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    InverseWishart::from_scale_tril {
        /// The degrees of freedom.
        concentration: Positive,
        /// The lower Cholesky factor of the scale matrix, `[..., d, d]`.
        scale_tril: LowerCholesky,
    }
    on PositiveDefinite
}

family! {
    /// The distribution of the lower Cholesky factor of an [`InverseWishart`] matrix.
    ///
    /// ```
    /// use probpipe::distributions::InverseWishartCholesky;
    /// use probpipe::prelude::*;
    /// let w = InverseWishartCholesky::from_scale_tril(5.0, eye(2));
    /// assert!(w.log_prob(&eye(2)).item::<f32>()?.is_finite());
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    InverseWishartCholesky::from_scale_tril {
        /// The degrees of freedom.
        concentration: Positive,
        /// The lower Cholesky factor of the scale matrix, `[..., d, d]`.
        scale_tril: LowerCholesky,
    }
    on LowerCholesky
}

/// The logarithm of the integral of `|X|^((n - d - 1) / 2) exp(-trace(X) / 2)`; NaN up to
/// `n = d - 1`.
#[track_caller]
fn log_integral(n: &Array, d: usize) -> Array {
    n * (d as f64 / 2.0 * LN_2) + (n * 0.5).multigammaln(d)
}

/// `log |d(L L') / dL|`, of the lower triangles.
#[track_caller]
fn log_volume(factor: &Array, d: usize) -> Array {
    let weight = d as f64 - arange(d).cast(factor.dtype());
    (factor.diagonal().log() * weight).sum_axes([-1]) + d as f64 * LN_2
}

/// The density of a Wishart matrix with the factor `x`.
#[track_caller]
fn wishart(n: &Array, scale: &Array, x: &Array, d: usize) -> Array {
    let trace = squares(&solved(scale, x));
    (n - (d as f64 + 1.0)) * log_determinant(x)
        - trace * 0.5
        - (n * log_determinant(scale) + log_integral(n, d))
}

/// The density of the inverse of a Wishart matrix, with the factor `x`.
#[track_caller]
fn inverse_wishart(n: &Array, scale: &Array, x: &Array, d: usize) -> Array {
    let trace = squares(&solved(x, scale));
    -(n + (d as f64 + 1.0)) * log_determinant(x) - trace * 0.5
        + (n * log_determinant(scale) - log_integral(n, d))
}

/// Bartlett's factor of a Wishart matrix of scale 1: normal numbers below the diagonal, on it the
/// roots of chi-square numbers of `n - i` degrees of freedom.
#[track_caller]
fn bartlett(dtype: DType, key: Key, batch: &[usize], n: &Array, d: usize) -> Array {
    let (first, second) = key.split();
    let n = if n.rank() > 0 { n.expand_dims(-1) } else { n.clone() };
    let df = n - arange(d).cast(dtype);
    let diagonal = chi_square(first, join(batch, &[d]), df).sqrt();
    let below = normal_of(dtype, second, join(batch, &[d, d])).tril_offset(-1);
    select(&eye_of(dtype, d).gt(0.0), diagonal.expand_dims(-1), below)
}

/// A number for each matrix as one for each entry.
#[track_caller]
fn over(x: &Array) -> Array {
    if x.rank() > 0 { x.expand_dims(-1).expand_dims(-1) } else { x.clone() }
}

#[track_caller]
fn product(factor: &Array) -> Array {
    factor.matmul(factor.swap_axes(-1, -2))
}

/// Implements what the four families share.
macro_rules! wisharts {
    ($($name:ident: $factor:ident, $density:ident, $volume:ident, $drawn:ident;)+) => {$(
        impl $name {
            /// From the degrees of freedom and the scale matrix `[..., d, d]`.
            #[track_caller]
            pub fn new(
                concentration: impl Into<Array>,
                scale_matrix: impl Into<Array>,
            ) -> $name {
                let (matrix, set) = (scale_matrix.into(), &Constraint::PositiveDefinite);
                let square = matches!(matrix.shape(), [.., m, n] if m == n);
                let matrix = match square {
                    true => held(Self::FAMILY.name, "scale_matrix", set, matrix),
                    false => matrix,
                };
                $name::from_scale_tril(concentration, matrix.cholesky())
            }

            /// From the degrees of freedom and the inverse of the scale matrix, `[..., d, d]`.
            #[track_caller]
            pub fn from_rate_matrix(
                concentration: impl Into<Array>,
                rate_matrix: impl Into<Array>,
            ) -> $name {
                let (matrix, set) = (rate_matrix.into(), &Constraint::PositiveDefinite);
                if !matches!(matrix.shape(), [.., m, n] if m == n) {
                    return $name::from_scale_tril(concentration, matrix.cholesky());
                }
                let matrix = held(Self::FAMILY.name, "rate_matrix", set, matrix);
                $name::from_scale_tril(concentration, factor_of_inverse(&matrix))
            }

            fn dim(&self) -> usize {
                self.scale_tril().shape().last().copied().unwrap_or(0)
            }
        }

        impl LogProb for $name {
            fn log_prob(&self, x: &Array) -> Array {
                let [n, scale] = self.checked();
                if n.error().is_some() {
                    return n;
                }
                let d = self.dim();
                let seen = Seen::new(&self.support(), x, &eye_of(self.dtype(), d));
                let factor = &$factor(&seen.at);
                seen.density($density(&n, &scale, factor, d) + $volume(factor, d))
            }
        }

        impl Sample for $name {
            fn sample_shape(&self, key: Key, shape: Shape) -> Array {
                let [n, scale] = self.checked();
                let batch = join(&shape, &self.batch_shape());
                let unit = bartlett(self.dtype(), key, &batch, &n, self.dim());
                $drawn(&scale, &unit)
            }
        }
    )+};
}

#[track_caller]
fn of_matrix(x: &Array) -> Array {
    x.cholesky()
}

#[track_caller]
fn of_factor(x: &Array) -> Array {
    x.tril()
}

/// No change of volume.
#[track_caller]
fn none(_: &Array, _: usize) -> Array {
    Array::from(0.0)
}

#[track_caller]
fn drawn(scale: &Array, unit: &Array) -> Array {
    product(&scale.matmul(unit))
}

#[track_caller]
fn drawn_factor(scale: &Array, unit: &Array) -> Array {
    scale.matmul(unit)
}

/// `L (A A')^-1 L'`, from `A^-1 L'`: the scale of the Wishart matrix is the inverse.
#[track_caller]
fn drawn_inverse(scale: &Array, unit: &Array) -> Array {
    // B = A^-T makes (A A')^-1 = B B'; its distribution is that of the inverse of a unit Wishart.
    let inverse = solved(unit, &scale.swap_axes(-1, -2));
    inverse.swap_axes(-1, -2).matmul(&inverse)
}

#[track_caller]
fn drawn_inverse_factor(scale: &Array, unit: &Array) -> Array {
    drawn_inverse(scale, unit).cholesky()
}

wisharts! {
    Wishart: of_matrix, wishart, none, drawn;
    WishartCholesky: of_factor, wishart, log_volume, drawn_factor;
    InverseWishart: of_matrix, inverse_wishart, none, drawn_inverse;
    InverseWishartCholesky: of_factor, inverse_wishart, log_volume, drawn_inverse_factor;
}

impl Moments for Wishart {
    /// `n S`.
    fn mean(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        self.shaped(product(&scale) * over(&valid(&n, d as f64 - 1.0)), &[d, d])
    }

    /// `n (s_ij^2 + s_ii s_jj)`.
    fn variance(&self) -> Array {
        let [n, scale] = self.checked();
        let (d, matrix) = (self.dim(), product(&scale));
        let diagonal = matrix.diagonal();
        let outer = diagonal.expand_dims(-1) * diagonal.expand_dims(-2);
        self.shaped((matrix.square() + outer) * over(&valid(&n, d as f64 - 1.0)), &[d, d])
    }
}

/// Means and variances of the entries of Bartlett's factor.
#[track_caller]
fn of_bartlett(n: &Array, d: usize) -> [Array; 2] {
    let df = if n.rank() > 0 { n.expand_dims(-1) } else { n.clone() };
    let df = df - arange(d).cast(n.dtype());
    let mean = (((&df + 1.0) * 0.5).lgamma() - (&df * 0.5).lgamma()).exp() * SQRT_2;
    let unit = eye_of(n.dtype(), d);
    let below = ones_of(n.dtype(), [d, d]).tril_offset(-1);
    let variance = &df - mean.square();
    [mean.expand_dims(-1) * &unit, variance.expand_dims(-1) * &unit + below]
}

impl Moments for WishartCholesky {
    /// `L E[A]` of Bartlett's factor `A`, whose mean is diagonal.
    fn mean(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let [mean, _] = of_bartlett(&valid(&n, d as f64 - 1.0).in_dtype(self.dtype()), d);
        self.shaped(scale.matmul(mean), &[d, d])
    }

    fn variance(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let [_, variance] = of_bartlett(&valid(&n, d as f64 - 1.0).in_dtype(self.dtype()), d);
        self.shaped(scale.square().matmul(variance), &[d, d])
    }
}

/// Where it is above a bound, NaN elsewhere.
#[track_caller]
fn valid(n: &Array, bound: f64) -> Array {
    select(&n.gt(bound), n, f64::NAN)
}

impl Moments for InverseWishart {
    /// `S / (n - d - 1)` above `d + 1` degrees of freedom, NaN elsewhere.
    fn mean(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let left = valid(&n, d as f64 + 1.0) - (d as f64 + 1.0);
        self.shaped(product(&scale) / over(&left), &[d, d])
    }

    /// Above `d + 3` degrees of freedom, NaN elsewhere (Mardia, Kent and Bibby 1979).
    fn variance(&self) -> Array {
        let [n, scale] = self.checked();
        let (d, matrix) = (self.dim(), product(&scale));
        let left = over(&(valid(&n, d as f64 + 3.0) - d as f64));
        let diagonal = matrix.diagonal();
        let outer = diagonal.expand_dims(-1) * diagonal.expand_dims(-2);
        let top = (&left + 1.0) * matrix.square() + (&left - 1.0) * outer;
        let bottom = &left * (&left - 1.0).square() * (&left - 3.0);
        self.shaped(top / bottom, &[d, d])
    }
}
