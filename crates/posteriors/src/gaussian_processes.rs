//! Gaussian processes over eleven points: one that is seen through counts, by its values in units
//! of the factor of their covariance, and one of numbers, summed out.

use crate::Data;
use probpipe::inference::Target;
use probpipe::prelude::*;
use probpipe::{Gamma, GaussianProcess, HalfNormal, Kernel, Poisson};

fn data() -> Data {
    Data::new(include_str!("../data/gp_regr/data.json"))
}

/// The values of a process at points that independent normal numbers stand for.
fn process(x: &Array, rho: &Array, alpha: &Array, f_tilde: &Array) -> Array {
    let covariance = Kernel::rbf(alpha, rho).matrix(x, x) + eye(11) * 1e-10;
    covariance.cholesky().dot(f_tilde)
}

pub(crate) fn counts() -> Result<Target<Record>> {
    let data = data();
    let model = generative(|t: &mut Choices, x: Array| {
        let rho = t.sample("rho", Gamma::new(25.0, 4.0));
        let alpha = t.sample("alpha", HalfNormal::new(2.0));
        let f_tilde = t.sample("f_tilde", Normal::new(zeros([11]), 1.0));
        t.sample("k", Poisson::from_log_rate(process(&x, &rho, &alpha, &f_tilde)))
    });
    let observed = ChoiceMap::new([("k", data.integers("k"))]);
    Ok(Target::of(model, data.floats("x"), &observed)?.into())
}

/// The values of the process.
pub(crate) fn values(at: &Record) -> Record {
    Record::new([("f", process(&data().floats("x"), &at["rho"], &at["alpha"], &at["f_tilde"]))])
}

pub(crate) fn numbers() -> Result<Target<Record>> {
    let data = data();
    let model = generative(|t: &mut Choices, x: Array| {
        let rho = t.sample("rho", Gamma::new(25.0, 4.0));
        let alpha = t.sample("alpha", HalfNormal::new(2.0));
        let sigma = t.sample("sigma", HalfNormal::new(1.0));
        // The Stan program adds sigma to the variances, not its square.
        let process = GaussianProcess::new(Kernel::rbf(alpha, rho)).with_noise(sigma.sqrt());
        t.sample("y", process.with_jitter(0.0).observed(&x))
    });
    let observed = ChoiceMap::new([("y", data.floats("y"))]);
    Ok(Target::of(model, data.floats("x"), &observed)?.into())
}
