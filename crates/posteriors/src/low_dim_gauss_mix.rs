//! A mixture of two normal distributions: 1,000 simulated numbers. The means are in order.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Beta, HalfNormal, MixtureSameFamily, Ordered};

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/low_dim_gauss_mix/data.json")).floats("y");
    let model = generative(|t: &mut Choices| {
        let mu = t.sample("mu", Ordered::new(Normal::new(0.0, 2.0), 2));
        let sigma = t.sample("sigma", HalfNormal::new(full([2], 2.0)));
        let theta = t.sample("theta", Beta::new(5.0, 5.0));
        let weights = probpipe::stack([theta.clone(), 1.0 - theta], 0);
        let point = MixtureSameFamily::new(weights, Normal::new(mu, sigma));
        t.call("y", point.repeat(1000), ())
    });
    Ok(Target::of(model, (), &ChoiceMap::new([("y", y)]))?.into())
}
