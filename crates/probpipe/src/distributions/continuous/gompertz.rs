//! The Gompertz distribution.

use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};

family! {
    /// The Gompertz distribution, of the time to a failure that comes ever faster: its survival is
    /// `exp(-concentration (exp(rate x) - 1))`.
    ///
    /// Its sampler is reparameterised. Mean and variance are integrals, to all digits.
    ///
    /// ```
    /// use probpipe::{Gompertz, prelude::*};
    /// let g = Gompertz::new(1.0, 2.0);
    /// // exp(1) E1(1) / 2
    /// assert!((g.mean().item::<f32>()? - 0.29817368).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Gompertz::new {
        /// The failures at the start, in the time in which they grow by a factor of e.
        concentration: Positive,
        /// The inverse of that time.
        rate: Positive,
    }
    on NonNegative {
        LogProb {
            log_prob(x) =>
                (concentration.log() + rate.log()) + rate * x - concentration * (rate * x).expm1()
        }
        Sample { exponential(e) => (e / concentration).log1p() / rate }
        Cdf {
            cdf(x) => -(-concentration * (rate * x).expm1()).expm1(),
            survival(x) => (-concentration * (rate * x).expm1()).exp(),
            log_cdf(x) => (concentration * (rate * x).expm1()).log1mexp(),
            log_survival(x) => -concentration * (rate * x).expm1(),
        }
        Quantile {
            quantile(q) => (-(-q).log1p() / concentration).log1p() / rate,
            upper_quantile(q) => (-q.log() / concentration).log1p() / rate,
        }
        Moments {
            mean => mean(&(concentration + rate * 0.0)) / rate,
            variance => variance(&(concentration + rate * 0.0)) / rate.square(),
        }
        Mode {
            mode => {
                let rising = concentration.lt(1.0);
                -select(&rising, concentration, 1.0).log() / rate
            }
        }
        // The cumulative hazard has mean 1.
        Entropy {
            entropy => 1.0 - concentration.log() - rate.log() - mean(&(concentration + rate * 0.0))
        }
    }
}

/// Points and weights of the double exponential quadrature of Takahasi and Mori (1974) for
/// integrals over `exp(-u)` from 0: the trapezoidal rule in `t` with `u = exp(t - exp(-t))`.
fn standard_exponential() -> [Array; 2] {
    let steps = (-40..=40).map(|k| f64::from(k) * 0.1);
    let point = |t: f64| (t - (-t).exp()).exp();
    let weight = |t: f64| 0.1 * (1.0 + (-t).exp()) * point(t) * (-point(t)).exp();
    let points: Vec<f64> = steps.clone().map(point).collect();
    let weights: Vec<f64> = steps.map(weight).collect();
    [points, weights].map(|list| Array::from_slice(&list, [list.len()]))
}

/// The values of `log(1 + u / c)` at the points, and the weights, in the type of `c`.
#[track_caller]
fn values(c: &Array) -> [Array; 2] {
    let [points, weights] = standard_exponential().map(|list| list.cast(c.dtype()));
    [(points / c.expand_dims(-1)).log1p(), weights]
}

/// The mean at rate 1.
#[track_caller]
fn mean(c: &Array) -> Array {
    let [values, weights] = values(c);
    (values * weights).sum_axes([-1])
}

/// The variance at rate 1.
#[track_caller]
fn variance(c: &Array) -> Array {
    let [values, weights] = values(c);
    let mean = (&values * &weights).sum_axes([-1]).expand_dims(-1);
    ((values - mean).square() * weights).sum_axes([-1])
}
