//! Gibbs sampling of choices with finitely many values: a move from one trace to another.

use crate::generative::{ChoiceMap, GenerativeFunction, Trace, finite_values};
use crate::random::categorical;
use probpipe_trace::{Array, Key, Tree, arange, fori_loop, here, select, tree_map, with_location};
use probpipe_transforms::vmap;

/// The trace with the choice at an address drawn from its distribution given all others, which is
/// exact: the density is computed for each of its values. Of an array of choices, as in what is
/// repeated, the entries are drawn one after another. Choices of a Bernoulli, Categorical or
/// DiscreteUniform with known ends have such values.
///
/// With a step of a kernel for the other choices in turn it is a sampler of the whole; where few
/// choices of few values are left, [`marginal`](GenerativeFunction::marginal) sums them out.
///
/// ```
/// use probpipe::Categorical;
/// use probpipe::inference::mcmc::gibbs;
/// use probpipe::prelude::*;
/// let model = generative(|t: &mut Choices| {
///     let k = t.sample("k", Categorical::new([0.5, 0.3, 0.2]));
///     t.sample("y", Normal::new(k.cast(DType::F32) * 2.0, 1.0))
/// });
/// let seen = ChoiceMap::new([("y", 3.0)]);
/// let (trace, _) = model.importance(Key::new(0), &seen, ());
/// let move_ = |key: Key| gibbs(key, &model, &trace, "k").choices()["k"].clone();
/// let draws = jit(vmap(move_))(Key::new(1).split_batch(4000));
/// // 0.3 and 0.2 times the same density, and 0.5 times one that is exp(-4) of it.
/// let ones = draws.eq(1).cast(DType::F32).mean().item::<f32>()?;
/// assert!((ones - 0.3 / (0.5 + 0.5 * (-4f32).exp())).abs() < 0.03);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// The trace is invalid where there is no such choice, or its values are not finitely many and
/// known.
#[track_caller]
pub fn gibbs<G: GenerativeFunction>(
    key: Key,
    model: &G,
    trace: &Trace<G::Args, G::Value>,
    address: &str,
) -> Trace<G::Args, G::Value> {
    let location = here();
    let found = finite_values(model, trace.args(), &trace.choices(), address);
    let (low, count) = match found {
        Ok(found) => found,
        Err(error) => return trace.clone().map(|_| Array::invalid(error.clone(), location)),
    };
    let values = arange(count) + low;
    let entry = |i: Array, trace: Trace<G::Args, G::Value>| {
        let now = trace.choices()[address].clone();
        let here = arange(now.size()).reshape(now.shape().to_vec()).eq(&i);
        let with = |value: &Array| {
            let new = select(&here, value.cast(now.dtype()), &now);
            model.update(&trace, &ChoiceMap::new([(address, new)]))
        };
        let weights = vmap(|value: Array| with(&value).weight)(values.clone());
        let sound = weights.is_finite();
        let logits = select(&sound, &weights, f64::NEG_INFINITY);
        let drawn = categorical(key.reuse().fold_in(&i), (), logits);
        let next = with(&values.take(&drawn, 0)).trace;
        // Where no value has a density that is a number, nothing is known that would be better.
        tree_map(|new: Array, old: Array| select(sound.any(), new, old), next, trace.clone())
    };
    let n = trace.choices()[address].size();
    with_location(location, || fori_loop(n, trace.clone(), entry))
}
