//! The distribution of Kumaraswamy.

use super::EULER;
use super::beta::end_or;
use crate::distributions::declaration::family;
use crate::distributions::terms::{limit_of_power, log_power};
use probpipe_trace::{Array, betaln, select};

family! {
    /// The distribution of Kumaraswamy, whose survival is
    /// `(1 - x^concentration1)^concentration0`: much like the beta distribution, with a quantile in
    /// closed form.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{Kumaraswamy, prelude::*};
    /// let k = Kumaraswamy::new(2.0, 3.0);
    /// assert!((k.survival(&array(0.5)).item::<f32>()? - 0.421875).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Kumaraswamy::new {
        /// The weight of 1.
        concentration1: Positive,
        /// The weight of 0.
        concentration0: Positive,
    }
    on UnitInterval {
        LogProb {
            log_prob(x) => {
                let (a, b) = (concentration1, concentration0);
                let power = b - 1.0;
                let one = x.eq(1.0);
                let rest = &power * log_rest(a, &select(&one, 0.5, x));
                log_power(&(a - 1.0), x)
                    + select(&one, limit_of_power(&power), rest)
                    + (a.log() + b.log())
            }
        }
        Sample { uniform(u) => quantile(concentration1, concentration0, &(-u).log1p()) }
        Cdf {
            cdf(x) => -(concentration0 * log_rest(concentration1, x)).expm1(),
            survival(x) => (concentration0 * log_rest(concentration1, x)).exp(),
            log_cdf(x) => log_below(concentration1, concentration0, x),
            log_survival(x) => concentration0 * log_rest(concentration1, x),
        }
        Quantile {
            quantile(q) => quantile(concentration1, concentration0, &(-q).log1p()),
            upper_quantile(q) => quantile(concentration1, concentration0, &q.log()),
        }
        Moments {
            mean => log_moment(concentration1, concentration0, 1.0).exp(),
            variance => {
                let square = log_moment(concentration1, concentration0, 1.0) * 2.0;
                let second = log_moment(concentration1, concentration0, 2.0);
                square.exp() * (second - &square).expm1()
            },
        }
        Mode {
            mode => {
                let (a, b) = (concentration1, concentration0);
                let between = a.gt(1.0) & b.gt(1.0);
                let (inner, outer) = (select(&between, a, 2.0), select(&between, b, 2.0));
                let peak = ((&inner - 1.0) / (&inner * outer - 1.0)).pow(inner.recip());
                end_or(a, b, peak)
            }
        }
        Entropy {
            entropy => {
                let (a, b) = (concentration1, concentration0);
                let harmonic = (b + 1.0).digamma() + EULER;
                (1.0 - b.recip()) + (1.0 - a.recip()) * harmonic - (a.log() + b.log())
            }
        }
    }
}

/// `log(1 - x^a)`, without slope at 0 and 1.
#[track_caller]
fn log_rest(a: &Array, x: &Array) -> Array {
    let (zero, one) = (x.eq(0.0), x.eq(1.0));
    let inside = select(&(&zero | &one), 0.5, x);
    let rest = (-a * inside.log()).log1mexp();
    select(&zero, 0.0, select(&one, f64::NEG_INFINITY, rest))
}

/// The logarithm of the distribution function, that of `b x^a` where `x^a` is small.
#[track_caller]
fn log_below(a: &Array, b: &Array, x: &Array) -> Array {
    let log = log_power(a, x);
    let small = log.lt(-40.0);
    let inner = select(&small, 0.5, x);
    select(&small, b.log() + log, (-b * log_rest(a, &inner)).log1mexp())
}

/// `(1 - q^(1/b))^(1/a)` of the logarithm of the probability `q` of more.
#[track_caller]
fn quantile(a: &Array, b: &Array, log_q: &Array) -> Array {
    ((-log_q / b).log1mexp() / a).exp()
}

/// `log(b B(1 + n/a, b))`.
#[track_caller]
fn log_moment(a: &Array, b: &Array, n: f64) -> Array {
    b.log() + betaln(n / a + 1.0, b)
}
