//! Logarithms of the earnings of 1,192 persons by height and sex, with the product of both. Priors
//! are flat.

use crate::{Data, design, flat};
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Constraint, ImproperUniform};

pub(crate) fn target() -> Result<Target<Record>> {
    let data = Data::new(include_str!("../data/logearn_interaction/data.json"));
    let (height, male) = (data.floats("height"), data.floats("male"));
    let both = &height * &male;
    let model = generative(|t: &mut Choices, x: Array| {
        let beta = t.sample("beta", flat(4));
        let sigma = t.sample("sigma", ImproperUniform::new(Constraint::Positive, [], []));
        t.sample("log_earn", Normal::new(x.dot(beta), sigma))
    });
    let observed = ChoiceMap::new([("log_earn", data.floats("earn").log())]);
    Ok(Target::of(model, design(&[height, male, both]), &observed)?.into())
}
