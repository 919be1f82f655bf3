//! Random signs.

use probpipe_trace::{
    Array, DType, Error, ErrorKind, IntoShape, Key, Shape, default_float, here, select, uniform_of,
};

/// Signs, 1 or -1 with equal chance, in the default float type.
#[track_caller]
#[doc(alias = "random.rademacher")]
pub fn rademacher(key: Key, shape: impl IntoShape) -> Array {
    signs(default_float(), key, &shape.into_shape())
}

/// Signs of any number type. A uniform number of the default float type decides each, so that the
/// signs of a key are the same in all types.
#[track_caller]
pub fn rademacher_of(dtype: DType, key: Key, shape: impl IntoShape) -> Array {
    if dtype.is_number() && dtype.is_signed() {
        return signs(dtype, key, &shape.into_shape());
    }
    let error = Error::new(ErrorKind::DType, format!("`rademacher_of` draws signs, not {dtype}"))
        .help("name a float type, `DType::I32` or `DType::I64`");
    Array::invalid(error, here())
}

#[track_caller]
pub(super) fn signs(dtype: DType, key: Key, shape: &Shape) -> Array {
    let heads = uniform_of(default_float(), key, shape).lt(0.5);
    select(&heads, Array::from(1).cast(dtype), Array::from(-1).cast(dtype))
}
