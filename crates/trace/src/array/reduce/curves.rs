//! Differences along an axis and the integral that sums them up.

use crate::array::shape::reshape::resolve_axes;
use crate::context::here;
use crate::handle::Array;

impl Array {
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
        let y = self.to_float();
        if n == 0 {
            return y.sum();
        }
        let sums = y.slice_axis(-1, 1..n) + y.slice_axis(-1, 0..n - 1);
        (sums * x.to_float().diff(1, -1)).sum_axes(-1) * 0.5
    }
}
