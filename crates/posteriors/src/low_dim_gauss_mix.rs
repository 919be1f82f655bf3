//! A mixture of two normal distributions: 1,000 simulated numbers. The means are in order, which
//! their priors do not know of.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Beta, Constraint, HalfNormal, MixtureSameFamily};

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/low_dim_gauss_mix/data.json")).floats("y");
    let log_density = move |at: Record| {
        let (mu, sigma, theta) = (&at["mu"], &at["sigma"], &at["theta"]);
        let weights = probpipe::stack(&[theta.clone(), 1.0 - theta], 0);
        let mixture = MixtureSameFamily::new(weights, Normal::new(mu, sigma));
        mixture.log_prob(&y).sum()
            + Normal::new(0.0, 2.0).log_prob(mu).sum()
            + HalfNormal::new(2.0).log_prob(sigma).sum()
            + Beta::new(5.0, 5.0).log_prob(theta)
    };
    let start = Record::new([
        ("mu", array([-1.0, 1.0])),
        ("sigma", array([1.0, 1.0])),
        ("theta", array(0.5)),
    ]);
    let sets = [
        ("mu", Constraint::OrderedVector),
        ("sigma", Constraint::Positive),
        ("theta", Constraint::UnitInterval),
    ];
    Target::within(log_density, start, sets)
}
