//! The distribution of Lewandowski, Kurowicka and Joe on correlation matrices (2009), and that of
//! their Cholesky factors.

use super::factors::held;
use crate::constraints::Constraint;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Mode, Moments, Sample, Support};
use crate::random::beta;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, Tree, arange, default_float, eye_of, here, select,
};
use std::f64::consts::PI;

/// Declares one of both: its support, and its density on the factor.
macro_rules! lkj {
    ($(
        $(#[$about:meta])*
        $name:ident on $support:ident;
        density($factor:ident, $eta:ident, $d:ident) => $density:expr;
        from($x:ident) => $from:expr;
        into($drawn:ident) => $into:expr;
    )+) => {$(
        $(#[$about])*
        #[derive(Tree, Clone, Debug)]
        #[tree(crate = probpipe_trace)]
        pub struct $name {
            concentration: Array,
            #[tree(static)]
            dimension: usize,
        }

        impl $name {
            /// For matrices of `dimension` rows. Fewer than 2, or a known concentration that is
            /// not positive, make every use an error that says so.
            #[track_caller]
            pub fn new(dimension: usize, concentration: impl Into<Array>) -> $name {
                let concentration = concentration.into();
                let family = stringify!($name);
                let concentration = match dimension {
                    0 | 1 => Array::invalid(
                        Error::new(
                            ErrorKind::Value,
                            format!("the dimension of an {family} must be at least 2, not {dimension}"),
                        )
                        .help("a correlation is one of two numbers"),
                        here(),
                    ),
                    _ => held(family, "concentration", &Constraint::Positive, concentration),
                };
                $name { concentration, dimension }
            }

            /// How strongly mass gathers about the identity; 1 is uniform on correlation matrices.
            pub fn concentration(&self) -> &Array {
                &self.concentration
            }

            /// The number of rows.
            pub fn dimension(&self) -> usize {
                self.dimension
            }
        }

        impl Distribution for $name {
            type Value = Array;

            fn batch_shape(&self) -> Shape {
                self.concentration.shape().into()
            }

            fn event_shape(&self) -> Shape {
                Shape::from_slice(&[self.dimension, self.dimension])
            }
        }

        impl Support for $name {
            fn support(&self) -> Constraint {
                Constraint::$support
            }
        }

        impl LogProb for $name {
            fn log_prob(&self, x: &Array) -> Array {
                let ($eta, $d) = (&self.concentration, self.dimension);
                if let Some(error) = $eta.error().or(x.error()) {
                    return Array::invalid(error.clone(), here());
                }
                let seen = Seen::new(&Constraint::$support, x, &eye_of(x.dtype(), $d));
                let $x = &seen.at;
                let $factor = &$from;
                seen.density($density - log_integral($eta, $d))
            }
        }

        impl Sample for $name {
            /// By the vine: partial correlations are independent beta numbers.
            fn sample_shape(&self, key: Key, shape: Shape) -> Array {
                if self.concentration.error().is_some() {
                    return self.concentration.clone();
                }
                let batch = join(&shape, &self.batch_shape());
                let $drawn = &vine(key, &batch, &self.concentration, self.dimension);
                $into
            }
        }
    )+};
}

lkj! {
    /// The distribution on correlation matrices of density proportional to
    /// `det(X)^(concentration - 1)`.
    ///
    /// ```
    /// use probpipe::distributions::LKJ;
    /// use probpipe::prelude::*;
    /// let uniform = LKJ::new(2, 1.0);
    /// assert!((uniform.prob(&array([[1.0, 0.3], [0.3, 1.0]])).item::<f32>()? - 0.5).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LKJ on CorrelationMatrix;
    density(factor, eta, d) => {
        let _ = d;
        factor.diagonal().log().sum_axes([-1]) * ((eta - 1.0) * 2.0)
    };
    from(x) => x.cholesky();
    into(factor) => factor.matmul(factor.swap_axes(-1, -2));

    /// The distribution of the lower Cholesky factor of a correlation matrix of [`LKJ`], of
    /// density proportional to `prod(L_kk^(d - k + 2 concentration - 2))` for `k` from 2 to `d`.
    ///
    /// ```
    /// use probpipe::distributions::LKJCholesky;
    /// use probpipe::prelude::*;
    /// let factor = LKJCholesky::new(3, 2.0).sample(Key::new(0), ());
    /// let correlation = factor.matmul(factor.transpose());
    /// assert!(correlation.diagonal().allclose(1.0).item::<bool>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LKJCholesky on CorrelationCholesky;
    density(factor, eta, d) => {
        let order = d as f64 - 1.0 - arange(d).cast(factor.dtype());
        let logs = factor.diagonal().log();
        (&logs * order).sum_axes([-1]) + logs.sum_axes([-1]) * ((eta - 1.0) * 2.0)
    };
    from(x) => x.tril();
    into(factor) => factor.clone();
}

/// The logarithm of the integral of `det(X)^(eta - 1)`:
/// `(d-1)/2 log pi + lgamma_(d-1)(eta + d/2 - 1) - (d-1) lgamma(eta + (d-1)/2)`.
#[track_caller]
fn log_integral(eta: &Array, d: usize) -> Array {
    let n = d as f64 - 1.0;
    let all = eta + n / 2.0;
    (&all - 0.5).multigammaln(d - 1) - all.lgamma() * n + n / 2.0 * PI.ln()
}

/// Factors whose entry `j` of a row is the part `r_j` of the length that those before it leave, of
/// `r_j = 2 b - 1` with beta numbers `b` of both parameters `eta + (d - 2 - j) / 2`.
#[track_caller]
fn vine(key: Key, batch: &[usize], eta: &Array, d: usize) -> Array {
    let dtype = if eta.is_literal() { default_float() } else { eta.dtype() };
    let eta = match eta.rank() {
        0 => eta.clone(),
        _ => eta.expand_dims(-1).expand_dims(-1),
    };
    let columns = ((d as f64 - 2.0) - arange(d).cast(dtype)).maximum(0.0) * 0.5;
    let b = eta + columns;
    let shape = join(batch, &[d, d]);
    let r = (beta(key, shape, &b, &b) * 2.0 - 1.0).tril_offset(-1);
    let left = ((1.0 - &r) * (1.0 + &r)).log();
    let length = ((left.cumsum(-1) - left) * 0.5).exp();
    let diagonal = length.diagonal();
    select(&eye_of(dtype, d).gt(0.0), diagonal.expand_dims(-1), r * length)
}

/// What both have.
macro_rules! peaks {
    ($($name:ident),+) => {$(
        impl $name {
            fn dtype(&self) -> DType {
                let eta = &self.concentration;
                if eta.is_literal() { default_float() } else { eta.dtype() }
            }

            #[track_caller]
            fn spread(&self, statistic: Array) -> Array {
                match self.concentration.error() {
                    Some(_) => self.concentration.clone(),
                    None => statistic.broadcast_to(join(&self.batch_shape(), &self.event_shape())),
                }
            }
        }

        impl Mode for $name {
            /// The identity for a concentration above 1; NaN elsewhere, where the density is flat
            /// or largest at the border.
            fn mode(&self) -> Array {
                let peaked = self.concentration.gt(1.0);
                let peaked = match peaked.rank() {
                    0 => peaked,
                    _ => peaked.expand_dims(-1).expand_dims(-1),
                };
                self.spread(select(&peaked, eye_of(self.dtype(), self.dimension), f64::NAN))
            }
        }
    )+};
}

peaks!(LKJ, LKJCholesky);

impl Moments for LKJ {
    /// The identity, by symmetry.
    fn mean(&self) -> Array {
        self.spread(eye_of(self.dtype(), self.dimension))
    }

    /// `1 / (2 eta + d - 1)` of each correlation: it is `2 b - 1` of beta numbers of parameters
    /// `eta + d/2 - 1`.
    fn variance(&self) -> Array {
        let d = self.dimension;
        let variance = (&self.concentration * 2.0 + (d as f64 - 1.0)).recip();
        let variance = match variance.rank() {
            0 => variance,
            _ => variance.expand_dims(-1).expand_dims(-1),
        };
        self.spread((1.0 - eye_of(self.dtype(), d)) * variance)
    }
}
