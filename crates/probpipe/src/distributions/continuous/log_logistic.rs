//! The distributions of exponentials of logistic numbers, and of sigmoids of normal ones.

use crate::distributions::declaration::family;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::into_open_unit;
use probpipe_trace::{Array, select};
use std::f64::consts::PI;

family! {
    /// The distribution of the exponential of a logistic number (P. R. Fisk, 1961).
    ///
    /// Its sampler is reparameterised. The mean is infinite from a scale of 1 on, the variance from
    /// 1/2 on.
    ///
    /// ```
    /// use probpipe::{LogLogistic, prelude::*};
    /// let l = LogLogistic::new(0.0, 0.5);
    /// assert_eq!(l.cdf(&array(2.0)).item::<f32>()?, 0.8);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LogLogistic::new {
        /// The median of the logarithm.
        loc: Real,
        /// The width of the logarithm.
        scale: Positive,
    }
    on Positive {
        LogProb {
            log_prob(x) => {
                let log = x.log();
                let z = (&log - loc) / scale;
                z.log_sigmoid() + (-&z).log_sigmoid() - log - scale.log()
            }
        }
        Sample { logistic(z) => (z * scale + loc).exp() }
        Cdf {
            cdf(x) => ((x.log() - loc) / scale).sigmoid(),
            survival(x) => ((loc - x.log()) / scale).sigmoid(),
            log_cdf(x) => ((x.log() - loc) / scale).log_sigmoid(),
            log_survival(x) => ((loc - x.log()) / scale).log_sigmoid(),
        }
        Quantile {
            quantile(q) => (q.logit() * scale + loc).exp(),
            upper_quantile(q) => (loc - q.logit() * scale).exp(),
        }
        Moments {
            mean => {
                let finite = scale.lt(1.0);
                let mean = over_sine(&(select(&finite, scale, 0.5) * PI)) * loc.exp();
                select(&finite, mean, f64::INFINITY)
            },
            variance => {
                let finite = scale.lt(0.5);
                let angle = select(&finite, scale, 0.25) * PI;
                let squares = over_sine(&(&angle * 2.0)) - over_sine(&angle).square();
                select(&finite, squares * (loc * 2.0).exp(), f64::INFINITY)
            },
        }
        Mode {
            mode => {
                let inner = scale.lt(1.0);
                let s = &select(&inner, scale, 0.5);
                let log = ((-s).log1p() - s.log1p()) * s;
                select(&inner, (log + loc).exp(), 0.0)
            }
        }
        Entropy { entropy => loc + scale.log() + 2.0 }
    }
}

#[track_caller]
fn over_sine(angle: &Array) -> Array {
    angle / angle.sin()
}

family! {
    /// The distribution of `1 / (1 + exp(-z))` of a normal number `z`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{LogitNormal, prelude::*};
    /// let l = LogitNormal::new(0.0, 1.5);
    /// assert_eq!(l.median().item::<f32>()?, 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LogitNormal::new {
        /// The mean of the log-odds.
        loc: Real,
        /// The standard deviation of the log-odds.
        scale: Positive,
    }
    on OpenUnitInterval {
        LogProb {
            log_prob(x) =>
                ((x.logit() - loc) / scale).square() * -0.5 - (x.log() + (-x).log1p())
                    - (scale.log() + HALF_LOG_TAU)
        }
        Sample { normal(z) => into_open_unit(&(z * scale + loc).sigmoid()) }
        Cdf {
            cdf(x) => ((x.logit() - loc) / scale).ndtr(),
            survival(x) => ((loc - x.logit()) / scale).ndtr(),
            log_cdf(x) => ((x.logit() - loc) / scale).log_ndtr(),
            log_survival(x) => ((loc - x.logit()) / scale).log_ndtr(),
        }
        Quantile { quantile(q) => (q.ndtri() * scale + loc).sigmoid() }
    }
}
