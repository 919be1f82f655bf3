//! Means, spreads, norms and covariances: reductions made of reductions, and of integers in the
//! default float type.

use crate::array::each::in_each;
use crate::array::elementwise::arithmetic::{by_width, like, select};
use crate::array::reduce::axes::{IntoAxes, Over, reduced, reductions};
use crate::array::reduce::reductions::{max, reduce, sum};
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::structural::ReduceOp;
use crate::types::ShapeDisplay;

#[track_caller]
fn mean(x: &Array, over: &Over) -> Array {
    let x = x.to_float();
    sum(&x, over) / over.count(&x) as f64
}

#[track_caller]
fn variance(x: &Array, over: &Over, ddof: usize) -> Array {
    let x = x.to_float();
    let squares = (&x - over.back(&x, &mean(&x, over))).square();
    sum(&squares, over) / over.count(&x).saturating_sub(ddof) as f64
}

/// The vector norm of an order that is known to be one.
#[track_caller]
fn norm(x: &Array, over: &Over, order: f64) -> Array {
    let x = x.to_float();
    if order == 2.0 {
        in_each(&[&x], |x| euclidean(&x[0], over))
    } else if order == 1.0 {
        sum(&x.abs(), over)
    } else if order == f64::INFINITY {
        max(&x.abs(), over)
    } else {
        // Relative to the largest, whose power may be no number where the norm is one.
        let size = x.abs();
        let top = max(&size, over).stop_gradient();
        let top = select(&(top.gt(0.0) & top.is_finite()), &top, 1.0);
        sum(&(&size / over.back(&x, &top)).pow(order), over).pow(1.0 / order) * top
    }
}

/// The root of the sum of squares. Very large and very small vectors are scaled first, by powers of
/// two, which round nothing: their squares are no numbers where the norm is one.
#[track_caller]
fn euclidean(x: &Array, over: &Over) -> Array {
    if over.count(x) == 0 {
        return sum(&x.square(), over).sqrt();
    }
    let top = max(&x.abs(), over).stop_gradient();
    let two = |f32, f64| 2f64.powf(by_width(x, f32, f64));
    let scale = select(&top.lt(two(-50.0, -400.0)), two(90.0, 650.0), like(x, 1.0));
    let scale = select(&top.gt(two(40.0, 400.0)), two(-80.0, -600.0), scale);
    sum(&(x * over.back(x, &scale)).square(), over).sqrt() / scale
}

reductions! {
    /// The mean of the elements; NaN for none. Of truth values the share that is true.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([[1, 2], [3, 6]]).mean_axes(0).to_vec::<f32>()?, [2.0, 4.0]);
    /// assert_eq!(array([true, false, true, true]).mean().item::<f32>()?, 0.75);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    mean mean_axes mean;
    /// The distance from the smallest to the largest element.
    ptp ptp_axes |x, over| max(x, over) - reduce(ReduceOp::Min, x, over);
    /// How many elements are not zero, as `i32`.
    count_nonzero count_nonzero_axes |x, over| {
        let counted = if x.dtype() == DType::Bool { x.clone() } else { x.ne(0) };
        sum(&counted.cast(DType::I32), over)
    };
}

impl Array {
    /// The variance of the elements, divided by their number.
    #[track_caller]
    pub fn var(&self) -> Array {
        self.var_axes(.., 0)
    }

    /// The variance over the given axes, divided by the number of elements less `ddof`, or by zero
    /// where `ddof` is more.
    ///
    /// ```
    /// use probpipe_trace::{Keep, array};
    /// let x = array([[1.0, 3.0], [2.0, 6.0]]);
    /// assert_eq!(x.var_axes(1, 1).to_vec::<f32>()?, [2.0, 8.0]);
    /// assert_eq!(x.std_axes(Keep(1), 0).shape(), [2, 1]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "ddof")]
    pub fn var_axes(&self, axes: impl IntoAxes, ddof: usize) -> Array {
        reduced("var", self, axes, |x, over| variance(x, over, ddof))
    }

    /// The standard deviation of the elements.
    #[track_caller]
    pub fn std(&self) -> Array {
        self.std_axes(.., 0)
    }

    /// The standard deviation over the given axes, see [`Array::var_axes`].
    #[track_caller]
    pub fn std_axes(&self, axes: impl IntoAxes, ddof: usize) -> Array {
        reduced("std", self, axes, |x, over| variance(x, over, ddof).sqrt())
    }

    /// The root of the sum of squares of all elements.
    #[track_caller]
    #[doc(alias = "linalg.norm")]
    pub fn norm(&self) -> Array {
        self.norm_axes(.., 2.0)
    }

    /// The vector norm of order `order` over the given axes: 1, 2, any other positive number, or
    /// infinity for the largest magnitude.
    #[track_caller]
    #[doc(alias = "linalg.vector_norm")]
    pub fn norm_axes(&self, axes: impl IntoAxes, order: f64) -> Array {
        if order > 0.0 || self.error().is_some() {
            return reduced("norm", self, axes, |x, over| norm(x, over, order));
        }
        let error = Error::new(ErrorKind::Value, format!("`norm` has no norm of order {order}"))
            .help("the order is a positive number or infinity");
        Array::invalid(error, here())
    }

    /// The mean of all elements, each counted by its weight: as many weights as elements.
    #[track_caller]
    pub fn average(&self, weights: impl Into<Array>) -> Array {
        self.average_axes(weights, ..)
    }

    /// The mean over the given axes, each element counted by its weight. The weights have the
    /// shape of the array, or are a vector along the one axis.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, 3.0], [2.0, 6.0]]);
    /// let mean = x.average_axes(array([3.0, 1.0]), 1);
    /// assert_eq!(mean.to_vec::<f32>()?, [1.5, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn average_axes(&self, weights: impl Into<Array>, axes: impl IntoAxes) -> Array {
        let weights = weights.into().to_float();
        reduced("average", self, axes, |x, over| {
            if weights.error().is_some() {
                return weights.clone();
            }
            let x = x.to_float();
            let weights = match over.axes[..] {
                [axis] if weights.shape() == [x.shape()[axis]] => {
                    let rest = (x.rank() - 1 - axis) as isize;
                    (0..rest).fold(weights, |w, _| w.expand_dims(-1)).broadcast_to(x.shape())
                }
                _ => weights,
            };
            if weights.shape() != x.shape() {
                let message = format!(
                    "`average` of {}{} cannot take weights of shape {}",
                    x.dtype(),
                    ShapeDisplay(x.shape()),
                    ShapeDisplay(weights.shape())
                );
                let help = "give a weight for every element, or a vector along one axis";
                return Array::invalid(Error::new(ErrorKind::Shape, message).help(help), here());
            }
            sum(&(x * &weights), over) / sum(&weights, over)
        })
    }

    /// The covariance matrix of variables in rows and observations in columns, divided by the
    /// number of observations less one.
    #[track_caller]
    pub fn cov(&self) -> Array {
        let x = self.to_float();
        let x = if x.rank() == 1 { x.expand_dims(0) } else { x };
        let over = match Over::new("cov", &x, -1) {
            Ok(over) => over,
            Err(error) => return Array::invalid(error, here()),
        };
        let centred = &x - over.back(&x, &mean(&x, &over));
        let count = x.shape().last().map_or(0.0, |&n| n as f64);
        let cov = centred.matmul(centred.swap_axes(-1, -2)) / (count - 1.0).max(0.0);
        if self.rank() == 1 { cov.reshape(()) } else { cov }
    }

    /// The matrix of correlation coefficients of variables in rows.
    #[track_caller]
    pub fn corrcoef(&self) -> Array {
        let cov = self.cov();
        if cov.rank() == 0 {
            // One, and NaN where the variance is zero or NaN.
            return &cov * cov.recip();
        }
        let scale = cov.diagonal().sqrt();
        let cov = &cov / scale.expand_dims(1);
        (cov / scale.expand_dims(0)).clip(-1.0, 1.0)
    }
}
