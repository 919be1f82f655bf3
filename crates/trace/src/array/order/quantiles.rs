//! Medians and quantiles: what is read off sorted arrays.

use crate::array::elementwise::arithmetic::select;
use crate::array::shape::reshape::resolve_axes;
use crate::context::here;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
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
}

impl Array {
    /// The median of all elements; NaN if any is NaN.
    #[track_caller]
    pub fn median(&self) -> Array {
        self.quantile(0.5)
    }

    /// The median along one axis, which vanishes.
    #[track_caller]
    pub fn median_axis(&self, axis: isize) -> Array {
        self.quantile_axis(0.5, axis)
    }

    /// The median over the given axes, which vanish.
    #[track_caller]
    pub fn median_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        self.quantile_axes(0.5, axes, QuantileMethod::Linear)
    }

    /// The `q`-quantile of all elements, `0 <= q <= 1`, linear between neighbours; NaN if any
    /// element is NaN.
    #[track_caller]
    pub fn quantile(&self, q: f64) -> Array {
        let axes: Vec<isize> = (0..self.rank() as isize).collect();
        self.quantile_axes(q, axes, QuantileMethod::Linear)
    }

    /// The `q`-quantile along one axis, which vanishes.
    #[track_caller]
    pub fn quantile_axis(&self, q: f64, axis: isize) -> Array {
        self.quantile_axes(q, [axis], QuantileMethod::Linear)
    }

    /// The `q`-quantile over the given axes, which vanish: the element at `q` of the way from the
    /// smallest to the largest, or what `method` makes of two neighbours. NaN if any is NaN.
    ///
    /// ```
    /// use probpipe_trace::{array, QuantileMethod};
    /// let x = array([4.0, 1.0, 3.0, 2.0]);
    /// assert_eq!(x.quantile(0.5).item::<f32>()?, 2.5);
    /// let lower = x.quantile_axes(0.5, [0], QuantileMethod::Lower);
    /// assert_eq!(lower.item::<f32>()?, 2.0);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn quantile_axes(
        &self,
        q: f64,
        axes: impl AsRef<[isize]>,
        method: QuantileMethod,
    ) -> Array {
        let lined = match self.axes_as_last(axes.as_ref()) {
            Ok(lined) => lined,
            Err(error) => return Array::invalid(error, here()),
        };
        let n = lined.shape().last().map_or(0, |&n| n);
        if !self.dtype().is_float() || n == 0 || !(0.0..=1.0).contains(&q) {
            let error = Error::new(
                ErrorKind::Shape,
                format!(
                    "`quantile` has no {q}-quantile over axes {:?} of {}{}",
                    axes.as_ref(),
                    self.dtype(),
                    ShapeDisplay(self.shape())
                ),
            )
            .help("give floats, axes with entries and a number from 0 to 1");
            return Array::invalid(error, here());
        }
        let sorted = lined.sort(-1);
        let entry = |i: f64| sorted.at_axis(-1, i as isize);
        let (low, high, weight) = method.weigh(q * (n - 1) as f64);
        let value = if low == high {
            entry(low)
        } else {
            entry(low) * (1.0 - weight) + entry(high) * weight
        };
        // NaN is sorted last.
        select(&entry((n - 1) as f64).is_nan(), f64::NAN, value)
    }

    /// The array with the given axes as one last axis.
    #[track_caller]
    fn axes_as_last(&self, axes: &[isize]) -> Result<Array> {
        let axes = resolve_axes("quantile", self, axes)?;
        let others = other_axes(self.rank(), &axes);
        let mut shape: Shape = others.iter().map(|&a| self.shape()[a]).collect();
        shape.push(axes.iter().map(|&a| self.shape()[a]).product());
        let permutation: Axes = others.iter().chain(&axes).copied().collect();
        Ok(bind1(Op::Transpose { permutation }, &[self]).reshape(shape))
    }
}
