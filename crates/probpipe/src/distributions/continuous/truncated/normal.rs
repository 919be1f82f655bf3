//! The normal distribution, cut on both sides or on one.

use super::{cut, end, truncated};
use crate::distributions::continuous::Normal;
use crate::distributions::cut::Cut;
use crate::distributions::shapes::HALF_LOG_TAU;
use probpipe_trace::Array;

truncated! {
    /// The normal distribution, cut to `[low, high]`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{TruncatedNormal, prelude::*};
    /// let n = TruncatedNormal::new(0.0, 1.0, -1.0, 1.0);
    /// assert!((n.variance().item::<f32>()? - 0.2911251).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    TruncatedNormal of Normal {
        /// The mean of the whole.
        loc: Real,
        /// Its standard deviation.
        scale: Positive,
    }
    from low to high {
        /// The lower end.
        low: Real,
        /// The upper end, which is greater.
        high: Real,
    }
    on Interval(low, high) where low < high {
        Moments {
            mean => mean(&cut!(Normal(loc, scale), low, high)),
            variance => variance(&cut!(Normal(loc, scale), low, high)),
        }
        Mode { mode => loc.maximum(low).minimum(high) }
        Entropy { entropy => entropy(&cut!(Normal(loc, scale), low, high)) }
    }
}

truncated! {
    /// The normal distribution from `low` on.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{LeftTruncatedNormal, prelude::*};
    /// let n = LeftTruncatedNormal::new(0.0, 1.0, 0.0);
    /// assert!((n.mean().item::<f32>()? - 0.7978846).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LeftTruncatedNormal of Normal {
        /// The mean of the whole.
        loc: Real,
        /// Its standard deviation.
        scale: Positive,
    }
    from low to _ {
        /// The lower end.
        low: Real,
    }
    on AtLeast(low) {
        Moments {
            mean => mean(&cut!(Normal(loc, scale), low, _)),
            variance => variance(&cut!(Normal(loc, scale), low, _)),
        }
        Mode { mode => loc.maximum(low) }
        Entropy { entropy => entropy(&cut!(Normal(loc, scale), low, _)) }
    }
}

truncated! {
    /// The normal distribution up to `high`.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::{RightTruncatedNormal, prelude::*};
    /// let n = RightTruncatedNormal::new(0.0, 1.0, 0.0);
    /// assert!((n.mean().item::<f32>()? + 0.7978846).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    RightTruncatedNormal of Normal {
        /// The mean of the whole.
        loc: Real,
        /// Its standard deviation.
        scale: Positive,
    }
    from _ to high {
        /// The upper end.
        high: Real,
    }
    on AtMost(high) {
        Moments {
            mean => mean(&cut!(Normal(loc, scale), _, high)),
            variance => variance(&cut!(Normal(loc, scale), _, high)),
        }
        Mode { mode => loc.minimum(high) }
        Entropy { entropy => entropy(&cut!(Normal(loc, scale), _, high)) }
    }
}

/// For each end the standardised place `z` and the density there of what is left; the sum of
/// `density * z^power`, of a lower end positive, of an upper one negative.
#[track_caller]
fn at_ends(cut: &Cut<'_, Normal>, power: bool) -> Array {
    let (loc, scale) = (cut.whole.loc(), cut.whole.scale());
    let mass = cut.log_mass();
    let at = |end: &Array, sign: f64| {
        let z = (end - loc) / scale;
        let density = (z.square() * -0.5 - HALF_LOG_TAU - &mass).exp() * sign;
        if power { density * z } else { density }
    };
    let ends = [cut.low.map(|low| at(low, 1.0)), cut.high.map(|high| at(high, -1.0))];
    ends.into_iter().flatten().fold(0.0.into(), |sum: Array, end| sum + end)
}

#[track_caller]
pub(crate) fn mean(cut: &Cut<'_, Normal>) -> Array {
    cut.whole.loc() + cut.whole.scale() * at_ends(cut, false)
}

#[track_caller]
pub(crate) fn variance(cut: &Cut<'_, Normal>) -> Array {
    let left = at_ends(cut, true) + 1.0 - at_ends(cut, false).square();
    cut.whole.scale().square() * left
}

#[track_caller]
pub(crate) fn entropy(cut: &Cut<'_, Normal>) -> Array {
    cut.whole.scale().log() + cut.log_mass() + (HALF_LOG_TAU + 0.5) + at_ends(cut, true) * 0.5
}
