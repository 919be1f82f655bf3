//! The Bernoulli distribution by its log-odds.

use super::Bernoulli;
use super::bernoulli::{quantile, steps};
use super::masses::divergence_of_logs;
use super::modes::likelier;
use crate::distributions::KlDivergence;
use crate::distributions::declaration::family;
use probpipe_trace::{Array, DType, select};

family! {
    /// The distribution of one trial that succeeds with probability `1 / (1 + exp(-logits))`.
    ///
    /// Its draws are `i32` and not differentiable. The mode is 0 where both are as probable.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let coin = Bernoulli::from_logits(-100.0);
    /// assert_eq!(coin.log_prob(&array(1)).item::<f32>()?, -100.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    BernoulliLogits::new {
        /// The logarithm of the odds of 1.
        logits: Real,
    }
    on Boolean {
        LogProb { log_prob(x) => select(&x.eq(1.0), logits, -logits).log_sigmoid() }
        Sample { uniform(u) => u.lt(logits.sigmoid()).cast(DType::I32) }
        Cdf {
            cdf(x) => steps(x, 0.0, (-logits).sigmoid(), 1.0),
            survival(x) => steps(x, 1.0, logits.sigmoid(), 0.0),
        }
        Quantile { quantile(q) => quantile(q, &(-logits).sigmoid()) }
        Moments {
            mean => logits.sigmoid(),
            variance => logits.sigmoid() * (-logits).sigmoid(),
        }
        Mode { mode => likelier(logits, 0.0) }
        Entropy {
            entropy => -(logits.sigmoid() * logits.log_sigmoid()
                + (-logits).sigmoid() * (-logits).log_sigmoid())
        }
    }
}

impl KlDivergence for BernoulliLogits {
    fn kl_divergence(&self, other: &BernoulliLogits) -> Array {
        let ([a], [b]) = (&self.checked(), &other.checked());
        divergence_of_logs(&a.log_sigmoid(), &b.log_sigmoid())
            + divergence_of_logs(&(-a).log_sigmoid(), &(-b).log_sigmoid())
    }
}

impl Bernoulli {
    /// By the logarithm of the odds of 1.
    #[track_caller]
    pub fn from_logits(logits: impl Into<Array>) -> BernoulliLogits {
        BernoulliLogits::new(logits)
    }
}
