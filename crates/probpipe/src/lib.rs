//! Differentiable, compiled, probabilistic computing.
//!
//! Write a function over arrays; then [`grad`], [`vmap`] and [`jit`] it, in any order and to any
//! depth; sample from distributions and differentiate their densities and their samplers. A
//! compiled program runs as native code, or on any GPU with the `gpu` feature.
//!
//! ```
//! use probpipe::prelude::*;
//!
//! // The score function of a normal density: its gradient, batched and compiled.
//! let n = Normal::new(2.0, 0.5);
//! let score = grad(|x: Array| n.log_prob(&x));
//! assert_eq!(score(array(3.0)).item::<f32>()?, -4.0);
//! let scores = jit(vmap(&score))(linspace(0.0, 4.0, 200));
//! assert_eq!(scores.shape(), [200]);
//! # Ok::<(), probpipe::Error>(())
//! ```
//!
//! Nothing here panics on what you write: a wrong shape or type makes an invalid array that says
//! what is wrong and where, when it is read.

#![forbid(unsafe_code)]

mod device;
pub mod distributions;
pub mod optimize;
#[cfg(feature = "plot")]
pub use probpipe_plot as plot;
mod ravel;
mod record;

pub use device::{Device, jit, jit_on, profile, stages_of, with_device};
pub use distributions::{
    Distribution, FlatDistribution, LogProb, MultivariateNormal, Named, Normal, Product, Sample,
    product,
};
pub use probpipe_trace::*;
pub use probpipe_transforms as transforms;
pub use probpipe_transforms::{
    check_nan, checkpoint, compile, custom_derivatives, custom_jvp, custom_linear_solve,
    custom_root, custom_vjp, grad, grad_aux, graph_of, hessian, hvp, jacfwd, jacrev, jvp, jvp_aux,
    linear_transpose, linearize, stop_gradient, value_and_grad, value_and_grad_aux, vjp, vjp_aux,
    vmap, vmap_axes,
};
pub use record::Record;

/// What most programs use.
pub mod prelude {
    #[cfg(feature = "plot")]
    pub use crate::plot::{Figure, Plot};
    pub use crate::{
        Array, DType, Device, Distribution, Error, Key, LogProb, MultivariateNormal, Normal,
        RandomLayout, Record, Result, Sample, ScanOptions, Tree, arange, array, associative_scan,
        checkpoint, concat, cond, custom_jvp, custom_vjp, fori_loop, fori_loop_dynamic, full, grad,
        graph_of, hessian, hvp, jacfwd, jacrev, jit, jit_on, jvp, linspace, map, normal, ones,
        product, scan, select, stack, switch, tree_map, uniform, value_and_grad, vjp, vmap,
        vmap_axes, where_, while_loop, with_default_float, with_device, zeros,
    };
}
