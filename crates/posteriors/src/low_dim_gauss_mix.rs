//! A mixture of two normal distributions: 1,000 simulated numbers. The means are in order, which
//! their priors do not know of.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Beta, Constraint, HalfNormal, ImproperUniform, MixtureSameFamily};

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/low_dim_gauss_mix/data.json")).floats("y");
    let model = generative(|t: &mut Choices| {
        let ordered = ImproperUniform::new(Constraint::OrderedVector, [], [2]);
        let mu = t.sample("mu", ordered);
        t.factor("means", Normal::new(0.0, 2.0).log_prob(&mu));
        let sigma = t.sample("sigma", HalfNormal::new(full([2], 2.0)));
        let theta = t.sample("theta", Beta::new(5.0, 5.0));
        let weights = probpipe::stack([theta.clone(), 1.0 - theta], 0);
        let point = MixtureSameFamily::new(weights, Normal::new(mu, sigma));
        t.call("y", point.repeat(1000), ())
    });
    Ok(Target::of(model, (), &ChoiceMap::new([("y", y)]))?.into())
}
