//! Test scores of 434 children by whether their mother finished school and by her intelligence,
//! with the product of both.

use crate::{Data, design, flat};
use probpipe::HalfCauchy;
use probpipe::inference::Target;
use probpipe::prelude::*;

pub(crate) fn target() -> Result<Target<Record>> {
    let data = Data::new(include_str!("../data/kidscore_interaction/data.json"));
    let (school, intelligence) = (data.floats("mom_hs"), data.floats("mom_iq"));
    let both = &school * &intelligence;
    let model = generative(|t: &mut Choices, x: Array| {
        let beta = t.sample("beta", flat(4));
        let sigma = t.sample("sigma", HalfCauchy::new(2.5));
        t.sample("kid_score", Normal::new(x.dot(beta), sigma))
    });
    let observed = ChoiceMap::new([("kid_score", data.floats("kid_score"))]);
    Ok(Target::of(model, design(&[school, intelligence, both]), &observed)?.into())
}
