//! The functions that users call: closures in, closures out. Each traces the closure, rewrites its
//! graph and runs the result: recorded in the trace that is open, or else on the interpreter.

mod cache;
mod checkpoint;
mod compiled;
mod custom;
mod debug;
mod gradient;
mod implicit;
mod inspect;
mod jacobian;
mod jit;
mod lift;
mod linear;
mod parts;
mod recompute;
mod vmap;

pub use checkpoint::{checkpoint, stop_gradient};
pub use compiled::Compiled;
pub use custom::{custom_derivatives, custom_jvp, custom_vjp};
pub use debug::{check_nan, stages_of};
pub use gradient::{grad, grad_aux, hvp, value_and_grad, value_and_grad_aux};
pub use implicit::{custom_linear_solve, custom_root};
pub use inspect::{compile, graph_of, profile, raw_graph_of};
pub use jacobian::{hessian, jacfwd, jacrev};
pub use jit::{Jit, jit, jit_on, recompiles};
pub use linear::{jvp, jvp_aux, linear_transpose, linearize, vjp, vjp_aux};
pub use parts::{grad_wrt, value_and_grad_wrt};
pub use recompute::recompute;
pub use vmap::{BatchAxes, vmap, vmap_axes};
