//! Derivatives of what holds more than a formula: a checkpoint keeps its tangents inside, a custom
//! op is differentiated by its rule, a function of the host cannot be.

use super::{Tangents, jvp, spread};
use probpipe_trace::{Array, Callback, Custom, Error, ErrorKind, Graph, Op, Outputs, bind, here};
use smallvec::smallvec;
use std::sync::Arc;

/// The results with the error in all of them.
fn broken(error: Error, count: usize) -> (Outputs, Tangents) {
    let invalid = Array::invalid(error, here());
    (smallvec![invalid; count], smallvec![])
}

pub(super) fn checkpoint_jvp(
    graph: &Graph,
    x: &[&Array],
    dx: &[Option<&Array>],
) -> (Outputs, Tangents) {
    let flags: Vec<bool> = dx.iter().map(Option::is_some).collect();
    match jvp(graph, &flags) {
        Ok(forward) => {
            let mut operands = x.to_vec();
            operands.extend(dx.iter().flatten());
            let mut y = bind(Op::Checkpoint { graph: Arc::new(forward.graph) }, &operands);
            let dy: Vec<Array> = y.drain(graph.outputs().len()..).collect();
            (y, spread(&dy, &forward.nonzero).into_iter().collect())
        }
        Err(error) => broken(error, graph.outputs().len()),
    }
}

pub(super) fn custom_jvp(
    custom: &Custom,
    x: &[&Array],
    dx: &[Option<&Array>],
) -> (Outputs, Tangents) {
    match custom.rule.jvp(custom, x, dx) {
        Ok((y, dy)) => (y, dy.into_iter().collect()),
        Err(error) => broken(error, custom.graph.outputs().len()),
    }
}

pub(super) fn callback_jvp(callback: &Callback, x: &[&Array]) -> (Outputs, Tangents) {
    let y = bind(Op::Callback(Arc::new(callback.clone())), x);
    let invalid = Array::invalid(no_derivative(&callback.name), here());
    let dy = smallvec![Some(invalid); y.len()];
    (y, dy)
}

/// Why a function of the host cannot be differentiated.
pub(crate) fn no_derivative(name: &str) -> Error {
    Error::new(
        ErrorKind::Transform,
        format!("the callback `{name}` has no derivative: nothing is known of what it computes"),
    )
    .help("wrap it in `custom_jvp` or `custom_vjp` with a rule, or use `stop_gradient` before it")
}
