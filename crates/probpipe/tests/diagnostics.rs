//! Diagnostics: what users read when input does not fit, tables, what is known of processes and
//! models in closed form, and the ends of the ranges. Numbers of single formulas are compared with
//! ArviZ's by the reference cases of `crates/conformance`.

use probpipe::diagnostics::*;
use probpipe::prelude::*;
use probpipe_testing::{self as testing, Tolerance, reads, says};
use std::time::Instant;

/// `n` normal numbers.
fn noise(seed: u64, n: usize) -> Vec<f64> {
    let draws = normal(Key::new(seed), [n]).cast(DType::F64);
    draws.to_vec().unwrap()
}

/// Chains of which each draw is `r` times the one before and noise.
fn autoregressive(seed: u64, chains: usize, draws: usize, r: f64) -> Array {
    let mut all = noise(seed, chains * draws);
    for chain in all.chunks_exact_mut(draws) {
        chain[0] /= (1.0 - r * r).sqrt();
        for t in 1..draws {
            chain[t] += r * chain[t - 1];
        }
    }
    Array::from_slice(&all, [chains, draws])
}

fn f64s<const N: usize>(numbers: [f64; N], shape: &[usize]) -> Array {
    Array::from_slice(&numbers, shape)
}

#[track_caller]
fn one(array: probpipe::Result<Array>) -> f64 {
    array.unwrap().item::<f64>().unwrap()
}

#[track_caller]
fn close(have: impl testing::Numbers, want: impl testing::Numbers, tolerance: f64) {
    testing::close("", have, want, Tolerance::mixed(tolerance));
}

#[test]
fn faults_are_told_at_the_line_of_the_user() {
    let line = line!();
    let flat = zeros([100]);
    let whole = arange(20).reshape([4, 5]);
    let error = ess(&flat, Ess::Bulk).unwrap_err();
    reads(
        error,
        line,
        "
        `ess` takes draws of shape [chains, draws, ...], not f32[100]
          --> line +3
           = the draws were made from line +1
           = help: one chain has an extent of 1 in front: see `reshape`
        ",
    );
    reads(
        r_hat(&whole, RHat::Rank).unwrap_err(),
        line,
        "
        `r_hat` takes draws that are floats, not i32[4,5]
          --> line +15
           = the draws were made from line +2
           = help: convert them with `.cast(DType::F64)`
        ",
    );
    let good = zeros([2, 10]);
    for (error, parts) in [
        (mean(&zeros([0, 5])), ["`mean` of no draws", "f32[0,5]"]),
        (hdi(&good, 94.0), ["`hdi` takes a probability, not 94", "between 0 and 1"]),
        (quantiles(&good, &[0.5, f64::NAN]), ["`quantiles`", "NaN"]),
        (ess(&good, Ess::Quantile(-0.1)), ["`Ess::Quantile`", "-0.1"]),
        (ess(&good, Ess::Local(0.5, 0.2)), ["between 0.5 and 0.2", "lower probability"]),
        (mcse(&good, Mcse::Quantile(2.0)), ["`Mcse::Quantile`", "not 2"]),
        (bfmi(&array(1.0)), ["`bfmi`", "not f32[]"]),
        (autocovariance(&array([1.0])), ["`autocovariance`", "f32[1]"]),
        (psis(&array(true)).map(|p| p.pareto_k), ["`psis`", "floats, not bool[]"]),
        (
            psis(&zeros([0, 2])).map(|p| p.pareto_k),
            ["[draws, ...], not f32[0,2]", "diagnostics.rs"],
        ),
        (psis_with(&good, 0.0).map(|p| p.pareto_k), ["positive relative efficiency", "`ess`"]),
        (loo(&good).map(|e| e.pointwise), ["observations...], not f32[2,10]", "do not sum"]),
        (waic(&zeros([2, 3, 0])).map(|e| e.pointwise), ["`waic`", "f32[2,3,0]"]),
        (loo_with(&good, f64::NAN).map(|e| e.pointwise), ["`loo`", "not NaN"]),
    ] {
        let error = error.unwrap_err().to_string();
        says(&error, &[parts[0], parts[1], "tests/diagnostics.rs"]);
    }
    // An array that is none keeps its own line and message.
    says(sd(&(zeros([2, 3]) + zeros([4]))), &["`add` cannot broadcast"]);
}

#[test]
fn traces_have_no_draws_yet_but_do_not_disturb() {
    let traced = jit(|x: Array| {
        let error = r_hat(&x, RHat::Rank).unwrap_err();
        says(&error, &["has no value yet", "tests/diagnostics.rs"]);
        x
    });
    traced(zeros([2, 10])).value().unwrap();
    // What is there is computed on the host, and nothing is recorded.
    let draws = normal(Key::new(0), [4, 100]);
    let want = one(r_hat(&draws, RHat::Rank));
    let graph = graph_of(
        |x: Array| {
            assert_eq!(one(r_hat(&draws, RHat::Rank)), want);
            x + 1.0
        },
        &array(1.0),
    )
    .unwrap();
    assert_eq!(graph.eqns().len(), 1, "{graph}");
}

#[test]
fn every_entry_is_judged_alone() {
    let draws = normal(Key::new(3), [3, 41, 2, 20]);
    let wide = draws.cast(DType::F64);
    let entry = |x: &Array| x.index((.., .., 1, 17));
    let pick = |x: probpipe::Result<Array>| x.unwrap().index((1, 17)).item::<f64>().unwrap();
    assert_eq!(pick(ess(&draws, Ess::Tail)), one(ess(&entry(&wide), Ess::Tail)));
    assert_eq!(pick(r_hat(&wide, RHat::Rank)), one(r_hat(&entry(&draws), RHat::Rank)));
    assert_eq!(pick(mcse(&draws, Mcse::Sd)), one(mcse(&entry(&draws), Mcse::Sd)));
    assert_eq!(pick(sd(&draws)), one(sd(&entry(&draws))));
    let intervals = hdi(&draws, 0.5).unwrap();
    assert_eq!(intervals.shape(), [2, 20, 2]);
    close(&intervals.index((1, 17)), &hdi(&entry(&draws), 0.5).unwrap(), 0.0);
    let points = quantiles(&draws, &[0.1, 0.7]).unwrap();
    assert_eq!(points.shape(), [2, 2, 20]);
    close(&points.index((.., 1, 17)), &quantiles(&entry(&draws), &[0.1, 0.7]).unwrap(), 0.0);
    let lags = autocorrelation(&draws).unwrap();
    assert_eq!(lags.shape(), [3, 41, 2, 20]);
    close(&entry(&lags), &autocorrelation(&entry(&draws)).unwrap(), 0.0);
    assert_eq!(bfmi(&draws).unwrap().shape(), [3, 2, 20]);
    assert_eq!(ess(&zeros([2, 8, 0]), Ess::Bulk).unwrap().shape(), [0]);
}

#[test]
fn autocovariances_of_long_chains_are_those_of_the_definition() {
    let draws = autoregressive(5, 3, 700, 0.9);
    let chains: Vec<f64> = draws.to_vec().unwrap();
    let have: Vec<f64> = autocovariance(&draws).unwrap().to_vec().unwrap();
    for (chain, have) in chains.chunks_exact(700).zip(have.chunks_exact(700)) {
        let mean = chain.iter().sum::<f64>() / 700.0;
        for lag in [0, 1, 63, 64, 65, 400, 699] {
            let pairs = chain.iter().zip(&chain[lag..]);
            let want = pairs.map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>() / 700.0;
            close(&[have[lag]][..], &[want][..], 1e-11);
        }
    }
}

#[test]
fn effective_sizes_of_autoregressions_are_known() {
    for r in [-0.5, 0.0, 0.6, 0.95, 0.995] {
        let n = one(ess(&autoregressive(8, 4, 50_000, r), Ess::Mean));
        let want = 200_000.0 * (1.0 - r) / (1.0 + r);
        assert!((n / want - 1.0).abs() < 0.15, "{r}: {n} instead of {want}");
    }
}

#[test]
fn long_chains_that_do_not_mix_are_judged_in_seconds() {
    let walk = autoregressive(2, 4, 100_000, 0.99999);
    let start = Instant::now();
    let table = summary(&Record::new([("walk", walk)])).unwrap();
    let q = table.get("walk").unwrap();
    assert!(q.ess_bulk < 100.0 && q.r_hat > 1.1, "{table}");
    // Sums over all pairs would take minutes here.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn place_and_scale_do_not_matter() {
    let draws = autoregressive(4, 4, 300, 0.5);
    let want = [Ess::Mean, Ess::Sd, Ess::Bulk].map(|of| one(ess(&draws, of)));
    let reduction = one(r_hat(&draws, RHat::Split));
    for scale in [1e-220, 1e-30, 1e30, 1e220] {
        let scaled = &draws * Array::from_slice(&[scale], []);
        let have = [Ess::Mean, Ess::Sd, Ess::Bulk].map(|of| one(ess(&scaled, of)));
        close(&have[..], &want[..], 1e-9);
        close(&[one(r_hat(&scaled, RHat::Split))][..], &[reduction][..], 1e-9);
        let errors = [&draws, &scaled].map(|x| one(mcse(x, Mcse::Sd)));
        close(&[errors[1] / scale][..], &errors[..1], 1e-9);
    }
    let far = &draws + Array::from_slice(&[1e9], []);
    close(&[one(ess(&far, Ess::Mean))][..], &want[..1], 1e-4);
}

#[test]
fn what_cannot_be_told_is_nan() {
    let draws = autoregressive(6, 2, 20, 0.0);
    let put = |x: f64| {
        let mut all: Vec<f64> = draws.to_vec().unwrap();
        all[7] = x;
        Array::from_slice(&all, [2, 20])
    };
    // A draw that is no number spoils all; an infinite one only what has no finite answer.
    let missing = put(f64::NAN);
    for of in [Ess::Bulk, Ess::Tail, Ess::Mean, Ess::Mad, Ess::Local(0.1, 0.2)] {
        assert!(one(ess(&missing, of)).is_nan(), "{of:?}");
    }
    assert!(one(quantiles(&missing, &[0.5]).map(|q| q.at(0))).is_nan());
    assert!(hdi(&missing, 0.5).unwrap().to_vec::<f64>().unwrap().iter().all(|x| x.is_nan()));
    let infinite = put(f64::INFINITY);
    assert!(one(ess(&infinite, Ess::Bulk)).is_finite());
    assert!(one(r_hat(&infinite, RHat::Rank)).is_finite());
    assert!(one(ess(&infinite, Ess::Mean)).is_nan());
    assert!(one(r_hat(&infinite, RHat::Split)).is_nan());
    assert_eq!(one(mean(&infinite)), f64::INFINITY);
    assert_eq!(one(quantiles(&infinite, &[1.0]).map(|q| q.at(0))), f64::INFINITY);
    assert!(hdi(&infinite, 0.9).unwrap().to_vec::<f64>().unwrap().iter().all(|x| x.is_finite()));
    // One chain, few draws, no motion.
    assert!(one(r_hat(&zeros([1, 50]), RHat::Rank)).is_nan());
    assert!(one(ess(&normal(Key::new(0), [4, 3]), Ess::Bulk)).is_nan());
    let still = Array::from_slice(&[0.1; 40], [2, 20]);
    assert_eq!(one(ess(&still, Ess::Sd)), 40.0);
    assert!(one(r_hat(&still, RHat::Split)).is_nan());
    assert!(bfmi(&still).unwrap().to_vec::<f64>().unwrap().iter().all(|x| x.is_nan()));
    // Each chain stands still, at places of its own.
    let apart = f64s([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0], &[2, 4]);
    assert_eq!(one(r_hat(&apart, RHat::Split)), f64::INFINITY);
    let all = hdi(&draws, 1.0).unwrap();
    let ends = quantiles(&draws, &[0.0, 1.0]).unwrap();
    close(&all, &ends, 0.0);
}

#[test]
fn tables_of_quantities() {
    let theta = normal(Key::new(0), [4, 250, 2, 1]) * array([[1.0], [1e6]]);
    let counts = (normal(Key::new(1), [4, 250]) * 3.0).round().cast(DType::I32);
    let walk = normal(Key::new(2), [4, 250]).cumsum(1) * 1e-9;
    let draws = Record::new([("theta", theta)])
        .with("x/count", counts)
        .with("x/even", (arange(1000).reshape([4, 250]) % 2).eq(0))
        .with("walk", walk)
        .with("still", zeros([4, 250]));
    let table = summary(&draws).unwrap();
    testing_table(
        &table.to_string(),
        "
                      mean       sd  mcse_mean              94% hdi  ess_bulk  ess_tail  r_hat
        theta[0,0]   0.004    0.984      0.031  [  -1.990,   1.656]       988       985  1.003
        theta[1,0]  -48612  1023296      33167  [-2036319, 1738531]       942       992  1.001
        x/count      -0.09     3.06       0.10  [   -6.00,    5.00]       861       772  1.002
        x/even      0.5000   0.5003     0.0091  [  0.0000,  1.0000]      3000      1000  0.996
        walk        2.3e-9  1.54e-8     7.2e-9  [-2.15e-8, 3.48e-8]         5        12  2.556
        still        0.000    0.000      0.000  [   0.000,   0.000]      1000      1000    NaN
        ",
    );
    let names: Vec<&str> = table.quantities().iter().map(|q| &q.name[..]).collect();
    assert_eq!(names, ["theta[0,0]", "theta[1,0]", "x/count", "x/even", "walk", "still"]);
    let q = table.get("theta[1,0]").unwrap();
    let second = draws["theta"].index((.., .., 1, 0));
    assert_eq!(q.mean, one(mean(&second)));
    assert_eq!(q.hdi.to_vec(), hdi(&second, 0.94).unwrap().to_vec::<f64>().unwrap());
    assert_eq!(
        (q.ess_tail, q.r_hat),
        (one(ess(&second, Ess::Tail)), one(r_hat(&second, RHat::Rank)))
    );
    assert!(table.get("theta").is_none() && table.get("x/even").unwrap().mean == 0.5);
    let narrow = summary_with(&draws, 0.5).unwrap();
    assert!(narrow.to_string().contains("50% hdi") && narrow.probability() == 0.5);
    assert!(narrow.get("theta[0,0]").unwrap().hdi[0] > table.get("theta[0,0]").unwrap().hdi[0]);
    assert!(format!("{narrow:.1}").lines().nth(1).unwrap().starts_with("theta[0,0]"));
    assert_eq!(summary(&Record::default()).unwrap().to_string().lines().count(), 1);
}

/// Fails unless the table reads so, but for indentation.
#[track_caller]
fn testing_table(have: &str, want: &str) {
    let cut = want.lines().filter(|l| !l.trim().is_empty()).map(|l| l.get(8..).unwrap_or(""));
    let want = cut.collect::<Vec<_>>().join("\n");
    assert!(have == want, "\n{have}\ninstead of\n{want}");
}

#[test]
fn tables_tell_which_part_is_wrong() {
    let line = line!();
    let bad = zeros([5]);
    let draws = Record::new([("mu", zeros([2, 10]))]).with("x/y", bad);
    reads(
        summary(&draws).unwrap_err(),
        line,
        "
        `summary` takes draws of shape [chains, draws, ...], not f32[5]
          --> line +4
           = the draws were made from line +1
           = in the part `x/y`
           = help: one chain has an extent of 1 in front: see `reshape`
        ",
    );
    says(summary_with(&draws, 1.1), &["`summary` takes a probability, not 1.1"]);
}

#[test]
fn tails_of_weights_have_the_shape_that_made_them() {
    // Weights of a Pareto distribution: quantiles of it, in some order.
    for k in [0.2, 0.5, 0.9] {
        let n = 4000;
        let weights: Vec<f64> = (0..n)
            .map(|i| ((i * 1237) % n) as f64)
            .map(|rank| -k * (1.0 - (rank + 0.5) / n as f64).ln())
            .collect();
        let smooth = psis(&Array::from_slice(&weights, [n])).unwrap();
        let shape = smooth.pareto_k.item::<f64>().unwrap();
        assert!((shape - k).abs() < 0.05, "{shape} instead of {k}");
        let total = smooth.log_weights.exp().sum().item::<f64>().unwrap();
        assert!((total - 1.0).abs() < 1e-12);
        // The order is kept, and no weight outgrows the largest.
        let order = |x: &[f64]| {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
            order
        };
        assert_eq!(order(&smooth.log_weights.to_vec::<f64>().unwrap()), order(&weights));
    }
    let even = psis(&zeros([100, 2])).unwrap();
    assert_eq!(even.pareto_k.to_vec::<f64>().unwrap(), [f64::INFINITY; 2]);
    close(&even.log_weights, &vec![-(100f64.ln()); 200][..], 1e-14);
    for (weights, what) in [([f64::NAN, 1.0], "NaN"), ([f64::NEG_INFINITY; 2], "no weight at all")]
    {
        let none = psis(&f64s(weights, &[2])).unwrap();
        assert!(none.log_weights.to_vec::<f64>().unwrap().iter().all(|w| w.is_nan()), "{what}");
    }
    // One set of weights behind another, each alone; small sets are left as they are.
    let sets = Array::from_slice(&noise(3, 120), [40, 3]);
    let (all, alone) = (psis(&sets).unwrap(), psis(&sets.index((.., 1))).unwrap());
    close(&all.log_weights.index((.., 1)), &alone.log_weights, 0.0);
    close(&all.pareto_k.at(1), &alone.pareto_k, 0.0);
    let few = psis(&f64s([0.0, 1.0, 2.0], &[3])).unwrap();
    close(&few.log_weights, &f64s([0.0, 1.0, 2.0], &[3]).log_softmax(0), 1e-14);
}

/// The log-likelihoods of observations under draws of the posterior of the mean of a normal
/// distribution of known scale, as if the scale were `claimed`, and the observations.
fn location_model(claimed: f64) -> (Array, Vec<f64>) {
    let y = noise(11, 12);
    let centre = y.iter().sum::<f64>() / 12.0;
    let sd = (1.0f64 / 12.0).sqrt();
    let mut all = Vec::new();
    for z in noise(12, 20_000) {
        let mu = centre + sd * z;
        let log_prob = |y: &f64| -0.5 * ((y - mu) / claimed).powi(2) - (claimed * TAU.sqrt()).ln();
        all.extend(y.iter().map(log_prob));
    }
    (Array::from_slice(&all, [4, 5000, 3, 4]), y)
}

const TAU: f64 = std::f64::consts::TAU;

#[test]
fn leaving_out_one_by_weights_is_leaving_out_one() {
    let (log_likelihood, y) = location_model(1.0);
    let have = loo(&log_likelihood).unwrap();
    assert_eq!(have.pointwise.shape(), [3, 4]);
    // Given the eleven others, an observation has the variance of its own and that of their mean.
    let total: f64 = y.iter().sum();
    let want: Vec<f64> = y
        .iter()
        .map(|y| {
            let (mean, variance) = ((total - y) / 11.0, 1.0 + 1.0 / 11.0);
            -0.5 * (y - mean).powi(2) / variance - 0.5 * (TAU * variance).ln()
        })
        .collect();
    // The weights of the one furthest out vary most: three standard errors of 20,000 draws.
    testing::close("", &have.pointwise.reshape([12]), &want[..], Tolerance::within(0.0, 0.03));
    assert!(have.reliable && (have.num_parameters - 1.0).abs() < 0.7, "{have}");
    let information = waic(&log_likelihood).unwrap();
    assert!((information.elpd - have.elpd).abs() < 0.1 && information.pareto_k.is_none());
    assert!(have.to_string().starts_with("elpd_loo  -"), "{have}");
    // An observation that none of the draws expects.
    let shocked = &log_likelihood * 40.0;
    let doubtful = loo(&shocked).unwrap();
    assert!(!doubtful.reliable);
    says(doubtful.to_string(), &["not to be trusted", "pareto_k"]);
    assert!(!waic(&shocked).unwrap().reliable);
    assert!(!loo(&(&log_likelihood * f64::NAN)).unwrap().reliable);
}

/// A density estimate with these log densities of single observations, of draws that all agree.
fn certain(summands: &[f64]) -> Elpd {
    let all = [summands, summands, summands].concat();
    waic(&Array::from_slice(&all, [1, 3, summands.len()])).unwrap()
}

#[test]
fn models_are_ranked() {
    let (right, wide, narrow) =
        (location_model(1.0).0, location_model(2.0).0, location_model(0.4).0);
    let [right, wide, narrow] = [right, wide, narrow].map(|l| loo(&l).unwrap());
    let models = [("narrow", &narrow), ("right", &right), ("wide", &wide)];
    for weighting in [Weighting::Stacking, Weighting::PseudoBma] {
        let ranking = compare(&models, weighting).unwrap();
        let best = &ranking.models()[0];
        assert_eq!((&best.name[..], best.elpd_diff, best.diff_se), ("right", 0.0, 0.0));
        let total: f64 = ranking.models().iter().map(|m| m.weight).sum();
        assert!((total - 1.0).abs() < 1e-12 && best.weight > 0.5, "{ranking}");
        let other = ranking.get("wide").unwrap();
        close(&[other.elpd_diff][..], &[right.elpd - wide.elpd][..], 1e-12);
        let differences = (&right.pointwise - &wide.pointwise).reshape([12]);
        let want = (differences.var().item::<f64>().unwrap() * 12.0).sqrt();
        close(&[other.diff_se][..], &[want][..], 1e-10);
    }
    let ranking = compare(&models, Weighting::Stacking).unwrap();
    testing_table(
        &ranking.to_string(),
        "
                elpd_loo     se  p_loo  elpd_diff  diff_se  weight
        right     -20.96   3.95   1.47       0.00     0.00    0.67
        wide      -21.68   0.93   0.09       0.72     3.02    0.33
        narrow    -97.81  37.35  59.62      76.85    33.40    0.00  not to be trusted
        ",
    );
}

#[test]
fn stacked_weights_are_at_the_maximum() {
    // Two models that are right by turns, one that is never, and one twice.
    let a: Vec<f64> =
        noise(1, 60).iter().enumerate().map(|(i, z)| z * 0.1 - (i % 2) as f64).collect();
    let b: Vec<f64> = noise(2, 60)
        .iter()
        .enumerate()
        .map(|(i, z)| z * 0.1 - ((i + 1) % 2) as f64 * 1.2)
        .collect();
    let c: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a.min(*b) - 0.5).collect();
    let [ea, eb, ec, ed] = [&a, &b, &c, &b].map(|x| certain(x));
    let ranking =
        compare(&[("a", &ea), ("b", &eb), ("c", &ec), ("b again", &ed)], Weighting::Stacking)
            .unwrap();
    let weight = |name: &str| ranking.get(name).unwrap().weight;
    let w = [weight("a"), weight("b"), weight("c"), weight("b again")];
    assert!(w[0] > 0.3 && w[2] == 0.0, "{ranking}");
    close(&[w[1]][..], &[w[3]][..], 1e-6);
    // What a model adds per weight is 1 where it has weight, and less elsewhere.
    for (model, weight) in [&a, &b, &c, &b].into_iter().zip(w) {
        let adds = (0..60).map(|i| {
            let mixture: f64 = [&a, &b, &c, &b].iter().zip(w).map(|(m, w)| w * m[i].exp()).sum();
            model[i].exp() / mixture / 60.0
        });
        let adds: f64 = adds.sum();
        if weight > 0.0 {
            assert!((adds - 1.0).abs() < 1e-8, "{adds}");
        } else {
            assert!(adds < 1.0, "{adds}");
        }
    }
    // Densities that are zero for all models, or for one.
    let zero = f64::NEG_INFINITY;
    assert!(compare(&[("a", &certain(&[zero, 0.0]))], Weighting::Stacking).is_err());
}

#[test]
fn models_that_cannot_be_compared() {
    let (two, three) = (certain(&[0.0, -1.0]), certain(&[0.0, -1.0, 2.0]));
    let line = line!();
    let error = compare(&[("a", &two), ("b", &three)], Weighting::Stacking).unwrap_err();
    reads(
        error,
        line,
        "
        `a` has 2 observations and `b` has 3
          --> line +1
           = help: models are compared by the same observations
        ",
    );
    let other = loo(&zeros([1, 10, 2])).unwrap();
    says(compare(&[], Weighting::Stacking), &["no models"]);
    says(compare(&[("a", &two), ("a", &two)], Weighting::Stacking), &["two models are called `a`"]);
    says(compare(&[("a", &two), ("b", &other)], Weighting::PseudoBma), &["by waic and `b` by loo"]);
}

#[test]
fn ranks_of_a_right_sampler_are_uniform() {
    // Truth and draws of one distribution: its ranks are uniform. Two quantities, the second of
    // which has draws that are too narrow.
    let (simulations, num_draws) = (2000, 99);
    let mut ranks = Vec::new();
    let draws = noise(21, simulations * (num_draws + 1));
    for row in draws.chunks_exact(num_draws + 1) {
        let rank = |scale: f64| row[1..].iter().filter(|&&x| x * scale < row[0]).count() as i64;
        ranks.extend([rank(1.0), rank(0.8)]);
    }
    let ranks = Array::from_slice(&ranks, [simulations, 2]);
    let test = calibration(&ranks, num_draws, 20).unwrap();
    let p: Vec<f64> = test.p_value.to_vec().unwrap();
    assert!(p[0] > 0.001 && p[1] < 1e-6, "{p:?}");
    assert_eq!(test.counts.shape(), [2, 20]);
    let total: Vec<i64> = test.counts.sum_axes(1).to_vec().unwrap();
    assert_eq!(total, [2000, 2000]);
    assert_eq!(test.expected.to_vec::<f64>().unwrap(), [100.0; 20]);
    // Bins that cannot be equal: ranks 0 to 4 in two bins of 3 and 2.
    let uneven = calibration(&array([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]), 4, 2).unwrap();
    assert_eq!(uneven.expected.to_vec::<f64>().unwrap(), [6.0, 4.0]);
    assert_eq!(uneven.counts.to_vec::<i64>().unwrap(), [6, 4]);
    // One degree of freedom: (8 - 5)^2 / 5 twice, whose tail is that of 1.897 standard deviations.
    let uneven = calibration(&array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]), 1, 2).unwrap();
    close(&uneven.statistic, &[3.6][..], 1e-14);
    close(&uneven.p_value, &array(3.6f64 / 2.0).cast(DType::F64).sqrt().erfc(), 1e-7);
}

#[test]
fn ranks_that_are_none() {
    let line = line!();
    let ranks = array([0, 3, 12]);
    reads(
        calibration(&ranks, 10, 3).unwrap_err(),
        line,
        "
        the rank 12 is not one among 10 draws
          --> line +3
           = the ranks were made from line +1
           = help: ranks count the draws below: 0 to all
        ",
    );
    says(calibration(&array([5, -1]), 10, 2), &["the rank -1"]);
    says(calibration(&array([0.5]), 10, 2), &["integers, not f32[1]"]);
    says(calibration(&array(1), 10, 2), &["[simulations, ...], not i32[]"]);
    says(calibration(&ranks, 12, 1), &["cannot sort 13 ranks of 3 simulations into 1 bins"]);
    says(calibration(&arange(9), 1, usize::MAX), &["cannot sort 2 ranks"]);
    says(calibration(&ranks, 12, 4), &["into 4 bins"]);
}

#[test]
fn statistics_of_replications() {
    // Sums of four counts: 0 to 9 in each of ten replications.
    let replicated = arange(10).reshape([2, 5, 1]) + array([[[0, 0, 1, -1]]]);
    let observed = array([7, 7, 7, 7]);
    let check = predictive_check(&replicated, &observed, |y| y.iter().sum()).unwrap();
    assert_eq!((check.observed, check.p_value, check.equal), (28.0, 0.3, 0.1));
    assert_eq!(check.replicated.shape(), [2, 5]);
    assert_eq!(check.replicated.to_vec::<f64>().unwrap()[9], 36.0);
    let unknown = predictive_check(&replicated, &observed, |y| (y[0] - 3.0).ln()).unwrap();
    assert!(unknown.p_value.is_nan() && unknown.observed > 1.0);
    let line = line!();
    let error = predictive_check(&replicated, &zeros([3]), |y| y[0]).unwrap_err();
    reads(
        error,
        line,
        "
        `predictive_check` compares i32[2,5,4] [chains, draws, ...] with data f32[3]
          --> line +1
           = the replications were made from line -8
           = the data were made from line +1
           = help: the extents behind chains and draws are those of the data
        ",
    );
}
