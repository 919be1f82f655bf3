//! Importance sampling: draws of what is easy to draw from, weighted by how much more probable
//! they are under what is wanted. How well that went is for the weights to say.

use super::weights::Weighted;
use crate::distributions::{LogProb, Sample};
use crate::generative::{ChoiceMap, GenerativeFunction, addresses};
use crate::inference::{Guided, Target};
use probpipe_trace::{Array, IntoTree, Key, Result, Shape, Tree, here, with_location};
use probpipe_transforms::vmap;

/// Independent draws with weights.
///
/// ```
/// use probpipe::inference::{Target, smc::ImportanceSampling};
/// use probpipe::prelude::*;
/// let model = generative(|t: &mut Choices| {
///     let mean = t.sample("mean", Normal::new(0.0, 1.0));
///     t.sample("y", Normal::new(mean, 1.0))
/// });
/// let observed = ChoiceMap::new([("y", 2.0)]);
/// let target = Target::of(model, (), &observed)?;
/// // The posterior is Normal(1, sqrt(1/2)): a proposal a little wider than that.
/// let proposal = MultivariateNormal::diagonal([1.0], [1.0]);
/// let sampling = ImportanceSampling::new(10_000);
/// let weighted = jit(|key| sampling.sample(key, &target, &proposal).unwrap())(Key::new(0));
/// let evidence = Normal::new(0.0, 2f32.sqrt()).log_prob(&array(2.0));
/// let off = (weighted.log_evidence() - evidence) / weighted.evidence_error();
/// assert!(off.abs().item::<f32>()? < 4.0);
/// assert!((weighted.means()["mean"].item::<f32>()? - 1.0).abs() < 0.05);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImportanceSampling {
    /// How many draws.
    pub draws: usize,
}

impl ImportanceSampling {
    /// With a number of draws.
    pub fn new(draws: usize) -> ImportanceSampling {
        ImportanceSampling { draws }
    }

    /// Of a target by a distribution of its vectors; independent numbers are a batch. The proposal
    /// must be wider than the target: weights are bounded only then.
    ///
    /// # Errors
    /// A proposal of another length than the target.
    #[track_caller]
    pub fn sample<T, D>(&self, key: Key, target: &Target<T>, proposal: &D) -> Result<Weighted<T>>
    where
        T: Tree + Clone,
        D: Sample<Value = Array> + LogProb,
    {
        with_location(here(), || {
            let draw = |key: Key| {
                let z = proposal.sample_shape(key, Shape::new());
                let log_weight = target.log_density(&z) - proposal.log_prob(&z).sum();
                (z, log_weight)
            };
            let (z, log_weights) = vmap(draw)(key.split_batch(self.draws));
            Ok(Weighted { values: target.constrain_each(&z)?, log_weights })
        })
    }

    /// Of a model, by choices of a guide at the addresses that are not observed.
    ///
    /// ```
    /// use probpipe::inference::Guided;
    /// use probpipe::inference::smc::ImportanceSampling;
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let mean = t.sample("mean", Normal::new(0.0, 1.0));
    ///     t.sample("y", Normal::new(mean, 1.0))
    /// });
    /// let guide = generative(|t: &mut Choices, at: Array, scale: Array| {
    ///     t.sample("mean", Normal::new(at, scale))
    /// });
    /// let guided = Guided::new(model, (), ChoiceMap::new([("y", 2.0)]), guide);
    /// let sampling = ImportanceSampling::new(100);
    /// let weighted = sampling.guided(Key::new(0), &guided, (1.0, 0.5f64.sqrt()));
    /// // The posterior as a guide: all weights are the evidence.
    /// assert!(weighted.effective_sample_size().item::<f32>()? > 99.9);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    pub fn guided<M, G>(
        &self,
        key: Key,
        guided: &Guided<M, G>,
        guide_args: impl IntoTree<G::Args>,
    ) -> Weighted<ChoiceMap>
    where
        M: GenerativeFunction,
        M::Args: IntoTree<M::Args>,
        G: GenerativeFunction,
        G::Args: IntoTree<G::Args>,
    {
        let guide_args = guide_args.into_tree();
        with_location(here(), || {
            let draw = |key: Key| guided.draw(key, guide_args.clone());
            let (values, log_weights) = vmap(draw)(key.split_batch(self.draws));
            Weighted { values, log_weights }
        })
    }

    /// Of a model, by its own draws of what is not observed: weights are likelihoods
    /// ([`importance`](GenerativeFunction::importance)).
    #[track_caller]
    pub fn prior<M>(
        &self,
        key: Key,
        model: &M,
        args: impl IntoTree<M::Args>,
        observed: &ChoiceMap,
    ) -> Weighted<ChoiceMap>
    where
        M: GenerativeFunction,
        M::Args: IntoTree<M::Args>,
    {
        let args = args.into_tree();
        with_location(here(), || {
            let latent = !addresses(observed.addresses());
            let draw = |key: Key| {
                let (trace, log_weight) = model.importance(key, observed, args.clone());
                (trace.choices().filter(&latent), log_weight)
            };
            let (values, log_weights) = vmap(draw)(key.split_batch(self.draws));
            Weighted { values, log_weights }
        })
    }
}
