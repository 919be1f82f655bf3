//! Looking inside: the graph of a closure, its compiled program, and where that spends its time.

use super::lift::{Function, lift_plain};
use crate::simplify::finish;
use probpipe_trace::{
    Array, Backend, Executable, Flat, Graph, Loc, Profile, Result, Tree, Value, on_flat, verify,
};
use std::panic::Location;

/// The simplified graph of `f` on arguments like `x`, as `jit` compiles it. Arrays of an open
/// trace that `f` captures become its last inputs.
#[track_caller]
#[doc(alias = "jax.make_jaxpr")]
pub fn graph_of<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: &A) -> Result<Graph> {
    let location = Location::caller();
    traced(location, &on_flat(location, &f), &Flat::of(x)).map(|graph| finish(&graph))
}

/// The graph of `f` on arguments like `x`, as it was traced.
#[track_caller]
pub fn raw_graph_of<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: &A) -> Result<Graph> {
    let location = Location::caller();
    traced(location, &on_flat(location, &f), &Flat::of(x))
}

pub(super) fn traced(location: Loc, f: Function<'_>, x: &Flat) -> Result<Graph> {
    lift_plain(location, x, f).map(|lifted| lifted.graph).map_err(|failure| failure.error)
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

/// Where the compiled form of `f` spends its time on the argument `x`, region by region; see
/// [`Profile`]. It is run some times, at least for a fraction of a second.
#[track_caller]
pub fn profile<A: Tree, R: Tree>(
    backend: &dyn Backend,
    f: impl Fn(A) -> R,
    x: &A,
) -> Result<Profile> {
    let location = Location::caller();
    profile_at(location, backend, &on_flat(location, &f), &Flat::of(x))
}

pub(super) fn profile_at(
    location: Loc,
    backend: &dyn Backend,
    f: Function<'_>,
    x: &Flat,
) -> Result<Profile> {
    let lifted = lift_plain(location, x, f).map_err(|failure| failure.error)?;
    let values: Vec<Value> = lifted.operands.iter().map(Array::value).collect::<Result<_>>()?;
    let values: Vec<&Value> = values.iter().collect();
    let executable = compile_graph(backend, &finish(&lifted.graph));
    executable.and_then(|program| program.profile(&values)).map_err(|error| error.at(location))
}

/// Verifies and compiles a graph.
pub(crate) fn compile_graph(backend: &dyn Backend, graph: &Graph) -> Result<Box<dyn Executable>> {
    backend.compile(verify(graph)?)
}
