//! `Array`, the one value users hold: with a value, traced, a literal, or invalid. This file
//! holds the type and reads it; arrays are made, and operations on them are, in the folders
//! beside it.

mod display;
pub(crate) mod elementwise;
pub(crate) mod indexing;
pub(crate) mod linalg;
pub(crate) mod make;
pub(crate) mod order;
pub(crate) mod reduce;
pub(crate) mod shape;
pub(crate) mod special;

pub use elementwise::{select, where_};
pub use indexing::{AtPlaces, Index, IntoIndices, OutOfRange, WindowAxes};
pub use linalg::{
    LeastSquares, LuFactors, MatrixNorm, Triangular, convolve, einsum, multi_dot,
};
pub use make::{
    arange, arange_step, array, block_diag, eye, eye_of, eye_offset, full, full_like, full_of,
    full_typed, geomspace, iota, linspace, linspace_of, linspace_open, logspace, ones, ones_like,
    ones_of, toeplitz, tri, tril_indices, tril_indices_offset, triu_indices, triu_indices_offset,
    zeros, zeros_like, zeros_of,
};
pub use order::{
    QuantileMethod, digitize, histogram, histogram_bins, interp, searchsorted, sort_key_val,
    sort_together,
};
pub use reduce::{
    IntoAxes, Keep, OverAxes, bincount, meshgrid, polyval, segment_max, segment_min, segment_prod,
    segment_sum, vander,
};
pub use shape::{PadMode, column_stack, concat, dstack, hstack, select_n, stack, vstack};
pub use special::{
    beta, beta_density, betainc, betaincinv, betaln, digamma_difference, gamma_density, gammainc,
    gammaincc, gammainccinv, gammaincinv, log_binomial, owens_t, polygamma, random_gamma_grad,
    rising_factorial, zeta,
};

use crate::op::Op;
use crate::tracing::{
    TraceId, bind1, default_float, escaped, here, is_open, is_tracing, literal_dtype,
};
use crate::{
    ArrayType, DType, Element, Error, ErrorKind, IntoShape, Loc, Result, Scalar, Value, VarId,
};

/// An n-dimensional array of numbers or truth values.
///
/// Operations never panic and never return `Result`: operands that do not fit give an invalid
/// array that carries the error; later operations pass it on, and it comes out where a value is
/// read ([`Array::to_vec`], [`Array::item`], [`Array::checked`]).
///
/// ```
/// use probpipe_trace::{array, Array};
/// let x = array([1.0, 2.0, 3.0]);
/// let y = (&x * 2.0 + 1.0).sum();
/// assert_eq!(y.item::<f32>()?, 15.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[derive(Clone)]
pub struct Array {
    pub(crate) repr: Repr,
    /// Where the user made it, for messages.
    pub(crate) location: Loc,
}

#[derive(Clone)]
pub(crate) enum Repr {
    /// An array with a value.
    Concrete(Value),
    /// A number without an element type of its own: it takes that of the array it meets.
    Literal(Scalar),
    /// A variable of a graph under construction.
    Traced(TracedVar),
    /// Why there is no array.
    Invalid(Error),
}

#[derive(Clone)]
pub(crate) struct TracedVar {
    pub(crate) trace: TraceId,
    pub(crate) var: VarId,
    pub(crate) ty: ArrayType,
}

impl Array {
    #[inline]
    pub(crate) fn concrete(value: Value, location: Loc) -> Array {
        Array { repr: Repr::Concrete(value), location }
    }

    pub(crate) fn traced(trace: TraceId, var: VarId, ty: ArrayType, location: Loc) -> Array {
        Array { repr: Repr::Traced(TracedVar { trace, var, ty }), location }
    }

    /// An array that carries an error. Reading it gives the error, located at `location` if it
    /// has no place of its own.
    pub fn invalid(error: Error, location: Loc) -> Array {
        Array { repr: Repr::Invalid(error.at(location)), location }
    }

    /// An array over a value, as the caller's.
    #[track_caller]
    pub fn from_value(value: Value) -> Array {
        Array::concrete(value, here())
    }

    /// An array of the given shape from elements in row-major order, with exactly the element
    /// type of the data. Invalid when their number does not fit the shape.
    ///
    /// ```
    /// use probpipe_trace::Array;
    /// let m = Array::from_slice(&[1.0f64, 2.0, 3.0, 4.0], [2, 2]);
    /// assert_eq!(m.at(1).to_vec::<f64>()?, [3.0, 4.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn from_slice<T: Element>(data: &[T], shape: impl IntoShape) -> Array {
        let location = here();
        match Value::from_elements(data, &shape.into_shape()) {
            Ok(value) => Array::concrete(value, location),
            Err(error) => Array::invalid(error, location),
        }
    }

    /// Element type and shape; the error of an invalid array.
    pub fn ty(&self) -> Result<ArrayType> {
        match &self.repr {
            Repr::Concrete(value) => Ok(value.ty().clone()),
            Repr::Literal(scalar) => Ok(ArrayType::scalar(literal_dtype(*scalar))),
            Repr::Traced(traced) => Ok(traced.ty.clone()),
            Repr::Invalid(error) => Err(error.clone()),
        }
    }

    /// The extents; empty for scalars and for invalid arrays.
    pub fn shape(&self) -> &[usize] {
        match &self.repr {
            Repr::Concrete(value) => &value.ty().shape,
            Repr::Traced(traced) => &traced.ty.shape,
            Repr::Literal(_) | Repr::Invalid(_) => &[],
        }
    }

    /// The element type; the default float type for invalid arrays.
    pub fn dtype(&self) -> DType {
        match &self.repr {
            Repr::Concrete(value) => value.ty().dtype,
            Repr::Traced(traced) => traced.ty.dtype,
            Repr::Literal(scalar) => literal_dtype(*scalar),
            Repr::Invalid(_) => default_float(),
        }
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.shape().iter().product()
    }

    /// Where the array was made.
    pub fn location(&self) -> Loc {
        self.location
    }

    /// The error, if the array is invalid.
    pub fn error(&self) -> Option<&Error> {
        match &self.repr {
            Repr::Invalid(error) => Some(error),
            _ => None,
        }
    }

    /// The array itself, or its error: for `?` after a call.
    pub fn checked(self) -> Result<Array> {
        match self.repr {
            Repr::Invalid(error) => Err(error),
            _ => Ok(self),
        }
    }

    /// The value. Fails for traced arrays, which have none, and for invalid ones.
    #[track_caller]
    pub fn value(&self) -> Result<Value> {
        match &self.repr {
            Repr::Concrete(value) => Ok(value.clone()),
            Repr::Literal(scalar) => Ok(Value::scalar(*scalar, literal_dtype(*scalar))),
            Repr::Invalid(error) => Err(error.clone()),
            Repr::Traced(traced) if !is_open(traced.trace) => Err(escaped(self, here())),
            Repr::Traced(traced) => Err(Error::new(
                ErrorKind::Trace,
                format!("a traced {} has no value yet", traced.ty),
            )
            .at(here())
            .note("the array was made", Some(self.location))
            .help("inside a traced function use array operations such as `select` and `scan`; read values outside")),
        }
    }

    /// The value without copying the handle, where the array has one.
    #[inline]
    pub fn value_ref(&self) -> Option<&Value> {
        match &self.repr {
            Repr::Concrete(value) => Some(value),
            _ => None,
        }
    }

    /// The elements in row-major order. `T` must be the array's element type.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let location = here();
        self.value()?.to_vec().map_err(|e| e.at(location))
    }

    /// The one element of an array of size 1.
    #[track_caller]
    pub fn item<T: Element>(&self) -> Result<T> {
        let location = here();
        let elements = self.to_vec::<T>()?;
        match elements[..] {
            [one] => Ok(one),
            _ => Err(Error::new(
                ErrorKind::Shape,
                format!("`item` reads one element, not {}", self.value()?.ty()),
            )
            .at(location)
            .help("index or reduce the array first, or use `to_vec`")),
        }
    }

    /// True for a number without an element type of its own.
    pub fn is_literal(&self) -> bool {
        matches!(self.repr, Repr::Literal(_))
    }

    /// Converts the element type: floats to integers truncate and saturate with NaN to 0,
    /// integers wrap, anything to `bool` is `x != 0`.
    #[track_caller]
    pub fn cast(&self, dtype: DType) -> Array {
        match &self.repr {
            Repr::Literal(scalar) if scalar.fits(dtype) => {
                Array::concrete(Value::scalar(*scalar, dtype), here())
            }
            Repr::Concrete(_) | Repr::Traced(_) if self.dtype() == dtype => self.clone(),
            _ => bind1(Op::Cast(dtype), &[self]),
        }
    }

    /// The same bits as another element type of the same width.
    #[track_caller]
    pub fn bitcast(&self, dtype: DType) -> Array {
        bind1(Op::Bitcast(dtype), &[self])
    }
}

/// A literal or concrete operand can be folded at once even while tracing.
pub(crate) fn known_scalar(array: &Array) -> Option<Scalar> {
    match &array.repr {
        Repr::Literal(scalar) => Some(*scalar),
        Repr::Concrete(value) if value.ty().rank() == 0 && !is_tracing() => {
            value.to_scalars().ok().and_then(|s| s.first().copied())
        }
        _ => None,
    }
}
