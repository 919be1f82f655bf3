//! Kernels against densities whose moments are known.

use probpipe::inference::Target;
use probpipe::inference::mcmc::{Hmc, Kernel, Nuts};
use probpipe::prelude::*;

/// Means and variances of `steps` states of a chain from zero, against those of the density within
/// five standard errors of draws that do not depend on each other, times `loss`.
fn moments_hold(kernel: impl Kernel, n: usize, steps: usize, loss: f64) {
    probpipe::with_default_float(DType::F64, || {
        let scale = linspace(0.8, 1.25, n);
        let mean = linspace(-1.0, 1.0, n);
        let (m, s) = (mean.clone(), scale.clone());
        let density = move |x: Array| Normal::new(&m, &s).log_prob(&x).sum();
        let target = Target::new(density, zeros([n])).unwrap();
        let draws = jit(|key| kernel.sample(key, &target, steps).unwrap().0)(Key::new(n as u64));
        let error = loss * 5.0 / (steps as f64).sqrt();
        let off = ((draws.mean_axes([0]) - &mean) / &scale).abs().max();
        assert!(off.item::<f64>().unwrap() < error, "mean is off by {off} of {error}");
        let variance = (draws - &mean).square().mean_axes([0]) / scale.square();
        let off = (variance - 1.0).abs().max();
        assert!(off.item::<f64>().unwrap() < 1.5 * error, "variance is off by {off} of {error}");
    });
}

#[test]
fn nuts_has_the_moments_of_normal_densities() {
    for (n, step) in [(1, 0.8), (10, 0.5), (100, 0.3)] {
        moments_hold(Nuts::new(step), n, 4000, 1.0);
    }
}

#[test]
fn hmc_has_the_moments_of_normal_densities() {
    for (n, step) in [(1, 0.25), (10, 0.25), (100, 0.2)] {
        moments_hold(Hmc::new(step, 7), n, 4000, 1.5);
    }
}
