//! Particles from prior to posterior, by tempering and by nested sampling: evidences and moments
//! that are known, and ranks of what was drawn from the prior.

use probpipe::inference::Posterior;
use probpipe::inference::mcmc::{Hmc, Kernel, RandomWalk, Slice};
use probpipe::inference::smc::{Cloud, Ladder, Mutation, NestedSampling, Resampling, Tempered};
use probpipe::prelude::*;
use probpipe::random::{ChoiceOptions, choice_with};
use probpipe::{Gamma, GenerativeFunction, Poisson};
use probpipe_testing::says;
use probpipe_testing::statistics::{chi_square, mean_and_error};

fn numbers(x: &Array) -> Vec<f64> {
    x.cast(DType::F64).to_vec::<f64>().unwrap()
}

fn number(x: &Array) -> f64 {
    x.cast(DType::F64).item::<f64>().unwrap()
}

/// Normal numbers that are seen with noise: posterior, logarithm of the evidence, mean and variance
/// of each number.
fn seen_with_noise(n: usize) -> (Posterior<Array>, f64, Array, f64) {
    let y = linspace(-4.0, 5.0, n);
    let seen = y.clone();
    let density = move |z: Array| Normal::new(z, 0.5).log_prob(&seen).sum();
    let posterior = Posterior::new(Normal::new(zeros([n]), 3.0), density).unwrap();
    let evidence = number(&Normal::new(0.0, 9.25f64.sqrt()).log_prob(&y).sum());
    let precision = 1.0 / 9.0 + 4.0;
    (posterior, evidence, y * (4.0 / precision), 1.0 / precision)
}

fn walk(cloud: &Cloud) -> RandomWalk {
    RandomWalk::new(2.4 / (cloud.size() as f64).sqrt()).metric(cloud.metric())
}

fn slice(cloud: &Cloud) -> Slice {
    Slice::new(2.5).metric(cloud.metric())
}

/// Evidence and moments over many runs: within 4 standard errors, and a share of them for what a
/// ladder that looks at the particles adds.
fn agrees<K: Kernel, F: Fn(&Cloud) -> K>(smc: &Tempered<F>, runs: usize) {
    with_default_float(DType::F64, || {
        let (posterior, evidence, mean, variance) = seen_with_noise(3);
        let run = |key: Key| {
            let run = smc.run(key, &posterior).unwrap();
            let spread = (&run.values - &mean).square().mean_axes([0]);
            (run.log_evidence, run.values.mean_axes([0]), spread, run.finished, run.steps)
        };
        let (logs, means, spreads, finished, steps) = jit(vmap(run))(Key::new(1).split_batch(runs));
        assert!(finished.all().item::<bool>().unwrap(), "{steps}");
        let ratios: Vec<f64> = numbers(&logs).iter().map(|l| (l - evidence).exp()).collect();
        let (ratio, error) = mean_and_error(&ratios);
        assert!(error < 0.1 && (ratio - 1.0).abs() < 4.0 * error, "{ratio} with error {error}");
        for (i, exact) in numbers(&mean).into_iter().enumerate() {
            let of = |x: &Array| mean_and_error(&numbers(&x.index((.., i as isize))));
            let (found, error) = of(&means);
            assert!(error < 0.03 && (found - exact).abs() < 4.0 * error, "{found} for {exact}");
            let (found, error) = of(&spreads);
            let off = (found - variance).abs();
            assert!(error < 0.03 && off < 4.0 * error + 0.005, "{found} for {variance}");
        }
    });
}

#[test]
fn adaptive_ladders_find_the_evidence() {
    agrees(&Tempered::new(256, walk), 60);
}

#[test]
fn fixed_ladders_find_the_evidence() {
    let powers = (1..=12).map(|i| (f64::from(i) / 12.0).powi(3)).collect();
    agrees(&Tempered::new(256, walk).ladder(Ladder::Fixed(powers)), 60);
}

#[test]
fn gradients_move_particles() {
    let hmc = |cloud: &Cloud| Hmc::new(0.4, 4).metric(cloud.metric());
    agrees(&Tempered::new(128, hmc).mutation(Mutation::Steps(2)), 60);
}

#[test]
fn slices_move_particles() {
    let smc = Tempered::new(128, slice).resampling(Resampling::Residual);
    agrees(&smc.mutation(Mutation::Steps(4)), 60);
}

#[test]
fn chains_without_waste_find_the_evidence() {
    let smc = Tempered::new(512, walk).mutation(Mutation::WasteFree(16));
    agrees(&smc.resampling(Resampling::Multinomial).ladder(Ladder::adaptive(0.7)), 60);
}

#[test]
fn models_with_supports_are_tempered() {
    let model = generative(|t: &mut Choices| {
        let rate = t.sample("rate", Gamma::new(2.0, 1.0));
        t.call("y", Poisson::new(rate).repeat(3), ())
    });
    let seen = ChoiceMap::new([("y", array([2, 4, 3]))]);
    let posterior = Posterior::of(model, (), &seen).unwrap();
    let smc = Tempered::new(500, walk);
    let run = jit(vmap(|key| smc.run(key, &posterior).unwrap()))(Key::new(0).split_batch(40));
    let exact = 3_628_800f64.ln() - 11.0 * 4f64.ln() - (2f64 * 24.0 * 6.0).ln();
    let (log, error) = mean_and_error(&numbers(&run.log_evidence));
    assert!(error < 0.02 && (log - exact).abs() < 4.0 * error + 0.005, "{log} for {exact}");
    let rates = numbers(&run.values["rate"].mean_axes([1]));
    let (mean, error) = mean_and_error(&rates);
    assert!((mean - 2.75).abs() < 4.0 * error + 0.01, "{mean} with error {error}");
}

#[test]
fn likelihoods_of_zero_take_particles_away() {
    let prior = || Normal::new(zeros([1]), 1.0);
    let half = |z: Array| select(&z.at(0).gt(0.5), 0.0, f64::NEG_INFINITY);
    let posterior = Posterior::new(prior(), half).unwrap();
    let smc = Tempered::new(4000, walk);
    let run = jit(|key| smc.run(key, &posterior).unwrap())(Key::new(0));
    assert!(run.finished.item::<bool>().unwrap());
    assert_eq!(run.steps.item::<i32>().unwrap(), 1);
    let share = number(&run.log_evidence).exp();
    assert!((share - 0.30854).abs() < 4.0 * (0.3085f64 * 0.6915 / 4000.0).sqrt(), "{share}");
    assert!(run.values.gt(0.5).all().item::<bool>().unwrap());

    // None is left, or none can be weighed.
    for (value, log) in [(f64::NEG_INFINITY, f32::NEG_INFINITY), (f64::NAN, f32::NAN)] {
        let posterior = Posterior::new(prior(), move |z: Array| z.at(0) * 0.0 + value).unwrap();
        let run = jit(|key| smc.run(key, &posterior).unwrap())(Key::new(0));
        assert!(!run.finished.item::<bool>().unwrap());
        let found = run.log_evidence.item::<f32>().unwrap();
        assert!(found == log || found.is_nan() && log.is_nan(), "{found} for {log}");
    }
}

#[test]
fn ladders_that_are_too_short_are_told() {
    let (posterior, ..) = seen_with_noise(3);
    let short = Ladder::Adaptive { ess: 0.9, max_steps: 4 };
    let smc = Tempered::new(100, walk).ladder(short);
    let run = smc.run(Key::new(0), &posterior).unwrap();
    assert!(!run.finished.item::<bool>().unwrap());
    assert!(run.log_evidence.item::<f32>().unwrap().is_nan());
    assert!(number(&run.powers.at(3)) < 1.0);

    let fault = |smc: Tempered<fn(&Cloud) -> RandomWalk>| {
        smc.run(Key::new(0), &posterior).map(|_| ()).unwrap_err()
    };
    let smc = |n: usize| Tempered::new(n, walk as fn(&Cloud) -> RandomWalk);
    for powers in [vec![], vec![0.0, 1.0], vec![0.5, 0.4, 1.0], vec![0.5], vec![f64::NAN, 1.0]] {
        says(fault(smc(100).ladder(Ladder::Fixed(powers))), &["do not rise from above 0 to 1"]);
    }
    says(fault(smc(100).ladder(Ladder::adaptive(1.0))), &["cannot keep 1 in 200 steps"]);
    says(fault(smc(1)), &["1 particles have no spread"]);
    let chains = smc(100).mutation(Mutation::WasteFree(7));
    says(fault(chains), &["100 particles are not the states of chains of 7"]);
}

/// Ranks of values of the prior among draws given what was observed with them must be uniform (S.
/// Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration",
/// 2018).
fn calibrated(rank: impl Fn(Key) -> Array, replications: usize) {
    let ranks = numbers(&jit(vmap(rank))(Key::new(21).split_batch(replications)));
    let mut counts = [0u64; 20];
    ranks.iter().for_each(|&rank| counts[rank as usize] += 1);
    chi_square(&counts, &[replications as f64 / 20.0; 20], 0).accept("ranks", 1e-3);
}

/// The rank of a value among 19 of the particles.
fn rank(key: Key, value: &Array, particles: &Array) -> Array {
    let few = choice_with(key, [19], particles, ChoiceOptions::default().without_replacement());
    few.lt(value).cast(DType::I32).sum()
}

/// The rank of a latent choice among the particles that stand for its posterior, given the data `y`
/// that came with it.
fn rank_of<K: Kernel, F: Fn(&Cloud) -> K>(
    key: Key,
    model: impl GenerativeFunction<Args = ()> + Clone + 'static,
    latent: &str,
    smc: &Tempered<F>,
) -> Array {
    let [for_data, for_run, for_rank] = key.split_array();
    let all = model.simulate(for_data, ()).choices();
    let seen = all.filter(&addresses(["y"]));
    let posterior = Posterior::of(model, (), &seen).unwrap();
    let run = smc.run(for_run, &posterior).unwrap();
    rank(for_rank, &all[latent], &run.values[latent])
}

#[test]
fn normal_means_are_calibrated() {
    let model = generative(|t: &mut Choices| {
        let mean = t.sample("mean", Normal::new(1.0, 2.0));
        t.call("y", Normal::new(mean, 1.5).repeat(4), ())
    });
    let smc = Tempered::new(190, walk);
    calibrated(|key: Key| rank_of(key, model, "mean", &smc), 2000);
}

#[test]
fn rates_are_calibrated() {
    let model = generative(|t: &mut Choices| {
        let rate = t.sample("rate", Gamma::new(1.5, 0.4));
        t.call("y", Poisson::new(rate).repeat(3), ())
    });
    let smc = Tempered::new(192, walk).mutation(Mutation::WasteFree(6));
    calibrated(|key: Key| rank_of(key, model, "rate", &smc), 2000);
}

/// Evidences of runs by several keys, in units of the errors that the runs tell: their mean is that
/// of chance, and so is their spread.
fn nested_agrees<K: Kernel, F: Fn(&Cloud) -> K>(
    nested: &NestedSampling<F>,
    posterior: &Posterior<Array>,
    exact: f64,
) -> Vec<(Array, Array)> {
    let run = jit(|key| {
        let run = nested.run(key, posterior).unwrap();
        (run.log_evidence, run.evidence_error, run.finished, run.samples)
    });
    let (mut offs, mut samples) = (Vec::new(), Vec::new());
    for key in Key::new(3).split_n(16) {
        let (log, error, finished, all) = run(key);
        assert!(finished.item::<bool>().unwrap());
        offs.push((number(&log) - exact) / number(&error));
        samples.push((all.values.clone(), all.weights()));
    }
    // Four standard errors of 16.
    let (mean, _) = mean_and_error(&offs);
    assert!(mean.abs() < 1.0, "evidences are off by {mean} errors: {offs:?}");
    let squares: f64 = offs.iter().map(|x| x * x).sum();
    // Chi-square with 16 degrees of freedom, one in 10,000 on both sides.
    assert!((3.0..46.0).contains(&squares), "errors are not those of chance: {offs:?}");
    samples
}

#[test]
fn nested_sampling_finds_the_evidence_in_five_dimensions() {
    with_default_float(DType::F64, || {
        let prior = Uniform::new(full([5], -5.0), full([5], 5.0));
        let density = |z: Array| Normal::new(0.3, 0.5).log_prob(&z).sum();
        let posterior = Posterior::new(prior, density).unwrap();
        let nested = NestedSampling { max_rounds: 400, ..NestedSampling::new(200, slice) };
        for (z, w) in nested_agrees(&nested.steps(15), &posterior, -5.0 * 10f64.ln()) {
            let w = w.expand_dims(1);
            let mean = (&z * &w).sum_axes([0]);
            let variance = ((z - &mean).square() * w).sum_axes([0]);
            assert!(number(&(mean - 0.3).abs().max()) < 0.12);
            assert!(number(&(variance - 0.25).abs().max()) < 0.12);
        }
    });
}

#[test]
fn nested_sampling_finds_the_evidence_below_a_normal_prior() {
    with_default_float(DType::F64, || {
        let (posterior, evidence, ..) = seen_with_noise(5);
        let nested = NestedSampling { max_rounds: 500, ..NestedSampling::new(200, walk) };
        nested_agrees(&nested.steps(40), &posterior, evidence);
    });
}

#[test]
fn nested_sampling_keeps_two_modes() {
    with_default_float(DType::F64, || {
        let prior = Uniform::new(full([2], -10.0), full([2], 10.0));
        let density = |z: Array| {
            let mode = |at: f64| Normal::new(at, 0.4).log_prob(&z).sum();
            (mode(-3.0) + 0.7f64.ln()).logaddexp(mode(4.0) + 0.3f64.ln())
        };
        let posterior = Posterior::new(prior, density).unwrap();
        let nested = NestedSampling { max_rounds: 400, ..NestedSampling::new(400, slice) };
        let samples = nested_agrees(&nested, &posterior, -2.0 * 20f64.ln());
        let shares = samples.iter().map(|(z, w)| {
            let left = z.index((.., 0)).lt(0.0).cast(DType::F64);
            number(&(left * w).sum())
        });
        let (share, error) = mean_and_error(&shares.collect::<Vec<f64>>());
        assert!(error < 0.05 && (share - 0.7).abs() < 4.0 * error, "{share} with error {error}");
    });
}

#[test]
fn volumes_without_likelihood_are_left_out() {
    with_default_float(DType::F64, || {
        let prior = Uniform::new(full([2], -1.0), full([2], 1.0));
        let density = |z: Array| {
            let inside = Normal::new(0.0, 0.2).log_prob(&z).sum();
            select(&(z.at(0).gt(0.0) & z.at(1).gt(-0.1)), inside, f64::NEG_INFINITY)
        };
        let posterior = Posterior::new(prior, density).unwrap();
        let above: f64 = number(&Normal::new(0.0, 1.0).cdf(&array(0.5)));
        let nested = NestedSampling { max_rounds: 300, ..NestedSampling::new(200, slice) };
        nested_agrees(&nested, &posterior, (0.25 * 0.5 * above).ln());

        let none = Posterior::new(Uniform::new(zeros([2]), ones([2])), |z: Array| {
            z.at(0) * 0.0 + f64::NEG_INFINITY
        });
        let run = nested.run(Key::new(0), &none.unwrap()).unwrap();
        assert!(!run.finished.item::<bool>().unwrap());
        assert_eq!(number(&run.log_evidence), f64::NEG_INFINITY);
    });
}

#[test]
fn plateaus_have_their_volumes() {
    let prior = || Uniform::new(zeros([1]), ones([1]));
    // In both types: few likelihoods differ in the one, and none in the other.
    for dtype in [DType::F32, DType::F64] {
        with_default_float(dtype, || {
            let steps = Posterior::new(prior(), |z: Array| (z.at(0) * 3.0).floor()).unwrap();
            let nested = NestedSampling { max_rounds: 200, ..NestedSampling::new(200, slice) };
            let exact = ((1.0 + 1f64.exp() + 2f64.exp()) / 3.0).ln();
            nested_agrees(&nested, &steps, exact);
        });
    }
}

#[test]
fn nested_sampling_says_when_it_did_not_finish() {
    let (posterior, ..) = seen_with_noise(2);
    let nested = NestedSampling { max_rounds: 20, ..NestedSampling::new(50, slice) };
    let run = jit(|key| nested.run(key, &posterior).unwrap())(Key::new(0));
    assert!(!run.finished.item::<bool>().unwrap());
    assert!(run.log_evidence.item::<f32>().unwrap().is_nan());
    assert!(run.samples.log_weights.is_nan().all().item::<bool>().unwrap());
    assert_eq!(number(&run.moved), 1.0);
    let still = NestedSampling::new(50, |_: &Cloud| RandomWalk::new(1e6)).steps(1);
    let run = jit(|key| still.run(key, &posterior).unwrap())(Key::new(0));
    assert_eq!(number(&run.moved), 0.0);
    let all = NestedSampling { replaced: 50, ..NestedSampling::new(50, slice) };
    let fault = all.run(Key::new(0), &posterior).map(|_| ()).unwrap_err();
    says(fault, &["50 of 50 live points cannot be replaced at a time"]);
}

#[test]
fn compiled_runs_are_those_of_the_interpreter() {
    with_default_float(DType::F64, || {
        let (posterior, ..) = seen_with_noise(2);
        let smc = Tempered::new(40, slice).mutation(Mutation::WasteFree(4));
        let run = |key| smc.run(key, &posterior).unwrap();
        let (a, b) = (run(Key::new(1)), jit(run)(Key::new(1)));
        assert!(number(&(a.log_evidence - b.log_evidence).abs()) < 1e-9);
        assert!(number(&(a.unconstrained - b.unconstrained).abs().max()) < 1e-6);
        let nested = NestedSampling { max_rounds: 150, ..NestedSampling::new(20, slice).steps(5) };
        let run = |key| nested.run(key, &posterior).unwrap();
        let (a, b) = (run(Key::new(2)), jit(run)(Key::new(2)));
        assert!(a.finished.item::<bool>().unwrap());
        assert!(number(&(a.log_evidence - b.log_evidence).abs()) < 1e-9);
    });
}

#[test]
fn priors_and_likelihoods_of_other_shapes_are_refused() {
    let wrong = |z: Array| Normal::new(z, 1.0).log_prob(&zeros([3]));
    let fault = Posterior::new(Normal::new(zeros([3]), 1.0), wrong).map(|_| ()).unwrap_err();
    says(fault, &["a log-likelihood is one number, not f32[3]"]);
    let fault = Posterior::new(Normal::new(0.0, 1.0), |z| z).map(|_| ()).unwrap_err();
    says(fault, &["the draws of a prior are vectors, not f32[]"]);
}
