//! A hidden Markov model of two states with normal observations: 100 of them. The means are in
//! order and positive, which their priors do not know of.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Constraint, HiddenMarkovModel};

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/hmm_example/data.json")).floats("y");
    let log_density = move |at: Record| {
        let transition = probpipe::stack(&[&at["theta1"], &at["theta2"]], 0);
        let emission = Normal::new(&at["mu"], 1.0);
        let series = HiddenMarkovModel::new([0.5, 0.5], transition, emission, 100);
        series.log_prob(&y) + Normal::new([3.0, 10.0], 1.0).log_prob(&at["mu"]).sum()
    };
    let start = Record::new([
        ("theta1", array([0.5, 0.5])),
        ("theta2", array([0.5, 0.5])),
        ("mu", array([3.0, 10.0])),
    ]);
    let sets = [
        ("theta1", Constraint::Simplex),
        ("theta2", Constraint::Simplex),
        ("mu", Constraint::PositiveOrderedVector),
    ];
    Target::within(log_density, start, sets)
}
