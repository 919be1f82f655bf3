//! Bounds of the evidence for a guide that is a generative function: parameters of the guide are
//! its arguments, so that derivatives in them are those of an ordinary function.

use crate::generative::{ChoiceMap, GenerativeFunction};
use probpipe_trace::{Array, IntoTree, Key, Tree};
use probpipe_transforms::vmap;

/// An estimate of the evidence lower bound from one draw of the guide: `log p(z, x) - log q(z)`.
/// The guide chooses what is not observed, at the addresses of the model. Where its draws are
/// reparameterised, derivatives in its arguments are those of the bound, unbiased; `vmap` over keys
/// and a mean take more draws.
///
/// ```
/// use probpipe::inference::vi::elbo;
/// use probpipe::prelude::*;
/// let model = generative(|t: &mut Choices| {
///     let mean = t.sample("mean", Normal::new(0.0, 1.0));
///     t.sample("y", Normal::new(mean, 1.0))
/// });
/// let guide = generative(|t: &mut Choices, at: Array, scale: Array| {
///     t.sample("mean", Normal::new(at, scale))
/// });
/// let seen = ChoiceMap::new([("y", 2.0)]);
/// // With the posterior as the guide every estimate is the evidence.
/// let value = elbo(Key::new(0), &model, (), &seen, &guide, (1.0, 0.5f64.sqrt()));
/// let evidence = Normal::new(0.0, 2f64.sqrt()).log_prob(&array(2.0));
/// assert!((value - evidence).abs().item::<f32>()? < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn elbo<M: GenerativeFunction, G: GenerativeFunction>(
    key: Key,
    model: &M,
    model_args: impl IntoTree<M::Args>,
    observed: &ChoiceMap,
    guide: &G,
    guide_args: impl IntoTree<G::Args>,
) -> Array
where
    M::Args: IntoTree<M::Args>,
    G::Args: IntoTree<G::Args>,
{
    let (model_args, guide_args) = (model_args.into_tree(), guide_args.into_tree());
    log_weight(key, model, model_args, observed, guide, guide_args)
}

/// As [`elbo`], with derivatives through the draws alone: the density of the guide counts with its
/// arguments held still, whose part of the derivative has mean zero (G. Roeder, Y. Wu, D. Duvenaud,
/// 2017). Near the posterior it varies less.
#[track_caller]
pub fn path_elbo<M: GenerativeFunction, G: GenerativeFunction>(
    key: Key,
    model: &M,
    model_args: impl IntoTree<M::Args>,
    observed: &ChoiceMap,
    guide: &G,
    guide_args: impl IntoTree<G::Args>,
) -> Array
where
    M::Args: IntoTree<M::Args>,
    G::Args: IntoTree<G::Args>,
{
    let guide_args = guide_args.into_tree();
    let choices = guide.simulate(key, guide_args.clone()).choices();
    let (score, _) = model.assess(&observed.union(&choices), model_args);
    let (density, _) = guide.assess(&choices, guide_args.map(Array::stop_gradient));
    score - density
}

/// The bound of importance weighted autoencoders (Y. Burda, R. Grosse, R. Salakhutdinov, 2016),
/// from `draws` draws of the guide: the logarithm of the mean of the weights, which is nearer to
/// the evidence the more there are.
#[track_caller]
pub fn iwelbo<M: GenerativeFunction, G: GenerativeFunction>(
    key: Key,
    draws: usize,
    model: &M,
    model_args: impl IntoTree<M::Args>,
    observed: &ChoiceMap,
    guide: &G,
    guide_args: impl IntoTree<G::Args>,
) -> Array
where
    M::Args: IntoTree<M::Args>,
    G::Args: IntoTree<G::Args>,
{
    let (model_args, guide_args) = (model_args.into_tree(), guide_args.into_tree());
    let weight =
        |key: Key| log_weight(key, model, model_args.clone(), observed, guide, guide_args.clone());
    vmap(weight)(key.split_batch(draws)).logmeanexp()
}

#[track_caller]
fn log_weight<M: GenerativeFunction, G: GenerativeFunction>(
    key: Key,
    model: &M,
    model_args: M::Args,
    observed: &ChoiceMap,
    guide: &G,
    guide_args: G::Args,
) -> Array
where
    M::Args: IntoTree<M::Args>,
    G::Args: IntoTree<G::Args>,
{
    let trace = guide.simulate(key, guide_args);
    let (score, _) = model.assess(&observed.union(&trace.choices()), model_args);
    score - trace.score()
}
