//! Dogs that learn to avoid a shock: 25 trials of each of 30, with a logit that is linear in how
//! often a dog has avoided the shock so far and in how often it has not.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/dogs/data.json")).integers("y");
    let shocks = y.cumsum(1) - &y;
    let avoided = arange(25) - &shocks;
    let model = generative(|t: &mut Choices, avoided: Array, shocks: Array| {
        let beta = t.sample("beta", Normal::new(zeros([3]), 100.0));
        let logits = beta.at(0) + beta.at(1) * avoided + beta.at(2) * shocks;
        t.sample("y", Bernoulli::from_logits(logits))
    });
    let counts = (avoided.cast(DType::F64), shocks.cast(DType::F64));
    Ok(Target::of(model, counts, &ChoiceMap::new([("y", y)]))?.into())
}
