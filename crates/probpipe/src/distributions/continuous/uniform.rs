//! The uniform distribution on an interval.

use crate::distributions::declaration::family;

family! {
    /// The uniform distribution on `[low, high]`.
    ///
    /// Its sampler `low + (high - low) u` is reparameterised.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let u = Uniform::new(-3.0, 3.0);
    /// assert_eq!(u.cdf(&array([-4.0, 0.0, 1.5])).to_vec::<f32>()?, [0.0, 0.5, 0.75]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Uniform::new {
        /// The lower end.
        low: Real,
        /// The upper end, which is greater.
        high: Real,
    }
    on Interval(low, high) where low < high {
        LogProb { log_prob(x) => -(high - low).log() }
        // Rounding must not carry a draw out of the interval.
        Sample { uniform(u) => (u * (high - low) + low).maximum(low).minimum(high) }
        Cdf {
            cdf(x) => (x - low) / (high - low),
            survival(x) => (high - x) / (high - low),
        }
        Quantile {
            quantile(q) => q * (high - low) + low,
            upper_quantile(q) => high - q * (high - low),
        }
        Moments { mean => (low + high) * 0.5, variance => (high - low).square() / 12.0 }
        Entropy { entropy => (high - low).log() }
    }
}
