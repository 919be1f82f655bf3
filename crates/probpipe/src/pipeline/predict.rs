//! What draws say of data: of data to come, and of those that there are, choice by choice.

use super::draws::Draws;
use crate::device::jit;
use crate::generative::{ChoiceMap, GenerativeFunction, addresses, pointwise};
use crate::record::Record;
use probpipe_trace::{
    Array, Error, ErrorKind, IntoTree, Key, Result, Tree, here, stack, with_location,
};
use probpipe_transforms::vmap;

impl Draws<ChoiceMap> {
    /// Data that the draws predict: for each draw, one run of a model whose choices that the draws
    /// have are theirs, and the others are drawn. `[chains, draws, ..]` of each choice that was
    /// drawn, by address. The model may be another one, or have other arguments, as new
    /// covariates.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::inference::mcmc::Nuts;
    /// use probpipe::prelude::*;
    /// let model = generative(|t: &mut Choices| {
    ///     let mean = t.sample("mean", Normal::new(0.0, 10.0));
    ///     t.call("y", Normal::new(mean, 1.0).repeat(4), ())
    /// });
    /// let observed = ChoiceMap::new([("y", array([1.0, 2.0, 3.0, 2.0]))]);
    /// let target = Target::of(model.clone(), (), &observed)?;
    /// let draws = Nuts::default().chains(2).sample(Key::new(0), &target)?;
    /// let predicted = draws.predict(Key::new(1), &model, ())?;
    /// assert_eq!(predicted["y"].shape(), [2, 1000, 4]);
    /// let scores = draws.log_likelihood(&model, (), &observed)?;
    /// assert_eq!(scores["y"].shape(), [2, 1000, 4]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of the model; draws of choices that it has not; nothing left to draw.
    #[track_caller]
    pub fn predict<G>(&self, key: Key, model: &G, args: impl IntoTree<G::Args>) -> Result<Record>
    where
        G: GenerativeFunction,
        G::Args: IntoTree<G::Args>,
    {
        let args = args.into_tree();
        let known = addresses(self.values.addresses());
        let one = |(key, latents): (Key, ChoiceMap)| {
            let (trace, _) = model.importance(key, &latents, args.clone());
            trace.choices().record().only(|address| !known.contains(address))
        };
        with_location(here(), || {
            let (draws, keys) = (self.draws(), key.split_n(self.chains()));
            let mut keys = keys.into_iter();
            let all = jit(vmap(one));
            let predicted = self.each(|latents| {
                let key = keys.next().unwrap_or_else(|| Key::new(0));
                all((key.split_batch(draws), latents))
            })?;
            if predicted.is_empty() {
                let message = "nothing to predict: there are draws of every choice of the model";
                return Err(Error::new(ErrorKind::Value, message).at(here()));
            }
            Ok(predicted)
        })
    }

    /// The log-densities of what was observed at each draw, for LOO: `[chains, draws, ..]` by
    /// address, with one number for each lane of a choice in lanes, and otherwise for each of the
    /// independent parts of its distribution.
    ///
    /// # Errors
    /// Those of the model; observed addresses that it has not.
    #[track_caller]
    pub fn log_likelihood<G>(
        &self,
        model: &G,
        args: impl IntoTree<G::Args>,
        observed: &ChoiceMap,
    ) -> Result<Record>
    where
        G: GenerativeFunction,
    {
        let args = args.into_tree();
        let wanted = addresses(observed.addresses());
        let location = here();
        let one = |latents: ChoiceMap| {
            let found = pointwise(model, &args, &observed.union(&latents), &wanted);
            found.unwrap_or_else(|error| {
                let bad = |address| (address, Array::invalid(error.clone(), location));
                Record::new(observed.addresses().into_iter().map(bad))
            })
        };
        with_location(location, || {
            let all = jit(vmap(one));
            self.each(all)
        })
    }

    /// A function of the values of each chain, `[draws, ..]`, over all chains.
    fn each(&self, mut f: impl FnMut(ChoiceMap) -> Record) -> Result<Record> {
        let mut all: Vec<Record> = Vec::new();
        for chain in 0..self.chains() as isize {
            let found = f(self.values.clone().map(|x| x.at(chain)));
            if let Some(error) = found.leaves().iter().find_map(|leaf| leaf.error().cloned()) {
                return Err(error.at(here()));
            }
            all.push(found);
        }
        let mut joined = Record::default();
        for path in all.first().map(Record::paths).unwrap_or_default() {
            let parts: Vec<&Array> = all.iter().map(|found| &found[path.as_str()]).collect();
            joined.insert(&path, stack(parts, 0).checked()?);
        }
        Ok(joined)
    }
}
