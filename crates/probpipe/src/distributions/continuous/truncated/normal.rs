//! The normal distribution, cut on both sides or on one.

use super::{cut, end, truncated};
use crate::distributions::continuous::Normal;
use crate::distributions::cut::Cut;
use crate::distributions::shapes::HALF_LOG_TAU;
use probpipe_trace::{Array, ones_like, select};
use probpipe_transforms::jvp;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

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

/// What is left of a standard normal variable beyond a place `a` above 1, as a distance from there:
/// its mean, its variance and its entropy. The logarithm of `integral exp(-a y - y^2/2)` over the
/// distances generates their cumulants; that integral is the function `erfcx`.
struct Beyond {
    /// Where there is only one end, which is as far out.
    holds: Array,
    /// The end, and 1 for a lower one, -1 for an upper.
    end: Array,
    sign: f64,
    mean: Array,
    variance: Array,
    entropy: Array,
}

impl Beyond {
    /// None where there are two ends.
    #[track_caller]
    fn of(cut: &Cut<'_, Normal>) -> Option<Beyond> {
        let (end, sign) = match (cut.low, cut.high) {
            (Some(low), None) => (low, 1.0),
            (None, Some(high)) => (high, -1.0),
            _ => return None,
        };
        let a = (end - cut.whole.loc()) / cut.whole.scale() * sign;
        if a.error().is_some() {
            return None;
        }
        let holds = a.gt(1.0);
        let a = select(&holds, a, 1.0);
        let x = &a * FRAC_1_SQRT_2;
        let one = ones_like(&x);
        let slope = |x: Array| jvp(|x: Array| x.erfcx(), x, one.clone());
        let ((value, first), (_, second)) = jvp(slope, x.clone(), one.clone());
        let mean = -first / &value * FRAC_1_SQRT_2;
        let variance = second / &value * 0.5 - mean.square();
        let entropy = value.log() + (PI / 2.0).ln() * 0.5 + (a * &mean + 1.0) * 0.5;
        Some(Beyond { holds, end: end.clone(), sign, mean, variance, entropy })
    }
}

#[track_caller]
pub(crate) fn mean(cut: &Cut<'_, Normal>) -> Array {
    let (loc, scale) = (cut.whole.loc(), cut.whole.scale());
    let mean = loc + scale * at_ends(cut, false);
    match Beyond::of(cut) {
        Some(far) => select(&far.holds, far.end + scale * far.mean * far.sign, mean),
        None => mean,
    }
}

#[track_caller]
pub(crate) fn variance(cut: &Cut<'_, Normal>) -> Array {
    let left = at_ends(cut, true) + 1.0 - at_ends(cut, false).square();
    let left = match Beyond::of(cut) {
        Some(far) => select(&far.holds, far.variance, left),
        None => left,
    };
    cut.whole.scale().square() * left
}

#[track_caller]
pub(crate) fn entropy(cut: &Cut<'_, Normal>) -> Array {
    let plain = cut.log_mass() + (HALF_LOG_TAU + 0.5) + at_ends(cut, true) * 0.5;
    let plain = match Beyond::of(cut) {
        Some(far) => select(&far.holds, far.entropy, plain),
        None => plain,
    };
    cut.whole.scale().log() + plain
}
