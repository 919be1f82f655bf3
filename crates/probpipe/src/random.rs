//! Random keys and what is drawn from them; what samplers of every family start from. Bits,
//! uniforms and normals are those of JAX. Nothing here knows a distribution.

use probpipe_trace::{DType, Shape, here, with_default_float, with_location};
#[doc(inline)]
pub use probpipe_trace::{Key, RandomLayout, normal, uniform, uniform_range};

/// Standard normal numbers of a type, drawn at the caller's line, which does not reach into the
/// closure by itself.
#[track_caller]
pub(crate) fn standard_normal(key: Key, shape: Shape, dtype: DType) -> probpipe_trace::Array {
    let location = here();
    with_default_float(dtype, || with_location(location, || normal(key, shape)))
}
