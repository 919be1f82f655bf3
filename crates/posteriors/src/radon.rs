//! Logarithms of radon in 919 houses of Minnesota by floor and by the uranium of their county, with
//! an intercept for each of 85 counties in units of their spread.

use crate::Data;
use probpipe::HalfNormal;
use probpipe::inference::Target;
use probpipe::prelude::*;

pub(crate) fn target() -> Result<Target<Record>> {
    let data = Data::new(include_str!("../data/radon_mn_hier_noncentered/data.json"));
    let model = generative(|t: &mut Choices, county: Array, uranium: Array, floor: Array| {
        let alpha_raw = t.sample("alpha_raw", Normal::new(zeros([85]), 1.0));
        let beta = t.sample("beta", Normal::new(zeros([2]), 10.0));
        let mu_alpha = t.sample("mu_alpha", Normal::new(0.0, 10.0));
        let sigma_alpha = t.sample("sigma_alpha", HalfNormal::new(1.0));
        let sigma_y = t.sample("sigma_y", HalfNormal::new(1.0));
        let alpha = mu_alpha + sigma_alpha * alpha_raw;
        let mean = alpha.take(county, 0) + beta.at(0) * uranium + beta.at(1) * floor;
        t.sample("log_radon", Normal::new(mean, sigma_y))
    });
    let houses =
        (data.indices("county_idx"), data.floats("log_uppm"), data.floats("floor_measure"));
    let observed = ChoiceMap::new([("log_radon", data.floats("log_radon"))]);
    Ok(Target::of(model, houses, &observed)?.into())
}

/// The intercepts.
pub(crate) fn alpha(at: &Record) -> Record {
    Record::new([("alpha", &at["mu_alpha"] + &at["sigma_alpha"] * &at["alpha_raw"])])
}
