//! Distributions of amounts that may be nothing at all.

use super::{Gamma, LogNormal};
use crate::distributions::declaration::family;
use crate::distributions::{LogProb, Quantile};
use probpipe_trace::{Array, select};

/// A hurdle distribution: its formulas by those of the amount.
macro_rules! hurdle {
    (
        $(#[$about:meta])*
        $name:ident of $base:ident {
            $($(#[$what:meta])* $parameter:ident: $constraint:ident,)+
        }
    ) => {
        family! {
            $(#[$about])*
            $name::new {
                /// The probability of 0.
                gate: UnitInterval,
                $($(#[$what])* $parameter: $constraint,)+
            }
            on NonNegative {
                LogProb { log_prob(x) => log_density(&$base::new($($parameter),+), gate, x) }
                Sample { uniform(u) => quantile(&$base::new($($parameter),+), gate, &u) }
                Cdf {
                    cdf(x) => gate + (1.0 - gate) * $base::new($($parameter),+).cdf(x),
                    survival(x) => (1.0 - gate) * $base::new($($parameter),+).survival(x),
                    log_survival(x) =>
                        (-gate).log1p() + $base::new($($parameter),+).log_survival(x),
                }
                Quantile {
                    quantile(q) => quantile(&$base::new($($parameter),+), gate, q),
                    upper_quantile(q) => {
                        let passed = q.lt(1.0 - gate);
                        let level = q / (1.0 - select(&passed, gate, 0.0));
                        let amount = $base::new($($parameter),+);
                        let value = amount.upper_quantile(&select(&passed, level, 0.5));
                        select(&passed, value, select(&q.is_nan(), q, 0.0))
                    },
                }
                Moments {
                    mean => $base::new($($parameter),+).mean() * (1.0 - gate),
                    variance => {
                        let base = $base::new($($parameter),+);
                        (1.0 - gate) * (base.variance() + base.mean().square() * gate)
                    },
                }
            }
        }
    };
}

hurdle! {
    /// The gamma distribution behind a hurdle: 0 with probability `gate`, else a gamma variable.
    /// Its density has a mass at 0.
    ///
    /// Draws are differentiable in the parameters of the amount.
    ///
    /// ```
    /// use probpipe::{HurdleGamma, prelude::*};
    /// let rain = HurdleGamma::new(0.75, 2.0, 1.0);
    /// assert_eq!(rain.prob(&array(0.0)).item::<f32>()?, 0.75);
    /// assert_eq!(rain.mean().item::<f32>()?, 0.5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    HurdleGamma of Gamma {
        /// The shape of the amount.
        concentration: Positive,
        /// The inverse of its scale.
        rate: Positive,
    }
}

hurdle! {
    /// The log-normal distribution behind a hurdle: 0 with probability `gate`, else a log-normal
    /// variable. Its density has a mass at 0.
    ///
    /// Draws are differentiable in the parameters of the amount.
    ///
    /// ```
    /// use probpipe::{HurdleLogNormal, prelude::*};
    /// let claim = HurdleLogNormal::new(0.5, 0.0, 1.0);
    /// assert_eq!(claim.cdf(&array(1.0)).item::<f32>()?, 0.75);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    HurdleLogNormal of LogNormal {
        /// The mean of the logarithm of the amount.
        loc: Real,
        /// Its standard deviation.
        scale: Positive,
    }
}

/// `log(gate)` at 0, elsewhere the density of the amount that is left.
#[track_caller]
fn log_density<D: LogProb<Value = Array>>(amount: &D, gate: &Array, x: &Array) -> Array {
    let zero = x.eq(0.0);
    let passed = select(&zero, 0.0, -gate).log1p();
    let density = amount.log_prob(&select(&zero, 1.0, x)) + passed;
    select(&zero, select(&zero, gate, 1.0).log(), density)
}

/// 0 up to the level `gate`, then the quantile of the amount.
#[track_caller]
fn quantile<D: Quantile<Value = Array>>(amount: &D, gate: &Array, q: &Array) -> Array {
    let passed = q.gt(gate);
    let level = (q - gate) / (1.0 - select(&passed, gate, 0.0));
    let value = amount.quantile(&select(&passed, level, 0.5));
    select(&passed, value, select(&q.is_nan(), q, 0.0))
}
