//! Resampling, importance sampling and particle filters: against what is exact, within what chance
//! allows.

use probpipe::inference::smc::{
    Filtered, ImportanceSampling, ParticleFilter, Resampling, StateSpace, effective_sample_size,
};
use probpipe::inference::{Guided, Posterior, Target};
use probpipe::prelude::*;
use probpipe::{Categorical, Gamma, HiddenMarkovModel, LinearGaussianSSM, Poisson};
use probpipe_testing::says;
use probpipe_testing::statistics::mean_and_error;

const ALL: [Resampling; 4] =
    [Resampling::Multinomial, Resampling::Systematic, Resampling::Stratified, Resampling::Residual];

fn numbers(x: &Array) -> Vec<f64> {
    x.cast(DType::F64).to_vec::<f64>().unwrap()
}

fn number(x: &Array) -> f64 {
    x.cast(DType::F64).item::<f64>().unwrap()
}

/// How often each of the particles was taken, `[runs, n]`.
fn counts(by: Resampling, log_weights: &Array, m: usize, runs: usize) -> Array {
    let n = log_weights.size();
    let w = log_weights.clone();
    let count =
        jit(vmap(move |key: Key| probpipe::bincount(&by.ancestors(key, &w, m).ancestors, n)));
    count(Key::new(7).split_batch(runs))
}

#[test]
fn shares_are_right_on_average() {
    let w = array([0.1, 0.0, 0.25, 0.05, 0.6, 0.0]);
    for by in ALL {
        for m in [1, 4, 6, 13] {
            let runs = 4000;
            let counts = counts(by, &w.log(), m, runs).cast(DType::F64);
            assert_eq!(number(&counts.sum_axes([1]).ne(m as f64).any().cast(DType::I32)), 0.0);
            let means = numbers(&counts.mean_axes([0]));
            for (i, (mean, w)) in means.iter().zip(numbers(&w)).enumerate() {
                let share = m as f64 * w;
                let error = 4.5 * (share.max(0.01) * 1.0 / runs as f64).sqrt();
                assert!((mean - share).abs() <= error, "{by:?} {m} at {i}: {mean} for {share}");
                assert!(w > 0.0 || *mean == 0.0, "{by:?} takes a particle of no weight");
            }
        }
    }
}

#[test]
fn rounding_is_all_that_chance_does_in_combs() {
    let w = array([0.13, 0.07, 0.31, 0.02, 0.47]);
    let shares: Vec<f64> = numbers(&w).iter().map(|w| 7.0 * w).collect();
    for by in [Resampling::Systematic, Resampling::Residual] {
        let counts = numbers(&counts(by, &w.log(), 7, 300));
        for (i, count) in counts.iter().enumerate() {
            let share = shares[i % 5];
            assert!(*count >= share.floor(), "{by:?}: {count} for {share}");
            assert!(by == Resampling::Residual || *count <= share.ceil());
        }
    }
}

#[test]
fn many_particles_are_told_apart() {
    let n = 1 << 17;
    let w = normal(Key::new(5), [n]) * 2.0;
    let shares = numbers(&(w.cast(DType::F64).softmax(0) * n as f64));
    for (by, most) in [(Resampling::Systematic, 1.0), (Resampling::Stratified, 2.0)] {
        let counts = numbers(&counts(by, &w, n, 1));
        let off = counts.iter().zip(&shares).map(|(c, s)| (c - s).abs()).fold(0.0, f64::max);
        assert!(off < most + 0.05, "{by:?} is off by {off}");
    }
}

#[test]
fn equal_weights_are_exact() {
    for n in [1, 2, 7, 1000, 5000] {
        for level in [0.0, -1e4, 3.7] {
            let w = full([n], level);
            let stays: Vec<i32> = (0..n as i32).collect();
            for by in [Resampling::Systematic, Resampling::Stratified, Resampling::Residual] {
                for seed in 0..5 {
                    let taken = by.ancestors(Key::new(seed), &w, n);
                    assert_eq!(taken.ancestors.to_vec::<i32>().unwrap(), stays, "{by:?} {n}");
                }
            }
            assert_eq!(effective_sample_size(&w).item::<f32>().unwrap(), n as f32);
        }
    }
}

#[test]
fn particles_of_no_weight_are_never_taken() {
    // Between, before and behind others, of weights that differ much.
    let none = f32::NEG_INFINITY;
    let w = array([none, -80.0, none, none, 0.0, -1e-3, none, -16.0, none]);
    let n = 9;
    for by in ALL {
        let counts = numbers(&counts(by, &w, 4096, 50));
        for (i, count) in counts.iter().enumerate() {
            let taken = [4, 5, 7].contains(&(i % n));
            assert!(taken || *count == 0.0, "{by:?} takes {}", i % n);
        }
        // One that is alone.
        let alone = select(&arange(n).eq(7), 0.0, none);
        let taken = jit(|key| by.ancestors(key, &alone, 5).ancestors)(Key::new(1));
        assert_eq!(taken.to_vec::<i32>().unwrap(), [7; 5]);
    }
}

#[test]
fn weights_without_a_sum_are_told() {
    let (none, nan, most) = (f32::NEG_INFINITY, f32::NAN, f32::INFINITY);
    for w in [[none, none, none], [0.0, nan, 0.0], [0.0, most, 0.0]] {
        for by in ALL {
            let run = |w: Array| by.ancestors(Key::new(0), &w, 4);
            for taken in [run(array(w)), jit(run)(array(w))] {
                assert!(!taken.sound.item::<bool>().unwrap());
                assert_eq!(taken.ancestors.to_vec::<i32>().unwrap(), [0, 1, 2, 0]);
            }
        }
    }
    assert_eq!(effective_sample_size(&array([none, none])).item::<f32>().unwrap(), 0.0);
    assert!(effective_sample_size(&array([0.0, nan])).item::<f32>().unwrap().is_nan());
    let wrong = Resampling::Systematic.ancestors(Key::new(0), &zeros([2, 2]), 3).ancestors;
    says(wrong.checked().unwrap_err(), &["3 particles cannot be taken by log weights"]);
}

#[test]
fn importance_sampling_finds_the_evidence() {
    let model = generative(|t: &mut Choices| {
        let rate = t.sample("rate", Gamma::new(2.0, 1.0));
        t.call("y", Poisson::new(rate).repeat(3), ())
    });
    let observed = ChoiceMap::new([("y", array([2, 4, 3]))]);
    // Gamma(2 + 9, 1 + 3) is the posterior; the evidence is a ratio of constants.
    let factorials = 2f64 * 24.0 * 6.0;
    let evidence = 3_628_800f64.ln() - 11.0 * 4f64.ln() - factorials.ln();
    let sampling = ImportanceSampling::new(20_000);
    let target = Target::of(model, (), &observed).unwrap();
    let proposal = Normal::new(array([2.5f64.ln()]), array([0.5]));
    let guide =
        generative(|t: &mut Choices, shape: Array| t.sample("rate", Gamma::new(shape, 4.0)));
    let by_target = jit(|key| sampling.sample(key, &target, &proposal).unwrap())(Key::new(0));
    let guided = Guided::new(model, (), observed.clone(), guide);
    let by_guide = jit(|key| sampling.guided(key, &guided, 10.0))(Key::new(1));
    let by_prior = jit(|key| sampling.prior(key, &model, (), &observed))(Key::new(2));
    for w in [by_target, by_guide, by_prior] {
        let (error, n) = (number(&w.evidence_error()), number(&w.effective_sample_size()));
        assert!(error < 0.02 && n > 1000.0, "{error} {n}");
        assert!((number(&w.log_evidence()) - evidence).abs() < 4.0 * error);
        // Mean 11/4, variance 11/16.
        let off = number(&w.means()["rate"]) - 2.75;
        assert!(off.abs() < 4.0 * (0.6875 / n).sqrt(), "{off}");
        let (draws, taken) = w.resample(Key::new(3), 2000, Resampling::Systematic);
        assert!(taken.sound.item::<bool>().unwrap());
        assert!((number(&draws["rate"].mean()) - 2.75).abs() < 5.0 * (0.6875 / 1000f64).sqrt());
        let spread = number(&w.mean(|at: ChoiceMap| (&at["rate"] - 2.75).square()));
        assert!((spread - 0.6875).abs() < 0.1, "{spread}");
    }
}

#[test]
fn guides_that_are_exact_have_no_error() {
    let model = generative(|t: &mut Choices| {
        let mean = t.sample("mean", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(mean, 1.0))
    });
    let guide =
        generative(|t: &mut Choices, at: Array| t.sample("mean", Normal::new(at, 0.5f64.sqrt())));
    let seen = ChoiceMap::new([("y", 2.0)]);
    let guided = Guided::new(model, (), seen, guide);
    let w = ImportanceSampling::new(64).guided(Key::new(0), &guided, 1.0);
    let evidence = number(&Normal::new(0.0, 2f64.sqrt()).log_prob(&array(2.0)));
    assert!((number(&w.log_evidence()) - evidence).abs() < 1e-5);
    assert!(number(&w.evidence_error()) < 1e-3);
}

/// A plane that turns, seen along one axis.
fn turning(
    steps: usize,
) -> (LinearGaussianSSM, StateSpace<Array, Array>, StateSpace<Array, Array>) {
    let f = array([[0.9, 0.3], [-0.3, 0.9]]);
    let h = array([[1.0, 0.5]]);
    let (q, r) = ([0.5, 0.3], 0.6);
    let normal = |scale: [f64; 2]| MultivariateNormal::diagonal([0.0, 0.0], scale);
    let exact = LinearGaussianSSM::new(
        steps,
        f.clone(),
        normal(q),
        h.clone(),
        MultivariateNormal::diagonal([0.0], [r]),
        normal([1.0, 1.0]),
    );
    let seen = move |x: Array, y: Array| Normal::new(h.dot(&x), r).log_prob(&y).sum();
    let to = f.clone();
    let bootstrap = StateSpace::new(
        move |key| normal([1.0, 1.0]).sample(key, ()),
        move |key, x: Array| to.dot(&x) + normal(q).sample(key, ()),
        seen,
    );
    // The best proposal: the state given the one before and the observation, by conditioning.
    let best = move |key: Key, mean: Array, scale: [f64; 2], y: Array| {
        let p = eye(2) * array(scale).square();
        let h = array([1.0, 0.5]);
        let s = h.dot(&p.dot(&h)) + r * r;
        let gain = p.dot(&h) / &s;
        let apart = y.at(0) - h.dot(&mean);
        let covariance = &p - gain.expand_dims(1) * gain.expand_dims(0) * &s;
        let x = MultivariateNormal::new(mean + gain * &apart, covariance).sample(key, ());
        (x, Normal::new(0.0, s.sqrt()).log_prob(&apart))
    };
    let guided = StateSpace::guided(
        move |key, y| best(key, zeros([2]), [1.0, 1.0], y),
        move |key, x: Array, y| best(key, f.dot(&x), q, y),
    );
    (exact, bootstrap, guided)
}

/// The means of all states of the turning plane given all observations: the mode of their density,
/// a Newton step from anywhere.
fn smoothed(ys: &Array) -> Array {
    let (ys, steps) = (ys.clone(), ys.shape()[0]);
    let f = array([[0.9, 0.3], [-0.3, 0.9]]);
    let density = move |x: Array| {
        let x = x.reshape([steps, 2]);
        let moved = x.slice_axis(0, 0..steps - 1).matmul(&f.transpose());
        let first = Normal::new(0.0, 1.0).log_prob(&x.at(0)).sum();
        let noise = x.slice_axis(0, 1..steps) - moved;
        let moves = Normal::new(0.0, array([0.5, 0.3])).log_prob(&noise).sum();
        let seen = x.matmul(&array([[1.0], [0.5]]));
        first + moves + Normal::new(seen, 0.6).log_prob(&ys).sum()
    };
    let start = zeros([2 * steps]);
    let step = hessian(&density)(start.clone()).solve(&grad(&density)(start));
    (-step).reshape([steps, 2])
}

/// Log-likelihoods, filtered means and smoothed means of runs by many keys.
fn repeated(
    filter: ParticleFilter,
    model: &StateSpace<Array, Array>,
    ys: &Array,
    runs: usize,
) -> (Vec<f64>, Array, Array) {
    let (model, ys) = (model.clone(), ys.clone());
    let run = move |key: Key| {
        let run: Filtered<Array> = filter.run(key, &model, ys.clone());
        (run.log_likelihood(), run.means(), run.smoothed_means())
    };
    let (log, means, smoothed) = jit(vmap(run))(Key::new(11).split_batch(runs));
    (numbers(&log), means, smoothed)
}

/// Estimates of which the exponential has no bias, against the right value: within 4 standard
/// errors. Gives the variance of the logarithm.
fn without_bias(log: &[f64], exact: f64) -> f64 {
    let ratios: Vec<f64> = log.iter().map(|l| (l - exact).exp()).collect();
    let (mean, error) = mean_and_error(&ratios);
    assert!(error < 0.2 && (mean - 1.0).abs() < 4.0 * error, "{mean} with error {error}");
    let (_, error) = mean_and_error(log);
    error.powi(2) * log.len() as f64
}

fn means_agree(means: &Array, exact: &Array, bias: f64) {
    let runs = means.shape()[0] as f64;
    let error = (means.var_axes([0], 1) / runs).sqrt();
    let off = (means.mean_axes([0]) - exact).abs() - error * 4.5 - bias;
    assert!(number(&off.max()) < 0.0, "off by {off} more than chance");
}

#[test]
fn filters_agree_with_kalmans() {
    with_default_float(DType::F64, || {
        let steps = 12;
        let (exact, bootstrap, guided) = turning(steps);
        let ys = exact.sample(Key::new(5), ());
        let log = number(&exact.log_prob(&ys));
        let filtered = exact.filter(&ys).means;
        let smoothed = smoothed(&ys);
        let filter = ParticleFilter::new(256);
        let mut variances = Vec::new();
        for (filter, model) in [
            (filter, &bootstrap),
            (filter, &guided),
            (filter.threshold(1.0), &bootstrap),
            (filter.threshold(1.0).resampling(Resampling::Multinomial), &bootstrap),
            (filter.resampling(Resampling::Residual), &bootstrap),
            (filter.resampling(Resampling::Stratified), &guided),
        ] {
            let (logs, means, lineages) = repeated(filter, model, &ys, 400);
            variances.push(without_bias(&logs, log));
            // Ratios of estimates have a bias of the order of 1/n.
            means_agree(&means, &filtered, 0.02);
            means_agree(&lineages, &smoothed, 0.03);
        }
        assert!(variances[1] < 0.5 * variances[0], "a guide helps: {variances:?}");
        assert!(variances[2] < 0.9 * variances[3], "systematic varies less: {variances:?}");
    });
}

#[test]
fn filters_agree_with_the_forward_algorithm() {
    let moves = array([[0.85, 0.1, 0.05], [0.2, 0.7, 0.1], [0.0, 0.3, 0.7]]);
    let first = array([0.5, 0.3, 0.2]);
    let levels = array([-1.0, 0.5, 2.0]);
    let exact = HiddenMarkovModel::new(
        first.clone(),
        moves.clone(),
        Normal::new(levels.clone(), full([3], 0.7)),
        15,
    );
    let ys = exact.sample(Key::new(2), ());
    let step = generative(move |t: &mut Choices, (z, begun): (Array, Array)| {
        let row = select(&begun, moves.take(&z, 0), &first);
        let z = t.sample("z", Categorical::new(row));
        t.sample("y", Normal::new(levels.take(&z, 0), 0.7));
        (z, ones_like(&begun))
    });
    let model = StateSpace::of(step, (array(0), array(false)));
    let seen = ChoiceMap::new([("y", ys.clone())]);
    let filter = ParticleFilter::new(300);
    let share = move |key: Key| {
        let run = filter.run(key, &model, seen.clone());
        let in_last = run.states.0.eq(2).cast(DType::F32);
        (run.log_likelihood(), (in_last * run.log_weights.exp()).sum_axes([1]))
    };
    let (logs, shares) = jit(vmap(share))(Key::new(3).split_batch(300));
    without_bias(&numbers(&logs), number(&exact.log_prob(&ys)));
    means_agree(&shares, &exact.filtered_marginals(&ys).slice_axis(1, 2..3).squeeze(1), 0.01);
}

#[test]
fn lineages_are_those_of_the_ancestors() {
    let model = StateSpace::new(
        |key| Normal::new(0.0, 1.0).sample(key, ()),
        |key, x: Array| Normal::new(x, 1.0).sample(key, ()),
        |x: Array, y: Array| Normal::new(x, 0.3).log_prob(&y),
    );
    let (t, n) = (6, 20);
    let ys = linspace(0.0, 2.0, t);
    let run = ParticleFilter::new(n).run(Key::new(4), &model, ys);
    let ancestors = run.ancestors.to_vec::<i32>().unwrap();
    let states = run.states.to_vec::<f32>().unwrap();
    let ways = run.trajectories().to_vec::<f32>().unwrap();
    assert!(run.resampled.any().item::<bool>().unwrap());
    let again = jit(|key| ParticleFilter::new(n).run(key, &model, linspace(0.0, 2.0, t)));
    let again = again(Key::new(4));
    assert_eq!(again.ancestors.to_vec::<i32>().unwrap(), ancestors);
    let off = number(&(again.log_likelihood() - run.log_likelihood()).abs());
    assert!(off < 1e-4, "compiled off by {off}");
    for last in 0..n {
        let mut at = last;
        for step in (0..t).rev() {
            assert_eq!(ways[step * n + last], states[step * n + at]);
            at = ancestors[step * n + at] as usize;
        }
    }
    let one = run.trajectory(Key::new(9)).to_vec::<f32>().unwrap();
    let same = |last: usize| (0..t).all(|step| one[step] == ways[step * n + last]);
    assert!((0..n).any(same));
}

#[test]
fn filters_that_lose_all_particles_say_so() {
    let model = StateSpace::new(
        |key| Uniform::new(0.0, 1.0).sample(key, ()),
        |key, x: Array| x + Uniform::new(0.0, 1.0).sample(key, ()),
        |x: Array, y: Array| Uniform::new(&x - 0.5, x + 0.5).log_prob(&y),
    );
    let ys = array([0.5, 9.0, 9.5]);
    let run = jit(|key| ParticleFilter::new(50).run(key, &model, ys.clone()))(Key::new(0));
    assert_eq!(run.sound.to_vec::<bool>().unwrap(), [true, false, false]);
    assert_eq!(run.log_likelihood().item::<f32>().unwrap(), f32::NEG_INFINITY);
    let means = run.means().to_vec::<f32>().unwrap();
    assert!(means[0].is_finite() && means[1].is_nan() && means[2].is_nan());
    assert!(run.trajectory(Key::new(0)).is_nan().all().item::<bool>().unwrap());
    assert!(run.smoothed_means().is_nan().all().item::<bool>().unwrap());

    let none = ParticleFilter::new(50).run(Key::new(0), &model, array(1.0));
    says(none.log_likelihood().checked().unwrap_err(), &["observations of a filter are given as"]);
    // One log-density for each of several observations is not one number.
    let several = StateSpace::new(
        |key| Normal::new(0.0, 1.0).sample(key, ()),
        |_, x: Array| x,
        |x: Array, y: Array| Normal::new(x, 1.0).log_prob(&y),
    );
    let wrong = ParticleFilter::new(3).run(Key::new(0), &several, zeros([2, 3]));
    says(
        wrong.log_likelihood().checked().unwrap_err(),
        &["the log weights of 3 particles are f32[3,3]"],
    );
}

#[test]
fn posteriors_come_in_two_parts() {
    with_default_float(DType::F64, || {
        // The scale of the second choice is observed: draws know it.
        let model = generative(|t: &mut Choices| {
            let a = t.sample("a", Gamma::new(3.0, 1.0));
            let s = t.sample("s", Gamma::new(&a, 1.0));
            let b = t.sample("b", Normal::new(a, &s));
            t.sample("y", Normal::new(b, 0.5))
        });
        let seen = ChoiceMap::new([("s", 0.01), ("y", 1.0)]);
        let posterior = Posterior::of(model, (), &seen).unwrap();
        let z = array([0.4, 1.3]);
        let (prior, likelihood) = posterior.parts(&z);
        let at = posterior.target().constrain(&z).unwrap();
        let by_hand = Gamma::new(&at["a"], 1.0).log_prob(&array(0.01))
            + Normal::new(&at["b"], 0.5).log_prob(&array(1.0));
        assert!((number(&likelihood) - number(&by_hand)).abs() < 1e-12);
        let both = number(&posterior.target().log_density(&z));
        assert!((number(&prior) + number(&likelihood) - both).abs() < 1e-12);
        assert_eq!(number(&posterior.tempered(&z, &array(0.0))), number(&prior));
        let draws = jit(vmap(|key: Key| posterior.draw(key)))(Key::new(0).split_batch(500));
        let values = posterior.target().constrain_each(&draws).unwrap();
        assert!(number(&(&values["a"] - &values["b"]).abs().max()) < 0.1);
        assert!((number(&values["a"].mean()) - 3.0).abs() < 4.5 * (3.0 / 500f64).sqrt());
    });
}
