//! The distribution of Dagum.

use super::EULER;
use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};

family! {
    /// The distribution of Dagum, of incomes; its distribution function is
    /// `(1 + (x / scale)^-sharpness)^-concentration`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Dagum, prelude::*};
    /// let d = Dagum::new(2.0, 3.0, 1.0);
    /// assert_eq!(d.cdf(&array(1.0)).item::<f32>()?, 0.25);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Dagum::new {
        /// The power of the distribution function near 0, in units of the sharpness.
        concentration: Positive,
        /// The power with which the survival falls.
        sharpness: Positive,
        /// The width.
        scale: Positive,
    }
    on Positive {
        LogProb {
            log_prob(x) => {
                let z = (x / scale).log() * sharpness;
                concentration * z.log_sigmoid() + (-&z).log_sigmoid() - x.log()
                    + (concentration.log() + sharpness.log())
            }
        }
        Sample { open(u) => quantile(concentration, sharpness, &u.log()) * scale }
        Cdf {
            cdf(x) => log_cdf(concentration, sharpness, &(x / scale)).exp(),
            survival(x) => -log_cdf(concentration, sharpness, &(x / scale)).expm1(),
            log_cdf(x) => log_cdf(concentration, sharpness, &(x / scale)),
            log_survival(x) => log_survival(concentration, sharpness, &(x / scale)),
        }
        Quantile {
            quantile(q) => quantile(concentration, sharpness, &q.log()) * scale,
            upper_quantile(q) => quantile(concentration, sharpness, &(-q).log1p()) * scale,
        }
        Moments {
            mean => {
                let finite = sharpness.gt(1.0);
                let a = select(&finite, sharpness, 2.0);
                let mean = log_moment(concentration, &a, 1.0).exp() * scale;
                select(&finite, mean, f64::INFINITY)
            },
            variance => {
                let finite = sharpness.gt(2.0);
                let a = select(&finite, sharpness, 3.0);
                let square = log_moment(concentration, &a, 1.0) * 2.0;
                let excess = (log_moment(concentration, &a, 2.0) - &square).expm1();
                select(&finite, square.exp() * excess * scale.square(), f64::INFINITY)
            },
        }
        Mode {
            mode => {
                let power = concentration * sharpness - 1.0;
                let rising = power.gt(0.0);
                let ratio = select(&rising, power, 1.0) / (sharpness + 1.0);
                select(&rising, ratio.pow(sharpness.recip()), 0.0) * scale
            }
        }
        // Where v is the distribution function to the power 1 / concentration, log v has mean
        // -1 / concentration and log(1 - v) that of a beta variable.
        Entropy {
            entropy => {
                let digamma = concentration.digamma() + EULER;
                scale.log() - concentration.log() - sharpness.log()
                    + &digamma / sharpness + digamma + concentration.recip() + 1.0
            }
        }
    }
}

#[track_caller]
fn log_cdf(concentration: &Array, sharpness: &Array, ratio: &Array) -> Array {
    concentration * (ratio.log() * sharpness).log_sigmoid()
}

/// The logarithm of the survival function, far out that of `concentration / ratio^sharpness`.
#[track_caller]
fn log_survival(concentration: &Array, sharpness: &Array, ratio: &Array) -> Array {
    let log = ratio.log() * sharpness;
    let far = log.gt(40.0);
    let near = (-concentration * select(&far, 0.0, &log).log_sigmoid()).log1mexp();
    select(&far, concentration.log() - log, near)
}

/// `(q^(-1/concentration) - 1)^(-1/sharpness)`, of the logarithm of `q`.
#[track_caller]
fn quantile(concentration: &Array, sharpness: &Array, log_q: &Array) -> Array {
    let odds = -(-log_q / concentration).expm1().log();
    (odds / sharpness).exp()
}

/// The logarithm of the moment of order `n` at scale 1.
#[track_caller]
fn log_moment(concentration: &Array, sharpness: &Array, n: f64) -> Array {
    let share = n / sharpness;
    (concentration + &share).lgamma() - concentration.lgamma() + (1.0 - share).lgamma()
}
