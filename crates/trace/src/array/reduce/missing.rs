//! Reductions that leave NaN out. Where all elements are NaN the sum is 0, the product 1,
//! everything else NaN. Integers have no NaN, and give what the plain reductions do.

use crate::array::elementwise::arithmetic::{like, select};
use crate::array::order::quantiles::{QuantileMethod, quantile};
use crate::array::reduce::axes::{IntoAxes, Over, reduced, reductions};
use crate::array::reduce::reductions::{in_numbers, reduce, sum};
use crate::handle::Array;
use crate::op::structural::ReduceOp;

/// How many elements are not NaN, in the array's float type.
#[track_caller]
fn count(x: &Array, over: &Over) -> Array {
    sum(&x.eq(x).cast_like(x), over)
}

/// The array with another number for NaN.
#[track_caller]
fn without_nan(x: &Array, number: f64) -> Array {
    if x.dtype().is_float() { select(&x.is_nan(), like(x, number), x) } else { in_numbers(x) }
}

#[track_caller]
fn mean(x: &Array, over: &Over) -> Array {
    sum(&without_nan(x, 0.0), over) / count(x, over)
}

#[track_caller]
fn variance(x: &Array, over: &Over, ddof: usize) -> Array {
    let x = &x.to_float();
    let centred = x - over.back(x, &mean(x, over));
    let freedom = count(x, over) - ddof as f64;
    let squares = sum(&without_nan(&centred.square(), 0.0), over);
    squares / select(&freedom.gt(0.0), &freedom, f64::NAN)
}

/// The largest or the smallest, with NaN behind all others.
#[track_caller]
fn extreme(op: ReduceOp, x: &Array, over: &Over, last: f64) -> Array {
    if !x.dtype().is_float() {
        return reduce(op, x, over);
    }
    let found = reduce(op, &without_nan(x, last), over);
    select(&reduce(ReduceOp::And, &x.is_nan(), over), f64::NAN, found)
}

reductions! {
    /// The sum of what is not NaN.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, f32::NAN], [2.0, 3.0]]);
    /// assert_eq!(x.nansum().item::<f32>()?, 6.0);
    /// assert_eq!(x.nansum_axes(1).to_vec::<f32>()?, [1.0, 5.0]);
    /// assert_eq!(x.nanmean_axes(0).to_vec::<f32>()?, [1.5, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    nansum nansum_axes |x, over| sum(&without_nan(x, 0.0), over);
    /// The product of what is not NaN.
    nanprod nanprod_axes |x, over| reduce(ReduceOp::Prod, &without_nan(x, 1.0), over);
    /// The mean of what is not NaN.
    nanmean nanmean_axes |x, over| mean(&x.to_float(), over);
    /// The largest of what is not NaN.
    nanmax nanmax_axes |x, over| extreme(ReduceOp::Max, x, over, f64::NEG_INFINITY);
    /// The smallest of what is not NaN.
    nanmin nanmin_axes |x, over| extreme(ReduceOp::Min, x, over, f64::INFINITY);
    /// The median of what is not NaN.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, f32::NAN, 3.0], [2.0, 3.0, 7.0]]);
    /// assert_eq!(x.nanmedian_axes(1).to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    nanmedian nanmedian_axes |x, over| {
        quantile("nanmedian", x, over, &Array::from(0.5), QuantileMethod::Linear, true)
    };
}

impl Array {
    /// The variance of what is not NaN, divided by the number of those elements.
    #[track_caller]
    pub fn nanvar(&self) -> Array {
        self.nanvar_axes(.., 0)
    }

    /// The variance over the given axes of what is not NaN, divided by the number of those
    /// elements less `ddof`; NaN where that is not positive.
    #[track_caller]
    pub fn nanvar_axes(&self, axes: impl IntoAxes, ddof: usize) -> Array {
        reduced("nanvar", self, axes, |x, over| variance(x, over, ddof))
    }

    /// The standard deviation of what is not NaN; see [`Array::nanvar`].
    #[track_caller]
    pub fn nanstd(&self) -> Array {
        self.nanstd_axes(.., 0)
    }

    /// The standard deviation over the given axes of what is not NaN, see [`Array::nanvar_axes`].
    #[track_caller]
    pub fn nanstd_axes(&self, axes: impl IntoAxes, ddof: usize) -> Array {
        reduced("nanstd", self, axes, |x, over| variance(x, over, ddof).sqrt())
    }

    /// [`Array::quantile`] of what is not NaN.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([4.0, f32::NAN, 1.0, 2.0]);
    /// assert_eq!(x.nanquantile(array([0.0, 0.5, 0.75])).to_vec::<f32>()?, [1.0, 2.0, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "nanpercentile")]
    pub fn nanquantile(&self, q: impl Into<Array>) -> Array {
        self.nanquantile_axes(q, ..)
    }

    /// [`Array::quantile_axes`] of what is not NaN.
    #[track_caller]
    pub fn nanquantile_axes(&self, q: impl Into<Array>, axes: impl IntoAxes) -> Array {
        let q = q.into();
        reduced("nanquantile", self, axes, |x, over| {
            quantile("nanquantile", x, over, &q, QuantileMethod::Linear, true)
        })
    }
}
