//! The continuous Bernoulli distribution.

use crate::distributions::declaration::family;
use crate::distributions::terms::log_exprel;
use probpipe_trace::{Array, select};

family! {
    /// Numbers from 0 to 1 of density proportional to `exp(logits x)`, which is
    /// `p^x (1 - p)^(1 - x)` of a `p` with these log-odds (G. Loaiza-Ganem, J. P. Cunningham, "The
    /// continuous Bernoulli", 2019).
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{ContinuousBernoulli, prelude::*};
    /// let flat = ContinuousBernoulli::new(0.0);
    /// assert_eq!(flat.prob(&array([0.25, 0.75])).to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ContinuousBernoulli::new {
        /// The logarithm of the odds.
        logits: Real,
    }
    on UnitInterval {
        LogProb { log_prob(x) => logits * x - log_exprel(logits) }
        Sample { uniform(u) => quantile(logits, &u) }
        Cdf {
            cdf(x) => x * (log_exprel(&(logits * x)) - log_exprel(logits)).exp(),
            survival(x) => {
                let rest = 1.0 - x;
                &rest * (log_exprel(&-(logits * &rest)) - log_exprel(&-logits)).exp()
            },
        }
        Quantile {
            quantile(q) => quantile(logits, q),
            upper_quantile(q) => 1.0 - quantile(&-logits, q),
        }
        Moments {
            mean => {
                let (t, near) = (logits, logits.abs().lt(1e-2));
                // 1/(1 - exp(-t)) - 1/t
                let small = select(&near, t, 0.0);
                let h = small.square();
                let series = ((&h * (1.0 / 30240.0) - 1.0 / 720.0) * &h + 1.0 / 12.0) * small + 0.5;
                let t = select(&near, 1.0, t);
                select(&near, series, -(-&t).expm1().recip() - t.recip())
            },
            variance => {
                let (t, near) = (logits.abs(), logits.abs().lt(0.1));
                // 1/t^2 - 1/(2 sinh(t/2))^2
                let h = select(&near, &t, 0.0).square();
                let series = ((&h * (-1.0 / 172_800.0) + 1.0 / 6048.0) * &h - 1.0 / 240.0) * &h;
                let t = select(&near, 1.0, t);
                let sinh = (&t * -0.5).exp() / (-(-&t).expm1());
                select(&near, series + 1.0 / 12.0, t.square().recip() - sinh.square())
            },
        }
    }
}

impl ContinuousBernoulli {
    /// By `p`, between 0 and 1.
    #[track_caller]
    pub fn from_probs(probs: impl Into<Array>) -> ContinuousBernoulli {
        ContinuousBernoulli::new(probs.into().logit())
    }
}

/// `log(1 + q (exp(t) - 1)) / t` of negative `t`; of positive ones by the other side.
#[track_caller]
fn quantile(logits: &Array, q: &Array) -> Array {
    let near = logits.abs().lt(1e-5);
    let t = -select(&near, 1.0, logits).abs();
    let side = select(&logits.gt(0.0), 1.0 - q, q);
    let far = (side * t.expm1()).log1p() / t;
    let far = select(&logits.gt(0.0), 1.0 - &far, far);
    let small = select(&near, logits, 0.0);
    let line = q * (small * (1.0 - q) * -0.5 + 1.0);
    select(&near, line, far)
}
