//! Hares and lynxes, by the furs that were sold in Canada from 1900 to 1920: numbers that follow
//! the equations of Lotka and Volterra, seen with errors.

use crate::Data;
use probpipe::inference::Target;
use probpipe::odes::{DormandPrince, solve_ode};
use probpipe::prelude::*;
use probpipe::{LeftTruncatedNormal, LogNormal};

/// `-2 ln P(1 + z / 2 > 0) - 2 ln P(1 + z > 0)` for a standard normal `z`: the Stan program does
/// not count what its priors of `theta` lose below zero.
pub(crate) const CONSTANT: f64 = 2.0 * 0.023012909328963486 + 2.0 * 0.17275377902344988;

pub(crate) fn target() -> Result<Target<Record>> {
    let data = Data::new(include_str!("../data/lotka_volterra/data.json"));
    let model = generative(|t: &mut Choices, times: Array| {
        let (loc, scale) = (array([1.0, 0.05, 1.0, 0.05]), array([0.5, 0.05, 0.5, 0.05]));
        let theta = t.sample("theta", LeftTruncatedNormal::new(loc, scale, 0.0));
        let z_init = t.sample("z_init", LogNormal::new(array([10.0, 10.0]).log(), 1.0));
        let sigma = t.sample("sigma", LogNormal::new(array([-1.0, -1.0]), 1.0));
        let slope = |_, z: Array| {
            let (hares, lynxes) = (z.at(0), z.at(1));
            let born = (theta.at(0) - theta.at(1) * &lynxes) * &hares;
            let fed = (theta.at(3) * hares - theta.at(2)) * lynxes;
            probpipe::stack(&[born, fed], 0)
        };
        let method = DormandPrince::default().relative_tolerance(1e-8).absolute_tolerance(1e-8);
        let z = solve_ode(slope, z_init.clone(), 0.0, times, method).values;
        t.sample("y_init", LogNormal::new(z_init.log(), &sigma));
        t.sample("y", LogNormal::new(z.log(), sigma))
    });
    let observed = ChoiceMap::new([("y_init", data.floats("y_init")), ("y", data.floats("y"))]);
    let target: Target<Record> = Target::of(model, data.floats("ts"), &observed)?.into();
    // About where the priors are: elsewhere animals die out, and chains stay where they do.
    let typical = Record::new([
        ("theta", array([1.0, 0.05, 1.0, 0.05])),
        ("z_init", array([10.0, 10.0])),
        ("sigma", array([-1.0, -1.0]).exp()),
    ]);
    let start = target.unconstrain(&typical)?;
    Ok(target.starting_at(start))
}
