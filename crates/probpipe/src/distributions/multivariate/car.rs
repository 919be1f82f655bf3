//! Conditional autoregression: normal numbers at places of which each has neighbours.

use super::factors::{factor_of_inverse, log_determinant};
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample};
use crate::random::normal_of;
use probpipe_trace::{Array, Key, Shape};

family! {
    /// Normal numbers at places of which some are neighbours: given all others, each is normal
    /// about its mean and `correlation` times the mean deviation of its neighbours. With the matrix
    /// `W` of neighbours and its row sums `D` the inverse of the covariance is
    /// `conditional_precision (D - correlation W)` (J. Besag, "Spatial interaction and the
    /// statistical analysis of lattice systems", 1974).
    ///
    /// Every place must have a neighbour; where one has none densities are infinite or NaN. Its
    /// sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::distributions::CAR;
    /// use probpipe::prelude::*;
    /// let pair = CAR::new([0.0, 0.0], 0.5, 2.0, [[0.0, 1.0], [1.0, 0.0]]);
    /// let same = MultivariateNormal::from_precision([0.0, 0.0], [[2.0, -1.0], [-1.0, 2.0]]);
    /// let x = array([0.5, -1.0]);
    /// assert!((pair.log_prob(&x) - same.log_prob(&x)).abs().item::<f32>()? < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    CAR::new {
        /// The mean, `[..., n]`.
        loc: RealVector,
        /// How far deviations of neighbours carry over.
        correlation: Correlation,
        /// The precision of each given all others, for each neighbour that it has.
        conditional_precision: Positive,
        /// 1 for neighbours and 0 for others, or weights, `[..., n, n]`.
        adj_matrix: SymmetricMatrix,
    }
    on RealVector
}

impl CAR {
    fn dim(&self) -> usize {
        self.loc().shape().last().copied().unwrap_or(0)
    }
}

/// `D - correlation W`.
#[track_caller]
fn structure(correlation: &Array, adjacency: &Array) -> Array {
    let correlation = match correlation.rank() {
        0 => correlation.clone(),
        _ => correlation.expand_dims(-1).expand_dims(-1),
    };
    adjacency.sum_axes([-1]).diag() - correlation * adjacency
}

impl LogProb for CAR {
    /// `n log(p) / 2 + log |L| - p |L' (x - loc)|^2 / 2 - n log(2 pi) / 2` with the precision `p`
    /// and `L L' = D - correlation W`.
    fn log_prob(&self, x: &Array) -> Array {
        let [loc, correlation, precision, adjacency] = self.checked();
        let centred = x - loc;
        if centred.error().is_some() {
            return centred;
        }
        let seen = Seen::new(&Constraint::RealVector, &centred, &0.0.into());
        let n = self.dim() as f64;
        let factor = structure(&correlation, &adjacency).cholesky();
        let turned = factor.swap_axes(-1, -2).matmul(seen.at.expand_dims(-1)).squeeze(-1);
        let length = turned.square().sum_axes([-1]) * &precision;
        let value = length * -0.5 + (precision.log() * (n / 2.0) + log_determinant(&factor));
        seen.density(value - n * HALF_LOG_TAU)
    }
}

impl CAR {
    /// A factor of the covariance.
    #[track_caller]
    fn factor(&self) -> Array {
        let [_, correlation, precision, adjacency] = self.checked();
        let factor = factor_of_inverse(&structure(&correlation, &adjacency));
        match precision.rank() {
            0 => factor / precision.sqrt(),
            _ => factor / precision.sqrt().expand_dims(-1).expand_dims(-1),
        }
    }
}

impl Sample for CAR {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [loc, ..] = self.checked();
        let shape = join(&join(&shape, &self.batch_shape()), &[self.dim(), 1]);
        let factor = self.factor();
        if factor.error().is_some() {
            return factor;
        }
        factor.matmul(normal_of(self.dtype(), key, shape)).squeeze(-1) + loc
    }
}

impl Moments for CAR {
    fn mean(&self) -> Array {
        let [loc, ..] = self.checked();
        self.shaped(loc, &[self.dim()])
    }

    fn variance(&self) -> Array {
        self.shaped(self.factor().square().sum_axes([-1]), &[self.dim()])
    }
}

impl Mode for CAR {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for CAR {
    fn entropy(&self) -> Array {
        let [_, correlation, precision, adjacency] = self.checked();
        let n = self.dim() as f64;
        let factor = structure(&correlation, &adjacency).cholesky();
        let constant = n * (HALF_LOG_TAU + 0.5);
        self.shaped(constant - precision.log() * (n / 2.0) - log_determinant(&factor), &[])
    }
}
