//! An autoregression of order 5 on 200 simulated values, given the first five.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Autoregressive, HalfCauchy};

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/arK/data.json")).floats("y");
    let (first, rest) = (y.slice_axis(0, 0..5), y.slice_axis(0, 5..200));
    let model = generative(|t: &mut Choices, first: Array| {
        let alpha = t.sample("alpha", Normal::new(0.0, 10.0));
        let beta = t.sample("beta", Normal::new(zeros([5]), 10.0));
        let sigma = t.sample("sigma", HalfCauchy::new(2.5));
        let series = Autoregressive::new(beta, sigma, 195).with_constant(alpha).after(first);
        t.sample("y", series)
    });
    Ok(Target::of(model, first, &ChoiceMap::new([("y", rest)]))?.into())
}
