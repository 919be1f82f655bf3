//! The Weibull distribution.

use super::EULER;
use crate::distributions::declaration::family;
use crate::distributions::terms::{log_power, log1mexp_of_exp, power_of};
use probpipe_trace::select;

family! {
    /// The Weibull distribution, whose survival is `exp(-(x / scale)^concentration)`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Weibull, prelude::*};
    /// let w = Weibull::new(2.0, 3.0);
    /// assert_eq!(w.log_survival(&array(4.0)).item::<f32>()?, -8.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Weibull::new {
        /// The quantile of `1 - 1/e`.
        scale: Positive,
        /// The shape: failures become rarer with time below 1, more frequent above.
        concentration: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) => {
                let z = x / scale;
                log_power(&(concentration - 1.0), &z) - power_of(&z, concentration)
                    + (concentration.log() - scale.log())
            }
        }
        Sample { exponential(e) => power_of(&e, &concentration.recip()) * scale }
        Cdf {
            cdf(x) => -(-power_of(&(x / scale), concentration)).expm1(),
            survival(x) => (-power_of(&(x / scale), concentration)).exp(),
            log_cdf(x) => log1mexp_of_exp(&log_power(concentration, &(x / scale))),
            log_survival(x) => -power_of(&(x / scale), concentration),
        }
        Quantile {
            quantile(q) => power_of(&-(-q).log1p(), &concentration.recip()) * scale,
            upper_quantile(q) => power_of(&-q.log(), &concentration.recip()) * scale,
        }
        Moments {
            mean => scale * (concentration.recip() + 1.0).gamma(),
            variance => {
                let first = (concentration.recip() + 1.0).lgamma() * 2.0;
                let second = (concentration.recip() * 2.0 + 1.0).lgamma();
                scale.square() * first.exp() * (second - &first).expm1()
            },
        }
        Mode {
            mode => {
                let rising = concentration.gt(1.0);
                let k = select(&rising, concentration, 2.0);
                select(&rising, (1.0 - k.recip()).pow(k.recip()), 0.0) * scale
            }
        }
        Entropy {
            entropy =>
                (1.0 - concentration.recip()) * EULER + scale.log() - concentration.log() + 1.0
        }
    }
}
