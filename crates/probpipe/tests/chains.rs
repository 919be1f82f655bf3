//! Kernels against densities whose moments are known.

use probpipe::inference::Target;
use probpipe::inference::mcmc::{
    AdjustedMclmc, Barker, CoordinateSlice, EllipticalSlice, Gibbs, Hmc, Independent, Integrator,
    Kernel, Located, Mala, Mclmc, Metric, MultinomialHmc, Nuts, RandomWalk, ReplicaExchange, Sghmc,
    Sgld, Slice, StepCx,
};
use probpipe::prelude::*;

/// Means and standard deviations of the densities below.
fn shape(n: usize) -> (Array, Array) {
    (linspace(-1.0, 1.0, n), linspace(0.8, 1.25, n))
}

/// Means and variances of `steps` states of a chain, after a fifth more that are not looked at,
/// against those of the density within five standard errors of draws that do not depend on each
/// other, times `loss`: the root of the number of steps for each such draw, and a little more.
fn moments_hold(name: &str, kernel: &impl Kernel, n: usize, steps: usize, loss: f64) {
    probpipe::with_default_float(DType::F64, || {
        let (mean, scale) = shape(n);
        let (m, s) = (mean.clone(), scale.clone());
        let density = move |x: Array| Normal::new(&m, &s).log_prob(&x).sum();
        moments_agree(name, kernel, density, [&mean, &scale], steps, loss);
    });
}

fn moments_agree(
    name: &str,
    kernel: &impl Kernel,
    density: impl Fn(Array) -> Array + 'static,
    [mean, scale]: [&Array; 2],
    steps: usize,
    loss: f64,
) {
    let n = mean.size();
    let target = Target::new(density, zeros([n])).unwrap();
    let (first, all) = (steps / 5, steps + steps / 5);
    let run = jit(|key| kernel.sample(key, &target, all).unwrap().0.slice_axis(0, first..all));
    let draws = run(Key::new(n as u64));
    let error = loss * 5.0 / (steps as f64).sqrt();
    let off = ((draws.mean_axes([0]) - mean) / scale).abs().max().item::<f64>().unwrap();
    let variance = (draws - mean).square().mean_axes([0]) / scale.square();
    let wide = (variance - 1.0).abs().max().item::<f64>().unwrap();
    println!("{name} {n}: {off:.4} {wide:.4} of {error:.4}");
    assert!(off < error, "{name} {n}: the mean is off by {off} of {error}");
    assert!(wide < 1.5 * error, "{name} {n}: the variance is off by {wide} of {error}");
}

#[test]
fn nuts_has_the_moments_of_normal_densities() {
    // Squares of entries are forgotten in about three steps.
    for (n, step) in [(1, 0.8), (10, 0.5), (100, 0.3)] {
        moments_hold("nuts", &Nuts::new(step), n, 20_000, 1.7);
    }
}

#[test]
fn hmc_has_the_moments_of_normal_densities() {
    for (n, step) in [(1, 0.25), (10, 0.25), (100, 0.2)] {
        moments_hold("hmc", &Hmc::new(step, 7), n, 4000, 1.5);
        moments_hold("multinomial", &MultinomialHmc::new(step, 14), n, 4000, 1.5);
    }
}

#[test]
fn langevin_kernels_have_the_moments_of_normal_densities() {
    for (n, step, loss) in [(1, 1.5, 1.5), (10, 1.0, 2.0), (100, 0.7, 3.0)] {
        moments_hold("mala", &Mala::new(step), n, 10_000, loss);
        moments_hold("barker", &Barker::new(step), n, 20_000, 1.5 * loss);
    }
}

#[test]
fn metropolis_has_the_moments_of_normal_densities() {
    for (n, loss) in [(1usize, 3.0), (10, 7.0), (100, 20.0)] {
        let step = 2.4 / (n as f64).sqrt();
        let walk = RandomWalk::new(step).metric(Metric::of_variances(shape(n).1.square()));
        moments_hold("walk", &walk, n, 40_000, loss);
    }
    for (n, loss) in [(1, 1.5), (10, 2.5)] {
        let (mean, scale) = shape(n);
        let wide = Independent::new(Normal::new(mean, scale * 1.15));
        moments_hold("independent", &wide, n, 10_000, loss);
    }
    // In 100 dimensions a proposal must be close.
    let (mean, scale) = shape(100);
    let close = Independent::new(Normal::new(mean, scale * 1.03));
    moments_hold("independent", &close, 100, 10_000, 2.0);
}

#[test]
fn slices_have_the_moments_of_normal_densities() {
    for (n, loss) in [(1, 1.5), (10, 4.0), (100, 15.0)] {
        moments_hold("slice", &Slice::new(3.0), n, 20_000, loss);
    }
    for (n, steps) in [(1, 10_000), (10, 4000), (100, 1000)] {
        moments_hold("coordinate slice", &CoordinateSlice::new(3.0), n, steps, 1.5);
    }
}

/// The posterior of a normal prior and a normal likelihood is normal: here of precision 5 / 4.
#[test]
fn elliptical_slices_have_the_moments_of_normal_posteriors() {
    probpipe::with_default_float(DType::F64, || {
        for (n, loss) in [(1, 2.0), (10, 4.0), (100, 12.0)] {
            let (prior_mean, seen) = (linspace(-1.0, 1.0, n), linspace(2.0, 0.0, n));
            let mean = (&prior_mean + &seen * 0.25) / 1.25;
            let scale = full([n], 0.8f64.sqrt());
            let likelihood = move |x: Array| Normal::new(&seen, 2.0).log_prob(&x).sum();
            let kernel = EllipticalSlice::new(prior_mean, Metric::Unit);
            moments_agree("ellipse", &kernel, likelihood, [&mean, &scale], 10_000, loss);
        }
    });
}

/// Kernels that accept everything are off by their steps: by the square of `step / 2`, relatively,
/// in variance, and these steps are so small that this is lost in the error of the draws.
#[test]
fn kernels_without_correction_have_the_moments_of_normal_densities() {
    for n in [1, 10, 100] {
        moments_hold("sgld", &Sgld::new(0.2), n, 40_000, 12.0);
        moments_hold("sghmc", &Sghmc::new(0.2), n, 20_000, 4.0);
    }
    for (n, loss) in [(2, 4.0), (10, 4.0), (100, 4.0)] {
        let root = (n as f64).sqrt();
        moments_hold("mclmc", &Mclmc::new(root, 0.25 * root), n, 20_000, loss);
    }
}

#[test]
fn adjusted_mclmc_has_the_moments_of_normal_densities() {
    for (n, step) in [(2, 0.8), (10, 1.5), (100, 4.0)] {
        moments_hold("adjusted", &AdjustedMclmc::new(step), n, 4000, 2.0);
    }
    let others = [Integrator::VelocityVerlet, Integrator::Yoshida, Integrator::Omelyan];
    for (integrator, step) in others.into_iter().zip([0.8, 1.5, 3.0]) {
        let kernel = AdjustedMclmc::new(step).integrator(integrator);
        moments_hold("adjusted", &kernel, 10, 4000, 2.0);
    }
}

#[test]
fn kernels_made_of_others_have_the_moments_of_normal_densities() {
    let both = Gibbs::new().block(0..4, Hmc::new(0.25, 7)).block(4..10, CoordinateSlice::new(3.0));
    moments_hold("gibbs", &both, 10, 4000, 1.5);
    for (n, step) in [(1, 0.25), (10, 0.25), (100, 0.2)] {
        let at = move |t: &Array| Hmc::new(t.sqrt() * step, 7);
        moments_hold("replicas", &ReplicaExchange::new([1.0, 1.5, 2.0], at), n, 4000, 1.5);
    }
}

/// Correlations of 0.9 between neighbours, which a metric of their covariance takes away.
#[test]
fn kernels_follow_correlations() {
    probpipe::with_default_float(DType::F64, || {
        let n = 5;
        let lag = (arange(n).expand_dims(0) - arange(n).expand_dims(1)).abs();
        let covariance = (lag.cast(DType::F64) * 0.9f64.ln()).exp();
        let (mean, scale) = (linspace(-1.0, 1.0, n), ones([n]));
        let metric = Metric::of_covariance(&covariance);
        macro_rules! check {
            ($name:literal, $kernel:expr, $steps:expr, $loss:expr) => {
                let (m, c) = (mean.clone(), covariance.clone());
                let density = move |x: Array| MultivariateNormal::new(&m, &c).log_prob(&x);
                moments_agree($name, &$kernel, density, [&mean, &scale], $steps, $loss);
            };
        }
        let dense = || metric.clone();
        check!("nuts", Nuts::new(0.5).metric(dense()), 4000, 1.0);
        check!("nuts as it is", Nuts::new(0.2), 4000, 1.5);
        check!("hmc", Hmc::new(0.25, 7).metric(dense()), 4000, 1.5);
        check!("multinomial", MultinomialHmc::new(0.25, 14).metric(dense()), 4000, 1.5);
        check!("mala", Mala::new(1.2).metric(dense()), 10_000, 2.0);
        check!("barker", Barker::new(1.2).metric(dense()), 10_000, 3.0);
        check!("walk", RandomWalk::new(1.07).metric(dense()), 40_000, 5.0);
        check!("slice", Slice::new(3.0).metric(dense()), 20_000, 3.0);
        check!("coordinate slice", CoordinateSlice::new(2.0), 10_000, 6.0);
        check!("sgld", Sgld::new(0.2).metric(dense()), 40_000, 12.0);
        check!("sghmc", Sghmc::new(0.2).metric(dense()), 20_000, 4.0);
        check!("mclmc", Mclmc::new(2.2, 0.5).metric(dense()), 20_000, 4.0);
        check!("adjusted", AdjustedMclmc::new(1.2).metric(dense()), 4000, 2.0);
    });
}

/// Half a normal density: not a number below zero, infinite at 1. Its mean is `sqrt(2 / pi)`.
#[test]
fn no_kernel_goes_where_the_density_is_no_number() {
    fn check(name: &str, kernel: &impl Kernel, loss: f64) {
        let density = |x: Array| {
            let inside = Normal::new(0.0, 1.0).log_prob(&x).sum();
            let inside = select(x.eq(1.0).any(), f64::INFINITY, inside);
            select(x.lt(0.0).any(), f64::NAN, inside)
        };
        let target = Target::new(density, full([2], 0.5)).unwrap();
        let steps = 20_000;
        let draws = jit(|key| kernel.sample(key, &target, steps).unwrap().0)(Key::new(5));
        assert!(draws.ge(0.0).all().item::<bool>().unwrap(), "{name} has left");
        let mean = draws.mean_axes([0]).to_vec::<f32>().unwrap();
        let want = (2.0 / std::f64::consts::PI).sqrt();
        let error = loss * 5.0 * 0.6 / f64::from(steps as u32).sqrt();
        println!("{name}: {mean:?} {want} {error}");
        assert!(mean.iter().all(|x| (f64::from(*x) - want).abs() < error), "{name}: {mean:?}");
    }
    check("nuts", &Nuts::new(0.3), 4.0);
    check("hmc", &Hmc::new(0.1, 7), 4.0);
    check("multinomial", &MultinomialHmc::new(0.1, 14), 4.0);
    check("mala", &Mala::new(0.5), 4.0);
    check("barker", &Barker::new(0.7), 4.0);
    check("walk", &RandomWalk::new(1.0), 4.0);
    check("independent", &Independent::new(Normal::new([0.5, 0.5], 1.0)), 4.0);
    check("slice", &Slice::new(2.0), 4.0);
    check("coordinate slice", &CoordinateSlice::new(2.0), 4.0);
    check("adjusted", &AdjustedMclmc::new(0.1).length(1.0), 6.0);
    let halves = Gibbs::new().block(0..1, Hmc::new(0.1, 7)).block(1..2, RandomWalk::new(1.0));
    check("gibbs", &halves, 4.0);
    let at = |t: &Array| RandomWalk::new(t.sqrt());
    check("replicas", &ReplicaExchange::new([1.0, 2.0], at), 4.0);
    // These are off by what their steps make them, but stay inside.
    check("sgld", &Sgld::new(0.2), 20.0);
    check("sghmc", &Sghmc::new(0.1), 20.0);
    check("mclmc", &Mclmc::new(1.0, 0.1), 20.0);
    // Of the likelihood alone, under a standard normal prior.
    let density = |x: Array| select(x.lt(0.0).any(), f64::NAN, x.sum() * 0.0);
    let target = Target::new(density, full([2], 0.5)).unwrap();
    let ellipse = EllipticalSlice::new(0.0, Metric::Unit);
    let draws = jit(|key| ellipse.sample(key, &target, 20_000).unwrap().0)(Key::new(5));
    assert!(draws.ge(0.0).all().item::<bool>().unwrap());
    assert!((draws.mean().item::<f32>().unwrap() - 0.7979).abs() < 0.05);
}

/// Chains under `vmap` are those of a loop, and compiled programs make the same as the
/// interpreter, every choice among them.
#[test]
fn chains_are_the_same_in_lanes_and_compiled() {
    fn check(name: &str, kernel: &impl Kernel) {
        let density = |x: Array| Normal::new(0.5, 1.5).log_prob(&x).sum();
        let one = |(key, x): (Key, Array)| {
            let step = |state, key: Key| {
                let (state, _) = kernel.step(StepCx::new(key, &density), state);
                (state, ())
            };
            let last = scan(kernel.init(&density, x), key.split_batch(5), step).0;
            (last.position().clone(), last)
        };
        let starts = linspace(-1.0, 1.0, 6).reshape([3, 2]);
        let keys = Key::new(3).split_batch(3);
        let lanes = jit(vmap(one))((keys.reuse(), starts.clone())).0;
        let slow = vmap(one)((keys, starts.clone())).0;
        let close = |a: &Array, b: &Array, what: &str| {
            let off = (a - b).abs().max().item::<f64>().unwrap();
            // A few units in the last place: compiled programs fuse products and sums.
            assert!(off < 1e-13, "{name}, {what}: {a} {b}");
        };
        close(&lanes, &slow, "in lanes, compiled and interpreted");
        for (i, key) in Key::new(3).split_n(3).into_iter().enumerate() {
            let start = starts.at(i as isize);
            let alone = jit(one)((key.reuse(), start.clone())).0;
            close(&alone, &one((key, start)).0, "compiled and interpreted");
            close(&alone, &lanes.at(i as isize), "alone and in lanes");
        }
    }
    probpipe::with_default_float(DType::F64, || {
        check("nuts", &Nuts::new(0.5));
        check("hmc", &Hmc::new(0.25, 3));
        check("multinomial", &MultinomialHmc::new(0.25, 3));
        check("mala", &Mala::new(1.0));
        check("barker", &Barker::new(1.0));
        check("walk", &RandomWalk::new(1.0));
        check("independent", &Independent::new(Normal::new([0.5, 0.5], 1.6)));
        check("slice", &Slice::new(2.0));
        check("coordinate slice", &CoordinateSlice::new(2.0));
        check("ellipse", &EllipticalSlice::new(0.0, Metric::Unit));
        check("sgld", &Sgld::new(0.5));
        check("sghmc", &Sghmc::new(0.5));
        check("mclmc", &Mclmc::new(1.4, 0.4));
        check("adjusted", &AdjustedMclmc::new(0.6));
        check("gibbs", &Gibbs::new().block(0..1, Mala::new(1.0)).block(1..2, Slice::new(1.0)));
        let at = |t: &Array| Hmc::new(t.sqrt() * 0.25, 3);
        check("replicas", &ReplicaExchange::new([1.0, 2.0, 4.0], at));
    });
}
