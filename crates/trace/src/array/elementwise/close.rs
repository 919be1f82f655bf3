//! Equality up to rounding.

use crate::array::each::named;
use crate::array::elementwise::arithmetic::select;
use crate::handle::Array;

impl Array {
    /// Whether each element is close to `other`: `|x - y| <= 1e-8 + 1e-5 |y|`. Equal infinities are
    /// close, NaN is close to nothing.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([1.0, 2.0, f32::INFINITY]);
    /// let y = array([1.000001, 2.1, f32::INFINITY]);
    /// assert_eq!(x.isclose(y).to_vec::<bool>()?, [true, false, true]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn isclose(&self, other: impl Into<Array>) -> Array {
        self.isclose_with(other, 1e-5, 1e-8)
    }

    /// Whether each element is within `atol + rtol |y|` of `other`; see [`Array::isclose`].
    #[track_caller]
    pub fn isclose_with(&self, other: impl Into<Array>, rtol: f64, atol: f64) -> Array {
        let other = other.into();
        let (x, y) = (self.to_float(), other.to_float());
        let near = (&x - &y).abs().le(y.abs() * rtol + atol);
        let close = select(x.is_finite() & y.is_finite(), near, x.eq(&y));
        named("isclose", &[self, &other], close)
    }

    /// Whether all elements are close to `other`, a `bool` scalar; see [`Array::isclose`].
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([0.1, 0.2]);
    /// assert!((&x * 3.0).allclose(array([0.3, 0.6])).item::<bool>()?);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn allclose(&self, other: impl Into<Array>) -> Array {
        self.isclose(other).all()
    }

    /// Whether all elements are within `atol + rtol |y|` of `other`, a `bool` scalar.
    #[track_caller]
    pub fn allclose_with(&self, other: impl Into<Array>, rtol: f64, atol: f64) -> Array {
        self.isclose_with(other, rtol, atol).all()
    }
}
