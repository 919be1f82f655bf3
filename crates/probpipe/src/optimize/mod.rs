//! Minimising functions. The loops are loops of the program, so a fit compiles as a whole, runs
//! in many lanes at once and can itself be differentiated.
//!
//! ```
//! use probpipe::prelude::*;
//! use probpipe::optimize::{Bfgs, minimize};
//!
//! let rosenbrock =
//!     |(x, y): (Array, Array)| (1.0 - &x).square() + (y - x.square()).square() * 100.0;
//! let fit = jit(|start| minimize(rosenbrock, start, Bfgs::default()));
//! let found = with_default_float(DType::F64, || fit((array(-1.2), array(1.0))));
//! assert!(found.converged.item::<bool>()?);
//! assert!((found.x.0.item::<f64>()? - 1.0).abs() < 1e-6);
//! # Ok::<(), probpipe::Error>(())
//! ```

mod bfgs;
mod line_search;
mod updates;

pub use bfgs::{Bfgs, Minimum, Stop, minimize};
pub use updates::{
    Adam, AdamState, AddDecayedWeights, Clip, ClipByGlobalNorm, Optimizer, Sgd, apply_updates,
};

use probpipe_trace::Array;

/// A number of the element type of another.
fn number(like: &Array, value: f64) -> Array {
    Array::from(value).cast(like.dtype())
}
