//! Rules that come before or after others in a chain: bounds of updates, and decay of parameters.

use super::{Optimizer, like};
use probpipe_trace::{Array, Flatten, Tree, select, stack, tree_map};

/// Makes updates shorter whose length, over all leaves together, is more than this.
///
/// ```
/// use probpipe::optimize::{ClipByGlobalNorm, Optimizer};
/// use probpipe::prelude::*;
/// let x = (array(0.0), array(0.0));
/// let (u, ()) = ClipByGlobalNorm(1.0).update((array(3.0), array(4.0)), (), &x);
/// assert!((u.0.item::<f32>()? - 0.6).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClipByGlobalNorm(
    /// The length.
    pub f64,
);

impl Optimizer for ClipByGlobalNorm {
    type State<P: Tree + Clone> = ();

    fn init<P: Tree + Clone>(&self, _: &P) {}

    fn update<P: Tree + Clone>(&self, gradients: P, (): (), _: &P) -> (P, ()) {
        let norms: Vec<Array> =
            Flatten::of(&gradients).leaves.iter().map(|leaf| leaf.norm()).collect();
        let Some(first) = norms.first() else { return (gradients, ()) };
        let wide = norms.iter().find(|n| n.dtype().size() == 8).unwrap_or(first).dtype();
        let norm = stack(norms.iter().map(|n| n.cast(wide)), 0).norm();
        let short = norm.lt(self.0);
        let clip = |u: &Array| {
            let scaled = u / select(&short, 1.0, &norm).cast(u.dtype()) * self.0;
            select(&short, u, scaled)
        };
        (gradients.map(clip), ())
    }
}

/// Bounds every number of an update by this in size.
#[derive(Clone, Copy, Debug)]
pub struct Clip(
    /// The bound.
    pub f64,
);

impl Optimizer for Clip {
    type State<P: Tree + Clone> = ();

    fn init<P: Tree + Clone>(&self, _: &P) {}

    fn update<P: Tree + Clone>(&self, gradients: P, (): (), _: &P) -> (P, ()) {
        (gradients.map(|u| u.clip(-self.0, self.0)), ())
    }
}

/// Makes the update of a leaf smaller whose root mean square is more than this, every leaf for
/// itself.
#[derive(Clone, Copy, Debug)]
pub struct ClipByBlockRms(
    /// The root mean square.
    pub f64,
);

impl Optimizer for ClipByBlockRms {
    type State<P: Tree + Clone> = ();

    fn init<P: Tree + Clone>(&self, _: &P) {}

    fn update<P: Tree + Clone>(&self, gradients: P, (): (), _: &P) -> (P, ()) {
        let clip = |u: &Array| u / (u.square().mean().sqrt() / self.0).maximum(1.0);
        (gradients.map(clip), ())
    }
}

/// Adds the parameters times a number to the updates: before a descent, it pulls towards zero as
/// the gradient of `decay / 2` times the sum of squares would.
#[derive(Clone, Debug)]
pub struct AddDecayedWeights(
    /// The number.
    pub Array,
);

impl Optimizer for AddDecayedWeights {
    type State<P: Tree + Clone> = ();

    fn init<P: Tree + Clone>(&self, _: &P) {}

    fn update<P: Tree + Clone>(&self, gradients: P, (): (), params: &P) -> (P, ()) {
        let add = |u: Array, p: Array| u + like(&p, &self.0) * p;
        (tree_map(add, gradients, params.clone()), ())
    }
}
