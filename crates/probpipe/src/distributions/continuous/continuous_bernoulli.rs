//! The continuous Bernoulli distribution.

use crate::distributions::declaration::family;
use crate::distributions::terms::log_exprel;
use probpipe_trace::{Array, select};

family! {
    /// Numbers from 0 to 1 of density proportional to `exp(logits x)`, which is
    /// `p^x (1 - p)^(1 - x)` of a `p` with these log-odds (G. Loaiza-Ganem, J. P. Cunningham, "The
    /// continuous Bernoulli", 2019).
    ///
    /// Its sampler is reparameterised. The mode is 1 where the density rises, else 0, also where it
    /// is flat.
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
        Mode {
            mode => {
                let logits = logits.stop_gradient();
                select(&logits.gt(0.0), 1.0, select(&logits.is_nan(), &logits, 0.0))
            }
        }
        Entropy {
            entropy => {
                let (t, near) = (logits.abs(), logits.abs().lt(1.0));
                // log((1 - exp(-t)) / t) + 1 - t / (exp(t) - 1), a series in Bernoulli's numbers.
                let h = select(&near, &t, 0.0).square();
                let series = ENTROPY.iter().rev().fold(&h * 0.0, |sum, &c| (sum + c) * &h);
                let t = select(&near, 1.0, t);
                let rest = (-&t).exp();
                let far = (-&rest).log1p() - t.log() + 1.0 - t * &rest / (1.0 - &rest);
                select(&near, series, far)
            }
        }
    }
}

/// `-B_2k / (2k)! (2k - 1) / (2k)`, the coefficients of `logits^2k` in the entropy.
const ENTROPY: [f64; 10] = [
    -0.041_666_666_666_666_664,
    0.001_041_666_666_666_666_7,
    -2.755_731_922_398_589e-5,
    7.233_796_296_296_296e-7,
    -1.878_908_128_908_129e-8,
    4.843_840_960_463_536e-10,
    -1.242_664_106_420_720_2e-11,
    3.177_825_277_802_421e-13,
    -8.109_058_608_706_854e-15,
    2.066_125_263_630_158_7e-16,
];

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
