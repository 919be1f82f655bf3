//! Draws of every family: a million of each against its own distribution function, its mean and
//! its variance, at fixed keys; and for draws that are differentiable, derivatives of expectations
//! against those of the exact ones. What each family is drawn with is one list in three parts,
//! which is held against the list of families.

mod counts;
mod directions;
#[path = "../golden/mod.rs"]
mod golden;
mod numbers;
mod vectors;

use golden::floats;
use probpipe::distributions::*;
use probpipe::prelude::*;
use probpipe_testing::statistics::{chi_square, kolmogorov_smirnov, mean};

const N: usize = 1_000_000;

/// That the mean and the variance of a sample are these; those that are not finite are not asked.
#[track_caller]
pub fn moments(what: &str, sample: &[f64], want: [f64; 2]) {
    let [centre, variance] = want;
    if centre.is_finite() && variance.is_finite() {
        mean(sample, centre).accept(&format!("mean of {what}"), 1e-5);
        let squares: Vec<f64> = sample.iter().map(|x| (x - centre).powi(2)).collect();
        mean(&squares, variance).accept(&format!("variance of {what}"), 1e-5);
    }
}

/// That draws follow a distribution function. It is asked for at four thousand of the sorted
/// draws, between which it is nearly a line: by less than a tenth of what is a gap for a million.
#[track_caller]
pub fn follows(what: &str, draws: &[f64], distribution: impl Fn(Array) -> Array) {
    let mut sorted = draws.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut knots: Vec<f64> = sorted.iter().copied().step_by((draws.len() / 4000).max(1)).collect();
    knots.push(sorted[sorted.len() - 1]);
    let levels = floats(&jit(distribution)(Array::from_slice(&knots, [knots.len()])));
    let at = std::cell::Cell::new(0);
    let line = |x: f64| {
        // Points come in order.
        let mut k = at.get();
        while k + 2 < knots.len() && knots[k + 1] < x {
            k += 1;
        }
        at.set(k);
        let width = knots[k + 1] - knots[k];
        let part = if width > 0.0 { (x - knots[k]) / width } else { 1.0 };
        levels[k] + (levels[k + 1] - levels[k]) * part
    };
    kolmogorov_smirnov(&sorted, line).accept(what, 1e-5);
}

/// Pearson's test, of cells that expect little counted with one that expects most.
#[track_caller]
pub fn cells_follow(what: &str, observed: Vec<u64>, expected: Vec<f64>) {
    let most = (0..expected.len()).max_by(|&i, &j| expected[i].total_cmp(&expected[j])).unwrap();
    let (mut o, mut e) = (vec![observed[most]], vec![expected[most]]);
    for i in (0..expected.len()).filter(|&i| i != most) {
        if expected[i] < 20.0 {
            o[0] += observed[i];
            e[0] += expected[i];
        } else {
            o.push(observed[i]);
            e.push(expected[i]);
        }
    }
    // Rounding of the probabilities, in f32, is made good.
    let total: u64 = o.iter().sum();
    let factor = total as f64 / e.iter().sum::<f64>();
    assert!((factor - 1.0).abs() < 1e-4, "{what}: probabilities add up to {}", 1.0 / factor);
    let e: Vec<f64> = e.iter().map(|e| e * factor).collect();
    chi_square(&o, &e, 0).accept(what, 1e-5);
}

/// What the last tests are about.
const OTHERS: &[&str] = &[
    "Delta",
    "DeterminantalPointProcess",
    "HurdleGamma",
    "HurdleLogNormal",
    "PlackettLuce",
    "TruncatedPolyaGamma",
];

#[test]
fn no_family_is_forgotten() {
    let numbers = numbers::numbers();
    let mut tested: Vec<&str> = numbers.iter().map(|row| row.name).collect();
    tested.extend([counts::COUNTED, vectors::VECTORS, OTHERS].concat());
    for family in FAMILIES {
        assert!(tested.contains(&family.name), "no draws of {} are tested", family.name);
    }
}
