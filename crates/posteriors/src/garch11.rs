//! A GARCH(1, 1) model of 200 simulated returns: the variance of each follows from the return
//! before it and its variance. Priors are flat.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Constraint, ImproperUniform};

pub(crate) fn target() -> Result<Target<Record>> {
    let data = Data::new(include_str!("../data/garch11/data.json"));
    let flat = |set: Constraint| ImproperUniform::new(set, [], []);
    let model = generative(move |t: &mut Choices, first: Array| {
        let mu = t.sample("mu", flat(Constraint::Real));
        let alpha0 = t.sample("alpha0", flat(Constraint::Positive));
        let alpha1 = t.sample("alpha1", Uniform::new(0.0, 1.0));
        let left = Constraint::Interval(array(0.0), 1.0 - &alpha1);
        let beta1 = t.sample("beta1", flat(left));
        let day = generative(move |t: &mut Choices, variance: Array| {
            let y = t.sample("y", Normal::new(&mu, variance.sqrt()));
            &alpha0 + &alpha1 * (y - &mu).square() + &beta1 * variance
        });
        t.call("days", day.unfold(200), first.square())
    });
    let observed = ChoiceMap::new([("days/y", data.floats("y"))]);
    Ok(Target::of(model, data.floats("sigma1"), &observed)?.into())
}
