//! Values as slices of elements: what every rule reads and writes.

use crate::dtype::Element;
use crate::error::Result;
use crate::types::ArrayType;
use crate::value::{HostBuffer, Value};

/// The elements of a value in their memory form.
pub(super) fn elements<T: Element>(value: &Value) -> Result<&[T::Repr]> {
    Ok(value.to_host()?.elements())
}

/// A value of type `ty`, whose elements start as zero and are written by `fill`.
pub(super) fn build<T: Element>(
    ty: &ArrayType,
    fill: impl FnOnce(&mut [T::Repr]),
) -> Result<Value> {
    let mut buffer = HostBuffer::try_zeroed(ty.bytes())?;
    fill(buffer.elements_mut());
    Ok(Value::host(ty.clone(), buffer))
}
