//! The statistical tests themselves: they accept right samples about as often as their level says,
//! refuse wrong ones, and give the published values at known points.

use probpipe_testing::statistics::{
    Found, chi_square, kolmogorov_smirnov, kolmogorov_smirnov_two, mean, mean_of_known_variance,
    variance,
};
use probpipe_testing::{Random, Tolerance, close};

fn uniform(seed: u64, n: usize) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..n).map(|_| random.between(0.0, 1.0)).collect()
}

/// By the method of Box and Muller.
fn normal(seed: u64, n: usize) -> Vec<f64> {
    let radius = |u: &f64| (-2.0 * (1.0 - u).ln()).sqrt();
    let angles = uniform(seed ^ 0x5555, n);
    let pairs = uniform(seed, n).into_iter().zip(angles);
    pairs.map(|(u, v)| radius(&u) * (std::f64::consts::TAU * v).cos()).collect()
}

/// Among the p-values of right samples, a fraction of about `level` is below each level: not much
/// more, or right samplers would fail, and not much less, or wrong ones would pass.
#[track_caller]
fn calibrated(what: &str, p_value: impl Fn(u64) -> f64) {
    let runs = 2000;
    let values: Vec<f64> = (0..runs).map(|seed| p_value(seed * 977 + 3)).collect();
    for level in [0.5, 0.1, 0.02] {
        let below = values.iter().filter(|p| **p < level).count() as f64;
        let expected = level * runs as f64;
        // Four standard deviations of a binomial count.
        let slack = 4.0 * (expected * (1.0 - level)).sqrt();
        let fits = (below - expected).abs() < slack;
        assert!(fits, "{what}: {below} of {runs} below {level}, expected {expected} +- {slack}");
    }
}

#[test]
fn right_samples_fail_as_often_as_the_level_says() {
    calibrated("one sample", |s| kolmogorov_smirnov(&uniform(s, 100), |x| x).p_value);
    calibrated("two samples", |s| {
        kolmogorov_smirnov_two(&uniform(s, 211), &uniform(s ^ 0xff00, 307)).p_value
    });
    calibrated("cells", |s| {
        let mut cells = [0u64; 10];
        uniform(s, 1000).iter().for_each(|x| cells[(x * 10.0) as usize] += 1);
        chi_square(&cells, &[100.0; 10], 0).p_value
    });
    calibrated("mean", |s| mean(&normal(s, 200), 0.0).p_value);
    calibrated("known variance", |s| mean_of_known_variance(&normal(s, 50), 0.0, 1.0).p_value);
    calibrated("variance", |s| variance(&normal(s, 600), 1.0, 3.0).p_value);
    calibrated("variance", |s| variance(&uniform(s, 400), 1.0 / 12.0, 1.8).p_value);
}

#[test]
fn wrong_samples_are_refused() {
    let level = 1e-4;
    let sample = normal(11, 4000);
    let moved: Vec<f64> = sample.iter().map(|x| x + 0.1).collect();
    let wide: Vec<f64> = sample.iter().map(|x| x * 1.1).collect();
    mean(&sample, 0.0).accept("mean", level);
    mean(&moved, 0.0).reject("moved", level);
    mean_of_known_variance(&moved, 0.0, 1.0).reject("moved", level);
    variance(&sample, 1.0, 3.0).accept("variance", level);
    variance(&wide, 1.0, 3.0).reject("wide", level);
    let other = normal(12, 3000);
    kolmogorov_smirnov_two(&sample, &other).accept("two of one kind", level);
    let far: Vec<f64> = sample.iter().map(|x| x + 0.2).collect();
    kolmogorov_smirnov_two(&far, &other).reject("far", level);
    let uniform = uniform(5, 3000);
    kolmogorov_smirnov(&uniform, |x| x).accept("uniform", level);
    kolmogorov_smirnov(&uniform, |x| x.powf(1.1)).reject("bent", level);
    // A repeated half of a sample has the right mean and variance, and too few points.
    kolmogorov_smirnov(&[uniform[..60].to_vec(), vec![0.5; 60]].concat(), |x| x)
        .reject("heaped", level);
    chi_square(&[1000, 1100, 900], &[1000.0; 3], 0).reject("uneven", level);
    chi_square(&[1000, 1020, 980], &[1000.0; 3], 0).accept("even", level);
}

#[test]
fn what_cannot_be_tested_is_never_accepted() {
    let nan = [0.1, f64::NAN, 0.7];
    let found: &[Found] = &[
        kolmogorov_smirnov(&nan, |x| x),
        kolmogorov_smirnov(&[], |x| x),
        kolmogorov_smirnov_two(&nan, &[0.1, 0.2]),
        kolmogorov_smirnov_two(&[0.1, 0.2], &nan),
        kolmogorov_smirnov_two(&[], &[0.5]),
        mean(&nan, 0.0),
        mean(&[], 0.0),
        mean(&[1.0, 1.0], 1.0),
        variance(&nan, 1.0, 3.0),
        // Totals that differ, too few expected, lists of two lengths, no degree left.
        chi_square(&[10, 20], &[10.0, 10.0], 0),
        chi_square(&[2, 2], &[2.0, 2.0], 0),
        chi_square(&[10, 10], &[20.0], 0),
        chi_square(&[10, 10], &[10.0, 10.0], 1),
    ];
    for (i, found) in found.iter().enumerate() {
        assert!(!found.accepted(0.0), "{i}: {found:?}");
    }
}

/// Critical values of published tables.
#[test]
fn values_of_tables() {
    // Chi-square with 3 degrees: 7.815 at 5 percent.
    let e = 100.0;
    let d = (7.814_728 * e / 4.0f64).sqrt();
    let counts = [e + d, e + d, e - d, e - d].map(|c| (c * 1e6).round() as u64);
    close(
        "chi",
        chi_square(&counts, &[e * 1e6; 4], 0).statistic,
        7.814_728e6,
        Tolerance::relative(1e-6),
    );
    let found = chi_square(&[114, 114, 86, 86], &[e; 4], 0);
    close("statistic", found.statistic, 7.84, Tolerance::relative(1e-12));
    close("p-value", found.p_value, 0.049_43, Tolerance::absolute(2e-5));
    // A normal statistic of 1.96 has both tails of 5 percent.
    let sample = [1.0, -1.0];
    let found = mean_of_known_variance(&sample, 1.959_964, 2.0);
    close("z", found.statistic, -1.959_964, Tolerance::relative(1e-12));
    close("two tails", found.p_value, 0.05, Tolerance::absolute(1e-7));
    // D = 0.294 with 20 points is the 5 percent point of the exact table (Miller 1956).
    let points: Vec<f64> = (0..20).map(|i| (f64::from(i) + 1.0) / 20.0 - 0.294).collect();
    let found = kolmogorov_smirnov(&points, |x| x.clamp(0.0, 1.0));
    close("gap", found.statistic, 0.294, Tolerance::absolute(1e-12));
    close("p-value", found.p_value, 0.05, Tolerance::absolute(2e-3));
}
