//! Densities of numbers as curves. Those to compute with are
//! [`Kde`](crate::distributions::Kde)'s.

use super::super::moments::{quantile, sorted};
use super::super::sums;
use super::row;
use probpipe_trace::Array;

/// Points of a curve.
const POINTS: usize = 256;

/// The density of numbers over their range by a normal kernel, as `(x, density)`; those that are
/// not finite are left out. What would spread beyond the range is folded back, for a bound is often
/// why it ends there. Its width is the one of B. W. Silverman, "Density estimation for statistics
/// and data analysis" (1986), equation 3.31. Nothing of numbers that are all equal.
pub(super) fn density(numbers: &[f64]) -> (Array, Array) {
    let finite: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
    let ordered = sorted(&finite);
    let (low, high) = (quantile(&ordered, 0.0), quantile(&ordered, 1.0));
    let between = quantile(&ordered, 0.75) - quantile(&ordered, 0.25);
    let sd = sums::variance(&finite, 1.0).sqrt();
    let spread = if between > 0.0 { sd.min(between / 1.34) } else { sd };
    let width = 0.9 * spread * (finite.len() as f64).powf(-0.2);
    let step = (high - low) / POINTS as f64;
    if !(width > 0.0 && step > 0.0 && step.is_finite()) {
        return (row([]), row([]));
    }
    // In cells as wide as a step, so that many numbers cost no more than a few.
    let mut cells = [0.0; POINTS];
    for x in &finite {
        cells[(((x - low) / step) as usize).min(POINTS - 1)] += 1.0;
    }
    let kernel: Vec<f64> =
        (0..2 * POINTS).map(|i| (-0.5 * (i as f64 * step / width).powi(2)).exp()).collect();
    let of_all = 1.0 / (finite.len() as f64 * width * std::f64::consts::TAU.sqrt());
    let at = |i: usize| {
        // From a cell, and from its images beyond either end.
        let reach =
            |j: usize| kernel[i.abs_diff(j)] + kernel[i + j + 1] + kernel[2 * POINTS - 1 - i - j];
        cells.iter().enumerate().map(|(j, n)| n * reach(j)).sum::<f64>() * of_all
    };
    (row((0..POINTS).map(|i| low + (i as f64 + 0.5) * step)), row((0..POINTS).map(at)))
}
