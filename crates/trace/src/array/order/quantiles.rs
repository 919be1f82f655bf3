//! Medians and quantiles: what is read off sorted arrays. A quantile that is written as a number
//! reads entries that are known beforehand; one that is an array, or among elements of which some
//! are left out, reads at computed places.

use crate::array::elementwise::arithmetic::{like, select};
use crate::array::reduce::axes::{IntoAxes, Over, reduced, reductions};
use crate::context::here;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind, Result};
use crate::handle::{Array, Repr};
use crate::op::Op;
use crate::tracing::bind1;
use crate::types::{Axes, Shape, ShapeDisplay, other_axes};

/// What a quantile is that falls between two elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QuantileMethod {
    /// Between them, in proportion to the distances.
    #[default]
    Linear,
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// Half way between them.
    Midpoint,
    /// The nearer one, the lower if both are as near.
    Nearest,
}

impl QuantileMethod {
    /// The positions of two elements and the weight of the second, for the place `at`.
    fn weigh(self, at: f64) -> (f64, f64, f64) {
        let (low, high) = (at.floor(), at.ceil());
        match self {
            QuantileMethod::Linear => (low, high, at - low),
            QuantileMethod::Lower => (low, low, 0.0),
            QuantileMethod::Higher => (high, high, 0.0),
            QuantileMethod::Midpoint if low == high => (low, low, 0.0),
            QuantileMethod::Midpoint => (low, high, 0.5),
            QuantileMethod::Nearest if at - low <= 0.5 => (low, low, 0.0),
            QuantileMethod::Nearest => (high, high, 0.0),
        }
    }

    /// [`QuantileMethod::weigh`] for computed places.
    #[track_caller]
    fn weigh_array(self, at: &Array) -> (Array, Array, Array) {
        let (low, high) = (at.floor(), at.ceil());
        let part = at - &low;
        let none = like(at, 0.0);
        match self {
            QuantileMethod::Linear => (low, high, part),
            QuantileMethod::Lower => (low.clone(), low, none),
            QuantileMethod::Higher => (high.clone(), high, none),
            QuantileMethod::Midpoint => (low, high, select(&part.gt(0.0), like(at, 0.5), none)),
            QuantileMethod::Nearest => {
                let near = select(&part.le(0.5), low, high);
                (near.clone(), near, none)
            }
        }
    }
}

reductions! {
    /// The median of the elements; NaN if any is NaN.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([5, 1, 2, 4]).median().item::<f32>()?, 3.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    median median_axes |x, over| {
        quantile("median", x, over, &Array::from(0.5), QuantileMethod::Linear, false)
    };
}

impl Array {
    /// The `q`-quantile of all elements, `0 <= q <= 1`, linear between neighbours; NaN if any
    /// element is NaN. Of an array of several `q` as many quantiles, in its shape.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([4.0, 1.0, 3.0, 2.0, 5.0]);
    /// assert_eq!(x.quantile(0.5).item::<f32>()?, 3.0);
    /// assert_eq!(x.quantile(array([0.0, 0.25, 1.0])).to_vec::<f32>()?, [1.0, 2.0, 5.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn quantile(&self, q: impl Into<Array>) -> Array {
        self.quantile_axes(q, ..)
    }

    /// The `q`-quantile over the given axes, linear between neighbours; the axes of an array of
    /// several `q` come first. See [`Array::quantile`].
    #[track_caller]
    pub fn quantile_axes(&self, q: impl Into<Array>, axes: impl IntoAxes) -> Array {
        self.quantile_with(q, axes, QuantileMethod::Linear)
    }

    /// The `q`-quantile over the given axes: the element at `q` of the way from the smallest to
    /// the largest, or what `method` makes of two neighbours. NaN if any is NaN, or where a
    /// computed `q` is not from 0 to 1.
    ///
    /// ```
    /// use probpipe_trace::{array, QuantileMethod};
    /// let x = array([4.0, 1.0, 3.0, 2.0]);
    /// let lower = x.quantile_with(0.5, 0, QuantileMethod::Lower);
    /// assert_eq!(lower.item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn quantile_with(
        &self,
        q: impl Into<Array>,
        axes: impl IntoAxes,
        method: QuantileMethod,
    ) -> Array {
        let q = q.into();
        reduced("quantile", self, axes, |x, over| quantile("quantile", x, over, &q, method, false))
    }

    /// The `p`-th percentile of all elements, `0 <= p <= 100`: [`Array::quantile`] at `p / 100`.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([1.0, 2.0, 3.0, 4.0, 5.0]);
    /// assert_eq!(x.percentile(25).item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn percentile(&self, p: impl Into<Array>) -> Array {
        self.percentile_axes(p, ..)
    }

    /// The `p`-th percentile over the given axes; see [`Array::quantile_axes`].
    #[track_caller]
    pub fn percentile_axes(&self, p: impl Into<Array>, axes: impl IntoAxes) -> Array {
        let p = p.into();
        let q = match p.repr {
            Repr::Literal(scalar) => Array::from(scalar.as_f64() / 100.0),
            _ => p.to_float() / 100.0,
        };
        let method = QuantileMethod::Linear;
        reduced("percentile", self, axes, |x, over| {
            quantile("percentile", x, over, &q, method, false)
        })
    }
}

/// Quantiles over axes, which vanish, behind the axes of `q`; with `skip` of what is not NaN.
#[track_caller]
pub(crate) fn quantile(
    name: &str,
    x: &Array,
    over: &Over,
    q: &Array,
    method: QuantileMethod,
    skip: bool,
) -> Array {
    if let Some(error) = q.error() {
        return Array::invalid(error.clone(), here());
    }
    let x = &x.to_float();
    let n = over.count(x);
    if let Err(error) = fits(name, x, over, q, n) {
        return Array::invalid(error, here());
    }
    let sorted = as_last(x, over).sort(-1);
    match q.repr {
        Repr::Literal(q) if !skip => {
            let entry = |i: f64| sorted.at_axis(-1, i as isize);
            let (low, high, weight) = method.weigh(q.as_f64() * (n - 1) as f64);
            let value = if low == high {
                entry(low)
            } else {
                entry(low) * (1.0 - weight) + entry(high) * weight
            };
            // NaN is sorted last.
            select(entry((n - 1) as f64).is_nan(), f64::NAN, value)
        }
        _ => {
            let q = q.to_float().cast_like(x);
            at_places(&sorted, &q, method, skip)
        }
    }
}

/// Refuses what has no quantile: no elements, and numbers that are known not to be from 0 to 1.
#[track_caller]
fn fits(name: &str, x: &Array, over: &Over, q: &Array, n: usize) -> Result<(), Error> {
    let known: Vec<f64> = match q.value_in(DType::F64) {
        Ok(value) => value.to_scalars()?.into_iter().map(Scalar::as_f64).collect(),
        // A traced one is looked at where it is computed.
        Err(_) => Vec::new(),
    };
    let typed = format!("{}{}", x.dtype(), ShapeDisplay(x.shape()));
    if let Some(q) = known.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        let message = format!("`{name}` of {typed}: there is no {q}-quantile");
        return Err(Error::new(ErrorKind::Value, message).help(match name {
            "percentile" => "a percentile is a number from 0 to 100",
            _ => "a quantile is a number from 0 to 1; see `percentile`",
        }));
    }
    if n == 0 {
        let axes = ShapeDisplay(&over.axes);
        let message = format!("`{name}` over axes {axes} of {typed} has no elements");
        let help = "reduce axes with entries";
        return Err(Error::new(ErrorKind::Shape, message).help(help));
    }
    Ok(())
}

/// Quantiles along the last axis of a sorted array, behind the axes of `q`.
#[track_caller]
fn at_places(sorted: &Array, q: &Array, method: QuantileMethod, skip: bool) -> Array {
    let n = sorted.shape().last().map_or(0, |&n| n);
    let last = if skip {
        // NaN is sorted last.
        sorted.eq(sorted).cast_like(sorted).sum_axes(-1) - 1.0
    } else {
        like(sorted, n as f64 - 1.0)
    };
    let last = last.expand_dims(-1);
    let mut lines = Shape::from_slice(&sorted.shape()[..sorted.rank() - 1]);
    lines.push(q.size());
    // One column of places for each quantile.
    let at = (q.flatten() * &last).broadcast_to(&lines);
    let (low, high, weight) = method.weigh_array(&at);
    let entry = |i: Array| sorted.take_along_axis(i.cast(DType::I32), -1);
    let (below, above) = (entry(low), entry(high));
    // An infinite neighbour that does not count must not be multiplied by zero.
    let between = &below * (1.0 - &weight) + above * &weight;
    let value = select(weight.eq(0.0), below, between);
    let mut sound = at.ge(0.0) & at.le(&last);
    if !skip {
        sound = sound & !sorted.at_axis(-1, -1).is_nan().expand_dims(-1);
    }
    let value = select(sound, value, f64::NAN).move_axis(-1, 0);
    let mut shape = Shape::from_slice(q.shape());
    shape.extend_from_slice(&value.shape()[1..]);
    value.reshape(shape)
}

/// The array with the given axes as one last axis.
#[track_caller]
fn as_last(x: &Array, over: &Over) -> Array {
    let others = other_axes(x.rank(), &over.axes);
    let mut shape: Shape = others.iter().map(|&a| x.shape()[a]).collect();
    shape.push(over.count(x));
    let permutation: Axes = others.iter().chain(&over.axes).copied().collect();
    bind1(Op::Transpose { permutation }, &[x]).reshape(shape)
}
