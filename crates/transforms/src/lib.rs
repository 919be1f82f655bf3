//! Graph transformations of probpipe: closures in, closures out.
//!
//! [`rewrite`] holds the graph-to-graph functions, one folder per transform with the rules grouped
//! by op family; the functions at the top of the crate trace a closure, rewrite its graph and run
//! the result. The crate knows backends only through `probpipe_trace::Backend`.

#![forbid(unsafe_code)]

mod api;
mod extract;
mod jvp;
mod linearize;
mod partial_eval;
mod simplify;
mod transpose;
mod vmap;

pub use api::{
    BatchAxes, Compiled, Jit, check_nan, checkpoint, compile, custom_derivatives, custom_jvp,
    custom_linear_solve, custom_root, custom_vjp, grad, grad_aux, grad_wrt, graph_of, hessian, hvp,
    jacfwd, jacrev, jit, jit_on, jvp, jvp_aux, linear_transpose, linearize, profile, raw_graph_of,
    recompiles, recompute, stages_of, stop_gradient, value_and_grad, value_and_grad_aux,
    value_and_grad_wrt, vjp, vjp_aux, vmap, vmap_axes,
};

/// The graph-to-graph functions, graph first.
///
/// Each is pure: its result is a new graph that verifies and whose equations keep the lines of the
/// equations they come from.
pub mod rewrite {
    pub use crate::extract::extract;
    pub use crate::jvp::{Jvp, jvp};
    pub use crate::linearize::{Linearized, linearize};
    pub use crate::partial_eval::{Partial, partial_eval};
    pub use crate::simplify::{distribute, finish, finish_counted, finish_for, simplify};
    pub use crate::transpose::transpose;
    pub use crate::vmap::vmap;
}
