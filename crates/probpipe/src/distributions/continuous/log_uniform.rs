//! The log-uniform distribution.

use crate::distributions::declaration::family;
use probpipe_trace::Array;

family! {
    /// The log-uniform distribution, of the exponential of a uniform variable: its density is
    /// `1 / (x log(high / low))` on `[low, high]`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{LogUniform, prelude::*};
    /// let l = LogUniform::new(0.01, 100.0);
    /// assert!((l.median().item::<f32>()? - 1.0).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LogUniform::new {
        /// The lower end.
        low: Positive,
        /// The upper end.
        high: Positive,
    }
    on Interval(low, high) where low < high {
        LogProb { log_prob(x) => -x.log() - log_ratio(low, high).log() }
        Sample {
            uniform(u) => ((u * log_ratio(low, high)).exp() * low).maximum(low).minimum(high)
        }
        Cdf {
            cdf(x) => log_ratio(low, x) / log_ratio(low, high),
            survival(x) => log_ratio(x, high) / log_ratio(low, high),
        }
        Quantile {
            quantile(q) => ((q * log_ratio(low, high)).exp() * low).maximum(low).minimum(high),
            upper_quantile(q) =>
                ((-(q * log_ratio(low, high))).exp() * high).maximum(low).minimum(high),
        }
        Moments {
            mean => (high - low) / log_ratio(low, high),
            variance => {
                let width = log_ratio(low, high);
                (high - low) / &width * ((high + low) * 0.5 - (high - low) / width)
            },
        }
        Mode { mode => low.clone() }
        Entropy {
            entropy => log_ratio(low, high).log() + (low.log() + high.log()) * 0.5
        }
    }
}

/// `log(b / a)`, also where they are close.
#[track_caller]
fn log_ratio(a: &Array, b: &Array) -> Array {
    ((b - a) / a).log1p()
}
