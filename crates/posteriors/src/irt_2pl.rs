//! Answers of 100 persons to 20 items: the log-odds of a right one are the difference of a person's
//! ability and the item's difficulty, times what the item discriminates.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{HalfCauchy, LogNormal};

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/irt_2pl/data.json")).integers("y");
    let model = generative(|t: &mut Choices| {
        let sigma_theta = t.sample("sigma_theta", HalfCauchy::new(2.0));
        let theta = t.call("theta", Normal::new(0.0, sigma_theta).repeat(100), ());
        let sigma_a = t.sample("sigma_a", HalfCauchy::new(2.0));
        let a = t.call("a", LogNormal::new(0.0, sigma_a).repeat(20), ());
        let mu_b = t.sample("mu_b", Normal::new(0.0, 5.0));
        let sigma_b = t.sample("sigma_b", HalfCauchy::new(2.0));
        let b = t.call("b", Normal::new(mu_b, sigma_b).repeat(20), ());
        let logits = a.expand_dims(1) * (theta - b.expand_dims(1));
        t.sample("y", Bernoulli::from_logits(logits))
    });
    Ok(Target::of(model, (), &ChoiceMap::new([("y", y)]))?.into())
}
