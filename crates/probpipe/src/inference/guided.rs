//! A model and a guide that is a generative function: draws with weights, and bounds of the
//! evidence. Parameters of the guide are its arguments, so that derivatives in them are those of an
//! ordinary function.

use crate::generative::{ChoiceMap, GenerativeFunction};
use probpipe_trace::{Array, IntoTree, Key, Tree};
use probpipe_transforms::vmap;

/// A model with what was observed of it, and a guide that chooses the rest, at the addresses of the
/// model.
///
/// Its methods estimate bounds of the evidence. Where the draws of the guide are reparameterised,
/// derivatives in its arguments are those of the bound, unbiased; `vmap` over keys and a mean take
/// more draws.
///
/// ```
/// use probpipe::inference::Guided;
/// use probpipe::prelude::*;
/// let model = generative(|t: &mut Choices| {
///     let mean = t.sample("mean", Normal::new(0.0, 1.0));
///     t.sample("y", Normal::new(mean, 1.0))
/// });
/// let guide = generative(|t: &mut Choices, at: Array, scale: Array| {
///     t.sample("mean", Normal::new(at, scale))
/// });
/// let guided = Guided::new(model, (), ChoiceMap::new([("y", 2.0)]), guide);
/// // With the posterior as the guide every estimate is the evidence.
/// let value = guided.elbo(Key::new(0), (1.0, 0.5f64.sqrt()));
/// let evidence = Normal::new(0.0, 2f64.sqrt()).log_prob(&array(2.0));
/// assert!((value - evidence).abs().item::<f32>()? < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Guided<M: GenerativeFunction, G> {
    model: M,
    args: M::Args,
    observed: ChoiceMap,
    guide: G,
}

impl<M, G> Guided<M, G>
where
    M: GenerativeFunction,
    M::Args: IntoTree<M::Args>,
    G: GenerativeFunction,
    G::Args: IntoTree<G::Args>,
{
    /// Of a model with its arguments, what was observed, and a guide.
    pub fn new(model: M, args: impl IntoTree<M::Args>, observed: ChoiceMap, guide: G) -> Self {
        Guided { model, args: args.into_tree(), observed, guide }
    }

    /// The evidence lower bound from one draw of the guide: `log p(z, x) - log q(z)`.
    #[track_caller]
    pub fn elbo(&self, key: Key, guide_args: impl IntoTree<G::Args>) -> Array {
        self.draw(key, guide_args).1
    }

    /// Choices of the guide, and the logarithm of their weight: `log p(z, x) - log q(z)`.
    #[track_caller]
    pub fn draw(&self, key: Key, guide_args: impl IntoTree<G::Args>) -> (ChoiceMap, Array) {
        let trace = self.guide.simulate(key, guide_args);
        let choices = trace.choices();
        let log_weight = self.score(&choices) - trace.score();
        (choices, log_weight)
    }

    /// As [`Guided::elbo`], with derivatives through the draws alone: the density of the guide
    /// counts with its arguments held still, whose part of the derivative has mean zero (G. Roeder,
    /// Y. Wu, D. Duvenaud, 2017). Near the posterior it varies less.
    #[track_caller]
    pub fn path_elbo(&self, key: Key, guide_args: impl IntoTree<G::Args>) -> Array {
        let guide_args = guide_args.into_tree();
        let choices = self.guide.simulate(key, guide_args.clone()).choices();
        let (density, _) = self.guide.assess(&choices, guide_args.map(Array::stop_gradient));
        self.score(&choices) - density
    }

    /// The bound of importance weighted autoencoders (Y. Burda, R. Grosse, R. Salakhutdinov, 2016),
    /// from `draws` draws of the guide: the logarithm of the mean of the weights, which is nearer
    /// to the evidence the more there are.
    #[track_caller]
    pub fn iwelbo(&self, key: Key, draws: usize, guide_args: impl IntoTree<G::Args>) -> Array {
        let guide_args = guide_args.into_tree();
        let log_weight = |key: Key| self.elbo(key, guide_args.clone());
        vmap(log_weight)(key.split_batch(draws)).logmeanexp()
    }

    /// The joint log-density of the model with choices of the guide.
    #[track_caller]
    fn score(&self, choices: &ChoiceMap) -> Array {
        self.model.assess(&self.observed.union(choices), self.args.clone()).0
    }
}
