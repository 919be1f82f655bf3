//! Variational inference on targets whose answers are known in closed form, and estimates whose
//! derivatives must be unbiased.

use probpipe::Categorical;
use probpipe::constraints::Constraint;
use probpipe::inference::Guided;
use probpipe::inference::vi::{Advi, Pathfinder, Svgd, laplace};
use probpipe::inference::{Draws, Target, expectation};
use probpipe::optimize::Lbfgs;
use probpipe::prelude::*;
use probpipe_testing::says;

fn double<const N: usize>(numbers: [f64; N]) -> Array {
    Array::from_slice(&numbers, [N])
}

#[track_caller]
fn near(have: &Array, want: &[f64], by: f64) {
    let have = have.cast(DType::F64).to_vec::<f64>().unwrap();
    assert_eq!(have.len(), want.len());
    for (h, w) in have.iter().zip(want) {
        assert!((h - w).abs() < by, "{have:?} instead of {want:?}");
    }
}

/// Regression with known noise: the posterior of the coefficients is normal.
struct Regression {
    target: Target<Array>,
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

fn regression() -> Regression {
    let n = 30;
    let x = normal(Key::new(5), [n, 3]).cast(DType::F64) * double([1.0, 2.0, 0.5]);
    let y = x.dot(double([0.5, -1.0, 2.0])) + normal(Key::new(6), [n]).cast(DType::F64);
    // Prior N(0, 4), noise 1.
    let precision = x.transpose().dot(&x) + eye(3).cast(DType::F64) / 4.0;
    let covariance = precision.inv();
    let mean = covariance.dot(x.transpose().dot(&y));
    let density = move |w: Array| {
        Normal::new(x.dot(&w), 1.0).log_prob(&y).sum() + Normal::new(0.0, 2.0).log_prob(&w).sum()
    };
    let target = Target::new(density, zeros([3]).cast(DType::F64)).unwrap();
    let numbers = |a: Array| a.to_vec::<f64>().unwrap();
    Regression { target, mean: numbers(mean), covariance: numbers(covariance) }
}

#[test]
fn normal_posteriors_are_recovered() {
    let Regression { target, mean, covariance } = regression();
    let (q, found) = jit(|start: Array| {
        laplace(&target.clone().starting_at(start), Lbfgs { tolerance: 1e-9, ..Lbfgs::default() })
    })(zeros([3]).cast(DType::F64));
    assert!(found.converged.item::<bool>().unwrap());
    near(&q.loc, &mean, 1e-8);
    near(&q.covariance().flatten(), &covariance, 1e-8);

    let fit = jit(|key: Key| Advi::full_rank().fit(key, &target))(Key::new(1));
    near(&fit.approximation.loc, &mean, 2e-3);
    near(&fit.approximation.covariance().flatten(), &covariance, 2e-3);
    let elbos = fit.elbos.to_vec::<f64>().unwrap();
    assert!(elbos[1999] > elbos[0]);

    // The mean field has the right mean, and the inverse of the diagonal of the precision.
    let fit = jit(|key: Key| Advi::mean_field().fit(key, &target))(Key::new(2));
    near(&fit.approximation.loc, &mean, 2e-2);
    let covariance = Array::from_slice(&covariance, [3, 3]);
    let precisions = covariance.inv().diagonal().recip().to_vec::<f64>().unwrap();
    near(&fit.approximation.covariance().diagonal(), &precisions, 2e-3);

    let q = jit(|key: Key| Pathfinder::default().fit(key, &target))(Key::new(3)).approximation;
    near(&q.loc, &mean, 1e-2);
    near(&q.covariance().flatten(), &covariance.to_vec::<f64>().unwrap(), 1e-2);

    let points = jit(|key: Key| Svgd { points: 100, ..Svgd::default() }.points(key, &target));
    let points = points(Key::new(4));
    near(&points.mean_axes([0]), &mean, 0.03);
    let spread = (&points - points.mean_axes([0])).square().mean_axes([0]);
    let ratio = spread / covariance.diagonal();
    assert!(
        (ratio.min().item::<f64>().unwrap() > 0.6) && (ratio.max().item::<f64>().unwrap() < 1.3)
    );
}

#[test]
fn constrained_values_have_their_volume() {
    // A Gamma(3, 2) in the real line: its mean is that of the gamma.
    let density = |at: Record| probpipe::Gamma::new(3.0, 2.0).log_prob(&at["rate"]).sum();
    let start = Record::new([("rate", double([1.0]))]);
    let target = Target::within(density, start.clone(), [("rate", Constraint::Positive)]).unwrap();
    let z = linspace(-8.0, 6.0, 4001).cast(DType::F64);
    let probs = jit(vmap(|z: Array| target.log_density(&z.reshape([1])).exp()))(z.clone());
    let step = 14.0 / 4000.0;
    near(&(probs.sum() * step), &[1.0], 1e-8);
    near(&((probs * z.exp()).sum() * step), &[1.5], 1e-6);
    let there = target.constrain(&double([0.3])).unwrap();
    near(&there["rate"], &[0.3f64.exp()], 1e-15);
    near(&target.unconstrain(&there).unwrap(), &[0.3], 1e-15);
    let fit = jit(|key: Key| Advi::mean_field().fit(key, &target))(Key::new(1)).approximation;
    let rates = fit.values(Key::new(2), 1000, &target).unwrap();
    assert_eq!(rates["rate"].shape(), [1000, 1]);
    assert!(rates["rate"].min().item::<f64>().unwrap() > 0.0);

    says(target.constrain_each(&zeros([3, 2])).unwrap_err(), &["a tree of 1 numbers"]);

    let outside = Record::new([("rate", double([-1.0]))]);
    let refused = Target::within(density, outside, [("rate", Constraint::Positive)]);
    says(refused.unwrap_err(), &["the start of `rate` is not positive"]);
    let refused = Target::within(density, start, [("rat", Constraint::Positive)]);
    says(refused.unwrap_err(), &["the record has no array `rat`", "it has rate"]);
}

/// The mean of many estimates of a derivative against the exact one.
#[track_caller]
fn unbiased(estimate: impl Fn(Key, Array) -> Array, at: f64, exact: f64) -> f64 {
    let n = 20_000;
    let slope = |key: Key| grad(|p: Array| estimate(key.reuse(), p))(array(at).cast(DType::F64));
    let all = jit(vmap(slope))(Key::new(11).split_batch(n)).to_vec::<f64>().unwrap();
    let mean = all.iter().sum::<f64>() / n as f64;
    let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    let error = (variance / n as f64).sqrt();
    assert!((mean - exact).abs() <= 4.0 * error + 1e-12, "{mean} instead of {exact}, {error}");
    variance
}

/// `E (b x - p)^2` for a flip b of probability p and x ~ N(p, 1) or N(2 p, 1) after it.
#[test]
fn gradients_of_expectations_are_unbiased() {
    let p = 0.3;
    // p (4 p^2 + 1 - 4 p^2 + p^2) + (1 - p) p^2 = p + p^2, for x ~ N(2 p, 1) where b = 1.
    let exact = 1.0 + 2.0 * p;
    let loss = |b: &Array, x: Array, p: &Array| (b * x - p).square();
    let x_of =
        |t: &mut Draws, b: &Array, p: &Array| t.reparameterised(Normal::new((1.0 + b) * p, 1.0));
    let flip = |p: &Array| Bernoulli::new(p);
    let typed = |b: Array| b.cast(DType::F64);
    let summed = expectation(|t: &mut Draws, p: Array| {
        let b = typed(t.enumerated(flip(&p)));
        let x = x_of(t, &b, &p);
        loss(&b, x, &p)
    });
    let scored = expectation(|t: &mut Draws, p: Array| {
        let b = typed(t.reinforce(flip(&p)));
        let x = x_of(t, &b, &p);
        loss(&b, x, &p)
    });
    let both_scored = expectation(|t: &mut Draws, p: Array| {
        let b = typed(t.reinforce(flip(&p)));
        let x = t.reinforce(Normal::new((1.0 + &b) * &p, 1.0));
        loss(&b, x, &p)
    });
    let with_baseline = expectation(|t: &mut Draws, p: Array| {
        let b = typed(t.reinforce(flip(&p)));
        let x = t.reinforce_with(Normal::new((1.0 + &b) * &p, 1.0), &p + p.square());
        loss(&b, x, &p)
    });
    let measured = expectation(|t: &mut Draws, p: Array| {
        let b = typed(t.measure_valued(flip(&p)));
        let x = x_of(t, &b, &p);
        loss(&b, x, &p)
    });
    let by_sum = unbiased(&summed, p, exact);
    let by_score = unbiased(&scored, p, exact);
    let by_scores = unbiased(&both_scored, p, exact);
    let by_baseline = unbiased(&with_baseline, p, exact);
    let by_measure = unbiased(&measured, p, exact);
    assert!(by_sum < by_score && by_measure < by_score, "{by_sum} {by_measure} {by_score}");
    assert!(by_score < by_scores && by_baseline < by_scores, "{by_baseline} {by_scores}");
}

/// Draws that depend on draws before them: a category, then a flip by it, and a second flip.
#[test]
fn discrete_draws_in_a_row() {
    let table = double([0.2, 0.5, 0.9]);
    let f = |k: &Array, b: &Array, c: &Array| (k + 1.0) * (b * 2.0 + c) - b * c * 3.0;
    // The exact mean, by hand over all values.
    let mean = |p: f64| {
        let probs = [p, (1.0 - p) / 2.0, (1.0 - p) / 2.0];
        let mut sum = 0.0;
        for (k, q) in [0.2, 0.5, 0.9].into_iter().enumerate() {
            let k1 = k as f64 + 1.0;
            for (b, pb) in [(0.0, 1.0 - q * p), (1.0, q * p)] {
                for (c, pc) in [(0.0, 1.0 - p * p), (1.0, p * p)] {
                    sum += probs[k] * pb * pc * (k1 * (b * 2.0 + c) - b * c * 3.0);
                }
            }
        }
        sum
    };
    let (at, h) = (0.4, 1e-6);
    let exact = (mean(at + h) - mean(at - h)) / (2.0 * h);
    let build = |first: u8, second: u8, third: u8| {
        let table = table.clone();
        expectation(move |t: &mut Draws, p: Array| {
            let half = (1.0 - &p) * 0.5;
            let k = Categorical::new(stack(&[p.clone(), half.clone(), half], 0));
            let k = if first == 0 { t.enumerated(k) } else { t.reinforce(k) };
            let q = table.take(&k, 0) * &p;
            let b = Bernoulli::new(&q);
            let b = match second {
                0 => t.enumerated(b),
                1 => t.reinforce(b),
                _ => t.measure_valued(b),
            };
            let c = Bernoulli::new(p.square());
            let c = match third {
                0 => t.enumerated(c),
                1 => t.reinforce(c),
                _ => t.measure_valued(c),
            };
            let [k, b, c] = [k, b, c].map(|x| x.cast(DType::F64));
            f(&k, &b, &c)
        })
    };
    let all = build(0, 0, 0);
    let value = all(Key::new(0), array(at).cast(DType::F64));
    near(&value, &[mean(at)], 1e-12);
    near(&grad(|p| all(Key::new(0), p))(array(at).cast(DType::F64)), &[exact], 1e-8);
    for (first, second, third) in [(1, 1, 1), (0, 2, 0), (1, 2, 2), (0, 1, 2)] {
        unbiased(build(first, second, third), at, exact);
    }
}

#[test]
fn guides_are_generative_functions() {
    let model = generative(|t: &mut Choices| {
        let mean = t.sample("mean", Normal::new(0.0, 1.0));
        t.sample("y", Normal::new(mean, 1.0))
    });
    let guide = generative(|t: &mut Choices, at: Array, log_scale: Array| {
        t.sample("mean", Normal::new(at, log_scale.exp()))
    });
    let guided = Guided::new(model, (), ChoiceMap::new([("y", 2.0f32)]), guide);
    let evidence = Normal::new(0.0, 2f64.sqrt()).log_prob(&array(2.0)).item::<f32>().unwrap();
    let estimates = |draws: usize| {
        let one = |key: Key| match draws {
            1 => guided.elbo(key, (0.0, 0.0)),
            _ => guided.iwelbo(key, draws, (0.0, 0.0)),
        };
        jit(vmap(one))(Key::new(1).split_batch(4000)).mean().item::<f32>().unwrap()
    };
    let bounds = [estimates(1), estimates(10), estimates(100)];
    assert!(bounds[0] < bounds[1] && bounds[1] < bounds[2] && bounds[2] < evidence + 0.01);
    assert!((bounds[2] - evidence).abs() < 0.02, "{bounds:?} {evidence}");

    // At the posterior the estimates along the path do not vary, nor do their derivatives.
    let (at, log_scale) = (array(1.0f32), array(0.5f32.ln() / 2.0));
    let slope = |key: Key| {
        grad(|q: (Array, Array)| guided.path_elbo(key.reuse(), q))((at.clone(), log_scale.clone()))
    };
    let slopes = jit(vmap(slope))(Key::new(2).split_batch(100));
    assert!(slopes.0.abs().max().item::<f32>().unwrap() < 1e-5);
    assert!(slopes.1.abs().max().item::<f32>().unwrap() < 1e-5);
}
