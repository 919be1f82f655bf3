//! The multivariate Student t distribution.

use super::factors::{log_determinant, whitened};
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample};
use crate::random::{chi_square, normal_of};
use probpipe_trace::{Array, Key, Shape, betaln, digamma_difference, select};
use std::f64::consts::PI;

family! {
    /// The Student t distribution on vectors: a normal vector over the square root of an
    /// independent chi-square number by its degrees of freedom.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::distributions::MultivariateStudentT;
    /// use probpipe::prelude::*;
    /// let t = MultivariateStudentT::new(5.0, zeros([2]), eye(2));
    /// // Gamma(7/2) / (Gamma(5/2) 5 pi) = 1 / (2 pi)
    /// assert!((t.prob(&zeros([2])).item::<f32>()? - 0.15915494).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    MultivariateStudentT::new {
        /// The degrees of freedom.
        df: Positive,
        /// The centre, `[..., d]`.
        loc: RealVector,
        /// The lower Cholesky factor of the scale matrix, `[..., d, d]`.
        scale_tril: LowerCholesky,
    }
    on RealVector
}

impl MultivariateStudentT {
    fn dim(&self) -> usize {
        self.loc().shape().last().copied().unwrap_or(0)
    }
}

impl LogProb for MultivariateStudentT {
    /// `-(df + d) / 2 log(1 + |L^-1 (x - loc)|^2 / df)` and the logarithm of its integral.
    fn log_prob(&self, x: &Array) -> Array {
        let [df, loc, factor] = self.checked();
        let d = self.dim() as f64;
        let centred = x - loc;
        if centred.error().is_some() {
            return centred;
        }
        let seen = Seen::new(&Constraint::RealVector, &centred, &0.0.into());
        let z = whitened(&factor, &seen.at);
        let tail = (z.square().sum_axes([-1]) / &df).log1p() * ((&df + d) * -0.5);
        let constant = ((&df + d) * 0.5).lgamma() - (&df * 0.5).lgamma();
        let constant = constant - (df.log() + PI.ln()) * (d / 2.0) - log_determinant(&factor);
        seen.density(tail + constant)
    }
}

impl Sample for MultivariateStudentT {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [df, loc, factor] = self.checked();
        let (first, second) = key.split();
        let batch = join(&shape, &self.batch_shape());
        let z = normal_of(self.dtype(), first, join(&batch, &[self.dim(), 1]));
        let ratio = (&df / chi_square(second, &batch, &df)).sqrt();
        factor.matmul(&z).squeeze(-1) * ratio.expand_dims(-1) + loc
    }
}

impl Moments for MultivariateStudentT {
    /// The centre, for more than 1 degree of freedom; NaN elsewhere.
    fn mean(&self) -> Array {
        let [df, loc, _] = self.checked();
        let df = if df.rank() > 0 { df.expand_dims(-1) } else { df };
        self.shaped(select(&df.gt(1.0), loc, f64::NAN), &[self.dim()])
    }

    /// `diag(L L') df / (df - 2)`; infinite for 2 degrees of freedom or fewer, NaN up to 1.
    fn variance(&self) -> Array {
        let [df, _, factor] = self.checked();
        let df = if df.rank() > 0 { df.expand_dims(-1) } else { df };
        let finite = df.gt(2.0);
        let safe = select(&finite, &df, 3.0);
        let ratio = select(&finite, &safe / (&safe - 2.0), f64::INFINITY);
        let ratio = select(&df.gt(1.0), ratio, f64::NAN);
        self.shaped(factor.square().sum_axes([-1]) * ratio, &[self.dim()])
    }
}

impl Mode for MultivariateStudentT {
    fn mode(&self) -> Array {
        let [_, loc, _] = self.checked();
        self.shaped(loc, &[self.dim()])
    }
}

impl Entropy for MultivariateStudentT {
    /// The mean of the logarithm that the density holds is a difference of digamma functions.
    fn entropy(&self) -> Array {
        let [df, _, factor] = self.checked();
        let d = self.dim() as f64;
        if d == 0.0 || df.error().is_some() {
            return self.shaped(df * 0.0, &[]);
        }
        let (half, rest) = (&(&df * 0.5), &Array::from(d / 2.0));
        let tail = (half + rest) * digamma_difference(half, rest);
        let constant = betaln(half, rest) - rest.lgamma() + (df.log() + PI.ln()) * (d / 2.0);
        self.shaped(tail + constant + log_determinant(&factor), &[])
    }
}
