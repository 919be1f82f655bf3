//! Trading time for memory in reverse mode.

use super::lift::{Function, lift_or_invalid};
use probpipe_trace::{Array, Flat, Loc, Op, Tree, bind, through, with_location};
use smallvec::SmallVec;
use std::panic::Location;
use std::sync::Arc;

/// The same function, of which reverse mode keeps the arguments only: what it computes inside is
/// computed again on the way back. In the step of a `scan` this keeps one carry per step instead
/// of every intermediate array of every step.
///
/// ```
/// use probpipe_trace::{Array, array};
/// use probpipe_transforms::{checkpoint, grad};
/// let layer = checkpoint(|x: Array| x.sin().exp());
/// let slope = grad(|x: Array| layer(layer(x)))(array(0.5));
/// assert!((slope.item::<f32>()? + 0.170_654_7).abs() < 1e-5);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "jax.remat")]
pub fn checkpoint<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> R {
    let location = Location::caller();
    move |x: A| through(location, &f, x, &mut |f, x| closed(location, f, &x))
}

fn closed(location: Loc, f: Function<'_>, x: &Flat) -> Flat {
    let lifted = match lift_or_invalid(location, x, f) {
        Ok(lifted) => lifted,
        Err(invalid) => return *invalid,
    };
    let op = Op::Checkpoint { graph: Arc::new(lifted.graph) };
    let operands: SmallVec<[&Array; 8]> = lifted.operands.iter().collect();
    let results = with_location(location, || bind(op, &operands));
    Flat::new(lifted.output, results.into_vec(), location)
}

/// The same tree, each leaf without a derivative; see [`Array::stop_gradient`].
#[track_caller]
pub fn stop_gradient<T: Tree>(x: T) -> T {
    let location = probpipe_trace::here();
    with_location(location, || x.map(Array::stop_gradient))
}
