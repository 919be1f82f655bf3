//! Arrays of a named element type. Each `name_of(dtype, ..)` is `name(..)` in that type, which is
//! also how random numbers are drawn in one, see `normal_of` and `uniform_of`.

use crate::array::make::fill::{full_typed, iota};
use crate::array::make::ranges::linspace;
use crate::context::here;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind};
use crate::handle::{Array, Repr};
use crate::types::{ArrayType, IntoShape};

/// Zeros of an element type.
///
/// ```
/// use probpipe_trace::{DType, zeros_of};
/// assert_eq!(zeros_of(DType::I32, 2).to_vec::<i32>()?, [0, 0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn zeros_of(dtype: DType, shape: impl IntoShape) -> Array {
    full_typed(&ArrayType::new(dtype, shape), 0)
}

/// Ones of an element type.
#[track_caller]
pub fn ones_of(dtype: DType, shape: impl IntoShape) -> Array {
    full_typed(&ArrayType::new(dtype, shape), 1)
}

/// An array of an element type filled with one number, or with an array that broadcasts to the
/// shape and is converted. Refused for a number that the type does not hold.
///
/// ```
/// use probpipe_trace::{DType, full_of};
/// assert_eq!(full_of(DType::F64, [2], 0.1).to_vec::<f64>()?, [0.1, 0.1]);
/// assert!(full_of(DType::I32, [2], 0.5).error().is_some());
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn full_of(dtype: DType, shape: impl IntoShape, fill: impl Into<Array>) -> Array {
    filled("full_of", dtype, shape, fill.into())
}

/// An array of the shape and the element type of `x` filled with one number, see [`full_of`].
///
/// ```
/// use probpipe_trace::{arange, full_like};
/// assert_eq!(full_like(&arange(3), 7).to_vec::<i32>()?, [7, 7, 7]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "lax.full_like")]
pub fn full_like(x: &Array, fill: impl Into<Array>) -> Array {
    match x.ty() {
        Ok(ty) => match fill.into() {
            // Of no type if the array has none.
            Array { repr: Repr::Literal(number), .. } if x.is_weak_float() => {
                Array::filled(Scalar::Float(number.as_f64()), ty.dtype, ty.shape, here())
            }
            fill => filled("full_like", ty.dtype, ty.shape, fill),
        },
        Err(error) => Array::invalid(error, here()),
    }
}

#[track_caller]
fn filled(name: &str, dtype: DType, shape: impl IntoShape, fill: Array) -> Array {
    match fill.repr {
        Repr::Literal(scalar) if scalar.fits(dtype) => {
            full_typed(&ArrayType::new(dtype, shape), scalar)
        }
        Repr::Literal(scalar) => {
            let message =
                format!("`{name}`: the literal {scalar} does not fit an array of {dtype}");
            let help = "name another element type, or write a literal of this one";
            Array::invalid(Error::new(ErrorKind::DType, message).help(help), here())
        }
        _ => fill.cast(dtype).broadcast_to(shape),
    }
}

/// The `n` by `n` identity matrix of an element type.
#[track_caller]
pub fn eye_of(dtype: DType, n: usize) -> Array {
    let ty = ArrayType::new(DType::I32, [n, n]);
    iota(&ty, 0).eq(iota(&ty, 1)).cast(dtype)
}

/// `n` evenly spaced numbers of a float type from `start` to `stop`, both included; see
/// [`linspace`].
///
/// ```
/// use probpipe_trace::{DType, linspace_of};
/// assert_eq!(linspace_of(DType::F64, 0.0, 0.2, 3).to_vec::<f64>()?, [0.0, 0.1, 0.2]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn linspace_of(
    dtype: DType,
    start: impl Into<Array>,
    stop: impl Into<Array>,
    n: usize,
) -> Array {
    if !dtype.is_float() {
        let message = format!("`linspace_of` makes floats, not {dtype}");
        let help = "cast the result, or count with `arange`";
        return Array::invalid(Error::new(ErrorKind::DType, message).help(help), here());
    }
    linspace(start.into().cast(dtype), stop.into().cast(dtype), n)
}
