//! Effects of coaching in eight schools (D. B. Rubin, 1981), by their effects themselves and by
//! those less their mean in units of their spread, which samplers find easier.

use crate::Data;
use probpipe::HalfCauchy;
use probpipe::inference::Target;
use probpipe::prelude::*;

fn data() -> (Array, ChoiceMap) {
    let data = Data::new(include_str!("../data/eight_schools_centered/data.json"));
    (data.floats("sigma"), ChoiceMap::new([("y", data.floats("y"))]))
}

pub(crate) fn centered() -> Result<Target<Record>> {
    let (sigma, observed) = data();
    let model = generative(|t: &mut Choices, sigma: Array| {
        let mu = t.sample("mu", Normal::new(0.0, 5.0));
        let tau = t.sample("tau", HalfCauchy::new(5.0));
        let theta = t.call("theta", Normal::new(mu, tau).repeat(8), ());
        t.sample("y", Normal::new(theta, sigma))
    });
    Ok(Target::of(model, sigma, &observed)?.into())
}

pub(crate) fn noncentered() -> Result<Target<Record>> {
    let (sigma, observed) = data();
    let model = generative(|t: &mut Choices, sigma: Array| {
        let theta_trans = t.sample("theta_trans", Normal::new(zeros([8]), 1.0));
        let mu = t.sample("mu", Normal::new(0.0, 5.0));
        let tau = t.sample("tau", HalfCauchy::new(5.0));
        t.sample("y", Normal::new(theta_trans * tau + mu, sigma))
    });
    Ok(Target::of(model, sigma, &observed)?.into())
}

/// The effects.
pub(crate) fn theta(at: &Record) -> Record {
    Record::new([("theta", &at["theta_trans"] * &at["tau"] + &at["mu"])])
}
