//! A normal distribution over the vectors of a target.

use crate::distributions::{LogProb, MultivariateNormal, Sample};
use crate::inference::Target;
use probpipe_trace::{Array, IntoShape, Key, Result, Tree};

/// A normal distribution over the vectors of a target, `[n]`.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Approximation {
    /// Its mean, `[n]`.
    pub loc: Array,
    /// A lower factor of its covariance, `[n, n]`.
    pub scale_tril: Array,
}

impl Approximation {
    /// The distribution.
    #[track_caller]
    pub fn distribution(&self) -> MultivariateNormal {
        MultivariateNormal::from_scale_tril(&self.loc, &self.scale_tril)
    }

    /// The covariance, `[n, n]`.
    #[track_caller]
    pub fn covariance(&self) -> Array {
        self.scale_tril.matmul(&self.scale_tril.transpose())
    }

    /// Draws of vectors, `[draws, n]`.
    #[track_caller]
    pub fn draws(&self, key: Key, draws: usize) -> Array {
        self.distribution().sample_shape(key, [draws].into_shape())
    }

    /// Draws of what the vectors stand for, along a new first axis.
    ///
    /// # Errors
    /// A target of another size.
    #[track_caller]
    pub fn values<T>(&self, key: Key, draws: usize, target: &Target<T>) -> Result<T>
    where
        T: Tree + Clone,
    {
        target.constrain_each(&self.draws(key, draws))
    }

    /// The mean of `log p(z) - log q(z)` over draws of the approximation `q`: what the evidence
    /// lower bound is estimated by.
    #[track_caller]
    pub fn elbo<T>(&self, key: Key, draws: usize, target: &Target<T>) -> Array {
        let z = self.draws(key, draws);
        let log_q = self.distribution().log_prob(&z);
        (target.log_densities(&z) - log_q).mean()
    }
}
