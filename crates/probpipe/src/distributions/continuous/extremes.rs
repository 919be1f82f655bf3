//! The distributions of extremes: of the largest of many numbers, and of what exceeds a level.

use super::EULER;
use crate::distributions::declaration::family;
use crate::distributions::terms::{expm1_ratio, log1p_ratio};
use probpipe_trace::{Array, select};

family! {
    /// The generalised extreme value distribution, of which `exp(-t)` is the distribution function,
    /// with `t = (1 + concentration z)^(-1 / concentration)` and `z = (x - loc) / scale`: that of
    /// Gumbel at 0, of Frechet above, of Weibull, mirrored, below (A. F. Jenkinson, 1955).
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{GeneralizedExtremeValue, Gumbel, prelude::*};
    /// let (e, g) = (GeneralizedExtremeValue::new(1.0, 2.0, 0.0), Gumbel::new(1.0, 2.0));
    /// let x = array([0.0, 3.0]);
    /// assert!(e.log_prob(&x).allclose(g.log_prob(&x)).item::<bool>()?);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GeneralizedExtremeValue::new {
        /// The centre.
        loc: Real,
        /// The width.
        scale: Positive,
        /// How heavy the upper tail is; negative where it ends.
        concentration: Real,
    }
    on Real {
        LogProb {
            log_prob(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let value = -(concentration + 1.0) * &g - (-&g).exp() - scale.log();
                select(&inside, value, select(&x.is_nan(), x, f64::NEG_INFINITY))
            }
        }
        Sample { gumbel(g) => &g * expm1_ratio(&(concentration * &g)) * scale + loc }
        Cdf {
            cdf(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let end = select(&concentration.gt(0.0), 0.0, 1.0);
                select(&inside, (-(-g).exp()).exp(), select(&x.is_nan(), x, end))
            },
            survival(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let end = select(&concentration.gt(0.0), 1.0, 0.0);
                select(&inside, -(-(-g).exp()).expm1(), select(&x.is_nan(), x, end))
            },
        }
        Quantile {
            quantile(q) => {
                let g = -(-q.log()).log();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
            upper_quantile(q) => {
                let g = -(-(-q).log1p()).log();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
        }
        Mode {
            mode => {
                let peak = concentration.gt(-1.0);
                let k = select(&peak, concentration, 0.0);
                let g = -k.log1p();
                select(&peak, &g * expm1_ratio(&(&k * &g)) * scale + loc, f64::NAN)
            }
        }
        Entropy { entropy => scale.log() + concentration * EULER + (EULER + 1.0) }
    }
}

family! {
    /// The generalised Pareto distribution, of which
    /// `(1 + concentration z)^(-1 / concentration)` is the survival, with
    /// `z = (x - loc) / scale`: the exponential distribution at 0 (J. Pickands, 1975).
    ///
    /// Its sampler is reparameterised. The mean is infinite from a concentration of 1 on, the
    /// variance from 1/2 on.
    ///
    /// ```
    /// use probpipe::{GeneralizedPareto, prelude::*};
    /// let p = GeneralizedPareto::new(0.0, 1.0, 0.25);
    /// assert_eq!(p.survival(&array(4.0)).item::<f32>()?, 0.0625);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    GeneralizedPareto::new {
        /// The level that is exceeded.
        loc: Real,
        /// The width.
        scale: Positive,
        /// How heavy the tail is; negative where it ends.
        concentration: Real,
    }
    on AtLeast(loc) {
        LogProb {
            log_prob(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                let value = -(concentration + 1.0) * g - scale.log();
                select(&inside, value, select(&x.is_nan(), x, f64::NEG_INFINITY))
            }
        }
        Sample { exponential(e) => &e * expm1_ratio(&(concentration * &e)) * scale + loc }
        Cdf {
            cdf(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                select(&inside, -(-g).expm1(), select(&x.is_nan(), x, 1.0))
            },
            survival(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                select(&inside, (-g).exp(), select(&x.is_nan(), x, 0.0))
            },
            log_survival(x) => {
                let (inside, g) = logarithm(&((x - loc) / scale), concentration);
                select(&inside, -g, select(&x.is_nan(), x, f64::NEG_INFINITY))
            },
        }
        Quantile {
            quantile(q) => {
                let g = -(-q).log1p();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
            upper_quantile(q) => {
                let g = -q.log();
                &g * expm1_ratio(&(concentration * &g)) * scale + loc
            },
        }
        Moments {
            mean => {
                let finite = concentration.lt(1.0);
                let rest = 1.0 - select(&finite, concentration, 0.0);
                select(&finite, scale / rest + loc, f64::INFINITY)
            },
            variance => {
                let finite = concentration.lt(0.5);
                let k = &select(&finite, concentration, 0.0);
                let variance = (scale / (1.0 - k)).square() / (1.0 - k * 2.0);
                select(&finite, variance, f64::INFINITY)
            },
        }
        Mode { mode => select(&concentration.gt(-1.0), loc, f64::NAN) }
        Entropy { entropy => scale.log() + concentration + 1.0 }
    }
}

/// Whether `1 + k z` is positive, and `log(1 + k z) / k`.
#[track_caller]
fn logarithm(z: &Array, k: &Array) -> (Array, Array) {
    let product = k * z;
    let inside = product.gt(-1.0) & z.is_finite();
    let z = select(&inside, z, 0.0);
    (inside.clone(), &z * log1p_ratio(&select(&inside, product, 0.0)))
}
