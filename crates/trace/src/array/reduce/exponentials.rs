//! Sums of exponentials without overflow, and what is scaled by them along an axis.

use crate::array::each::in_each;
use crate::array::elementwise::arithmetic::{by_width, select};
use crate::array::reduce::axes::{IntoAxes, Over, reduced, reductions};
use crate::array::reduce::reductions::{max, sum};
use crate::context::here;
use crate::error::Result;
use crate::handle::Array;

/// Elements less the largest, as terms of sums of exponentials. The shift changes no result, so it
/// carries no derivative.
struct Shifted {
    /// The elements less the shift; 0 for those that are infinite themselves, whose exponentials
    /// would be.
    x: Array,
    /// The largest element, or 0 for `-inf`, the largest of none.
    shift: Array,
    /// The largest element, whose slopes are those of the sum where it is infinite.
    top: Array,
}

impl Shifted {
    #[track_caller]
    fn new(x: &Array, over: &Over) -> Shifted {
        let top = max(x, over);
        let fixed = top.stop_gradient();
        let shift = select(&fixed.eq(f64::NEG_INFINITY), 0.0, &fixed);
        let finite = select(&x.eq(f64::INFINITY), 0.0, x - over.back(x, &shift));
        Shifted { x: finite, shift, top }
    }

    /// The logarithm of the sum of terms, shifted back. Of none it is `-inf` and flat, beside an
    /// infinite element it is that element.
    #[track_caller]
    fn log(&self, sum: &Array) -> Array {
        let none = sum.eq(0.0);
        let log = select(&none, 1.0, sum).log() + &self.shift;
        let log = select(&none, f64::NEG_INFINITY, log);
        select(&self.shift.eq(f64::INFINITY), &self.top, log)
    }
}

#[track_caller]
fn logsumexp(x: &Array, over: &Over) -> Array {
    let shifted = Shifted::new(&x.to_float(), over);
    shifted.log(&sum(&shifted.x.exp(), over))
}

/// What elements of no weight add is zero, and its slope in the weight `exp(x)` less the shift,
/// which is of the others; held below the largest number, so that zero times it is zero.
#[track_caller]
fn weighted(x: &Array, weights: &Array, over: &Over) -> Array {
    let counts = weights.ne(0.0);
    let shifted = Shifted::new(&select(&counts, x, f64::NEG_INFINITY), over);
    let most = by_width(x, 88.0, 709.0);
    let beside = (x - over.back(&shifted.x, &shifted.shift)).stop_gradient();
    let beside = select(&beside.gt(most), most, beside);
    let beside = select(&x.eq(f64::INFINITY), most, beside);
    let terms = weights * select(&counts, &shifted.x, beside).exp();
    shifted.log(&sum(&terms, over))
}

reductions! {
    /// `log(sum(exp(x)))` of the elements, without overflow; `-inf` for none.
    #[doc(alias = "nn.logsumexp")]
    #[doc(alias = "scipy.special.logsumexp")]
    logsumexp logsumexp_axes logsumexp;
    /// `log(mean(exp(x)))` of the elements, without overflow.
    #[doc(alias = "nn.logmeanexp")]
    logmeanexp logmeanexp_axes |x, over| logsumexp(x, over) - (over.count(x) as f64).ln();
}

impl Array {
    /// `log(sum(weights exp(x)))` over the given axes, without overflow. An element whose weight is
    /// zero does not count, also where it is infinite.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([-1000.0, f64::INFINITY]);
    /// assert_eq!(x.logsumexp_weighted(array([1.0, 0.0]), 0).item::<f32>()?, -1000.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn logsumexp_weighted(&self, weights: impl Into<Array>, axes: impl IntoAxes) -> Array {
        let weights = weights.into();
        reduced("logsumexp_weighted", self, axes, |x, over| {
            in_each(&[x, &weights.to_float()], |operands| {
                weighted(&operands[0], &operands[1], over)
            })
        })
    }

    /// The array in floats less its largest element along an axis, and the axis.
    #[track_caller]
    fn shifted(&self, name: &str, axis: isize) -> Result<(Array, Over)> {
        let over = Over::new(name, self, axis)?;
        let x = self.to_float();
        let top = max(&x, &over).stop_gradient();
        Ok((&x - over.back(&x, &top), over))
    }

    /// `exp(x) / sum(exp(x))` along an axis.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([[1.0, 1.0], [0.0, 0.0]]).softmax(1).to_vec::<f32>()?, [0.5; 4]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "nn.softmax")]
    #[doc(alias = "scipy.special.softmax")]
    pub fn softmax(&self, axis: isize) -> Array {
        match self.shifted("softmax", axis) {
            Ok((shifted, over)) => {
                let e = shifted.exp();
                &e / over.back(&e, &sum(&e, &over))
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// `log(softmax(x))` along an axis, exact where the softmax underflows.
    #[track_caller]
    #[doc(alias = "nn.log_softmax")]
    #[doc(alias = "scipy.special.log_softmax")]
    pub fn log_softmax(&self, axis: isize) -> Array {
        match self.shifted("log_softmax", axis) {
            Ok((shifted, over)) => {
                let sum = sum(&shifted.exp(), &over).log();
                &shifted - over.back(&shifted, &sum)
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// Shifted and scaled to mean 0 and variance 1 along an axis; `epsilon` is added to the
    /// variance.
    #[track_caller]
    #[doc(alias = "nn.standardize")]
    pub fn standardize(&self, axis: isize, epsilon: f64) -> Array {
        let over = match Over::new("standardize", self, axis) {
            Ok(over) => over,
            Err(error) => return Array::invalid(error, here()),
        };
        let x = self.to_float();
        let count = over.count(&x) as f64;
        let centred = &x - over.back(&x, &(sum(&x, &over) / count));
        let variance = sum(&centred.square(), &over) / count;
        &centred * over.back(&x, &(variance + epsilon).rsqrt())
    }
}
