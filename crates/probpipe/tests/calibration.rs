//! Simulation-based calibration (S. Talts, M. Betancourt, D. Simpson, A. Vehtari, A. Gelman, 2018):
//! a parameter drawn from its prior, data drawn given it, and draws of the posterior given these.
//! The number of draws below the parameter is uniform if the sampler is right.

use probpipe::inference::Target;
use probpipe::inference::mcmc::{AdjustedMclmc, Hmc, Kernel, Located, Mala, Nuts, StepCx};
use probpipe::prelude::*;
use probpipe::{Gamma, Poisson};
use probpipe_testing::statistics::{Found, chi_square};

const REPLICATIONS: usize = 400;
/// Ranks are 0 to 7.
const DRAWS: usize = 7;

/// Two means under a normal prior, with three normal observations of each.
fn normals() -> impl GenerativeFunction<Args = (), Value = Array> + Clone + 'static {
    generative(|t: &mut Choices| {
        let mean = t.sample("latent", Normal::new(zeros([2]), 2.0));
        t.call("y", Normal::new(mean, 1.0).repeat(3), ())
    })
}

/// Two rates under a gamma prior, with four counts of each.
fn counts() -> impl GenerativeFunction<Args = (), Value = Array> + Clone + 'static {
    generative(|t: &mut Choices| {
        let rate = t.sample("latent", Gamma::new(full([2], 3.0), 1.0));
        t.call("y", Poisson::new(rate).repeat(4), ())
    })
}

/// Whether the ranks of both parameters are uniform, for chains that begin at zero, of draws that
/// are so many steps apart, of the density to a power, which should be 1.
fn ranks<G>(kernel: &impl Kernel, model: &G, thin: usize, power: f64) -> [Found; 2]
where
    G: GenerativeFunction<Args = (), Value = Array> + Clone + 'static,
{
    let before = 10 * thin;
    let all = before + DRAWS * thin;
    let one = |key: Key| {
        let (for_truth, for_chain) = key.split();
        let truth = model.simulate(for_truth, ()).choices();
        let seen = truth.filter(&addresses(["y"]));
        let target = Target::of(model.clone(), (), &seen).unwrap();
        let log_density = |z: Array| target.log_density(&z) * power;
        let step = |state, key: Key| kernel.step(StepCx::new(key, &log_density), state);
        let step = |state, key: Key| {
            let (state, _) = step(state, key);
            let position = state.position().clone();
            (state, position)
        };
        let start = kernel.init(&log_density, target.start().clone());
        let z = scan(start, for_chain.split_batch(all), step).1;
        let z = z.slice_axis(0, before..all).reshape([DRAWS, thin, 2]).at_axis(1, -1);
        let draws = target.constrain_each(&z).unwrap()["latent"].clone();
        draws.lt(&truth["latent"]).cast(DType::I32).sum_axes([0])
    };
    let ranks = jit(vmap(one))(Key::new(11).split_batch(REPLICATIONS)).to_vec::<i32>().unwrap();
    let expected = [(REPLICATIONS as f64) / (DRAWS as f64 + 1.0); DRAWS + 1];
    [0, 1].map(|i| {
        let mut observed = [0; DRAWS + 1];
        ranks.iter().skip(i).step_by(2).for_each(|&rank| observed[rank as usize] += 1);
        println!("{observed:?}");
        chi_square(&observed, &expected, 0)
    })
}

/// One in 10,000 right samplers would fail each of two tests for each model.
fn calibrated(name: &str, kernels: [&impl Kernel; 2], thin: usize) {
    probpipe::with_default_float(DType::F64, || {
        for found in ranks(kernels[0], &normals(), thin, 1.0) {
            found.accept(&format!("{name} of normals"), 1e-4);
        }
        for found in ranks(kernels[1], &counts(), thin, 1.0) {
            found.accept(&format!("{name} of counts"), 1e-4);
        }
    });
}

#[test]
fn nuts_is_calibrated() {
    calibrated("nuts", [&Nuts::new(0.4), &Nuts::new(0.25)], 4);
}

#[test]
fn hmc_is_calibrated() {
    calibrated("hmc", [&Hmc::new(0.12, 7), &Hmc::new(0.06, 7)], 5);
}

#[test]
fn mala_is_calibrated() {
    calibrated("mala", [&Mala::new(0.7), &Mala::new(0.35)], 20);
}

#[test]
fn adjusted_mclmc_is_calibrated() {
    let with = |step: f64| AdjustedMclmc::new(step).length(2.0 * step);
    calibrated("adjusted mclmc", [&with(0.5), &with(0.25)], 10);
}

/// A density that is too narrow, as that of a sampler that is wrong may be.
#[test]
fn ranks_tell_a_wrong_density() {
    probpipe::with_default_float(DType::F64, || {
        for found in ranks(&Hmc::new(0.12, 7), &normals(), 5, 2.5) {
            found.reject("a power of the density", 1e-4);
        }
    });
}
