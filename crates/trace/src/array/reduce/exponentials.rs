//! Sums of exponentials without overflow, and what is scaled by them along an axis.

use crate::array::elementwise::arithmetic::select;
use crate::array::reduce::axes::{IntoAxes, Over, reduced, reductions};
use crate::array::reduce::reductions::{max, sum};
use crate::context::here;
use crate::error::Result;
use crate::handle::Array;

/// The largest element, or 0 where that is not finite: a shift that changes no result, so it
/// carries no derivative.
#[track_caller]
fn finite_max(x: &Array, over: &Over) -> Array {
    let top = max(x, over).stop_gradient();
    select(&top.is_finite(), &top, 0.0)
}

#[track_caller]
fn logsumexp(x: &Array, over: &Over) -> Array {
    let x = x.to_float();
    let top = finite_max(&x, over);
    let sum = sum(&(&x - over.back(&x, &top)).exp(), over);
    sum.log() + top
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
    /// `log(sum(weights exp(x)))` over the given axes, without overflow.
    #[track_caller]
    pub fn logsumexp_weighted(&self, weights: impl Into<Array>, axes: impl IntoAxes) -> Array {
        let weights = weights.into();
        reduced("logsumexp_weighted", self, axes, |x, over| {
            let x = x.to_float();
            let top = finite_max(&x, over);
            let terms = &weights * (&x - over.back(&x, &top)).exp();
            sum(&terms, over).log() + top
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
