//! Every function against mpmath, over ranges that reach into the tails, large and tiny parameters
//! and the neighbourhood of zeros. `data/generate.py` writes the points.

use probpipe_special::*;
use probpipe_testing::DType;
use probpipe_testing::reference::{self, numbers};
use serde_json::Value as Json;

/// How an error is measured and how large it may be.
#[derive(Clone, Copy)]
enum Goal {
    /// In ulp of the value.
    Ulp(f64),
    /// In ulp of `max(1, |value|)`.
    Mixed(f64),
    /// Relative to the value.
    Relative(f64),
}

type Function = fn(&[f64]) -> f64;

const FUNCTIONS: &[(&str, Goal, Function)] = &[
    ("lgamma", Goal::Mixed(4.0), |x| lgamma(x[0])),
    ("digamma", Goal::Mixed(8.0), |x| digamma(x[0])),
    ("gamma", Goal::Ulp(16.0), |x| gamma(x[0])),
    ("polygamma", Goal::Relative(1e-14), |x| polygamma(x[0], x[1])),
    ("zeta", Goal::Ulp(4.0), |x| zeta(x[0], x[1])),
    ("zeta_s", Goal::Relative(1e-12), |x| zeta_derivative(x[0], x[1], 1)),
    ("betaln", Goal::Mixed(16.0), |x| betaln(x[0], x[1])),
    ("digamma_difference", Goal::Relative(1e-14), |x| digamma_difference(x[0], x[1])),
    ("gammainc", Goal::Relative(1e-13), |x| gammainc(x[0], x[1])),
    ("gammaincc", Goal::Relative(1e-13), |x| gammaincc(x[0], x[1])),
    ("gammainc_a", Goal::Relative(1e-12), |x| gammainc_derivative(x[0], x[1], 1)),
    ("gammainc_aa", Goal::Relative(1e-12), |x| gammainc_derivative(x[0], x[1], 2)),
    ("betainc", Goal::Relative(1e-13), |x| betainc(x[0], x[1], x[2])),
    ("betainc_a", Goal::Relative(1e-11), |x| betainc_derivative(x[0], x[1], x[2], (1, 0))),
    ("betainc_b", Goal::Relative(1e-11), |x| betainc_derivative(x[0], x[1], x[2], (0, 1))),
    ("betainc_aa", Goal::Relative(1e-11), |x| betainc_derivative(x[0], x[1], x[2], (2, 0))),
    ("betainc_ab", Goal::Relative(1e-11), |x| betainc_derivative(x[0], x[1], x[2], (1, 1))),
    ("i0", Goal::Ulp(4.0), |x| i0(x[0])),
    ("i1", Goal::Ulp(4.0), |x| i1(x[0])),
    ("i0e", Goal::Ulp(4.0), |x| i0e(x[0])),
    ("i1e", Goal::Ulp(4.0), |x| i1e(x[0])),
    ("i0e_slope", Goal::Relative(1e-13), |x| i0e_slope(x[0])),
    ("erfcx", Goal::Ulp(4.0), |x| erfcx(x[0], 0)),
    ("erfcx1", Goal::Ulp(8.0), |x| erfcx(x[0], 1)),
    ("exp1", Goal::Ulp(4.0), |x| exp1(x[0])),
    ("expi", Goal::Ulp(8.0), |x| expi(x[0])),
    ("owens_t", Goal::Relative(1e-13), |x| owens_t(x[0], x[1])),
];

fn ulp(v: f64) -> f64 {
    probpipe_testing::ulp(v, DType::F64)
}

/// The points of one case with their values and what rounding these lost.
fn points(case: &Json) -> Vec<(Vec<f64>, f64, f64)> {
    let columns: Vec<Vec<f64>> =
        case["args"].as_array().into_iter().flatten().map(numbers).collect();
    let values = numbers(&case["value"]).into_iter().zip(numbers(&case["value_lo"]));
    values
        .enumerate()
        .map(|(j, (value, rest))| (columns.iter().map(|c| c[j]).collect(), value, rest))
        .collect()
}

#[test]
fn values() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/special.json");
    let mut faults = Vec::new();
    for case in &reference::cases(path) {
        let name = case["fn"].as_str().expect("a name");
        let (_, goal, function) =
            FUNCTIONS.iter().find(|f| f.0 == name).unwrap_or_else(|| panic!("no goal for {name}"));
        let (mut worst, mut count) = (0.0f64, 0);
        for (x, want, rest) in points(case) {
            let have = function(&x);
            let error = ((have - want) - rest).abs();
            let (error, limit) = match *goal {
                Goal::Ulp(limit) => (error / ulp(want), limit),
                Goal::Mixed(limit) => (error / ulp(want.abs().max(1.0)), limit),
                Goal::Relative(limit) => (error / want.abs(), limit),
            };
            count += 1;
            worst = worst.max(error);
            if error.is_nan() || error > limit {
                faults.push(format!("{name}{x:?}: {have:e}, not {want:e}: {error:.3e}"));
            }
        }
        println!("{name}: {count} points, worst {worst:.3e}");
        assert!(count > 0, "{name} has no points");
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// Parameters whose products are no numbers.
#[test]
fn incomplete_beta_of_huge_parameters() {
    let max = f64::MAX;
    for (have, want) in [
        (betainc(10.0, 1e200, 2e-199), 0.995_004_587_691_692_4),
        (betainc(10.0, 1e200, 1e-200), 1.114_254_783_387_206_6e-7),
        (betainc(10.0, 1e157, 1e-159), 2.730_794_283_696_246e-27),
        (betainc(max, 1e300, 0.9), 0.0),
        (betainc(1e300, max, 0.1), 1.0),
        (betainc(1e300, 1e300, 0.5), 0.5),
        (betainc(1e200, 1e200, 0.5 - 1e-16), 0.0),
        (betainc(1e200, 10.0, 0.5), 0.0),
        (betainc(0.5, 1e250, 1e-250), 0.842_700_792_949_714_9),
        (betainc(max, 1.0, 0.999), 0.0),
    ] {
        assert!((have - want).abs() <= 1e-13 * want, "{have} {want}");
    }
    assert_eq!(beta_density(max, 1e300, 0.9), 0.0);
}

/// At whole parameters sums end early, and those of their derivatives do not; by mpmath.
#[test]
fn derivatives_at_whole_parameters() {
    for (have, want) in [
        (gammainc_derivative(1.0, 1.25, 1), -0.3757201271829825),
        (gammainc_derivative(1.0, 1.25, 2), -0.06134987609795476),
        (gammainc_derivative(1.0, 1.5, 3), 0.2691188939867062),
        (gammainc_derivative(2.0, 2.5, 1), -0.24878306814493012),
        (gammainc_derivative(3.0, 3.5, 1), -0.2109843561898342),
        (gammainc_derivative(3.0, 1.0, 2), 0.1211325230272978),
        (gammainc_derivative(10.0, 12.0, 1), -0.09717797203717965),
        (gammainc_derivative(20.0, 25.0, 2), -0.010460910926487706),
        (betainc_derivative(1.0, 1.0, 0.6875, (1, 0)), -0.25760174649096984),
        (betainc_derivative(1.0, 1.0, 0.6875, (0, 1)), 0.3634846280642753),
        (betainc_derivative(1.0, 1.0, 0.25, (0, 2)), -0.0620707311076138),
        (betainc_derivative(2.0, 1.0, 0.625, (0, 1)), 0.3633178260540207),
        (betainc_derivative(50.0, 2.0, 0.9375, (1, 0)), -0.008083519147592618),
        (betainc_derivative(50.0, 2.0, 0.9375, (0, 1)), 0.16801452954457882),
        (betainc_derivative(3.0, 2.0, 0.5, (1, 1)), -0.04375913189621719),
        (betainc_derivative(1.0, 5.0, 0.125, (2, 0)), 0.2578629886944786),
        (betainc_derivative(4.0, 4.0, 0.5, (0, 3)), -0.012849691708851328),
        (betainc_derivative(1.0, 2.0, 0.375, (2, 1)), -0.19866648538305184),
    ] {
        let want: f64 = want;
        assert!((have - want).abs() <= 1e-12 * want.abs(), "{have} {want}");
    }
}

/// Next to zero, where the derivatives of 1/gamma cancel, by mpmath.
#[test]
fn derivatives_at_small_parameters() {
    for (have, want) in [
        (gammainc_derivative(1e-6, 2.0, 3), -0.12542941323938792),
        (gammainc_derivative(1e-6, 0.5, 3), 1.908822223839431),
        (gammainc_derivative(1e-6, 2.0, 2), -0.15277258086387624),
        (gammainc_derivative(1e-9, 3.0, 1), -0.01304838114368851),
        (betainc_derivative(2.0, 1e-6, 0.25, (0, 2)), 0.061080023153864856),
        (betainc_derivative(2.0, 1e-6, 0.25, (1, 1)), -0.06989115062990012),
        (betainc_derivative(3.0, 1e-6, 0.125, (0, 3)), 0.0015358397732078322),
        (betainc_derivative(1e-6, 2.0, 0.75, (2, 0)), -0.061080023153864856),
    ] {
        let want: f64 = want;
        assert!((have - want).abs() <= 1e-11 * want.abs(), "{have} {want}");
    }
}

/// What has no Taylor expansion: the conventions at the ends of the domains.
#[test]
fn limits() {
    let inf = f64::INFINITY;
    let equal: &[(f64, f64)] = &[
        (lgamma(0.0), inf),
        (lgamma(-2.0), inf),
        (lgamma(inf), inf),
        (gamma(0.0), inf),
        (gamma(-0.0), -inf),
        (gamma(172.0), inf),
        (digamma(inf), inf),
        (digamma(0.0), -inf),
        (digamma(-0.0), inf),
        (polygamma(0.0, 0.0), -inf),
        (polygamma(1.0, 0.0), inf),
        (polygamma(2.0, 0.0), -inf),
        (polygamma(1.0, inf), 0.0),
        (zeta(1.0, 1.0), inf),
        (zeta(2.0, 0.0), inf),
        (betaln(0.0, 1.0), inf),
        (gammainc(1.0, 0.0), 0.0),
        (gammainc(1.0, inf), 1.0),
        (gammainc(0.0, 1.0), 1.0),
        (gammaincc(0.5, 0.0), 1.0),
        (gammaincc(1.0, inf), 0.0),
        (betainc(1.0, 2.0, 0.0), 0.0),
        (betainc(2.0, 3.0, 1.0), 1.0),
        (gammaincinv(2.0, 0.0), 0.0),
        (gammaincinv(2.0, 1.0), inf),
        (gammainccinv(2.0, 0.0), inf),
        (betaincinv(2.0, 3.0, 0.0), 0.0),
        (betaincinv(2.0, 3.0, 1.0), 1.0),
        (i0(0.0), 1.0),
        (i0(inf), inf),
        (i0e(inf), 0.0),
        (i1e(-inf), 0.0),
        (exp1(0.0), inf),
        (exp1(inf), 0.0),
        (expi(0.0), -inf),
        (expi(-inf), 0.0),
        (erfcx(inf, 0), 0.0),
        (erfcx(-inf, 0), inf),
        (owens_t(inf, 1.0), 0.0),
        (owens_t(0.0, inf), 0.25),
    ];
    for (i, (have, want)) in equal.iter().enumerate() {
        assert_eq!(have, want, "line {i}");
    }
    let undefined = [
        gamma(-1.0),
        digamma(-1.0),
        digamma(-3.0),
        polygamma(0.5, 1.0),
        zeta(0.5, 1.0),
        zeta(2.5, -1.5),
        betaln(-1.0, 2.0),
        gammainc(-1.0, 1.0),
        gammainc(1.0, -1.0),
        gammainc(0.0, 0.0),
        gammaincc(f64::NAN, 1.0),
        betainc(1.0, 1.0, 1.5),
        betainc(-1.0, 1.0, 0.5),
        gammaincinv(1.0, 1.5),
        betaincinv(1.0, 1.0, -0.5),
        i0(f64::NAN),
        exp1(f64::NAN),
        owens_t(f64::NAN, 0.0),
    ];
    for (i, have) in undefined.iter().enumerate() {
        assert!(have.is_nan(), "line {i} is {have}");
    }
}

/// The quantiles give back the probabilities, to what the slope lets through.
#[test]
fn inverses() {
    let probabilities = [1e-280, 1e-30, 1e-6, 0.01, 0.3, 0.5, 0.7, 0.99, 1.0 - 1e-9];
    for a in [1e-3, 0.02, 0.4, 1.0, 2.5, 17.0, 123.0, 1e4, 1e8] {
        for p in probabilities {
            let x = gammaincinv(a, p);
            // One ulp of x moves P by x density ulp.
            let reach = 4.0 * f64::EPSILON * (1.0 + x * gamma_density(a, x) / p.min(1.0 - p));
            let tail = if p > 0.5 { gammaincc(a, x) / (1.0 - p) } else { gammainc(a, x) / p };
            let small = x == 0.0 && gammainc(a, f64::MIN_POSITIVE) >= p;
            assert!(small || (tail - 1.0).abs() < reach + 2e-14, "P({a}, {x}): {tail} of {p}");
            let x = gammainccinv(a, p);
            let reach = 4.0 * f64::EPSILON * (1.0 + x * gamma_density(a, x) / p.min(1.0 - p));
            let tail = if p > 0.5 { gammainc(a, x) / (1.0 - p) } else { gammaincc(a, x) / p };
            let small = x == 0.0 && gammaincc(a, f64::MIN_POSITIVE) <= p;
            assert!(small || (tail - 1.0).abs() < reach + 2e-14, "Q({a}, {x}): {tail} of {p}");
        }
    }
    for a in [0.02, 0.4, 1.0, 2.5, 17.0, 123.0, 1e4] {
        for b in [0.02, 0.4, 1.0, 2.5, 17.0, 123.0, 1e6] {
            for p in probabilities {
                let x = betaincinv(a, b, p);
                if x == 0.0 || x == 1.0 {
                    // The quantile is beyond the numbers next to the ends.
                    let next = if x == 0.0 { f64::MIN_POSITIVE } else { 1.0 - f64::EPSILON / 2.0 };
                    assert!((betainc(a, b, next) >= p) == (x == 0.0), "I({a}, {b}, {x}) of {p}");
                    continue;
                }
                let slope = x.min(1.0) * beta_density(a, b, x);
                let reach = 4.0 * f64::EPSILON * (1.0 + slope / p.min(1.0 - p));
                let tail = if p > 0.5 {
                    (1.0 - betainc(a, b, x)) / (1.0 - p)
                } else {
                    betainc(a, b, x) / p
                };
                // The complement of a tail next to one is known to an ulp of one.
                let slack = if p > 0.5 { 4.0 * f64::EPSILON / (1.0 - p) } else { 0.0 };
                let gap = (tail - 1.0).abs();
                assert!(gap < reach + slack + 2e-14, "I({a}, {b}, {x}): {tail} of {p}");
            }
        }
    }
}

/// No argument, however odd, takes long or panics.
#[test]
fn odd_arguments() {
    let tiny = 5e-324;
    let odd = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 3.0, 88.8, 170.5, 1e5, 1e10, -1e10, 1e30, -1e30]
        .into_iter()
        .chain([1e-30, 1e-300, tiny, 1e308, f64::INFINITY, -f64::INFINITY, f64::NAN])
        .collect::<Vec<f64>>();
    let one: [fn(f64) -> f64; 12] = [
        lgamma,
        gamma,
        digamma,
        i0,
        i0e,
        i0e_slope,
        i1,
        i1e,
        exp1,
        expi,
        |x| erfcx(x, 0),
        |x| erfcx(x, 3),
    ];
    let two: [fn(f64, f64) -> f64; 12] = [
        polygamma,
        zeta,
        |s, q| zeta_derivative(s, q, 3),
        betaln,
        digamma_difference,
        gammainc,
        gammaincc,
        |a, x| gammainc_derivative(a, x, 3),
        gamma_density,
        gammaincinv,
        gammainccinv,
        owens_t,
    ];
    let three: [fn(f64, f64, f64) -> f64; 4] =
        [betainc, |a, b, x| betainc_derivative(a, b, x, (1, 2)), beta_density, betaincinv];
    let start = std::time::Instant::now();
    for &x in &odd {
        one.iter().for_each(|f| {
            std::hint::black_box(f(x));
        });
        for &y in &odd {
            two.iter().for_each(|f| {
                std::hint::black_box(f(x, y));
            });
            for &z in &odd {
                three.iter().for_each(|f| {
                    std::hint::black_box(f(x, y, z));
                });
            }
        }
    }
    // 42,000 calls: a second, however busy the machine.
    assert!(start.elapsed().as_secs() < 60);
}
