//! Random keys and what is drawn from them; what samplers of every family start from. Bits,
//! uniforms and normals are those of JAX. Nothing here knows a distribution.

#[doc(inline)]
pub use probpipe_trace::{
    Key, RandomLayout, normal, normal_of, symmetric_uniform_of, uniform, uniform_of, uniform_range,
};
