//! A hidden Markov model of two states with normal observations: 100 of them. The means are in
//! order and positive, which their priors do not know of.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Constraint, Dirichlet, HiddenMarkovModel, ImproperUniform};

pub(crate) fn target() -> Result<Target<Record>> {
    let y = Data::new(include_str!("../data/hmm_example/data.json")).floats("y");
    let model = generative(|t: &mut Choices| {
        let theta1 = t.sample("theta1", Dirichlet::new([1.0, 1.0]));
        let theta2 = t.sample("theta2", Dirichlet::new([1.0, 1.0]));
        let ordered = ImproperUniform::new(Constraint::PositiveOrderedVector, [], [2]);
        let mu = t.sample("mu", ordered);
        t.factor("means", Normal::new([3.0, 10.0], 1.0).log_prob(&mu));
        let transition = probpipe::stack([theta1, theta2], 0);
        let emission = Normal::new(mu, 1.0);
        t.sample("y", HiddenMarkovModel::new([0.5, 0.5], transition, emission, 100))
    });
    Ok(Target::of(model, (), &ChoiceMap::new([("y", y)]))?.into())
}
