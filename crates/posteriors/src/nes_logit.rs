//! Whom 1,179 voters chose, by income: the American National Election Study of 1992. Priors are
//! flat.

use crate::{Data, flat};
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Constraint, ImproperUniform};

pub(crate) fn target() -> Result<Target<Record>> {
    let data = Data::new(include_str!("../data/nes_logit/data.json"));
    let model = generative(|t: &mut Choices, income: Array| {
        let alpha = t.sample("alpha", ImproperUniform::new(Constraint::Real, [], []));
        let beta = t.sample("beta", flat(1));
        t.sample("vote", Bernoulli::from_logits(alpha + beta * income))
    });
    let observed = ChoiceMap::new([("vote", data.integers("vote"))]);
    Ok(Target::of(model, data.floats("income"), &observed)?.into())
}
