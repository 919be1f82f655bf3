//! Arrays filled with one number, counts along an axis, and the identity matrix.

use crate::context::{default_float, here};
use crate::dtype::{DType, Scalar};
use crate::handle::{Array, Repr};
use crate::op::Op;
use crate::promotion::literal_dtype;
use crate::tracing::bind1;
use crate::types::{ArrayType, IntoShape};
use crate::value::Value;

/// Zeros of the default float type.
#[track_caller]
#[doc(alias = "empty")]
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
#[doc(alias = "empty_like")]
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
#[doc(alias = "lax.broadcasted_iota")]
pub fn iota(ty: &ArrayType, axis: usize) -> Array {
    bind1(Op::Iota { ty: ty.clone(), axis }, &[])
}

/// The `n` by `n` identity matrix of the default float type.
#[track_caller]
#[doc(alias = "identity")]
pub fn eye(n: usize) -> Array {
    let ty = ArrayType::new(DType::I32, [n, n]);
    iota(&ty, 0).eq(iota(&ty, 1)).cast(default_float())
}
