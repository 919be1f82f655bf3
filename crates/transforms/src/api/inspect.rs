//! Looking inside: the graph of a closure, and its compiled program.

use super::lift::lift_plain;
use crate::simplify::finish;
use probpipe_trace::{Backend, Error, Executable, Graph, Result, Tree, verify};
use std::panic::Location;

/// The simplified graph of `f` on arguments like `x`, as `jit` compiles it. Arrays of an open
/// trace that `f` captures become its last inputs.
#[track_caller]
pub fn graph_of<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: &A) -> Result<Graph> {
    raw_graph_of(f, x).map(|graph| finish(&graph))
}

/// The graph of `f` on arguments like `x`, as it was traced.
#[track_caller]
pub fn raw_graph_of<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: &A) -> Result<Graph> {
    let lifted = lift_plain(Location::caller(), x, f);
    lifted.map(|lifted| lifted.graph).map_err(|failure| failure.error)
}

/// The program of `f` on arguments like `x`, as `jit` runs it; `stages` shows the forms it went
/// through.
#[track_caller]
pub fn compile<A: Tree, R: Tree>(
    backend: &dyn Backend,
    f: impl Fn(A) -> R,
    x: &A,
) -> Result<Box<dyn Executable>> {
    compile_graph(backend, &graph_of(f, x)?)
}

/// Verifies and compiles a graph.
pub(crate) fn compile_graph(backend: &dyn Backend, graph: &Graph) -> Result<Box<dyn Executable>> {
    verify(graph).map_err(|faults| {
        let message = format!("a graph to compile does not verify: {faults}");
        Error::new(probpipe_trace::ErrorKind::Internal, message)
    })?;
    backend.compile(graph)
}
