//! Gibbs sampling in blocks: kernels on parts of a position, one after another, each given the
//! rest. Choices of models that have finitely many values are drawn in `enumeration`.

use super::kernel::{Kernel, Located, LogDensity, StepCx};
use super::metropolis::Place;
use probpipe_trace::{Array, Key, Tree, concat};
use std::ops::Range;

/// One step of several kernels in turn, each on its block of a vector `[n]` with the other entries
/// as they are (S. Geman, D. Geman, 1984; L. Tierney, 1994, "Markov chains for exploring posterior
/// distributions", for kernels that do not draw the block afresh). Entries in no block stay.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Gibbs, Hmc, Kernel, RandomWalk};
/// use probpipe::prelude::*;
/// let density = |x: Array| Normal::new(1.0, [0.5, 0.5, 0.1]).log_prob(&x).sum();
/// let target = Target::new(density, zeros([3]))?;
/// let kernel = Gibbs::new().block(0..2, Hmc::new(0.25, 5)).block(2..3, RandomWalk::new(0.2));
/// let (draws, (((), hmc), walk)) = kernel.sample(Key::new(0), &target, 2000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.05);
/// assert!(hmc.acceptance.mean().item::<f32>()? > walk.acceptance.mean().item::<f32>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Gibbs<B> {
    /// The kernels, in pairs of those before and the last.
    pub blocks: B,
}

/// A kernel on some entries of a vector.
#[derive(Clone, Debug)]
pub struct Block<K> {
    /// Which entries.
    pub part: Range<usize>,
    /// What moves them.
    pub kernel: K,
}

impl Gibbs<()> {
    /// Without blocks.
    pub fn new() -> Gibbs<()> {
        Gibbs { blocks: () }
    }
}

impl<B> Gibbs<B> {
    /// With a kernel more, on some entries of the vector. It begins anew each time from what the
    /// position says: what it keeps besides, as a momentum, is forgotten.
    pub fn block<K: Kernel>(self, part: Range<usize>, kernel: K) -> Gibbs<(B, Block<K>)> {
        Gibbs { blocks: (self.blocks, Block { part, kernel }) }
    }
}

/// Kernels in turn: nothing, or such and one more.
pub trait Blocks {
    /// What is known of their steps: nothing, or that of those before and of the last.
    type Info: Tree + Clone + Send;

    /// The place after a step of each.
    fn move_all(&self, key: Key, log_density: LogDensity<'_>, place: Place) -> (Place, Self::Info);

    /// How many there are.
    fn count(&self) -> usize;
}

impl Blocks for () {
    type Info = ();

    fn move_all(&self, _: Key, _: LogDensity<'_>, place: Place) -> (Place, ()) {
        (place, ())
    }

    fn count(&self) -> usize {
        0
    }
}

impl<B: Blocks, K: Kernel> Blocks for (B, Block<K>) {
    type Info = (B::Info, K::Info);

    fn move_all(&self, key: Key, log_density: LogDensity<'_>, place: Place) -> (Place, Self::Info) {
        let (before, Block { part, kernel }) = self;
        let own = key.reuse().fold_in(self.count() as i32);
        let (place, infos) = before.move_all(key, log_density, place);
        let (first, end) = (part.start, part.end.max(part.start));
        let old = &place.position;
        let n = old.size().max(end);
        let rest = [old.slice_axis(0, 0..first), old.slice_axis(0, end..n)];
        let whole = |x: &Array| concat([&rest[0], x, &rest[1]], 0);
        let conditional = |x: Array| log_density(whole(&x));
        let state = kernel.init(&conditional, old.slice_axis(0, first..end));
        let (state, info) = kernel.step(StepCx::new(own, &conditional), state);
        let position = whole(state.position());
        let place = match state.log_density() {
            Some(value) => Place { position, log_density: value.clone() },
            None => Place::at(log_density, position),
        };
        (place, (infos, info))
    }

    fn count(&self) -> usize {
        self.0.count() + 1
    }
}

impl<B: Blocks> Kernel for Gibbs<B> {
    type State = Place;
    type Info = B::Info;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Place {
        Place::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Place) -> (Place, B::Info) {
        self.blocks.move_all(cx.key, cx.log_density, state)
    }
}
