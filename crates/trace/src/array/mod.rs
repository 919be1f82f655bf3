//! `Array`, the one value users hold: with a value, traced, a literal, or invalid. This file
//! makes and reads arrays; the operations are in the files beside it.

mod activation;
mod creation;
mod display;
mod einsum;
mod elementwise;
mod expm;
mod factors;
mod gaussian;
mod index;
mod indexing;
mod integers;
mod linalg;
mod matrices;
mod missing;
mod operators;
mod padding;
mod pairs;
mod places;
mod powers;
mod products;
mod quantiles;
mod rearrange;
mod reduce;
mod segments;
mod shape;
mod sort;
mod special;
mod spectral;
mod statistics;
mod tables;
mod windows;

pub use creation::{arange_step, geomspace, linspace_open, logspace};
pub use einsum::einsum;
pub use elementwise::{select, where_};
pub use factors::LuFactors;
pub use index::{Index, IntoIndices};
pub use indexing::OutOfRange;
pub use linalg::triangular_solve;
pub use matrices::{block_diag, eye_offset, toeplitz, tri};
pub use padding::PadMode;
pub use places::AtPlaces;
pub use products::{cho_solve, convolve, multi_dot};
pub use quantiles::QuantileMethod;
pub use rearrange::select_n;
pub use segments::{bincount, segment_max, segment_min, segment_prod, segment_sum};
pub use shape::{concat, stack};
pub use sort::{searchsorted, sort_key_val, sort_together};
pub use special::{
    beta, beta_density, betainc, betaincinv, betaln, digamma_difference, gamma_density, gammainc,
    gammaincc, gammainccinv, gammaincinv, log_binomial, owens_t, polygamma, random_gamma_grad,
    rising_factorial, zeta,
};
pub use spectral::{LeastSquares, MatrixNorm};
pub use statistics::{meshgrid, polyval, vander};
pub use tables::{digitize, histogram, histogram_bins, interp};
pub use windows::WindowAxes;

use crate::op::Op;
use crate::tracing::{
    TraceId, bind1, default_float, escaped, here, is_open, is_tracing, literal_dtype,
};
use crate::{
    ArrayType, DType, Element, Error, ErrorKind, IntoShape, Loc, Result, Scalar, Shape, Value,
    VarId,
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

/// An array from numbers as written: `array(3.0)`, `array([1.0, 2.0])`, `array([[1, 2], [3, 4]])`.
///
/// A single number stays a literal, which takes the element type of the array it meets. Nested
/// arrays of `f64` take the default float type (`f32` unless [`crate::with_default_float`] says
/// otherwise), because that is how Rust types plain float literals; a `Vec` or a slice is data and
/// keeps its element type, as [`Array::from_slice`] does.
#[track_caller]
pub fn array(data: impl Into<Array>) -> Array {
    let mut array = data.into();
    array.location = here();
    array
}

/// Zeros of the default float type.
#[track_caller]
pub fn zeros(shape: impl IntoShape) -> Array {
    full(shape, 0.0)
}

/// Ones of the default float type.
#[track_caller]
pub fn ones(shape: impl IntoShape) -> Array {
    full(shape, 1.0)
}

/// An array filled with one number; a literal gives its default element type.
#[track_caller]
pub fn full(shape: impl IntoShape, fill: impl Into<Array>) -> Array {
    let fill = fill.into();
    match fill.repr {
        Repr::Literal(scalar) => full_typed(&ArrayType::new(literal_dtype(scalar), shape), scalar),
        _ => fill.broadcast_to(shape),
    }
}

/// An array of the given type filled with one number.
#[track_caller]
pub fn full_typed(ty: &ArrayType, fill: impl Into<Scalar>) -> Array {
    let location = here();
    let fill = fill.into();
    let scalar = Array::concrete(Value::scalar(fill, ty.dtype), location);
    // Large constants are broadcasts of a scalar, also outside a trace, so that an impossible
    // shape is an error and not an attempt to allocate it.
    if ty.rank() == 0 { scalar } else { scalar.broadcast_to(&ty.shape) }
}

/// Zeros of the array's type.
#[track_caller]
pub fn zeros_like(x: &Array) -> Array {
    match x.ty() {
        Ok(ty) => full_typed(&ty, 0),
        Err(error) => Array::invalid(error, here()),
    }
}

/// Ones of the array's type.
#[track_caller]
pub fn ones_like(x: &Array) -> Array {
    match x.ty() {
        Ok(ty) => full_typed(&ty, 1),
        Err(error) => Array::invalid(error, here()),
    }
}

/// `0, 1, ..., n-1` as `i32`.
#[track_caller]
pub fn arange(n: usize) -> Array {
    iota(&ArrayType::new(DType::I32, [n]), 0)
}

/// `0, 1, 2, ...` along one axis of an array of the given type.
#[track_caller]
pub fn iota(ty: &ArrayType, axis: usize) -> Array {
    bind1(Op::Iota { ty: ty.clone(), axis }, &[])
}

/// The `n` by `n` identity matrix of the default float type.
#[track_caller]
pub fn eye(n: usize) -> Array {
    let ty = ArrayType::new(DType::I32, [n, n]);
    iota(&ty, 0).eq(iota(&ty, 1)).cast(default_float())
}

/// `n` evenly spaced numbers from `start` to `stop`, both included, of the default float type.
///
/// The interior is `start (1 - t) + stop t` with `t = i / (n - 1)`, as in `jax.numpy.linspace`.
#[track_caller]
pub fn linspace(start: f64, stop: f64, n: usize) -> Array {
    let dtype = default_float();
    if n < 2 {
        return full([n], start);
    }
    let t = iota(&ArrayType::new(dtype, [n - 1]), 0) / (n - 1) as f64;
    let interior = start * (1.0 - &t) + stop * &t;
    concat(&[interior, full_typed(&ArrayType::new(dtype, [1]), stop)], 0)
}

impl From<&Array> for Array {
    fn from(array: &Array) -> Array {
        array.clone()
    }
}

impl From<Value> for Array {
    #[track_caller]
    fn from(value: Value) -> Array {
        Array::from_value(value)
    }
}

macro_rules! from_number {
    ($($t:ty),*) => {$(
        impl From<$t> for Array {
            #[track_caller]
            fn from(v: $t) -> Array {
                Array { repr: Repr::Literal(Scalar::from(v)), location: here() }
            }
        }
    )*};
}
from_number!(f32, f64, i32, i64, u32, u64, bool);

impl From<usize> for Array {
    #[track_caller]
    fn from(v: usize) -> Array {
        Array { repr: Repr::Literal(Scalar::Int(v as i128)), location: here() }
    }
}

impl<T: Element> From<Vec<T>> for Array {
    #[track_caller]
    fn from(data: Vec<T>) -> Array {
        Array::from_slice(&data, [data.len()])
    }
}

impl<T: Element> From<&[T]> for Array {
    #[track_caller]
    fn from(data: &[T]) -> Array {
        Array::from_slice(data, [data.len()])
    }
}

/// Written-out numbers: `f64` takes the default float type, everything else its own.
fn written<T: Element + Into<Scalar>>(data: &[T], shape: Shape, location: Loc) -> Array {
    let value = if T::DTYPE == DType::F64 && default_float() == DType::F32 {
        let narrow: Vec<f32> = data.iter().map(|&v| v.into().as_f64() as f32).collect();
        Value::from_elements(&narrow, &shape)
    } else {
        Value::from_elements(data, &shape)
    };
    match value {
        Ok(value) => Array::concrete(value, location),
        Err(error) => Array::invalid(error, location),
    }
}

impl<T: Element + Into<Scalar>, const N: usize> From<[T; N]> for Array {
    #[track_caller]
    fn from(data: [T; N]) -> Array {
        written(&data, Shape::from_slice(&[N]), here())
    }
}

impl<T: Element + Into<Scalar>, const N: usize, const M: usize> From<[[T; N]; M]> for Array {
    #[track_caller]
    fn from(data: [[T; N]; M]) -> Array {
        written(data.as_flattened(), Shape::from_slice(&[M, N]), here())
    }
}

impl<T: Element + Into<Scalar>, const N: usize, const M: usize, const L: usize>
    From<[[[T; N]; M]; L]> for Array
{
    #[track_caller]
    fn from(data: [[[T; N]; M]; L]) -> Array {
        written(data.as_flattened().as_flattened(), Shape::from_slice(&[L, M, N]), here())
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
