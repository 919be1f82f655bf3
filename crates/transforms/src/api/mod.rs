//! The functions that users call: closures in, closures out. Each traces the closure, rewrites its
//! graph and runs the result: recorded in the trace that is open, or else on the interpreter.

mod gradient;
mod inspect;
mod jacobian;
mod jit;
mod lift;
mod linear;
mod vmap;

pub use gradient::{grad, value_and_grad};
pub use inspect::{compile, graph_of, raw_graph_of};
pub use jacobian::{hessian, jacfwd, jacrev};
pub use jit::{Jit, jit, jit_on};
pub use linear::{jvp, linearize, vjp};
pub use vmap::{BatchAxes, vmap, vmap_axes};
