//! Beta distributions stretched over an interval, by their peak, and seen as log-odds.

use super::beta;
use crate::distributions::declaration::family;
use crate::distributions::tails::Split;
use crate::random;
use probpipe_trace::{Array, betainc, betaincinv, betaln, digamma_difference, select};

family! {
    /// The distribution of an estimate by its least, most likely and greatest value: a beta
    /// distribution over the interval whose parameters are 1 and `temperature` times how far the
    /// peak is from either end (D. G. Malcolm and others, 1959). Where the peak lies outside of the
    /// interval it is NaN.
    ///
    /// Draws are differentiable in all parameters, implicitly.
    ///
    /// ```
    /// use probpipe::{PERT, prelude::*};
    /// let days = PERT::new(2.0, 3.0, 10.0, 4.0);
    /// assert_eq!(days.mean().item::<f32>()?, 4.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    PERT::new {
        /// The least value.
        low: Real,
        /// The most likely one.
        peak: Real,
        /// The greatest.
        high: Real,
        /// How strongly draws gather about the peak; 4 is usual.
        temperature: Positive,
    }
    on Interval(low, high) where low < high {
        LogProb {
            log_prob(x) => {
                let [a, b] = weights(low, peak, high, temperature);
                let width = high - low;
                beta::log_density(&a, &b, &((x - low) / &width)) - width.log()
            }
        }
        Sample {
            draw(key, shape, dtype) => {
                let [a, b] = weights(low, peak, high, temperature);
                let share = random::beta(key, shape, a.in_dtype(dtype), b.in_dtype(dtype));
                (share * (high - low) + low).minimum(high).maximum(low)
            }
        }
        Cdf {
            cdf(x) => {
                let [a, b] = weights(low, peak, high, temperature);
                betainc(a, b, (x - low) / (high - low))
            },
            survival(x) => {
                let [a, b] = weights(low, peak, high, temperature);
                betainc(b, a, (high - x) / (high - low))
            },
            log_cdf(x) => {
                let [a, b] = weights(low, peak, high, temperature);
                beta::log_of_parts(&a, &b, &parts(low, x, high))
            },
            log_survival(x) => {
                let [a, b] = weights(low, peak, high, temperature);
                beta::log_of_parts(&b, &a, &parts(low, x, high).mirrored())
            },
        }
        Quantile {
            quantile(q) => {
                let [a, b] = weights(low, peak, high, temperature);
                betaincinv(a, b, q) * (high - low) + low
            },
            upper_quantile(q) => {
                let [a, b] = weights(low, peak, high, temperature);
                high - betaincinv(b, a, q) * (high - low)
            },
        }
        Moments {
            mean => {
                let [a, b] = weights(low, peak, high, temperature);
                (low * &b + high * &a) / (a + b)
            },
            variance => {
                let [a, b] = weights(low, peak, high, temperature);
                let total = &a + &b;
                (high - low).square() * (a / &total) * (b / &total) / (total + 1.0)
            },
        }
        Mode { mode => peak.clone() }
        Entropy {
            entropy => {
                let [a, b] = weights(low, peak, high, temperature);
                beta::entropy(&a, &b) + (high - low).log()
            }
        }
    }
}

/// The parameters of the beta distribution.
#[track_caller]
fn weights(low: &Array, peak: &Array, high: &Array, temperature: &Array) -> [Array; 2] {
    let width = high - low;
    let weight = |part: Array| {
        let within = part.ge(0.0);
        select(&within, part / &width * temperature + 1.0, f64::NAN)
    };
    [weight(peak - low), weight(high - peak)]
}

family! {
    /// The distribution of the log-odds of a beta number, of density
    /// `sigmoid(x)^a sigmoid(-x)^b / B(a, b)`.
    ///
    /// Draws are differentiable in both parameters, implicitly, and keep numbers whose sigmoid is 0
    /// or 1.
    ///
    /// ```
    /// use probpipe::{SigmoidBeta, prelude::*};
    /// // The logistic distribution
    /// let s = SigmoidBeta::new(1.0, 1.0);
    /// assert_eq!(s.prob(&array(0.0)).item::<f32>()?, 0.25);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    SigmoidBeta::new {
        /// The weight of large numbers.
        concentration1: Positive,
        /// The weight of small ones.
        concentration0: Positive,
    }
    on Real {
        LogProb {
            log_prob(x) =>
                concentration1 * x.log_sigmoid() + concentration0 * (-x).log_sigmoid()
                    - betaln(concentration1, concentration0)
        }
        Sample {
            draw(key, shape, dtype) => {
                let (first, second) = key.split();
                random::loggamma(first, shape, concentration1.in_dtype(dtype))
                    - random::loggamma(second, shape, concentration0.in_dtype(dtype))
            }
        }
        Cdf {
            cdf(x) => betainc(concentration1, concentration0, x.sigmoid()),
            survival(x) => betainc(concentration0, concentration1, (-x).sigmoid()),
            log_cdf(x) => beta::log_of_parts(concentration1, concentration0, &of_odds(x)),
            log_survival(x) => beta::log_of_parts(concentration0, concentration1, &of_odds(&-x)),
        }
        Quantile {
            quantile(q) => {
                let low = q.lt(0.5);
                let below = betaincinv(concentration1, concentration0, select(&low, q, 0.5));
                let rest = 1.0 - select(&low, 0.5, q);
                let above = betaincinv(concentration0, concentration1, rest);
                select(&low, below.logit(), -above.logit())
            },
            upper_quantile(q) => -betaincinv(concentration0, concentration1, q).logit(),
        }
        Moments {
            mean => concentration1.digamma() - concentration0.digamma(),
            variance => concentration1.trigamma() + concentration0.trigamma(),
        }
        Mode { mode => concentration1.log() - concentration0.log() }
        Entropy {
            entropy => {
                let (a, b) = (concentration1, concentration0);
                betaln(a, b) + a * digamma_difference(a, b) + b * digamma_difference(b, a)
            }
        }
    }
}

/// Where a number lies between two others.
#[track_caller]
fn parts(low: &Array, x: &Array, high: &Array) -> Split {
    let width = high - low;
    Split::new(&((x - low) / &width), &((high - x) / width))
}

/// The number whose log-odds are given.
#[track_caller]
fn of_odds(x: &Array) -> Split {
    Split {
        x: x.sigmoid(),
        rest: (-x).sigmoid(),
        log_x: x.log_sigmoid(),
        log_rest: (-x).log_sigmoid(),
    }
}
