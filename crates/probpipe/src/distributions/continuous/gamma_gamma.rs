//! Gamma numbers whose rate is a gamma number.

use super::beta;
use crate::distributions::declaration::family;
use crate::distributions::tails::Split;
use crate::distributions::terms::log_power;
use crate::random::loggamma;
use probpipe_trace::{betainc, betaincinv, betaln, select};

family! {
    /// The distribution of gamma numbers of shape `concentration` whose rate is itself a gamma
    /// number, of density proportional to `x^(a - 1) / (r + x)^(a + c)` (P. S. Fader, B. G. S.
    /// Hardie, 2013).
    ///
    /// Draws are differentiable in all parameters, implicitly. The mean is infinite up to a mixing
    /// concentration of 1, the variance up to 2.
    ///
    /// ```
    /// use probpipe::{GammaGamma, prelude::*};
    /// let g = GammaGamma::new(2.0, 3.0, 4.0);
    /// assert_eq!(g.mean().item::<f32>()?, 4.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GammaGamma::new {
        /// The shape `a` of the numbers.
        concentration: Positive,
        /// The shape `c` of their rate.
        mixing_concentration: Positive,
        /// The rate `r` of their rate.
        mixing_rate: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) => {
                let y = x / mixing_rate;
                log_power(&(concentration - 1.0), &y)
                    - (concentration + mixing_concentration) * y.log1p()
                    - (betaln(concentration, mixing_concentration) + mixing_rate.log())
            }
        }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                let x = loggamma(first, shape, concentration.in_dtype(dtype));
                (x - loggamma(second, shape, mixing_concentration.in_dtype(dtype))).exp()
                    * mixing_rate
            }
        }
        Cdf {
            cdf(x) => {
                let y = x / mixing_rate;
                betainc(concentration, mixing_concentration, &y / (&y + 1.0))
            },
            survival(x) => {
                let rest = (x / mixing_rate + 1.0).recip();
                betainc(mixing_concentration, concentration, rest)
            },
            log_cdf(x) => {
                let y = x / mixing_rate;
                let at = Split::new(&(&y / (&y + 1.0)), &(&y + 1.0).recip());
                beta::log_of_parts(concentration, mixing_concentration, &at)
            },
            log_survival(x) => {
                let y = x / mixing_rate;
                let at = Split::new(&(&y + 1.0).recip(), &(&y / (&y + 1.0)));
                beta::log_of_parts(mixing_concentration, concentration, &at)
            },
        }
        Quantile {
            quantile(q) => {
                let low = q.lt(0.5);
                let b = betaincinv(concentration, mixing_concentration, select(&low, q, 0.5));
                let rest = select(&low, 0.5, 1.0 - q);
                let c = betaincinv(mixing_concentration, concentration, rest);
                select(&low, &b / (1.0 - &b), (1.0 - &c) / &c) * mixing_rate
            },
            upper_quantile(q) => {
                let c = betaincinv(mixing_concentration, concentration, q);
                (1.0 - &c) / &c * mixing_rate
            },
        }
        Moments {
            mean => {
                let finite = mixing_concentration.gt(1.0);
                let less = select(&finite, mixing_concentration, 2.0) - 1.0;
                select(&finite, concentration * mixing_rate / less, f64::INFINITY)
            },
            variance => {
                let finite = mixing_concentration.gt(2.0);
                let c = &select(&finite, mixing_concentration, 3.0);
                let both = concentration * (concentration + c - 1.0) * mixing_rate.square();
                let variance = both / ((c - 1.0).square() * (c - 2.0));
                select(&finite, variance, f64::INFINITY)
            },
        }
        Mode {
            mode => {
                let top = (concentration - 1.0).maximum(0.0);
                top / (mixing_concentration + 1.0) * mixing_rate
            }
        }
    }
}
