//! The distributions of the logarithms of gamma and of inverse gamma numbers.

use crate::distributions::declaration::family;
use crate::distributions::tails::{log_gammainc, log_gammaincc};
use crate::distributions::terms::gamma_entropy;
use crate::random::loggamma;
use probpipe_trace::{Array, gammainc, gammaincc, gammainccinv, gammaincinv, select};

family! {
    /// The distribution of the logarithm of a [`Gamma`](super::Gamma) number, of density
    /// `rate^a exp(a x - rate exp(x)) / Gamma(a)` with the concentration `a`.
    ///
    /// Draws are differentiable in both parameters, implicitly, and keep numbers whose exponential
    /// is zero.
    ///
    /// ```
    /// use probpipe::{ExpGamma, prelude::*};
    /// let e = ExpGamma::new(1.0, 1.0);
    /// assert!((e.cdf(&array(0.0)).item::<f32>()? - (1.0 - (-1f32).exp())).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ExpGamma::new {
        /// The shape of the gamma number.
        concentration: Positive,
        /// The inverse of its scale.
        rate: Positive,
    }
    on Real {
        LogProb { log_prob(x) => log_density(concentration, &(x + rate.log())) }
        Sample {
            draw(key, shape, dtype) =>
                loggamma(key, shape, concentration.in_dtype(dtype)) - rate.log()
        }
        Cdf {
            cdf(x) => gammainc(concentration, x.exp() * rate),
            survival(x) => gammaincc(concentration, x.exp() * rate),
            log_cdf(x) => log_below(concentration, &(x + rate.log())),
            log_survival(x) => log_gammaincc(concentration, &(x.exp() * rate)),
        }
        Quantile {
            quantile(q) => gammaincinv(concentration, q).log() - rate.log(),
            upper_quantile(q) => gammainccinv(concentration, q).log() - rate.log(),
        }
        Moments {
            mean => concentration.digamma() - rate.log(),
            variance => concentration.trigamma(),
        }
        Mode { mode => concentration.log() - rate.log() }
        Entropy { entropy => gamma_entropy(concentration) - concentration.digamma() }
    }
}

family! {
    /// The distribution of the logarithm of an [`InverseGamma`](super::InverseGamma) number: that
    /// of [`ExpGamma`], mirrored.
    ///
    /// ```
    /// use probpipe::{ExpInverseGamma, prelude::*};
    /// let e = ExpInverseGamma::new(1.0, 1.0);
    /// assert!((e.cdf(&array(0.0)).item::<f32>()? - (-1f32).exp()).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ExpInverseGamma::new {
        /// The shape of the gamma number.
        concentration: Positive,
        /// The scale of the inverse gamma number.
        rate: Positive,
    }
    on Real {
        LogProb { log_prob(x) => log_density(concentration, &(rate.log() - x)) }
        Sample {
            draw(key, shape, dtype) =>
                rate.log() - loggamma(key, shape, concentration.in_dtype(dtype))
        }
        Cdf {
            cdf(x) => gammaincc(concentration, (-x).exp() * rate),
            survival(x) => gammainc(concentration, (-x).exp() * rate),
            log_cdf(x) => log_gammaincc(concentration, &((-x).exp() * rate)),
            log_survival(x) => log_below(concentration, &(rate.log() - x)),
        }
        Quantile {
            quantile(q) => rate.log() - gammainccinv(concentration, q).log(),
            upper_quantile(q) => rate.log() - gammaincinv(concentration, q).log(),
        }
        Moments {
            mean => rate.log() - concentration.digamma(),
            variance => concentration.trigamma(),
        }
        Mode { mode => rate.log() - concentration.log() }
        Entropy { entropy => gamma_entropy(concentration) - concentration.digamma() }
    }
}

/// At rate 1.
#[track_caller]
fn log_density(concentration: &Array, x: &Array) -> Array {
    // Where the exponential is infinite the other term must not be.
    concentration * x.minimum(1e4) - x.exp() - concentration.lgamma()
}

/// The logarithm of the distribution function at rate 1; where `exp(x)` counts for nothing beside 1
/// it is a line.
#[track_caller]
fn log_below(concentration: &Array, x: &Array) -> Array {
    let far = x.lt(-40.0);
    let line = concentration * x - (concentration + 1.0).lgamma();
    select(&far, line, log_gammainc(concentration, &select(&far, 0.0, x).exp()))
}
