//! Reductions that leave NaN out. Axes named vanish from the shape; negative axes count from the
//! last. Where all elements are NaN the sum is 0, the product 1, everything else NaN.

use crate::array::elementwise::arithmetic::{like, select};
use crate::handle::Array;

impl Array {
    /// How many elements over the given axes are not NaN, in the array's type.
    #[track_caller]
    fn count_numbers(&self, axes: &[isize]) -> Array {
        self.eq(self).cast_like(self).sum_axes(axes)
    }

    /// The array with another number for NaN.
    #[track_caller]
    fn without_nan(&self, number: f64) -> Array {
        select(&self.is_nan(), like(self, number), self)
    }

    /// The sum over the given axes of what is not NaN.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([[1.0, f32::NAN], [2.0, 3.0]]);
    /// assert_eq!(x.nansum_axes([1]).to_vec::<f32>()?, [1.0, 5.0]);
    /// assert_eq!(x.nanmean_axes([0]).to_vec::<f32>()?, [1.5, 3.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn nansum_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        self.without_nan(0.0).sum_axes(axes)
    }

    /// The product over the given axes of what is not NaN.
    #[track_caller]
    pub fn nanprod_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        self.without_nan(1.0).prod_axes(axes)
    }

    /// The mean over the given axes of what is not NaN.
    #[track_caller]
    pub fn nanmean_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        self.nansum_axes(axes) / self.count_numbers(axes)
    }

    /// The variance over the given axes of what is not NaN, divided by the number of those
    /// elements less `ddof`.
    #[track_caller]
    pub fn nanvar_axes(&self, axes: impl AsRef<[isize]>, ddof: usize) -> Array {
        let axes = axes.as_ref();
        let mean = self.keep_axes(&self.nanmean_axes(axes), axes);
        let count = self.count_numbers(axes) - ddof as f64;
        (self - mean).square().nansum_axes(axes) / select(&count.gt(0.0), &count, f64::NAN)
    }

    /// The standard deviation over the given axes of what is not NaN, see [`Array::nanvar_axes`].
    #[track_caller]
    pub fn nanstd_axes(&self, axes: impl AsRef<[isize]>, ddof: usize) -> Array {
        self.nanvar_axes(axes, ddof).sqrt()
    }

    /// The largest over the given axes of what is not NaN.
    #[track_caller]
    pub fn nanmax_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        let most = self.without_nan(f64::NEG_INFINITY).max_axes(axes);
        select(&self.is_nan().all_axes(axes), f64::NAN, most)
    }

    /// The smallest over the given axes of what is not NaN.
    #[track_caller]
    pub fn nanmin_axes(&self, axes: impl AsRef<[isize]>) -> Array {
        let axes = axes.as_ref();
        let least = self.without_nan(f64::INFINITY).min_axes(axes);
        select(&self.is_nan().all_axes(axes), f64::NAN, least)
    }
}
