//! Kernels that runs can be made of, and how each is warmed up.

use super::run::Run;
use crate::distributions::{LogProb, Sample};
use crate::inference::adapt::{Fixed, Gradients, Microcanonical};
use crate::inference::mcmc::{
    Blocks, CoordinateSlice, EllipticalSlice, Gibbs, Independent, Kernel, Mclmc, RandomWalk,
    ReplicaExchange, Sghmc, Sgld, Slice, Tuned,
};
use probpipe_trace::Array;

/// Kernels that a run can be made of. Those of this library are; one of a user's own that is
/// [`Tuned`] is too, and another needs `impl Chains for Mine { type WarmUp = Fixed; }`.
pub trait Chains: Kernel + Sized {
    /// How it is warmed up unless said otherwise.
    type WarmUp: Default;

    /// A run of so many chains. Kernels with a step size are warmed up by [`Gradients`], others
    /// stay as they are: their warm-up only leads to where the density is.
    fn chains(self, chains: usize) -> Run<Self, Self::WarmUp> {
        Run::new(self, Self::WarmUp::default()).chains(chains)
    }
}

impl<K: Tuned> Chains for K {
    type WarmUp = Gradients;
}

impl Chains for Mclmc {
    type WarmUp = Microcanonical;
}

impl Chains for RandomWalk {
    type WarmUp = Fixed;
}

impl<D: LogProb<Value = Array> + Sample> Chains for Independent<D> {
    type WarmUp = Fixed;
}

impl Chains for Slice {
    type WarmUp = Fixed;
}

impl Chains for CoordinateSlice {
    type WarmUp = Fixed;
}

impl Chains for EllipticalSlice {
    type WarmUp = Fixed;
}

impl Chains for Sgld {
    type WarmUp = Fixed;
}

impl Chains for Sghmc {
    type WarmUp = Fixed;
}

impl<B: Blocks> Chains for Gibbs<B> {
    type WarmUp = Fixed;
}

impl<K: Kernel, F: Fn(&Array) -> K> Chains for ReplicaExchange<K, F> {
    type WarmUp = Fixed;
}
