//! The gamma distribution, cut on both sides or on one.

use super::{cut, end, truncated};
use crate::distributions::continuous::Gamma;
use crate::distributions::cut::Cut;
use probpipe_trace::Array;

truncated! {
    /// The gamma distribution, cut to `[low, high]`.
    ///
    /// Draws are differentiable in all parameters.
    ///
    /// ```
    /// use probpipe::{TwoSidedTruncatedGamma, prelude::*};
    /// let g = TwoSidedTruncatedGamma::new(1.0, 1.0, 1.0, 2.0);
    /// // 2 - 1 / (e - 1)
    /// assert!((g.mean().item::<f32>()? - 1.4180233).abs() < 1e-5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TwoSidedTruncatedGamma of Gamma {
        /// The shape of the whole.
        concentration: Positive,
        /// The inverse of its scale.
        rate: Positive,
    }
    from low to high {
        /// The lower end.
        low: Positive,
        /// The upper end, which is greater.
        high: Positive,
    }
    on Interval(low, high) where low < high {
        Moments {
            mean => mean(&cut!(Gamma(concentration, rate), low, high)),
            variance => variance(&cut!(Gamma(concentration, rate), low, high)),
        }
        Mode {
            mode => ((concentration - 1.0) / rate).maximum(low).minimum(high)
        }
    }
}

truncated! {
    /// The gamma distribution from `low` on.
    ///
    /// Draws are differentiable in all parameters.
    ///
    /// ```
    /// use probpipe::{LeftTruncatedGamma, prelude::*};
    /// let g = LeftTruncatedGamma::new(1.0, 2.0, 3.0);
    /// assert!((g.mean().item::<f32>()? - 3.5).abs() < 1e-5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LeftTruncatedGamma of Gamma {
        /// The shape of the whole.
        concentration: Positive,
        /// The inverse of its scale.
        rate: Positive,
    }
    from low to _ {
        /// The lower end.
        low: Positive,
    }
    on AtLeast(low) {
        Moments {
            mean => mean(&cut!(Gamma(concentration, rate), low, _)),
            variance => variance(&cut!(Gamma(concentration, rate), low, _)),
        }
        Mode { mode => ((concentration - 1.0) / rate).maximum(low) }
    }
}

truncated! {
    /// The gamma distribution up to `high`.
    ///
    /// Draws are differentiable in all parameters.
    ///
    /// ```
    /// use probpipe::{RightTruncatedGamma, prelude::*};
    /// let g = RightTruncatedGamma::new(2.0, 1.0, 1.0);
    /// assert_eq!(g.cdf(&array(1.0)).item::<f32>()?, 1.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    RightTruncatedGamma of Gamma {
        /// The shape of the whole.
        concentration: Positive,
        /// The inverse of its scale.
        rate: Positive,
    }
    from _ to high {
        /// The upper end.
        high: Positive,
    }
    on Interval(0.0, high) {
        Moments {
            mean => mean(&cut!(Gamma(concentration, rate), _, high)),
            variance => variance(&cut!(Gamma(concentration, rate), _, high)),
        }
        Mode { mode => ((concentration - 1.0) / rate).maximum(0.0).minimum(high) }
    }
}

/// The moment of order `n` at rate 1 over that of the whole: the share of the gamma distribution of
/// a shape that is greater by `n`.
#[track_caller]
fn share(cut: &Cut<'_, Gamma>, n: f64) -> Array {
    let whole = Gamma::new(cut.whole.concentration() + n, cut.whole.rate());
    let raised = Cut { whole: &whole, ..*cut };
    (raised.log_mass() - cut.log_mass()).exp()
}

#[track_caller]
pub(crate) fn mean(cut: &Cut<'_, Gamma>) -> Array {
    cut.whole.concentration() / cut.whole.rate() * share(cut, 1.0)
}

#[track_caller]
pub(crate) fn variance(cut: &Cut<'_, Gamma>) -> Array {
    let a = cut.whole.concentration();
    let square = a * (a + 1.0) * share(cut, 2.0);
    (square - (a * share(cut, 1.0)).square()) / cut.whole.rate().square()
}
