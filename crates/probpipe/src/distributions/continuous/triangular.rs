//! The triangular distribution.

use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};
use std::f64::consts::LN_2;

family! {
    /// The distribution whose density rises along a line from `low` to `peak` and falls along one
    /// to `high`; NaN where the peak lies outside.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::distributions::Triangular;
    /// use probpipe::prelude::*;
    /// let t = Triangular::new(0.0, 4.0, 1.0);
    /// assert_eq!(t.cdf(&array([1.0, 4.0])).to_vec::<f32>()?, [0.25, 1.0]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Triangular::new {
        /// The lower end.
        low: Real,
        /// The upper end.
        high: Real,
        /// Where the density is largest.
        peak: Real,
    }
    on Interval(low, high) where low < high {
        LogProb {
            log_prob(x) => {
                let peak = inner(low, peak, high);
                let left = x.lt(&peak);
                let part = select(&left, x - low, high - x);
                let side = select(&left, &peak - low, high - &peak);
                // At a peak at an end one side has no width.
                let top = x.eq(&peak);
                let ratio = select(&top, 1.0, part) / select(&top, 1.0, side);
                ratio.log() + (LN_2 - (high - low).log())
            }
        }
        Sample { uniform(u) => quantile(&u, low, &inner(low, peak, high), high) }
        Cdf {
            cdf(x) => below(x, low, &inner(low, peak, high), high),
            survival(x) => below(&-x, &-high, &-inner(low, peak, high), &-low),
        }
        Quantile {
            quantile(q) => quantile(q, low, &inner(low, peak, high), high),
            upper_quantile(q) => -quantile(q, &-high, &-inner(low, peak, high), &-low),
        }
        Moments {
            mean => (low + high + inner(low, peak, high)) / 3.0,
            variance => {
                let peak = inner(low, peak, high);
                let (left, right) = (&peak - low, high - &peak);
                (left.square() + right.square() + left * right) / 18.0
            },
        }
        Mode { mode => inner(low, peak, high) }
        Entropy { entropy => (high - low).log() + (0.5 - LN_2) }
    }
}

/// The peak, if it lies between the ends.
#[track_caller]
fn inner(low: &Array, peak: &Array, high: &Array) -> Array {
    select(&(peak.ge(low) & peak.le(high)), peak, f64::NAN)
}

#[track_caller]
fn below(x: &Array, low: &Array, peak: &Array, high: &Array) -> Array {
    let left = x.lt(peak);
    let width = high - low;
    let rise = select(&left, (x - low).square(), 0.0) / (&width * select(&left, peak - low, 1.0));
    let last = x.ge(high);
    let open = !&left & !&last;
    let fall = select(&open, (high - x).square(), 0.0) / (width * select(&open, high - peak, 1.0));
    select(&left, rise, 1.0 - fall) + peak * 0.0
}

#[track_caller]
fn quantile(q: &Array, low: &Array, peak: &Array, high: &Array) -> Array {
    let width = high - low;
    let left = q.lt((peak - low) / &width);
    let rise = (select(&left, q, 1.0) * &width * select(&left, peak - low, 1.0)).sqrt();
    let sure = q.eq(1.0);
    let open = !&left & !&sure;
    let rest = select(&open, 1.0 - q, 1.0);
    let fall = (rest * &width * select(&open, high - peak, 1.0)).sqrt();
    let upper = select(&sure, high, high - fall);
    select(&q.is_nan(), q, select(&left, low + rise, upper)) + peak * 0.0
}
