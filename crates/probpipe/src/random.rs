//! Random keys and what is drawn from them; what samplers of every family start from. Bits,
//! uniforms and normals are those of JAX. Nothing here knows a distribution.

use probpipe_trace::{Array, DType, Shape, here, with_default_float, with_location};
#[doc(inline)]
pub use probpipe_trace::{
    Key, RandomLayout, normal, normal_of, uniform, uniform_of, uniform_range,
};

/// Standard normal numbers of a type, drawn at the caller's line, which does not reach into the
/// closure by itself.
#[track_caller]
pub(crate) fn standard_normal(key: Key, shape: Shape, dtype: DType) -> Array {
    let location = here();
    with_default_float(dtype, || with_location(location, || normal(key, shape)))
}

/// Numbers of a type uniform in [0, 1), drawn at the caller's line.
#[track_caller]
pub(crate) fn standard_uniform(key: Key, shape: Shape, dtype: DType) -> Array {
    let location = here();
    with_default_float(dtype, || with_location(location, || uniform(key, shape)))
}

/// Numbers of a type uniform in (-1, 1), from the number after -1, so that the logarithm of what
/// is left to 1 is finite.
#[track_caller]
pub(crate) fn symmetric_uniform(key: Key, shape: Shape, dtype: DType) -> Array {
    let low = match dtype {
        DType::F64 => -1.0 + f64::EPSILON / 2.0,
        _ => f64::from(-1.0 + f32::EPSILON / 2.0),
    };
    standard_uniform(key, shape, dtype) * (1.0 - low) + low
}
