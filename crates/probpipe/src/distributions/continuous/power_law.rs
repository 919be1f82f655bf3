//! Power laws that are cut off below, and maybe above.

use crate::distributions::declaration::family;
use crate::distributions::terms::log_exprel;
use probpipe_trace::{Array, select};

family! {
    /// A power law on `[low, high]`, of density proportional to `x^alpha`; at -1 the log-uniform
    /// distribution, through which everything is smooth.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{DoublyTruncatedPowerLaw, prelude::*};
    /// let p = DoublyTruncatedPowerLaw::new(1.0, 1.0, 3.0);
    /// assert!((p.cdf(&array(2.0)).item::<f32>()? - 0.375).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    DoublyTruncatedPowerLaw::new {
        /// The power.
        alpha: Real,
        /// The lower end.
        low: Positive,
        /// The upper end.
        high: Positive,
    }
    on Interval(low, high) where low < high {
        LogProb {
            log_prob(x) => {
                let width = (high / low).log();
                alpha * (x / low).log() - low.log() - width.log()
                    - log_exprel(&((alpha + 1.0) * width))
            }
        }
        Sample {
            uniform(u) => {
                let width = (high / low).log();
                let way = way(&((alpha + 1.0) * &width), &u) * width;
                (way.exp() * low).maximum(low).minimum(high)
            }
        }
        Cdf {
            cdf(x) => share(&(alpha + 1.0), &(x / low).log(), &(high / low).log()),
            survival(x) => share(&(-alpha - 1.0), &(high / x).log(), &(high / low).log()),
        }
        Quantile {
            quantile(q) => {
                let width = (high / low).log();
                let way = way(&((alpha + 1.0) * &width), q) * width;
                (way.exp() * low).maximum(low).minimum(high)
            },
            upper_quantile(q) => {
                let width = (high / low).log();
                let way = way(&((-alpha - 1.0) * &width), q) * width;
                ((-way).exp() * high).maximum(low).minimum(high)
            },
        }
        Moments {
            mean => log_moment(alpha, low, high, 1.0).exp(),
            variance => {
                let square = log_moment(alpha, low, high, 1.0) * 2.0;
                let second = log_moment(alpha, low, high, 2.0);
                square.exp() * (second - &square).expm1()
            },
        }
        Mode {
            mode => select(&alpha.eq(0.0), f64::NAN, select(&alpha.gt(0.0), high, low))
        }
        Entropy {
            entropy => {
                // The mean of log(x / low), from the slope of the logarithm of the integral.
                let width = (high / low).log();
                let t = (alpha + 1.0) * &width;
                low.log() + width.log() + log_exprel(&t) - alpha * width * mean_way(&t)
            }
        }
    }
}

family! {
    /// A power law from `low` on, of density proportional to `x^alpha`: the Pareto distribution of
    /// power `-alpha - 1`.
    ///
    /// Its sampler is reparameterised. Moments that do not exist are infinite.
    ///
    /// ```
    /// use probpipe::{LowerTruncatedPowerLaw, prelude::*};
    /// let p = LowerTruncatedPowerLaw::new(-3.0, 1.0);
    /// assert_eq!(p.mean().item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LowerTruncatedPowerLaw::new {
        /// The power.
        alpha: Below(-1.0),
        /// The lower end.
        low: Positive,
    }
    on AtLeast(low) {
        LogProb {
            log_prob(x) => alpha * (x / low).log() + ((-alpha - 1.0).log() - low.log())
        }
        Sample { exponential(e) => (e / (-alpha - 1.0)).exp() * low }
        Cdf {
            cdf(x) => -((alpha + 1.0) * (x / low).log()).expm1(),
            survival(x) => ((alpha + 1.0) * (x / low).log()).exp(),
            log_cdf(x) => ((-alpha - 1.0) * (x / low).log()).log1mexp(),
            log_survival(x) => (alpha + 1.0) * (x / low).log(),
        }
        Quantile {
            quantile(q) => ((-q).log1p() / (alpha + 1.0)).exp() * low,
            upper_quantile(q) => (q.log() / (alpha + 1.0)).exp() * low,
        }
        Moments {
            mean => {
                let finite = alpha.lt(-2.0);
                let a = select(&finite, alpha, -3.0);
                select(&finite, low * ((&a + 1.0) / (&a + 2.0)), f64::INFINITY)
            },
            variance => {
                let finite = alpha.lt(-3.0);
                let a = select(&finite, alpha, -4.0);
                let variance = (low / (&a + 2.0)).square() * ((&a + 1.0) / (&a + 3.0));
                select(&finite, variance, f64::INFINITY)
            },
        }
        Mode { mode => low.clone() }
        Entropy {
            entropy => {
                let power = -alpha - 1.0;
                low.log() - power.log() + 1.0 + power.recip()
            }
        }
    }
}

/// The integral of `exp(power s)` from 0 to `part` over that to `whole`.
#[track_caller]
fn share(power: &Array, part: &Array, whole: &Array) -> Array {
    part / whole * (log_exprel(&(power * part)) - log_exprel(&(power * whole))).exp()
}

/// How far up to 1 the integral of `exp(t s)` over `s` reaches the share `q`:
/// `log(1 + q (exp(t) - 1)) / t`, which is the sum of the cumulants of a Bernoulli variable where
/// `t` is small.
#[track_caller]
fn way(t: &Array, q: &Array) -> Array {
    let (small, up, down) = (t.abs().lt(1e-3), t.gt(1.0), t.lt(-1.0));
    let spread = q * (1.0 - q);
    let s = select(&small, t, 0.0);
    let fourth = &s * (1.0 - &spread * 6.0) / 24.0;
    let series = q + &s * &spread * (0.5 + &s * ((1.0 - q * 2.0) / 6.0 + fourth));
    let inner = select(&(&small | &up | &down), 1.0, t);
    let middle = (q * inner.expm1()).log1p() / inner;
    // From the heavier end, so that nothing overflows.
    let above = select(&up, t, 1.0);
    let far = (q + (1.0 - q) * (-&above).exp()).log() / &above + 1.0;
    let below = select(&down, t, -1.0);
    let near = ((1.0 - q) + q * below.exp()).log() / &below;
    select(&small, series, select(&up, far, select(&down, near, middle)))
}

/// The derivative of `log_exprel`: the mean of `s` under `exp(t s)` on [0, 1].
#[track_caller]
fn mean_way(t: &Array) -> Array {
    let small = t.abs().lt(0.2);
    let s = select(&small, t, 0.0);
    let squared = s.square();
    // 1/2 + t/12 - t^3/720 + t^5/30240 - t^7/1209600 + t^9/47900160
    let tail = &squared * (1.0 / 47_900_160.0) - 1.0 / 1_209_600.0;
    let tail = (tail * &squared + 1.0 / 30_240.0) * &squared - 1.0 / 720.0;
    let series = (tail * &squared + 1.0 / 12.0) * s + 0.5;
    let far = select(&small, 1.0, t);
    select(&small, series, -(-&far).expm1().recip() - far.recip())
}

/// The logarithm of the moment of order `n`.
#[track_caller]
fn log_moment(alpha: &Array, low: &Array, high: &Array, n: f64) -> Array {
    let width = (high / low).log();
    let raised = log_exprel(&((alpha + (1.0 + n)) * &width));
    low.log() * n + raised - log_exprel(&((alpha + 1.0) * width))
}
