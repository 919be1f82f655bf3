//! Which party 701 voters lean to, from 1 to 7, by ideology, ethnicity, age, education, sex and
//! income: the American National Election Study of 1980. Priors are flat.

use crate::{Data, design, flat};
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Constraint, ImproperUniform};

pub(crate) fn target() -> Result<Target<Record>> {
    let data = Data::new(include_str!("../data/nes1980/data.json"));
    let age = data.integers("age_discrete");
    let aged = |group: i32| age.eq(group).cast(DType::F64);
    let x = design(&[
        data.floats("real_ideo"),
        data.floats("race_adj"),
        aged(2),
        aged(3),
        aged(4),
        data.floats("educ1"),
        data.floats("gender"),
        data.floats("income"),
    ]);
    let model = generative(|t: &mut Choices, x: Array| {
        let beta = t.sample("beta", flat(9));
        let sigma = t.sample("sigma", ImproperUniform::new(Constraint::Positive, [], []));
        t.sample("partyid7", Normal::new(x.dot(beta), sigma))
    });
    let observed = ChoiceMap::new([("partyid7", data.floats("partyid7"))]);
    Ok(Target::of(model, x, &observed)?.into())
}
