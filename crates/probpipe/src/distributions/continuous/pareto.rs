//! The Pareto distribution.

use crate::distributions::declaration::family;
use probpipe_trace::select;

family! {
    /// The Pareto distribution, whose survival is `(scale / x)^alpha` from `scale` on.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Pareto, prelude::*};
    /// let p = Pareto::new(1.0, 2.0);
    /// assert_eq!(p.survival(&array(2.0)).item::<f32>()?, 0.25);
    /// assert_eq!(p.variance().item::<f32>()?, f32::INFINITY);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Pareto::new {
        /// The smallest value.
        scale: Positive,
        /// The power with which the survival falls.
        alpha: Positive,
    }
    on AtLeast(scale) {
        LogProb {
            log_prob(x) => (alpha.log() - scale.log()) - (alpha + 1.0) * (x / scale).log()
        }
        Sample { exponential(e) => (e / alpha).exp() * scale }
        Cdf {
            cdf(x) => -(-alpha * (x / scale).log()).expm1(),
            survival(x) => (-alpha * (x / scale).log()).exp(),
            log_cdf(x) => (alpha * (x / scale).log()).log1mexp(),
            log_survival(x) => -alpha * (x / scale).log(),
        }
        Quantile {
            quantile(q) => (-(-q).log1p() / alpha).exp() * scale,
            upper_quantile(q) => (-q.log() / alpha).exp() * scale,
        }
        Moments {
            mean => {
                let finite = alpha.gt(1.0);
                let a = select(&finite, alpha, 2.0);
                select(&finite, scale * (&a / (&a - 1.0)), f64::INFINITY)
            },
            variance => {
                let finite = alpha.gt(2.0);
                let a = select(&finite, alpha, 3.0);
                let variance = (scale / (&a - 1.0)).square() * (&a / (&a - 2.0));
                select(&finite, variance, f64::INFINITY)
            },
        }
        Mode { mode => scale.clone() }
        Entropy { entropy => scale.log() - alpha.log() + 1.0 + alpha.recip() }
    }
}
