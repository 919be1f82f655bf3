//! Arrays filled with one number, counts along an axis, and the identity matrix.

use crate::context::{default_float, here};
use crate::dtype::{DType, Scalar};
use crate::handle::{Array, Repr};
use crate::op::Op;
use crate::promotion::literal_dtype;
use crate::tracing::bind1;
use crate::types::{ArrayType, IntoShape};
use crate::value::Value;

/// Zeros of the float type of the array they meet, else of the default float type.
///
/// ```
/// use probpipe_trace::{Array, zeros};
/// let x = Array::from(vec![1.0f64, 2.0]);
/// assert_eq!((x + zeros([2])).to_vec::<f64>()?, [1.0, 2.0]);
/// assert_eq!(zeros([2]).to_vec::<f32>()?, [0.0, 0.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "empty")]
pub fn zeros(shape: impl IntoShape) -> Array {
    full(shape, 0.0)
}

/// Ones, as [`zeros`].
#[track_caller]
pub fn ones(shape: impl IntoShape) -> Array {
    full(shape, 1.0)
}

/// An array filled with one number. A float literal takes the type of the array it meets, as in
/// [`zeros`]; any other literal gives its default element type.
#[track_caller]
pub fn full(shape: impl IntoShape, fill: impl Into<Array>) -> Array {
    let fill = fill.into();
    match fill.repr {
        Repr::Literal(scalar @ Scalar::Float(_)) => {
            Array::filled(scalar, default_float(), shape.into_shape(), here())
        }
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

/// Zeros of the array's type; of none if that has none.
#[track_caller]
#[doc(alias = "empty_like")]
pub fn zeros_like(x: &Array) -> Array {
    filled_like(x, 0)
}

/// Ones of the array's type; of none if that has none.
#[track_caller]
pub fn ones_like(x: &Array) -> Array {
    filled_like(x, 1)
}

/// One number in the shape and the type of `x`.
#[track_caller]
fn filled_like(x: &Array, fill: i32) -> Array {
    match x.ty() {
        Ok(ty) if x.is_weak_float() => {
            Array::filled(Scalar::Float(f64::from(fill)), ty.dtype, ty.shape, here())
        }
        Ok(ty) => full_typed(&ty, fill),
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
#[doc(alias = "lax.broadcasted_iota")]
pub fn iota(ty: &ArrayType, axis: usize) -> Array {
    bind1(Op::Iota { ty: ty.clone(), axis }, &[])
}

/// The `n` by `n` identity matrix, of the float type of the array it meets, else of the default
/// float type.
#[track_caller]
#[doc(alias = "identity")]
pub fn eye(n: usize) -> Array {
    let ty = ArrayType::new(DType::I32, [n, n]);
    iota(&ty, 0).eq(iota(&ty, 1)).to_float()
}
