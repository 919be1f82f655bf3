//! Statistics, norms and sums of exponentials: reductions made of reductions. Axes named vanish
//! from the shape; negative axes count from the last.

use crate::array::elementwise::arithmetic::select;
use crate::array::shape::reshape::resolve_axes;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::types::Shape;

impl Array {
    /// Every axis, for the reductions over all elements.
    fn every_axis(&self) -> Vec<isize> {
        (0..self.rank() as isize).collect()
    }

    /// A result of reducing `axes` with these axes back as extents of 1, to broadcast.
    #[track_caller]
    pub fn keep_axes(&self, reduced: &Array, axes: impl AsRef<[isize]>) -> Array {
        match resolve_axes("keep_axes", self, axes.as_ref()) {
            Ok(axes) => {
                let mut shape = Shape::from_slice(self.shape());
                axes.iter().for_each(|&a| shape[a] = 1);
                reduced.reshape(shape)
            }
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// The variance of the elements, divided by their number.
    #[track_caller]
    pub fn var(&self) -> Array {
        self.var_axes(self.every_axis(), 0)
    }

    /// The variance over the given axes, divided by the number of elements less `ddof`.
    #[track_caller]
    pub fn var_axes(&self, axes: impl AsRef<[isize]>, ddof: usize) -> Array {
        let axes = axes.as_ref();
        let mean = self.mean_axes(axes);
        let squares = (self - self.keep_axes(&mean, axes)).square();
        let count = (self.size() / mean.size().max(1)) as f64;
        squares.sum_axes(axes) / (count - ddof as f64)
    }

    /// The standard deviation of the elements.
    #[track_caller]
    pub fn std(&self) -> Array {
        self.var().sqrt()
    }

    /// The standard deviation over the given axes, see [`Array::var_axes`].
    #[track_caller]
    pub fn std_axes(&self, axes: impl AsRef<[isize]>, ddof: usize) -> Array {
        self.var_axes(axes, ddof).sqrt()
    }

    /// The distance from the smallest to the largest element over the given axes.
    #[track_caller]
    pub fn ptp_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        self.max_axes(axes) - self.min_axes(axes)
    }

    /// How many elements over the given axes are not zero, as `i32`.
    #[track_caller]
    pub fn count_nonzero_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let counted = if self.dtype() == DType::Bool { self.clone() } else { self.ne(0) };
        counted.cast(DType::I32).sum_axes(axes)
    }

    /// The root of the sum of squares of all elements.
    #[track_caller]
    pub fn norm(&self) -> Array {
        self.square().sum().sqrt()
    }

    /// The vector norm of order `order` over the given axes: 1, 2, any other positive number, or
    /// infinity for the largest magnitude.
    #[track_caller]
    pub fn norm_axes(&self, order: f64, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        if order == 2.0 {
            self.square().sum_axes(axes).sqrt()
        } else if order == 1.0 {
            self.abs().sum_axes(axes)
        } else if order == f64::INFINITY {
            self.abs().max_axes(axes)
        } else if order > 0.0 {
            self.abs().pow(order).sum_axes(axes).pow(1.0 / order)
        } else {
            let error =
                Error::new(ErrorKind::Shape, format!("`norm_axes` has no norm of order {order}"))
                    .help("the order is a positive number or infinity");
            Array::invalid(error, here())
        }
    }

    /// `log(sum(exp(x)))` of all elements, without overflow.
    #[track_caller]
    pub fn logsumexp(&self) -> Array {
        self.logsumexp_axes(self.every_axis())
    }

    /// `log(sum(exp(x)))` over the given axes, without overflow; `-inf` for none.
    #[track_caller]
    pub fn logsumexp_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        let top = self.finite_max(axes);
        let sum = (self - self.keep_axes(&top, axes)).exp().sum_axes(axes);
        sum.log() + top
    }

    /// `log(sum(weights exp(x)))` over the given axes, without overflow.
    #[track_caller]
    pub fn logsumexp_weighted(&self, weights: &Array, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        let top = self.finite_max(axes);
        let terms = weights * (self - self.keep_axes(&top, axes)).exp();
        terms.sum_axes(axes).log() + top
    }

    /// `log(mean(exp(x)))` over the given axes.
    #[track_caller]
    pub fn logmeanexp_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let sum = self.logsumexp_axes(axes);
        let count = (self.size() / sum.size().max(1)) as f64;
        sum - count.ln()
    }

    /// The largest element, or 0 where that is not finite: a shift that changes no result, so it
    /// carries no derivative.
    #[track_caller]
    fn finite_max(&self, axes: &[isize]) -> Array {
        let top = self.max_axes(axes).stop_gradient();
        select(&top.is_finite(), &top, 0.0)
    }

    /// `exp(x) / sum(exp(x))` along an axis.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Array {
        let top = self.max_axes([axis]).stop_gradient();
        let e = (self - self.keep_axes(&top, [axis])).exp();
        &e / self.keep_axes(&e.sum_axes([axis]), [axis])
    }

    /// `log(softmax(x))` along an axis, exact where the softmax underflows.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Array {
        let top = self.max_axes([axis]).stop_gradient();
        let shifted = self - self.keep_axes(&top, [axis]);
        let sum = shifted.exp().sum_axes([axis]).log();
        &shifted - self.keep_axes(&sum, [axis])
    }

    /// Shifted and scaled to mean 0 and variance 1 along an axis; `epsilon` is added to the
    /// variance.
    #[track_caller]
    pub fn standardize(&self, axis: isize, epsilon: f64) -> Array {
        let centred = self - self.keep_axes(&self.mean_axes([axis]), [axis]);
        let variance = centred.square().mean_axes([axis]);
        &centred * self.keep_axes(&(variance + epsilon).rsqrt(), [axis])
    }

    /// The mean of all elements, each counted by its weight.
    #[track_caller]
    pub fn average(&self, weights: &Array) -> Array {
        (self * weights).sum() / weights.sum()
    }

    /// The covariance matrix of variables in rows and observations in columns, divided by the
    /// number of observations less one.
    #[track_caller]
    pub fn cov(&self) -> Array {
        let x = if self.rank() == 1 { self.expand_dims(0) } else { self.clone() };
        let centred = &x - x.keep_axes(&x.mean_axes([-1]), [-1]);
        let count = x.shape().last().map_or(0.0, |&n| n as f64);
        let cov = centred.matmul(&centred.swap_axes(-1, -2)) / (count - 1.0);
        if self.rank() == 1 { cov.reshape([0usize; 0]) } else { cov }
    }

    /// The matrix of correlation coefficients of variables in rows.
    #[track_caller]
    pub fn corrcoef(&self) -> Array {
        let cov = self.cov();
        if cov.rank() == 0 {
            // One, and NaN where the variance is zero or NaN.
            return &cov * cov.recip();
        }
        let scale = cov.diagonal(0).sqrt();
        let cov = &cov / scale.expand_dims(1);
        (cov / scale.expand_dims(0)).clip(-1.0, 1.0)
    }

    /// Differences of neighbours along an axis, `n` times.
    #[track_caller]
    pub fn diff(&self, n: usize, axis: isize) -> Array {
        let mut x = self.clone();
        for _ in 0..n {
            let extent = match resolve_axes("diff", &x, &[axis]) {
                Ok(axes) => x.shape()[axes[0]],
                Err(error) => return Array::invalid(error, here()),
            };
            let less = extent.saturating_sub(1);
            x = x.slice_axis(axis, extent - less..extent) - x.slice_axis(axis, 0..less);
        }
        x
    }

    /// The integral of a curve through points `(x, self)` by trapezia along the last axis.
    #[track_caller]
    pub fn trapezoid(&self, x: &Array) -> Array {
        let n = self.shape().last().copied().unwrap_or(0);
        if n == 0 {
            return self.sum();
        }
        let sums = self.slice_axis(-1, 1..n) + self.slice_axis(-1, 0..n - 1);
        (sums * x.diff(1, -1)).sum_axes([-1]) * 0.5
    }
}
